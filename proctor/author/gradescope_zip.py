"""A Gradescope autograder: the zip that an instructor uploads, and what runs inside it.

The zip and ``results.json`` follow Gradescope's specification
(gradescope-autograders.readthedocs.io, "Autograder Specifications"): ``setup.sh`` and
``run_autograder`` at the root of the archive, the archive unpacked to ``/autograder/source``, the
submission in ``/autograder/submission``, the outcome in ``/autograder/results/results.json``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from proctor.author.write_zip import write_archive
from proctor.checks import Lab
from proctor.course import CONFIG, Course
from proctor.errors import CourseError
from proctor.examine import adoption
from proctor.examine.course_imports import check_files, needed_files
from proctor.examine.marker import require_built
from proctor.examine.secret import NAME as SECRET
from proctor.examine.secret import course_secret
from proctor.examine.versions import package_versions

DISTRIBUTION = "digits-lab"

SETUP = """\
#!/usr/bin/env bash
# Run once, when Gradescope builds the autograder's image (Ubuntu, as root).
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update
# Ubuntu 22.04 keeps 3.11 beside its own Python; from 24.04 on its own will do.
apt-get install -y python3.11 python3.11-venv || apt-get install -y python3 python3-venv
python="$(command -v python3.11 || command -v python3)"
"$python" -m venv /autograder/venv
/autograder/venv/bin/python -m pip install --no-cache-dir -r /autograder/source/requirements.txt
"""

RUN = """\
#!/usr/bin/env bash
# Run for every submission. AUTOGRADER and PROCTOR_PYTHON name other places than Gradescope's.
set -euo pipefail
base="$(realpath "${AUTOGRADER:-/autograder}")"
python="${PROCTOR_PYTHON:-$base/venv/bin/python}"
cd "$base/source"
export PYTHONPATH="$base/source"
exec "$python" -m proctor.gradescope %(lab)s \\
  --submission "$base/submission" --results "$base/results/results.json"
"""


def write_zip(course: Course, lab: Lab, path: Path, note: Callable[[str], object]) -> Path:
    """Write the autograder's zip: the lab, its checks, the engine, the secret and the two scripts.

    Gradescope makes a machine of its own for each upload; with the course's secret each draws what
    every other door draws. `note` is told if a secret had to be made.

    Raises
    ------
    CourseError
        If the lab is not built as it is now or fails its own tests, a file is missing or `path` cannot
        be written; what was there before is unchanged.
    """
    course.source_notebook(lab.name)  # says what to do if it has not been built
    require_built(course, lab)
    course_secret(course.folder, note)
    if lab.ordinary is not None:
        adoption.plans(course, lab)  # made here once, and not there for every upload
    files = {
        "setup.sh": SETUP.encode(),
        "run_autograder": (RUN % {"lab": lab.name}).encode(),
        "requirements.txt": requirements(course, lab).encode(),
        **_course_files(course, lab),
        **_engine_files(),
    }
    write_archive(path, files, programs=("setup.sh", "run_autograder"))
    return path


def _course_files(course: Course, lab: Lab) -> dict[str, bytes]:
    """Return what marking reads of the course, by its path below the root."""
    folder = course.folder
    wanted = [folder / CONFIG, folder / SECRET]
    if lab.ordinary is not None:
        wanted += _assignment_files(course, lab)
    else:
        masters = course.own_masters(lab.name)
        wanted += masters.values()
        wanted += [course.source(lab.name).with_name(f"{name}.ipynb") for name in masters]
        wanted += [path for path in (folder / "__init__.py",) if path.is_file()]
        wanted += check_files(course.root, folder / "checks", lab.name)
        for name in {*lab.files, *lab.helpers}:
            path = course.root / name
            if not path.exists():
                raise CourseError(f"{lab.name} needs {name}, which is not in {course.root}.")
            wanted += [one for one in path.rglob("*") if one.is_file()] if path.is_dir() else [path]
    return {
        path.relative_to(course.root).as_posix(): path.read_bytes()
        for path in wanted
        if "__pycache__" not in path.parts
    }


def _assignment_files(course: Course, lab: Lab) -> list[Path]:
    """Return an ordinary assignment's files, and what the course's configuration names or imports."""
    config = course.nbgrader_config()
    steps = [config.get("IncludeHeaderFooter", {}), config.get("InstantiateTests", {})]
    named = [step.get(name) for step in steps for name in ("header", "footer", "autotest_filename")]
    beside = [course.folder / str(name or "autotests.yml") for name in named]
    wanted = needed_files(course.folder, course.folder / CONFIG)
    wanted += [course.folder / adoption.KEPT / f"{lab.name}.plan", course.checks(lab.name)]
    wanted += [*beside, *course.masters(lab.name).rglob("*")]
    wanted += (course.source_folder / lab.name).rglob("*")
    found = sorted({path for path in wanted if path.is_file()})
    for path in found:
        if ".." in path.parts or not path.is_relative_to(course.root):
            raise CourseError(f"{path} lies outside {course.root}: put it there, and name it anew.")
    return [path for path in found if ".ipynb_checkpoints" not in path.parts]


def _engine_files() -> dict[str, bytes]:
    package = Path(__file__).resolve().parents[1]
    return {
        f"proctor/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def requirements(course: Course, lab: Lab) -> str:
    """Return what the image installs: the engine's dependencies as installed here, and the lab's."""
    pins = {}
    for line in metadata.requires(DISTRIBUTION) or ():
        if "extra ==" in line:
            continue
        match = re.match(r"[A-Za-z0-9._-]+", line)
        assert match is not None
        pins[match[0].lower()] = f"{match[0]}=={metadata.version(match[0])}"
    if lab.ordinary is not None:  # what its notebooks import, as installed here
        pins = {name: f"{name}=={at}" for name, at in package_versions(course, lab).items()} | pins
    own = course.root / "requirements.txt"
    for line in own.read_text("utf-8").splitlines() if own.is_file() else ():
        match = re.match(r"[A-Za-z0-9._-]+", line)
        if match and match[0].lower() not in pins:
            pins[match[0].lower()] = line.partition("#")[0].strip()
    return "\n".join(pins[name] for name in sorted(pins)) + "\n"
