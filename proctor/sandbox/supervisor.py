"""The parent of one student's kernel: enters the sandbox, starts the kernel, watches it, buries it.

Between the fork server and the student's kernel stands this process: pid 1 of the submission's own
pid namespace, or an ordinary parent where kernels are not isolated. It alone talks to the grader,
over the socket that came with the request: it says when the kernel is ready, passes signals on, and
says why the kernel ended. When the grader or the fork server is gone, it ends everything.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from proctor.sandbox import enforced_limits, filesystem, kernel_process, libc_calls
from proctor.sandbox import limits as limits_module
from proctor.sandbox import namespaces as sandbox
from proctor.sandbox.limits import Limits

BENCH = "proctor.lift.judge_server"
"""The module that a bench runs; of a room above this one."""
_JUDGES = 4
"""How many judges' memory a bench may use at a time."""
WATCH_SECONDS = 0.2
"""How often the sums over all processes are compared with their limits. Nothing waits for it."""


@dataclass(frozen=True)
class Plan:
    """What every kernel of one fork server has in common.

    Attributes
    ----------
    isolated : bool
        Whether kernels run in namespaces.
    limits : Limits
        For each kernel.
    layout : filesystem.Layout or None
        What an isolated kernel may see.
    server : int
        A descriptor of the fork server (a pidfd), readable when it has ended; -1 where there is none.
    agent : bool
        Whether the kernels have the examiner's code that serves in them.
    """

    isolated: bool
    limits: Limits
    layout: filesystem.Layout | None = None
    server: int = field(default=-1)
    agent: bool = False


def prepare(config: dict[str, Any]) -> Plan:
    """Read the grader's configuration in the fork server, once."""
    isolated = config["isolation"] == "namespaces"
    layout = filesystem.Layout.from_dict(config["layout"]) if isolated else None
    server = os.pidfd_open(os.getpid()) if sys.platform == "linux" else -1
    return Plan(isolated, Limits.from_dict(config["limits"]), layout, server)


def run(plan: Plan, request: dict[str, Any], descriptor: int, bench: int = -1) -> NoReturn:
    """Become the supervisor of a new kernel; called in a fresh fork of the fork server.

    Parameters
    ----------
    plan : Plan
        What all kernels have in common.
    request : dict
        Paths: ``folder``, where the kernel's sockets are to be; ``file``, the connection file;
        ``work``, the working folder of a kernel that is not isolated. And ``cpu``, the number of
        the processor to run on; -1 for any.
    descriptor : int
        The socket to the grader.
    bench : int
        The socket on which a bench of judges takes orders, if it is not a kernel that is wanted.
    """
    os.setsid()
    if bench >= 0:
        importlib.import_module(BENCH)  # while the engine can still be seen
        plan = replace(plan, limits=_for_a_class(plan.limits))
    if request["cpu"] >= 0:
        os.sched_setaffinity(0, {request["cpu"]})
    report = socket.socket(fileno=descriptor)
    for standard in (1, 2):  # the server's log is not the student's
        os.dup2(0, standard)
    _close_all_but({0, 1, 2, descriptor, plan.server, bench})
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        connection = {"ip": f"{request['folder']}/k"}
        if bench < 0:
            connection = json.loads(Path(request["file"]).read_bytes())
        if plan.layout is not None:
            sandbox.enter_namespaces(plan.layout)
            if os.fork():
                os._exit(0)  # its only task was to have a child in the new pid namespace
            connection["ip"] = sandbox.build_root(plan.layout, request["folder"], connection["ip"])
            place = filesystem.WORK
        else:
            place = request["work"]
            libc_calls.set_child_subreaper()
        _supervise(plan, connection, place, report, bench)
    except Exception:  # noqa: BLE001 - told to the grader, who waits for it
        _tell(report, {"event": "failed", "error": traceback.format_exc(limit=-3)[-8000:]})
    os._exit(1)


def _for_a_class(limits: Limits) -> Limits:
    """Limits of what serves a whole class: each of its judges has a time limit of its own."""
    return replace(limits, wall_seconds=1e7, cpu_seconds=1e7, memory_mb=_JUDGES * limits.memory_mb)


def _close_all_but(keep: set[int]) -> None:
    """Close every inherited descriptor except those in `keep`."""
    start = 0
    for descriptor in sorted(keep - {-1}):
        if start < descriptor:  # an empty range would close all from there on
            os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, 2**20)


def _tell(
    report: socket.socket, message: dict[str, Any], descriptors: tuple[int, ...] = ()
) -> None:
    # If the grader has gone, the end of file on this socket says so to the loop that watches it.
    with contextlib.suppress(OSError):
        socket.send_fds(report, [json.dumps(message).encode()], descriptors)


def _supervise(
    plan: Plan, connection: dict[str, Any], place: str, report: socket.socket, bench: int
) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    started = time.monotonic()
    kernel = os.fork()
    if kernel == 0:
        others = {report.fileno(), ours.fileno(), plan.server}
        _student(plan, connection, place, theirs, others, bench)
    theirs.close()
    if ours.recv(16) != b"bound":
        problem = ours.recv(8000) or b"it ended without a word"
        _tell(report, {"event": "failed", "error": problem.decode("utf-8", "replace")})
        _end_all(plan)
        os._exit(1)
    if plan.layout is not None:
        sandbox.seal(plan.layout)
    itself, child = os.pidfd_open(os.getpid()), os.pidfd_open(kernel)
    ledger = os.memfd_create("usage")
    _tell(report, {"event": "started", "agent": plan.agent}, (itself, ledger))
    os.close(itself)
    ours.send(b"go")
    ours.close()
    cause = _watch(plan, kernel, child, report, ledger, started + plan.limits.wall_seconds)
    _finish(plan, kernel, cause, report)


def _student(
    plan: Plan,
    connection: dict[str, Any],
    place: str,
    pipe: socket.socket,
    others: set[int],
    bench: int,
) -> NoReturn:
    """Become the student's kernel, or a bench: give up every right, then start."""
    try:
        for descriptor in others - {-1}:
            os.close(descriptor)
        os.setsid()
        os.chdir(place)
        home = place
        if plan.layout is not None:
            sandbox.confine(plan.layout, plan.limits)
            home = filesystem.HOME
        else:
            os.environ["HOME"] = place
            enforced_limits.apply(plan.limits, own_user=False)

        def bound() -> None:
            pipe.send(b"bound")
            if pipe.recv(2) != b"go":
                os._exit(1)
            pipe.close()

        if bench >= 0:
            bound()
            sys.modules[BENCH].run(socket.socket(fileno=bench))
        kernel_process.run(connection, os.path.join(home, ".ipython"), bound)
    except (Exception, SystemExit):  # noqa: BLE001 - told to the supervisor, who tells the grader
        pipe.send(b"error")
        pipe.send(traceback.format_exc(limit=-3).encode()[-8000:])
    os._exit(0)


def _watch(
    plan: Plan, kernel: int, child: int, report: socket.socket, ledger: int, deadline: float
) -> str:
    """Wait until the kernel ends or has to; return why. What it uses is noted in `ledger`."""
    meter = enforced_limits.Meter(plan.limits, kernel)
    look = time.monotonic()
    poll = select.poll()
    for descriptor in (child, report.fileno(), plan.server):
        poll.register(descriptor, select.POLLIN)
    while True:
        now = time.monotonic()
        if now >= deadline:
            return "wall-time"
        if now >= look:
            cause = meter.look()
            os.pwrite(ledger, meter.used.to_bytes(), 0)
            if cause is not None:
                return cause
            look = time.monotonic() + WATCH_SECONDS
        ready = {number for number, _ in poll.poll(1000 * max(0.0, look - time.monotonic()))}
        if child in ready:
            return "ended"
        if plan.server in ready:
            return "killed"
        if report.fileno() in ready:
            order = report.recv(64)
            if not order or order == b"kill":
                return "killed"
            os.kill(kernel, int(order))
        _reap_orphans(kernel)


def _reap_orphans(kernel: int) -> None:
    """Bury what the kernel's own children left behind, but not the kernel itself."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None or found.si_pid == kernel:
            return
        os.waitpid(found.si_pid, os.WNOHANG)


def _finish(plan: Plan, kernel: int, cause: str, report: socket.socket) -> NoReturn:
    """End everything that is left, tell the grader why, and go: the namespace goes with pid 1."""
    if cause != "ended":
        os.kill(kernel, signal.SIGKILL)
    _, status = os.waitpid(kernel, 0)
    _end_all(plan)
    total = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = total.ru_utime + total.ru_stime
    code = os.waitstatus_to_exitcode(status)
    if cause == "ended" and code == -signal.SIGKILL and seconds >= plan.limits.cpu_seconds:
        cause = "cpu-time"
    name, message = limits_module.ending(cause, plan.limits, status=code)
    _tell(
        report,
        {
            "event": "ended",
            "code": name,
            "message": message,
            "cpu_seconds": round(seconds, 3),
        },
    )
    os._exit(0)


def _end_all(plan: Plan) -> None:
    """Kill and bury every process below this one."""
    if plan.isolated:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # all of the pid namespace but pid 1
    while True:
        if not plan.isolated:
            for process in enforced_limits.descendants(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return
