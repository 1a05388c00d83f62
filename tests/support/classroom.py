"""A marked class without marking: verdicts, notebooks and gradebook as a run would leave them.

For tests of what comes after marking. Who passes what is drawn from a seed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import numpy as np

from proctor.atomic_files import write_whole
from proctor.checks import Check, Lab
from proctor.course import Course
from proctor.notebooks import dumps
from proctor.record import gradebook
from proctor.record.store import Store
from proctor.verdict import CheckResult, ExerciseResult, Problem, Verdict, total

Answers = Mapping[str, str]


def verdict(
    lab: Lab,
    student: str,
    passes: Callable[[Check], bool],
    *,
    cause: Callable[[Check], str] = lambda check: f"It fails at {check.title}.",
    problems: tuple[Problem, ...] = (),
) -> Verdict:
    """Return a verdict in which `passes` says what passed; a check whose need failed is skipped."""
    done: set[str] = set()
    exercises = []
    for exercise in lab.exercises:
        results = []
        for check in exercise.checks:
            skipped = not set(check.needs) <= done
            passed = not skipped and passes(check)
            if passed:
                done.add(check.id)
            results.append(
                CheckResult(
                    id=check.id,
                    title=check.title,
                    hidden=check.hidden,
                    passed=passed,
                    points=float(check.points) if passed else 0.0,
                    max_points=float(check.points),
                    cause="" if passed else "Not asked." if skipped else cause(check),
                    got="" if passed or skipped else "[1. 2.]",
                    next="" if passed or skipped else "Try it with two numbers by hand.",
                    skipped=skipped,
                )
            )
        score = total([one.points for one in results])
        exercises.append(
            ExerciseResult(
                exercise.id, exercise.title, score, float(exercise.points), tuple(results)
            )
        )
    return Verdict(
        student=student,
        lab=lab.name,
        status="needs_attention" if any(one.attention for one in problems) else "graded",
        isolation="namespaces",
        score=total([one.score for one in exercises]),
        max_score=total([one.max_score for one in exercises]),
        problems=problems,
        exercises=tuple(exercises),
    )


def enrol(course: Course, lab: Lab) -> None:
    """Tell the gradebook of the lab, as marking does first."""
    gradebook.record_assignment(
        db_url(course), course_id(course), lab.name, course.source_notebook(lab.name)
    )


def keep(course: Course, one: Verdict, answers: Answers | None = None) -> None:
    """Write one verdict where marking writes it: notebook, gradebook, file."""
    notebook = copy.deepcopy(course.source_notebook(one.lab))
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = (answers or {}).get(cell.id, "")
    out = Store(course.folder, one.lab)
    write_whole(out.notebook(one.student), dumps(notebook))
    gradebook.record(db_url(course), course_id(course), one)
    write_whole(out.verdict(one.student), one.to_json())


def draw_class(course: Course, lab: Lab, size: int, seed: int = 0) -> list[str]:
    """Write a class of `size` students of differing ability; return their ids."""
    draw = np.random.default_rng(seed)
    checks = [check for exercise in lab.exercises for check in exercise.checks]
    hardness = {check.id: draw.normal(-1.6, 1.0) for check in checks}
    enrol(course, lab)
    students = [f"s{number:03d}" for number in range(1, size + 1)]
    for student in students:
        ability = draw.normal(0, 1.3)
        chance = {name: 1 / (1 + np.exp(hard - ability)) for name, hard in hardness.items()}
        luck = {name: draw.random() < value for name, value in chance.items()}
        keep(course, verdict(lab, student, lambda check, luck=luck: bool(luck[check.id])))
    return students


def db_url(course: Course) -> str:
    return f"sqlite:///{course.folder / 'gradebook.db'}"


def course_id(course: Course) -> str:
    return str(course.nbgrader_config().CourseDirectory.course_id)
