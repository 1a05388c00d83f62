"""Commands that make a lab: ``new``, ``adopt``, ``build``, ``release``, ``mutate``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from proctor.checks import Lab
from proctor.commands.shared import (
    ATTENTION,
    GRADED,
    console,
    course_of,
    isolation_option,
    jobs_option,
)
from proctor.course import Course
from proctor.errors import CourseError

EVERY = 20
"""After so many wrong answers a run that is not at a terminal says how far it is."""


@click.command()
@click.argument("lab")
@click.pass_context
def new(ctx: click.Context, lab: str) -> None:
    """Begin a lab: a master with one exercise, its checks, and mistakes that the checks catch."""
    from proctor.author.new import new as write

    try:
        here = course_of(ctx).root
    except CourseError:
        here = Path.cwd()
    for path in write(lab, here):
        click.echo(path.relative_to(here))
    click.echo(f"Now: proctor build {lab} && proctor mutate {lab}")


@click.command()
@click.argument("assignments", nargs=-1, metavar="[ASSIGNMENT]...")
@click.option(
    "--compare",
    is_flag=True,
    help="Mark what was handed in again, and list every score that differs from the gradebook's.",
)
@click.option(
    "--write",
    is_flag=True,
    help="Write it as text: masters/NAME/*.py, and checks/NAME.py with a line for each assertion.",
)
@jobs_option
@isolation_option
@click.pass_context
def adopt(
    ctx: click.Context,
    assignments: tuple[str, ...],
    compare: bool,
    write: bool,
    jobs: int | None,
    isolation: Any,
) -> None:
    """Look at nbgrader assignments as they are: what is judged outside the student's process.

    Without a name: all assignments of the course. Exit status 1 if a test cell does not pass on the
    instructor's own solution, or, with --compare, if a score differs.
    """
    from proctor.author.convert import write as convert
    from proctor.examine import adoption
    from proctor.intake.release_difference import stale_release

    course = course_of(ctx)
    sound = True
    for name in assignments or course.assignments():
        try:
            lab = course.lab(name)
        except CourseError as error:
            if name in assignments:
                raise
            click.echo(f"{name}: {error}", err=True)
            sound = False
            continue
        if lab.ordinary is None:
            raise click.UsageError(f"{name} has checks of its own; there is nothing to adopt.")
        columns = (TextColumn(f"Looking at {name}"), TextColumn("{task.description}"))
        with Progress(*columns, console=Console(stderr=True)) as progress:
            tell = functools.partial(_show, progress, progress.add_task("", total=None))
            if compare:
                sound = _compare(course, lab, isolation, jobs, tell) and sound
                continue
            with adoption.open_bench(course, lab, isolation) as bench:
                adopted = adoption.make(lab.ordinary, bench, tell)
        adoption.keep(adopted, course.folder)
        click.echo(adopted.summary())
        for line in adopted.lines():
            click.echo(f"  {line}")
        if sentence := stale_release(course, lab.ordinary):
            click.echo(sentence)
        for path in convert(course, adopted) if write else ():
            click.echo(course.relative(path))
        sound = sound and not adopted.failing()
    ctx.exit(GRADED if sound else ATTENTION)


def _compare(
    course: Course, lab: Lab, isolation: Any, jobs: int | None, tell: Callable[[str], None]
) -> bool:
    """Print what differs between the gradebook and marking anew; return whether nothing does."""
    from proctor.classroom.compare_marks import compare
    from proctor.examine.pool import default_jobs
    from proctor.tell.attention import names_of

    folder = course.folder / "submitted"
    found = compare(course, lab, folder, isolation=isolation, jobs=jobs or default_jobs(), say=tell)
    for one in found.differences:
        click.echo(
            f"{one.student}  {one.notebook}  {one.cell}  {one.before:g} -> {one.now:g}  {one.reason}"
        )
    for student in found.unknown:
        click.echo(f"{student}  is not in the gradebook")
    if found.without:
        names = names_of([f"{student} ({cells})" for student, cells in found.without.items()])
        click.echo(f"Not compared, since the gradebook has no score of it (test cells): {names}")
    differ = len(found.differences)
    click.echo(
        f"{lab.name}: {found.students} submissions, {found.cells} test cells compared; "
        f"{differ} {'score differs' if differ == 1 else 'scores differ'}. Marks by hand were not touched."
    )
    return not found.differences


@click.command()
@click.argument("labs", nargs=-1, metavar="[LAB]...")
@click.pass_context
def build(ctx: click.Context, labs: tuple[str, ...]) -> None:
    """Build the labs from their masters (default: all).

    course/LAB.py -> course/source/LAB/LAB.ipynb -> nbgrader's release -> LAB.ipynb beside course/.
    """
    from proctor.author.build import build as build_lab
    from proctor.author.convert import build as build_converted

    course = course_of(ctx)
    for name in labs or (*course.labs(), *course.converted()):
        if name in course.converted():
            for path in build_converted(course, name):
                click.echo(f"source   {course.relative(path)}")
        else:
            build_lab(course, course.lab(name), click.echo)


@click.command()
@click.argument("lab", metavar="ASSIGNMENT")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build"),
    show_default=True,
    help="Folder for the zip.",
)
@click.pass_context
def release(ctx: click.Context, lab: str, output: Path) -> None:
    """Write the student's zip: the files on the lab's allow-list and nothing else."""
    from proctor.author.release import release as write

    course = course_of(ctx)
    path = write(course, course.lab(lab), output)
    size = path.stat().st_size
    click.echo(f"{path}  {f'{size / 1e6:.1f} MB' if size >= 1e5 else f'{size / 1e3:.0f} kB'}")


@click.command()
@click.argument("lab")
@click.option("--exercise", help="Only the mutants of this exercise.")
@jobs_option
@isolation_option
@click.pass_context
def mutate(
    ctx: click.Context, lab: str, exercise: str | None, jobs: int | None, isolation: Any
) -> None:
    """Try a lab's checks on its own wrong answers: which check catches which, and which none.

    The answers are in course/mutants/LAB.py. Each is marked as a submission of its own, so that a lab
    with hundreds of them takes as long as such a class; --exercise tries those of one.

    Exit status 1 if a wrong answer is not caught as the table says, or a right one of another form
    loses points.
    """
    from proctor.author.mutate import Outcome, print_mutants
    from proctor.author.mutate import mutate as run
    from proctor.examine.pool import default_jobs

    course = course_of(ctx)
    the_lab = course.lab(lab)
    bar = (TextColumn("Marking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    beside = Console(stderr=True, highlight=False)
    with Progress(*bar, TextColumn("{task.description}"), console=beside) as progress:
        task = progress.add_task("", total=None)
        marked: list[Outcome] = []

        def start(total: int) -> None:
            progress.update(task, total=total)
            beside.print(f"{total} answers to mark")

        def done(outcome: Outcome) -> None:
            marked.append(outcome)
            progress.update(task, advance=1, description=outcome.id)
            if outcome.trouble:
                beside.print(Text(outcome.told()))
            if not beside.is_terminal and len(marked) % EVERY == 0:
                beside.print(f"{len(marked)} marked")

        result = run(
            course,
            the_lab,
            isolation=isolation,
            jobs=jobs or default_jobs(),
            exercise=exercise,
            start=start,
            done=done,
        )
    print_mutants(console(), result)
    ctx.exit(GRADED if result.sound else ATTENTION)


def _show(progress: Progress, task: TaskID, text: str) -> None:
    progress.update(task, description=text)
