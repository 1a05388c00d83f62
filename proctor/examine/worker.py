"""The processes that judge: what a kernel sends is decoded and judged here, within bounds.

A course's checks and all that they need are imported once, in the *template*; each worker is a fork
of it that marks one submission after the other. What a submission sends can at the worst end the worker
that marks it: it has a limit of memory of its own, and a limit of processor time for each submission.
The grader, which alone holds gradebook and verdicts, then starts another one.

Messages are JSON. The grader's first one to the template says which lab; every further one carries two
sockets, a new worker's and the fork server's. End of file means: end.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from proctor.course import Course
from proctor.errors import KernelStartError, ProctorError
from proctor.examine.examiner import examine, helper_sources
from proctor.examine.mark_result import Reference
from proctor.examine.notebook_session import JudgingTooLong, Setting
from proctor.kernel.agent import packed
from proctor.kernel.forked import ForkLauncher
from proctor.nbgrader_steps import blanks
from proctor.plain import fields_of
from proctor.sandbox.forkserver import Spawner
from proctor.sandbox.isolation import given_files
from proctor.sandbox.limits import MIB, lab_limits
from proctor.submission import Submission
from proctor.verdict import ExerciseResult, Problem

ROOM_MB = 512
"""What a worker may take of memory beyond what the template has, in MiB; lab_digits takes some 60."""
JUDGING_SECONDS = 60.0
"""Processor time for judging one submission; lab_digits takes some 0.2 s."""
MAX_MESSAGE = 2**20


def main(descriptor: int) -> None:
    """Be the template: serve until the grader's end of the socket `descriptor` closes."""
    control = socket.socket(fileno=descriptor)
    os.set_inheritable(descriptor, False)
    config = json.loads(control.recv(MAX_MESSAGE))
    try:
        course = Course(Path(config["course"]))
        lab = course.lab(config["lab"])
        source = course.source_notebook(lab.name)
        given, settings = given_files(course, lab), course.nbgrader_config
        books = [one.node for one in lab.own.notebooks] if lab.own else [source]
        blank = {id: text for book in books for id, text in blanks(book, settings).items()}
        if lab.prepare is not None:
            lab.prepare()
        if lab.ordinary is None:
            packed(helper_sources(course.root, lab))  # once, for all workers
    except ProctorError as error:
        control.send(json.dumps({"error": str(error)}).encode())
        return
    except Exception:  # noqa: BLE001  whatever a course's own module raises is told to its author
        control.send(json.dumps({"error": traceback.format_exc(limit=-4)[-20_000:]}).encode())
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # workers are buried by the system
    control.send(json.dumps({"ready": os.getpid()}).encode())
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MAX_MESSAGE, 2)
        if not message:
            return
        if os.fork() == 0:
            control.close()
            orders, server = descriptors
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            spawner = Spawner(
                socket.socket(fileno=server), config["isolation"], lab_limits(lab), given
            )
            launcher, secret = ForkLauncher(spawner), bytes.fromhex(config["secret"])
            setting = Setting(lab, source, launcher, course.root, secret, blank)
            _work(orders, setting)
        for one in descriptors:
            os.close(one)


def _work(descriptor: int, setting: Setting) -> NoReturn:
    """Be a worker: mark what is ordered until the grader has gone."""
    threading.Thread(target=_end_with_grader, args=(descriptor,), daemon=True).start()
    _limit_memory()
    signal.signal(signal.SIGPROF, _too_long)
    orders, reference = Connection(descriptor), Reference()
    try:
        while True:
            order = json.loads(orders.recv_bytes())
            if "withdrawn" in order:
                reference = Reference(order["withdrawn"], orders.recv_bytes())
            else:
                orders.send_bytes(_answer(order, setting, reference, orders).encode())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(0)  # the grader has gone
    except BaseException:  # noqa: BLE001  told on the way out; the grader sees the end
        traceback.print_exc()
    os._exit(1)


def _answer(
    order: dict[str, Any], setting: Setting, reference: Reference, orders: Connection
) -> str:
    said = 0

    def told(done: Sequence[ExerciseResult], problems: Sequence[Problem]) -> None:
        nonlocal said
        new = {"exercises": done[said:], "problems": problems}
        said = len(done)
        orders.send_bytes(json.dumps({"so_far": new}, default=fields_of).encode())

    setting.launcher.cpu = order["cpu"]
    signal.setitimer(signal.ITIMER_PROF, JUDGING_SECONDS)
    try:
        submission = Submission.from_json(order["submission"])
        return examine(submission, setting, reference, record=order["record"], told=told).to_json()
    except KernelStartError as error:
        return json.dumps({"no_kernel": str(error)})
    except Exception as error:  # noqa: BLE001  a fault of ours costs this submission alone
        traceback.print_exc()
        return json.dumps({"failed": f"{type(error).__name__}: {error}"})
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _too_long(number: int, frame: FrameType | None) -> None:
    raise JudgingTooLong


def _limit_memory() -> None:
    """Bound what this process may map for data, beyond what it has of the template's."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmData:"):
            most = int(line.split()[1]) * 1024 + ROOM_MB * MIB
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _end_with_grader(descriptor: int) -> None:
    """End this process as soon as the grader has closed its end, whatever it is doing."""
    poll = select.poll()
    poll.register(descriptor, select.POLLRDHUP)
    poll.poll()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
