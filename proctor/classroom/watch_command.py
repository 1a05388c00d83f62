"""The door of ``proctor watch``: where hand-ins come from, where pages go, and how it ends."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import click

from proctor.classroom.hand_in_sources import ExchangeSource, FolderSource, Source
from proctor.classroom.waiting_queue import Spool
from proctor.classroom.watch import watch
from proctor.course import Course
from proctor.errors import CourseError
from proctor.sandbox.forkserver import Isolation
from proctor.sandbox.isolation import require
from proctor.tell.page_delivery import Outlet


def say(text: str) -> None:
    """Print a line with the time."""
    click.echo(f"{time.strftime('%H:%M:%S')} {text}")


def open_door(
    course: Course,
    name: str,
    folder: Path | None,
    *,
    pages: Path | None,
    listen: str | None,
    once: bool,
    jobs: int,
    isolation: Isolation | None,
    scheduler: str | None,
) -> None:
    """Watch a lab until a signal ends it."""
    lab = course.lab(name)
    require(isolation)
    sources: list[Source] = []
    feedback = None
    if folder is not None:
        sources.append(FolderSource(course, name, folder, say))
    else:
        try:
            exchange = ExchangeSource(course, name, say)
            sources.append(exchange)
            feedback = exchange.feedback
        except CourseError as error:
            if listen is None:
                raise
            say(f"Only what is posted is marked. {error}")
    spool = Spool(course.folder, name, lab.policy)
    outlet = Outlet(name, pages or spool.folder / "pages", feedback)
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        spool.came.set()

    with ExitStack() as opened:
        for number in (signal.SIGTERM, signal.SIGINT):
            opened.callback(signal.signal, number, signal.signal(number, end))
        if listen is not None:
            from proctor.classroom.endpoint import serving  # starlette, an optional dependency

            sources.append(opened.enter_context(serving(listen, course, lab, spool, outlet)))
        watch(
            course,
            name,
            spool,
            sources,
            outlet,
            say,
            stop=stop,
            once=once,
            jobs=jobs,
            isolation=isolation,
            scheduler=scheduler,
        )
    left = len(spool.waiting())
    say(f"Ended. {left} in the queue; the same command goes on with them." if left else "Ended.")
