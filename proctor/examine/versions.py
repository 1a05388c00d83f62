"""Which installed packages a lab's marks depend on, and their versions: a part of every verdict's key.

A check may import any package, and that one others: whoever brings one of them to another version
marks by other rules. So the key holds the version of every distribution that the checks, the helpers, the
files and the cells of the lab import, and of all that those require in turn.
"""

from __future__ import annotations

import functools
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata

from proctor.checks import Lab
from proctor.course import Course
from proctor.examine.course_imports import check_files, imported_names, names_imported, needed_files

ENGINE = ("numpy", "ipykernel", "ipython", "jupyter-client", "nbclient", "nbformat", "pyzmq")
"""Distributions that run and read every kernel, whatever the lab."""
OURS = {"proctor", "explorer"}
"""Packages of this project: their files are in the key themselves."""


def package_versions(course: Course, lab: Lab) -> dict[str, str]:
    """Return the version of each installed distribution that a verdict on `lab` may depend on.

    Parameters
    ----------
    course : Course
        The course, for its files.
    lab : Lab
        The lab, for its checks, helpers, files and warm modules.

    Returns
    -------
    dict of str to str
        Normalised name of the distribution -> version, sorted by name. A distribution that is not
        installed is not there; whoever imports it says so.
    """
    checks = course.folder / "checks"
    files = [] if lab.ordinary else [*check_files(course.root, checks, lab.name)]
    base = lab.ordinary.folder if lab.ordinary else course.root
    for name in (*lab.helpers, *lab.files):
        path = base / name
        files += path.rglob("*.py") if path.is_dir() else [path]
    python = {path for path in files if path.suffix == ".py" and path.is_file()}
    sources = {one for path in python for one in needed_files(base, path)}
    modules = {name for path in sources for name in imported_names(path)} | {*lab.warm}
    modules |= {name for code in _cells(course, lab) for name in names_imported(code)}
    own = _with_requirements(_distributions(modules))
    engine = {name: version for name in ENGINE if (version := _version(name))}
    return dict(sorted((own | engine).items()))


def _cells(course: Course, lab: Lab) -> Iterator[str]:
    """Yield the code of the instructor's own cells, without the lines that only IPython knows."""
    for cell in course.source_notebook(lab.name).cells:
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            yield "\n".join(line for line in lines if line.lstrip()[:1] not in ("%", "!", "?"))


def _distributions(modules: Iterable[str]) -> set[str]:
    """Return the distributions that top-level packages come from; a course's own come from none."""
    tops = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names) - OURS
    return {one.name for top in tops for one in installed().get(top, ())}


@functools.cache
def installed() -> Mapping[str, list[metadata.Distribution]]:
    """Top-level package -> distributions; asked once, since it reads a file of each of them.

    ``importlib.metadata`` can tell it too, but makes an object of every file that is installed, and
    reads what every distribution says of itself.
    """
    found: dict[str, list[metadata.Distribution]] = defaultdict(list)
    for one in metadata.distributions():
        for top in _tops(one):
            found[top].append(one)
    return found


def _tops(one: metadata.Distribution) -> set[str]:
    if declared := (one.read_text("top_level.txt") or "").split():
        return set(declared)
    if record := one.read_text("RECORD"):
        return {package or module for package, module in _PYTHON.findall(record)}
    files = [file for file in one.files or () if file.suffix == ".py"]
    return {file.parts[0] if len(file.parts) > 1 else file.stem for file in files}


_PYTHON = re.compile(r'^"?(?:([^/,"\n]+)/[^,"\n]*|([^/,"\n]+))\.py"?,', re.MULTILINE)
"""A Python file in a list of what is installed: the package that it is in, or its own name."""


def _with_requirements(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of these distributions and of all that they require, as far as installed.

    An optional requirement (an extra) counts only where something imports it.
    """
    found: dict[str, str] = {}
    waiting = [_normal(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = distribution.version
        waiting += [
            _normal(match[0])
            for line in distribution.requires or ()
            if not re.search(r"\bextra\s*==", line) and (match := re.match(r"[\w.-]+", line))
        ]
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _normal(name: str) -> str:
    """Write a distribution's name as the packaging specifications normalise it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
