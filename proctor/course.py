"""Where a course keeps its things, and how to load a lab from it.

A course of ours is a folder named ``course`` with ``nbgrader_config.py`` and ``checks/``; the folder
above it is the root, where the students' files are. Any other folder with ``nbgrader_config.py`` is a
course, too: its assignments are taken as they are (:mod:`proctor.ordinary`).
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode
from traitlets.config import Config, PyFileConfigLoader

from proctor import ordinary, ordinary_lab
from proctor.assertions import Assertion
from proctor.checks import Lab
from proctor.errors import CourseError, LabNotFoundError

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory

CONFIG = "nbgrader_config.py"


class _AsWritten(SourceFileLoader):
    """Runs a file as it is now: bytecode is taken for fresh by a file's second and size alone."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def load_module(path: Path) -> ModuleType:
    """Run a file as a module of its own, whatever other course this process has loaded."""
    name = f"proctor_course_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    loader = _AsWritten(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def _table(path: Path) -> dict[tuple[str, str], tuple[Assertion, ...]]:
    """Read a converted assignment's table of assertions."""
    try:
        found = getattr(load_module(path), "assertions", None)
    except Exception as error:  # whatever the author's file raises
        raise CourseError(f"{path} fails: {type(error).__name__}: {error}. Mend it.") from error
    rows = found.values() if isinstance(found, dict) else ["none"]
    if any(not isinstance(one, Assertion) for row in rows for one in row):
        raise CourseError(
            f"{path} must define 'assertions': by notebook and cell, each cell's Assertion(...)."
        )
    return dict(found or {})


@dataclass(frozen=True)
class Course:
    """A course folder.

    Attributes
    ----------
    folder : Path
        The folder that holds ``nbgrader_config.py``, absolute.
    """

    folder: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Course:
        """Find the course from a folder inside it or above it (default: the working directory).

        Raises
        ------
        CourseError
            If there is none.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            for candidate in (folder / "course", folder):
                if (candidate / CONFIG).is_file():
                    return cls(candidate)
        raise CourseError(
            f"No course here: {here} and the folders above it hold neither {CONFIG} nor "
            f"course/{CONFIG}. Run the command in the course's folder."
        )

    @property
    def root(self) -> Path:
        """The folder above the course, where what a student receives lies; an ordinary course's own."""
        checks = self.folder / "checks"
        ours = checks.is_dir() and not (self.folder / "masters").is_dir()
        if ours or any(not self.masters(path.stem).is_dir() for path in checks.glob("*.py")):
            return self.folder.parent
        return self.folder

    def master(self, lab: str) -> Path:
        """Path of a lab's master text."""
        return self.folder / f"{lab}.py"

    def own_masters(self, lab: str) -> dict[str, Path]:
        """Paths of a lab's master texts by notebook: ``course/LAB.py``, or all of ``course/LAB/*.py``."""
        if self.master(lab).is_file():
            return {lab: self.master(lab)}
        found = sorted((self.folder / lab).glob("*.py"))
        return {path.stem: path for path in found if path.stem[0] != "_"}

    def masters(self, name: str) -> Path:
        """Folder of the masters of an assignment that was converted (``proctor adopt --write``)."""
        return self.folder / "masters" / name

    def checks(self, name: str) -> Path:
        """Path of a lab's checks, or of a converted assignment's table of assertions."""
        return self.folder / "checks" / f"{name}.py"

    def converted(self) -> list[str]:
        """Names of the assignments that have masters and a table of assertions."""
        names = (path.stem for path in (self.folder / "checks").glob("*.py"))
        return sorted(name for name in names if any(self.masters(name).glob("*.py")))

    def source(self, lab: str) -> Path:
        """Path of nbgrader's source notebook."""
        return self.folder / "source" / lab / f"{lab}.ipynb"

    def relative(self, path: Path) -> str:
        """Return `path` as a reader at the root would write it."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def labs(self) -> list[str]:
        """Names of the labs: those that have both a master and checks."""
        names = (path.stem for path in (self.folder / "checks").glob("*.py"))
        return sorted(n for n in names if n[0] != "_" and self.own_masters(n))

    def assignments(self) -> list[str]:
        """Names of the assignments that have no checks of ours: nbgrader's own."""
        labs = self.labs()
        return [name for name in ordinary.assignments(self.source_folder) if name not in labs]

    def others(self, name: str) -> list[str]:
        """Names of the course's labs and assignments but this one."""
        return [one for one in (*self.labs(), *self.assignments()) if one != name]

    @property
    def source_folder(self) -> Path:
        """The folder of the instructor's notebooks."""
        return self.folder / str(
            self.nbgrader_config().CourseDirectory.get("source_directory", "source")
        )

    def assignment(self, name: str) -> ordinary.Assignment:
        """Read an assignment of nbgrader's own.

        Raises
        ------
        CourseError
            If it cannot be read, or is none that can be marked.
        """
        folder = self.source_folder / name
        return ordinary.read_assignment(folder, self.nbgrader_config(), self.folder)

    def lab(self, name: str) -> Lab:
        """Load a lab's checks, or an assignment of nbgrader's own as a lab.

        Raises
        ------
        LabNotFoundError
            If there are no checks of that name, and no assignment.
        CourseError
            If its points, ids or dependencies do not add up.
        """
        if name not in self.labs():
            if name in self.assignments():
                made = self.assignment(name).lab
                table = _table(self.checks(name)) if name in self.converted() else {}
                ordinary_lab.divide(made, table)
                return made
            known = ", ".join([*self.labs(), *self.assignments()]) or "none"
            raise LabNotFoundError(f"No lab '{name}' in {self.folder}. There are: {known}.")
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))
        lab = getattr(load_module(self.folder / "checks" / f"{name}.py"), "lab", None)
        if not isinstance(lab, Lab):
            raise CourseError(f"course/checks/{name}.py must define 'lab = Lab(...)'.")
        lab.validate()
        books = self.own_masters(name)
        if list(books) != [name]:
            lab.own = ordinary.built(
                self.folder / "source" / name, list(books), lab, self.nbgrader_config()
            )
        return lab

    def source_notebook(self, lab: str) -> NotebookNode:
        """Read nbgrader's source notebook.

        Raises
        ------
        CourseError
            If it has not been built.
        """
        if lab not in self.labs() and lab in self.assignments():
            return self.assignment(lab).whole
        if own := self.lab(lab).own if list(self.own_masters(lab)) not in ([lab], []) else None:
            return own.whole
        path = self.source(lab)
        if not path.is_file():
            raise CourseError(f"{self.relative(path)} is missing. Run: proctor build {lab}")
        return nbformat.read(path, as_version=4)

    def nbgrader_config(self) -> Config:
        """Return the course's nbgrader configuration.

        Raises
        ------
        CourseError
            If its file fails.
        """
        try:
            return PyFileConfigLoader(CONFIG, path=str(self.folder)).load_config()
        except Exception as error:  # whatever the instructor's file raises
            raise CourseError(
                f"{self.folder / CONFIG} fails: {type(error).__name__}: {error}. Mend it, or see what "
                "`nbgrader --debug list` says of it."
            ) from error

    def coursedir(self, lab: str, **paths: Any) -> CourseDirectory:
        """Return nbgrader's view of this course, set to one assignment."""
        from nbgrader.coursedir import CourseDirectory  # a second of imports, which judging spares

        config = self.nbgrader_config()
        config.CourseDirectory.root = str(self.folder)
        config.CourseDirectory.assignment_id = lab
        for name, value in paths.items():
            setattr(config.CourseDirectory, name, value)
        return CourseDirectory(config=config)
