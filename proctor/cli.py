"""The ``proctor`` command."""

from __future__ import annotations

import errno
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from proctor import __version__
from proctor.checks import Lab
from proctor.course import Course
from proctor.errors import CourseError, ProctorError, RejectedError

GRADED, ATTENTION, USAGE = 0, 1, 2
"""Exit status: every submission graded; some need attention; wrong usage."""

F = TypeVar("F", bound=Callable[..., Any])


def console() -> Console:
    """Return the console that tables go to; plain where the output is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


class Commands(click.Group):
    """The commands; an error of ours is one message and exit status 2, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RejectedError as error:
            click.echo(f"proctor: {error.message}", err=True)
            ctx.exit(ATTENTION)
        except ProctorError as error:
            click.echo(f"proctor: {error}", err=True)
            ctx.exit(USAGE)
        except OSError as error:
            click.echo(f"proctor: {_trouble(error)}", err=True)
            ctx.exit(USAGE)
        except KeyboardInterrupt:
            click.echo(
                "proctor: stopped. What was marked is kept; the same command goes on from here.",
                err=True,
            )
            ctx.exit(130)


def _trouble(error: OSError) -> str:
    """Say what the operating system refused, where, and what to do next."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{where}{error.strerror}. The disk is full: make room and give the same command again. "
            "What was written before is whole, and what was marked is kept."
        )
    return f"{where}{error.strerror or error}. Mend that and give the same command again."


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option(
    "--course",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The course's folder. Default: found from the working directory.",
)
@click.pass_context
def main(ctx: click.Context, folder: Path | None) -> None:
    """Build a lab, release it, mark a class.

    \b
    A term, in order:
      proctor build                  from the masters to the students' notebooks
      proctor release LAB -o DIR     the zip for the students
      proctor watch LAB              mark what comes in while it comes in
      proctor grade LAB              mark everything in course/submitted
    """
    ctx.obj = folder


def _course(ctx: click.Context) -> Course:
    return Course.find(ctx.obj)


def _show(progress: Progress, task: TaskID, text: str) -> None:
    progress.update(task, description=text)


_jobs = click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 256),
    default=None,
    help="At once; default: half as many again as there are cores, and one.",
)


@main.command()
@click.argument("labs", nargs=-1, metavar="[LAB]...")
@click.pass_context
def build(ctx: click.Context, labs: tuple[str, ...]) -> None:
    """Build the labs from their masters (default: all).

    course/LAB.py -> course/source/LAB/LAB.ipynb -> nbgrader's release -> LAB.ipynb beside course/.
    """
    from proctor.author.build import build as build_lab
    from proctor.author.convert import build as build_converted

    course = _course(ctx)
    for name in labs or (*course.labs(), *course.converted()):
        if name in course.converted():
            for path in build_converted(course, name):
                click.echo(f"source   {course.relative(path)}")
        else:
            build_lab(course, course.lab(name), click.echo)


@main.command()
@click.argument("lab")
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

    course = _course(ctx)
    path = write(course, course.lab(lab), output)
    click.echo(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


@main.command()
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--lab", "name", help="The lab. Default: the one in the notebook's name.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option("--isolation", type=click.Choice(["namespaces", "process"]), default=None)
@click.pass_context
def check(
    ctx: click.Context, notebook: Path, name: str | None, as_json: bool, isolation: Any
) -> None:
    """Mark one notebook and explain every point on screen. No mark is written."""
    from proctor.examine.autograded import exercise_text
    from proctor.examine.marker import handed_files, open_marker
    from proctor.intake.lms_file_names import lab_of
    from proctor.record.store import store_of

    course = _course(ctx)
    lab = course.lab(name or lab_of(notebook.name, course.labs()))
    kept = store_of(lab, course.folder).receipts
    with open_marker(course, lab, kept, isolation=isolation) as marker:
        verdict = marker.mark(handed_files(notebook, notebook.stem, lab)).verdict
    if as_json:
        click.echo(verdict.to_json(), nl=False)
    else:
        for problem in verdict.problems:
            click.echo(f"! {problem.message}")
        for exercise in verdict.exercises if verdict.status != "rejected" else ():
            click.echo(exercise_text(exercise))
        waits = sum(one.max_score for one in verdict.exercises if one.waiting)
        more = f"; {waits:g} wait for a person" if waits else ""
        click.echo(f"{lab.name}: {verdict.score:g} of {verdict.max_score:g} points{more}")
    ctx.exit(GRADED if verdict.status == "graded" else ATTENTION)


@main.command()
@click.argument("lab")
@click.argument("submissions", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where gradebook, verdicts and feedback go. Default: the course's folder.",
)
@_jobs
@click.option("--student", help="Mark this student alone, again.")
@click.option("--isolation", type=click.Choice(["namespaces", "process"]), default=None)
@click.option("--scheduler", help="Mark on the workers of this Dask scheduler, tcp://HOST:PORT.")
@click.option(
    "--anyway",
    is_flag=True,
    help="Mark an nbgrader assignment although a test cell does not pass on its own solution.",
)
@click.option("--explain-changes", is_flag=True, help="List the checks behind every changed score.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bar and no table.")
@click.pass_context
def grade(
    ctx: click.Context,
    lab: str,
    submissions: Path | None,
    output: Path | None,
    jobs: int | None,
    student: str | None,
    isolation: Any,
    scheduler: str | None,
    anyway: bool,
    explain_changes: bool,
    quiet: bool,
) -> None:
    """Mark a class.

    SUBMISSIONS is nbgrader's tree (STUDENT/LAB/LAB.ipynb), a folder of folders (STUDENT/LAB.ipynb),
    a flat folder of notebooks, or an LMS zip. Default: course/submitted. Running the same command
    again marks only what changed.

    Exit status: 0 every submission graded; 1 some need attention; 2 wrong usage.
    """
    from proctor.classroom.grade import Listener
    from proctor.classroom.grade import grade as grade_class
    from proctor.examine.pool import default_jobs
    from proctor.intake.lms_file_names import composed
    from proctor.record.read_results import read_class
    from proctor.tell.class_table import class_table, print_attention, print_changes

    course = _course(ctx)
    the_lab = course.lab(lab)
    the_lab.anyway = anyway
    handed = submissions or course.folder / "submitted"
    if not handed.exists():
        raise click.UsageError(
            f"{course.relative(handed)} does not exist; name the folder of submissions."
        )
    out = console()
    columns = (
        TextColumn("Marking"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task("", total=None)
        listener = Listener(
            start=lambda total: progress.update(task, total=total),
            marked=lambda who: progress.update(task, advance=1, description=who),
            say=lambda text: progress.update(task, description=text),
            note=lambda text: progress.console.print(Text(text), soft_wrap=True),
        )
        result = grade_class(
            course,
            the_lab,
            handed,
            output,
            jobs=jobs or default_jobs(),
            isolation=isolation,
            student=composed(student) if student else None,
            scheduler=scheduler,
            listener=listener,
        )
    data = read_class(
        course, the_lab, (output or course.folder).resolve(), verdicts=result.verdicts
    )
    if not quiet:
        out.print(class_table(the_lab, result, data))
    if explain_changes:
        print_changes(out, result)
    print_attention(out, result, data)
    ctx.exit(ATTENTION if result.needs_attention else GRADED)


@main.command()
@click.argument("lab")
@click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--pages",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where students fetch pages, PAGES/STUDENT/LAB.html. Default: course/.watch/LAB/pages.",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Take hand-ins over HTTP, too; a JupyterHub says who it is. With 'hub': where the hub says.",
)
@click.option("--once", is_flag=True, help="Mark what is there, then end.")
@_jobs
@click.option("--isolation", type=click.Choice(["namespaces", "process"]), default=None)
@click.option("--scheduler", help="Mark on the workers of this Dask scheduler, tcp://HOST:PORT.")
@click.pass_context
def watch(
    ctx: click.Context,
    lab: str,
    folder: Path | None,
    pages: Path | None,
    listen: str | None,
    once: bool,
    jobs: int | None,
    isolation: Any,
    scheduler: str | None,
) -> None:
    """Mark what is handed in while it comes in; the page is there within seconds.

    From nbgrader's exchange, or from FOLDER, in any form that `grade` takes. What is marked goes to
    course/submitted as `nbgrader collect` puts it there; `proctor grade LAB` afterwards finds it done.
    """
    from proctor.classroom.watch_command import open_door
    from proctor.examine.pool import default_jobs

    open_door(
        _course(ctx),
        lab,
        folder,
        pages=pages,
        listen=listen,
        once=once,
        jobs=jobs or default_jobs(),
        isolation=isolation,
        scheduler=scheduler,
    )


@main.command()
@click.argument("lab")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where marking wrote, and where report.html goes. Default: the course's folder.",
)
@click.option(
    "--similarity/--no-similarity",
    default=None,
    help="Compare submissions with each other. Default: in classes of up to 5,000.",
)
@click.pass_context
def report(ctx: click.Context, lab: str, output: Path | None, similarity: bool | None) -> None:
    """Write the class report: one HTML page, readable offline and on paper."""
    from proctor.tell.report import write_report

    course = _course(ctx)
    out = (output or course.folder).resolve()
    path = write_report(course, course.lab(lab), out, similar=similarity)
    click.echo(course.relative(path))


@main.command()
@click.argument("lab")
@click.option(
    "--to",
    type=click.Choice(["csv", "canvas", "moodle", "gradescope", "text"]),
    required=True,
    help="gradescope is the autograder itself; text is each student's feedback for e-mail.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The file. Default: build/LAB-TO.csv."
)
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where marking wrote. Default: the course's folder.",
)
@click.option(
    "--template",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Canvas's gradebook export or Moodle's grading worksheet, to be filled in.",
)
@click.option("--column", help="The assignment's column in the LMS. Default: the lab's title.")
@click.pass_context
def export(
    ctx: click.Context,
    lab: str,
    to: str,
    output: Path | None,
    folder: Path | None,
    template: Path | None,
    column: str | None,
) -> None:
    """Hand the marks over: CSV, Canvas, Moodle; or make Gradescope's autograder."""
    from proctor.author.gradescope_zip import write_zip
    from proctor.record.read_results import read_class
    from proctor.tell.export import export as write

    course = _course(ctx)
    the_lab = course.lab(lab)
    kind = {"gradescope": ".zip", "text": ""}.get(to, ".csv")
    path = output or course.root / "build" / f"{lab}-{to}{kind}"
    if template is not None and to not in ("canvas", "moodle"):
        raise click.UsageError("--template goes with --to canvas or --to moodle.")
    if to == "gradescope":
        note = functools.partial(click.echo, err=True)
        click.echo(course.relative(write_zip(course, the_lab, path, note)))
        return
    data = read_class(course, the_lab, (folder or course.folder).resolve())
    done = write(course, data, to, path, template=template, column=column)
    click.echo(f"{course.relative(done.path)}  {done.students} students")
    for sentence in (*done.left_out, *done.notes):
        click.echo(f"proctor: {sentence}", err=True)
    if done.left_out:
        ctx.exit(ATTENTION)


@main.command()
@click.argument("lab")
@click.option("--exercise", help="Only the mutants of this exercise.")
@_jobs
@click.option("--isolation", type=click.Choice(["namespaces", "process"]), default=None)
@click.pass_context
def mutate(
    ctx: click.Context, lab: str, exercise: str | None, jobs: int | None, isolation: Any
) -> None:
    """Try a lab's checks on its own wrong answers: which check catches which, and which none.

    The answers are in course/mutants/LAB.py. Exit status 1 if a wrong answer is not caught as the
    table says, or a right one of another form loses points.
    """
    from proctor.author.mutate import mutate as run
    from proctor.author.mutate import print_mutants
    from proctor.examine.pool import default_jobs

    course = _course(ctx)
    the_lab = course.lab(lab)
    bar = (TextColumn("Marking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        Progress(*bar, TextColumn("{task.description}"), console=Console(stderr=True)) as progress,
    ):
        task = progress.add_task("", total=None)
        result = run(
            course,
            the_lab,
            isolation=isolation,
            jobs=jobs or default_jobs(),
            exercise=exercise,
            start=lambda total: progress.update(task, total=total),
            done=lambda name: progress.update(task, advance=1, description=name),
        )
    print_mutants(console(), result)
    ctx.exit(GRADED if result.sound else ATTENTION)


@main.command()
@click.argument("lab")
@click.pass_context
def new(ctx: click.Context, lab: str) -> None:
    """Begin a lab: a master with one exercise, its checks, and mistakes that the checks catch."""
    from proctor.author.new import new as write

    try:
        here = _course(ctx).root
    except CourseError:
        here = Path.cwd()
    for path in write(lab, here):
        click.echo(path.relative_to(here))
    click.echo(f"Now: proctor build {lab} && proctor mutate {lab}")


@main.command()
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
@_jobs
@click.option("--isolation", type=click.Choice(["namespaces", "process"]), default=None)
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

    course = _course(ctx)
    sound = True
    for name in assignments or course.assignments():
        lab = course.lab(name)
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

    folder = course.folder / "submitted"
    found = compare(course, lab, folder, isolation=isolation, jobs=jobs or default_jobs(), say=tell)
    for one in found.differences:
        click.echo(
            f"{one.student}  {one.notebook}  {one.cell}  {one.before:g} -> {one.now:g}  {one.reason}"
        )
    for student in found.unknown:
        click.echo(f"{student}  is not in the gradebook")
    click.echo(
        f"{lab.name}: {found.students} submissions, {found.cells} test cells compared; "
        f"{len(found.differences)} scores differ. Marks by hand were not touched."
    )
    return not found.differences


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def roster(ctx: click.Context, file: Path) -> None:
    """Put who is on the course into the gradebook, from a CSV file.

    Its columns: id, and first_name, last_name, email, lms_user_id, login, id_number, section, tutor
    where you have them; or the list of participants that Canvas or Moodle exports, in any language.
    """
    from proctor.record.roster import NAME, import_roster

    course = _course(ctx)
    count = import_roster(course, file, click.echo)
    click.echo(f"{course.relative(course.folder / NAME)}  {count} students")
