"""The ``proctor`` command: the table of its commands."""

from __future__ import annotations

from pathlib import Path

import click

from proctor import __version__
from proctor.commands.author import adopt, build, mutate, new, release
from proctor.commands.marking import check, grade, watch
from proctor.commands.shared import Commands
from proctor.commands.telling import export, report, roster


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


for command in (new, adopt, build, release, mutate, check, grade, watch, roster, report, export):
    main.add_command(command)
