"""Commands that mark: ``check``, ``grade``, ``watch``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from proctor.commands.shared import (
    ATTENTION,
    GRADED,
    console,
    course_of,
    isolation_option,
    jobs_option,
)
from proctor.course import Course
from proctor.verdict import Verdict


@click.command()
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--lab", "name", help="The lab. Default: the one in the notebook's or its folder's name."
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@isolation_option
@click.pass_context
def check(
    ctx: click.Context, notebook: Path, name: str | None, as_json: bool, isolation: Any
) -> None:
    """Mark one notebook and explain every point on screen. No mark is written.

    Of an assignment of several notebooks, those beside it are marked, too.
    """
    from proctor.examine.marker import handed_files, open_marker
    from proctor.record.store import store_of

    course = course_of(ctx)
    lab = course.lab(name or _lab_of(course, notebook))
    kept = store_of(lab, course.folder).receipts
    with open_marker(course, lab, kept, isolation=isolation) as marker:
        verdict = marker.mark(handed_files(notebook, notebook.stem, lab)).verdict
    if as_json:
        click.echo(verdict.to_json(), nl=False)
    else:
        for problem in verdict.problems:
            click.echo(f"! {problem.message}")
        if verdict.status != "rejected":
            for line in _by_notebook(verdict, notebook.stem):
                click.echo(line)
        waits = sum(one.max_score for one in verdict.exercises if one.waiting)
        more = f"; {waits:g} wait for a person" if waits else ""
        click.echo(f"{lab.name}: {verdict.score:g} of {verdict.max_score:g} points{more}")
    ctx.exit(GRADED if verdict.status == "graded" else ATTENTION)


def _by_notebook(verdict: Verdict, first: str) -> Iterator[str]:
    """Tell every exercise; of several notebooks, under a line for each, the one that was asked for first."""
    from proctor.examine.autograded import check_lines, exercise_text

    books = sorted(
        dict.fromkeys(one.notebook for one in verdict.exercises), key=lambda name: name != first
    )
    for book in books:
        own = [one for one in verdict.exercises if one.notebook == book]
        if len(books) > 1:
            score, most = sum(one.score for one in own), sum(one.max_score for one in own)
            beside = "" if book == books[0] else ", which lies beside it"
            yield f"== {book}.ipynb{beside}: {score:g} of {most:g} points ==\n"
        for exercise in own:
            if [check.title for check in exercise.checks] == [exercise.title]:
                yield "\n".join(check_lines(exercise.checks[0])).rstrip() + "\n"
            else:
                yield exercise_text(exercise)


def _lab_of(course: Course, notebook: Path) -> str:
    """The assignment whose notebook lies in a folder of its name, or the lab in the notebook's name."""
    from proctor.intake.lms_file_names import lab_of

    folder, known = notebook.resolve().parent.name, course.assignments()
    if folder in known and (course.source_folder / folder / notebook.name).is_file():
        return folder
    return lab_of(notebook.name, sorted({*course.labs(), *known}))


@click.command()
@click.argument("lab", metavar="ASSIGNMENT")
@click.argument("submissions", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where gradebook, verdicts and feedback go. Default: the course's folder.",
)
@jobs_option
@click.option("--student", help="Mark this student alone, again.")
@isolation_option
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

    SUBMISSIONS is nbgrader's tree (STUDENT/ASSIGNMENT/...ipynb), a folder of folders
    (STUDENT/...ipynb), a flat folder of notebooks, or an LMS zip. Default: the course's submitted
    folder. Running the same command again marks only what changed.

    Exit status: 0 every submission graded; 1 some need attention; 2 wrong usage.
    """
    from proctor.classroom.grade import Listener
    from proctor.classroom.grade import grade as grade_class
    from proctor.examine.pool import default_jobs
    from proctor.intake.lms_file_names import composed
    from proctor.record.read_results import read_class
    from proctor.tell.class_table import class_table, print_attention, print_changes

    course = course_of(ctx)
    the_lab = course.lab(lab)
    the_lab.anyway = anyway
    handed = submissions or course.folder / "submitted"
    if not handed.exists():
        raise click.UsageError(
            f"{course.relative(handed)} does not exist; name the folder or the zip of submissions: "
            f"proctor grade {lab} submissions.zip" + (f" --student {student}" if student else "")
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
    progress = Progress(*columns, console=Console(stderr=True), disable=quiet)
    task = progress.add_task("", total=None)

    def start(total: int) -> None:  # no bar before there is something to mark
        progress.update(task, total=total)
        progress.start()

    try:
        result = grade_class(
            course,
            the_lab,
            handed,
            output,
            jobs=jobs or default_jobs(),
            isolation=isolation,
            student=composed(student) if student else None,
            scheduler=scheduler,
            listener=Listener(
                start=start,
                marked=lambda who: progress.update(task, advance=1, description=who),
                say=lambda text: progress.update(task, description=text),
                note=lambda text: progress.console.print(Text(text), soft_wrap=True),
            ),
        )
    finally:
        progress.stop()
    data = read_class(
        course, the_lab, (output or course.folder).resolve(), verdicts=result.verdicts
    )
    if not quiet:
        out.print(class_table(the_lab, result, data, out))
    if explain_changes:
        print_changes(out, result)
    print_attention(out, result, data)
    ctx.exit(ATTENTION if result.needs_attention else GRADED)


@click.command()
@click.argument("lab", metavar="ASSIGNMENT")
@click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--pages",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where students fetch pages, PAGES/STUDENT/ASSIGNMENT.html. Default: .watch/ASSIGNMENT/pages "
    "in the course's folder.",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Take hand-ins over HTTP, too; a JupyterHub says who it is. With 'hub': where the hub says.",
)
@click.option("--once", is_flag=True, help="Mark what is there, then end.")
@jobs_option
@isolation_option
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
    course/submitted as `nbgrader collect` puts it there; `proctor grade ASSIGNMENT` afterwards finds it done.
    """
    from proctor.classroom.watch_command import open_door
    from proctor.examine.pool import default_jobs

    open_door(
        course_of(ctx),
        lab,
        folder,
        pages=pages,
        listen=listen,
        once=once,
        jobs=jobs or default_jobs(),
        isolation=isolation,
        scheduler=scheduler,
    )
