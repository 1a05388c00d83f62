"""What commands have in common: how they end, what they print to, and options of several."""

from __future__ import annotations

import errno
import sys
from typing import Any

import click
from rich.console import Console

from proctor.course import Course
from proctor.errors import ProctorError, RejectedError

GRADED, ATTENTION, USAGE = 0, 1, 2
"""Exit status: every submission graded; some need attention; wrong usage."""

jobs_option = click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 256),
    default=None,
    help="At once; default: half as many again as there are cores, and one.",
)
isolation_option = click.option(
    "--isolation", type=click.Choice(["namespaces", "process"]), default=None
)


def console() -> Console:
    """Return the console that tables go to; plain where the output is no terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def course_of(ctx: click.Context) -> Course:
    """Return the course that ``--course`` names, or the one around the working directory."""
    return Course.find(ctx.obj)


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
        except BrokenPipeError:
            raise  # whoever read the output has enough; click ends quietly
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
