"""Waiting for a gradebook that another program holds, and saying in a sentence what is wrong with it."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from nbgrader.api import InvalidEntry
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from tornado.log import app_log

from proctor.errors import CourseError

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 15.0
"""Seconds for which a gradebook that another program holds is asked again; SQLite itself waits 5."""
PAUSE = 0.2


def patient(work: Callable[P, T]) -> Callable[P, T]:
    """Let a function that may be done twice wait for a locked gradebook, and say what else is wrong.

    Raises
    ------
    CourseError
        Instead of every error of the database.
    """

    @functools.wraps(work)
    def again(*args: P.args, **options: P.kwargs) -> T:
        end = time.monotonic() + PATIENCE
        if _said_once not in app_log.filters:
            app_log.addFilter(_said_once)
        while True:
            try:
                return work(*args, **options)
            except (SQLAlchemyError, InvalidEntry) as error:
                if isinstance(error, InvalidEntry) and "OperationalError" not in str(error):
                    raise  # nbgrader wraps the database's own errors in this one too
                if not _is_locked(error) or time.monotonic() >= end:
                    raise trouble(error, named(args)) from error
                time.sleep(PAUSE)

    return again


def _said_once(record: logging.LogRecord) -> bool:
    """Keep nbgrader from logging a traceback of what is raised, and said in a sentence, besides."""
    return not record.getMessage().startswith("Rolling back session")


def _is_locked(error: Exception) -> bool:
    return "is locked" in str(error)


def named(arguments: tuple[object, ...]) -> str:
    """Find the gradebook's address among a function's arguments, as a reader may see it."""
    urls = [getattr(one, "db_url", one) for one in arguments]
    url = next((one for one in urls if isinstance(one, str) and "://" in one), "")
    if not url or url.startswith("sqlite:///"):
        return url.removeprefix("sqlite:///") or "gradebook.db"
    return str(make_url(url).render_as_string(hide_password=True))


def trouble(error: Exception, where: str) -> CourseError:
    """Say what a database's error means, where, and what to do next; no mark may be lost by it."""
    said = str(error.__cause__ or error).splitlines()[0]
    text = str(error)
    if _is_locked(error):
        next_step = (
            "is locked by another program: formgrader, a backup, or a second run. Close it and give "
            "the same command again; nothing is lost."
        )
    elif "disk is full" in text:
        next_step = (
            "cannot be written: the disk is full. Make room and give the same command again; what was "
            "marked is kept."
        )
    elif "readonly" in text or "read-only" in text:
        next_step = "may not be written. Give this user the right to write it and its folder."
    else:
        next_step = (
            f"cannot be read ({said}). Put back a whole copy of it. Do not delete it: marks by hand are "
            "nowhere else."
        )
    return CourseError(f"The gradebook {where} {next_step}")
