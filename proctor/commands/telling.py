"""Commands about who is on the course and what they got: ``roster``, ``report``, ``export``."""

from __future__ import annotations

import functools
from pathlib import Path

import click

from proctor.commands.shared import ATTENTION, course_of


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def roster(ctx: click.Context, file: Path) -> None:
    """Put who is on the course into the gradebook, from a CSV file.

    Its columns: id, and first_name, last_name, email, lms_user_id, login, id_number, section, tutor
    where you have them; or the list of participants that Canvas or Moodle exports, in any language.
    """
    from proctor.record.roster import NAME, import_roster

    course = course_of(ctx)
    count = import_roster(course, file, click.echo)
    click.echo(f"{course.relative(course.folder / NAME)}  {count} students")


@click.command()
@click.argument("lab", metavar="ASSIGNMENT")
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

    course = course_of(ctx)
    out = (output or course.folder).resolve()
    path = write_report(course, course.lab(lab), out, similar=similarity)
    click.echo(course.relative(path))


@click.command()
@click.argument("lab", metavar="ASSIGNMENT")
@click.option(
    "--to",
    type=click.Choice(["csv", "canvas", "moodle", "gradescope", "text"]),
    required=True,
    help="gradescope is the autograder itself; text is each student's feedback for e-mail.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file. Default: build/ASSIGNMENT-TO.csv.",
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
    from proctor.tell.export_marks import export as write

    course = course_of(ctx)
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
