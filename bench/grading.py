"""The same class marked by plain nbgrader and by proctor: ``python -m bench.grading [--small]``.

The class is made of the lab's own right and wrong answers: right ones of several forms, wrong ones,
slow ones, unfinished ones, all distinct. nbgrader gets the lab as an ordinary course of its own: the
tests run as hidden tests in the student's kernel. ``--alone N`` marks such a class of N without nbgrader,
``--tiny N`` one of a lab without TensorFlow, and tells the time and the memory as they go.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat
import psutil

from bench.floor import floor
from course.mutants import lab_digits as answers
from course.sample_class import SampleClass
from proctor.classroom.grade import Listener, grade
from proctor.course import Course
from proctor.examine.pool import default_jobs

ROOT = Path(__file__).resolve().parents[1]
LAB = "lab_digits"
SLOW = "import time\ntime.sleep(8)\n"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "plain"
c.ClearSolutions.code_stub = {"python": "raise NotStarted"}
c.ExecutePreprocessor.timeout = 120
c.ExecutePreprocessor.allow_errors = True
"""


def main() -> None:
    """Parse the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="6 submissions instead of 40")
    parser.add_argument("--number", type=int, help="this many submissions")
    parser.add_argument("--jobs", type=int, default=default_jobs())
    parser.add_argument("--alone", type=int, metavar="N", help="N of the lab, by proctor alone")
    parser.add_argument("--tiny", type=int, metavar="N", help="N of a lab without TensorFlow")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if options.tiny:
            tiny_class(Path(folder), options.tiny, options.jobs)
        elif options.alone:
            course = Course(ROOT / "course")
            write_class(course, Path(folder) / "submitted", options.alone)
            in_tenths(course, LAB, Path(folder) / "submitted", Path(folder) / "out", options.jobs)
        else:
            number = options.number or (6 if options.small else 40)
            compare(Path(folder), number, options.jobs)


def write_class(course: Course, folder: Path, number: int, first: int = 0) -> None:
    """Write distinct submissions: in every six three right, one wrong, one slow, one unfinished.

    Classes whose numbers, from `first` on, do not overlap have no submission in common.
    """
    right = SampleClass(course, LAB).right
    variants, mutants = itertools.cycle(answers.VARIANTS), itertools.cycle(answers.MUTANTS)
    for index in range(first, first + number):
        cells = dict(right)
        kind = index % 6
        if kind in (1, 2):
            one = next(variants)
            cells[one.exercise] = one.code
        elif kind == 3:
            wrong = next(mutants)
            cells |= {wrong.exercise: wrong.code, **wrong.also}
        elif kind == 4:
            cells["softmax"] = SLOW + cells["softmax"]
        elif kind == 5:
            cells = {name: cells[name] for name in list(cells)[: 1 + index % 4]}
        notebook = nbformat.read(course.root / f"{LAB}.ipynb", as_version=4)
        for cell in notebook.cells:
            cell.source = cells.get(cell.id, cell.source)
        notebook.cells[0].source += f"\n\nHanded in by {index}"
        path = folder / f"s{index:02d}" / LAB / f"{LAB}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)


def plain_course(course: Course, folder: Path, submitted: Path) -> None:
    """Write the lab as a course without our plug-in, its tests in the student's kernel."""
    source = folder / "source" / LAB
    source.mkdir(parents=True)
    shutil.copytree(ROOT / "Data", source / "Data")
    for name in ("utils.py", "public_tests.py"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "labkit", source / "labkit", ignore=shutil.ignore_patterns("__pycache__")
    )
    notebook = course.source_notebook(LAB)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            calls = cell.source
            cell.source += f"\n### BEGIN HIDDEN TESTS\n{calls}\n### END HIDDEN TESTS"
    nbformat.write(notebook, source / f"{LAB}.ipynb")
    shutil.copytree(submitted, folder / "submitted")
    (folder / "nbgrader_config.py").write_text(CONFIG)
    nbgrader(folder, "generate_assignment")


def nbgrader(folder: Path, command: str) -> float:
    """Run nbgrader in `folder` and return the seconds it took."""
    began = time.monotonic()
    beside = str(Path(sys.executable).parent)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", command, LAB],
        cwd=folder,
        env={**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"nbgrader {command}: exit status {done.returncode}\n{done.stderr[-600:]}")
    return time.monotonic() - began


class Meter:
    """Samples what the processes below this one use, apart from this one itself.

    Attributes
    ----------
    kernels : float
        CPU seconds of the students' kernels that have ended, the reference's among them.
    workers : float
        CPU seconds of the processes that judge.
    private : list of float
        Memory that a kernel does not share with the warm parent, in MiB, whenever it was looked at.
    """

    def __init__(self) -> None:
        self.private: list[float] = []
        self._kernels: dict[int, float] = {}
        self._workers: dict[int, float] = {}
        self._ended = threading.Event()

    @property
    def kernels(self) -> float:
        return sum(self._kernels.values())

    @property
    def workers(self) -> float:
        return sum(self._workers.values())

    def __enter__(self) -> Meter:
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._ended.wait(0.5):
            for child in psutil.Process().children():
                try:
                    self._look(child, " ".join(child.cmdline()))
                except psutil.Error:
                    continue  # ended while we looked

    def _look(self, child: psutil.Process, command: str) -> None:
        if "ipykernel" in command:  # the warm parent's title
            times = child.cpu_times()
            self._kernels[child.pid] = times.children_user + times.children_system
            own = [one.memory_full_info().uss for one in child.children(recursive=True)]
            self.private += [bytes_ / 2**20 for bytes_ in own]
        elif "proctor.examine" in command:  # the template of the workers
            for worker in child.children():
                self._workers[worker.pid] = sum(worker.cpu_times()[:2])


def compare(folder: Path, number: int, jobs: int) -> None:
    """Mark one class twice and print the comparison."""
    course = Course(ROOT / "course")
    submitted, plain = folder / "submitted", folder / "plain"
    write_class(course, submitted, number)
    plain_course(course, plain, submitted)
    theirs = nbgrader(plain, "autograde") + nbgrader(plain, "generate_feedback")
    marked_at: list[float] = []
    said: list[tuple[str, float]] = []
    own = cpu()
    began = time.monotonic()
    listener = Listener(
        marked=lambda _: marked_at.append(time.monotonic()),
        say=lambda text: said.append((text, time.monotonic())),
    )
    with Meter() as meter:
        result = grade(
            course, course.lab(LAB), submitted, folder / "out", jobs=jobs, listener=listener
        )
    ours, own = time.monotonic() - began, cpu() - own
    times = dict(said)
    pages = times.get("Writing feedback pages", time.monotonic())
    marking = sum(1 for _ in result.verdicts)
    print(f"{number} submissions of {LAB}, {jobs} at once\n")
    print(f"nbgrader autograde, generate_feedback   {theirs / number:7.2f} s a submission")
    print(f"proctor grade, start included           {ours / number:7.2f} s a submission")
    print(f"ratio                                   {theirs / ours:7.1f}")
    print("\nproctor by phase")
    for text, at in said:
        print(f"  {at - began:7.1f} s  {text}")
    print(f"  {max(marked_at, default=began) - began:7.1f} s  last of {marking} marked")
    print(f"  {pages - began:7.1f} s  pages begun\n  {ours:7.1f} s  end")
    least = sum(floor(course, course.lab(LAB), submitted)) / number
    print(f"\nfloor: the students' code, already warm  {least:7.2f} s of CPU a submission")
    print(f"CPU of the kernels, the reference's too  {meter.kernels / number:7.2f} s a submission")
    print(f"CPU of the processes that judge          {meter.workers / number:7.2f} s a submission")
    print(f"CPU of the grader itself, pages included {own / number:7.2f} s a submission")
    cores = len(os.sched_getaffinity(0))
    first = min(marked_at, default=began)
    rate = (max(marked_at, default=began) - first) / max(1, len(marked_at) - 1)
    print(f"{cores} processors while marking             {cores * rate:7.2f} s a submission")
    print(f"times the floor                          {cores * rate / least:7.2f}")
    if meter.private:
        print(f"memory not shared with the warm parent   {max(meter.private):7.0f} MB, the largest")


def cpu() -> float:
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def tiny_class(folder: Path, number: int, jobs: int) -> None:
    """Mark a class of a lab without TensorFlow."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support import tinycourse as tiny

    course = tiny.make_course(folder / "tiny")
    for index in range(number):
        notebook = tiny.student(course, double=tiny.DOUBLE, mean=tiny.MEAN)
        notebook.cells[0].source += f"\n\nHanded in by {index}"
        tiny.hand_in(course, f"s{index:05d}", notebook)
    in_tenths(course, "tiny", course.folder / "submitted", folder / "out", jobs)


def in_tenths(course: Course, lab: str, submitted: Path, out: Path, jobs: int) -> None:
    """Mark a class, and print the rate and the grader's memory after every tenth of it."""
    number = sum(1 for _ in submitted.iterdir())
    began = time.monotonic()
    count = itertools.count(1)
    print(f"{number} submissions of {lab}, {jobs} at once\n")
    print("   marked   seconds   a second   grader's memory, MB")

    def marked(_: str) -> None:
        done = next(count)
        if done % max(1, number // 10) == 0:
            seconds = time.monotonic() - began
            memory = psutil.Process().memory_info().rss / 2**20
            print(f"{done:9} {seconds:9.1f} {done / seconds:10.2f} {memory:21.0f}", flush=True)

    own = cpu()
    with Meter() as meter:
        grade(course, course.lab(lab), submitted, out, jobs=jobs, listener=Listener(marked=marked))
    seconds, own = time.monotonic() - began, cpu() - own
    print(f"\nwith feedback pages: {seconds:.1f} s, {number / seconds:.2f} a second")
    print("CPU seconds a submission, start and reference included:")
    for what, spent in (("kernels", meter.kernels), ("judging", meter.workers), ("grader", own)):
        print(f"  {what:8} {spent / number:8.3f}")


if __name__ == "__main__":
    main()
