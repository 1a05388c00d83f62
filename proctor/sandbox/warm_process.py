"""The fork server's own process: imports a lab's modules once, then forks a kernel for each request.

Started by :class:`proctor.sandbox.forkserver.ForkServer` as a fresh interpreter with a scrubbed environment,
so that neither its memory nor ``/proc/self/environ`` holds anything of the grader's. It never starts
a thread, since only a process with one thread can be forked safely, and it knows no submission's
key: a child reads its own connection file.

Messages are JSON on a SEQPACKET socket. The grader's first one is the configuration; the answer is
``{"ready": ...}`` or ``{"error": ...}``. Every further one asks for a kernel and carries a socket of
its own for that kernel's supervisor (:mod:`proctor.sandbox.supervisor`). End of file means: end everything.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from proctor.sandbox import kernel_process, libc_calls, supervisor
from proctor.scratch import scratch_folder


class TooManyThreadsError(Exception):
    """A warm module started threads, so the process cannot be forked safely."""


def main(descriptor: int) -> None:
    """Serve until the grader's end of the socket `descriptor` closes."""
    control = socket.socket(fileno=descriptor)
    os.set_inheritable(descriptor, False)
    config = json.loads(control.recv(2**20))
    try:
        report = _warm_up(config["warm"])
        plan = replace(supervisor.prepare(config), agent=_can_load(config["agent"]))
    except Exception:  # noqa: BLE001 - whatever a module's import raises is reported, not swallowed
        control.send(json.dumps({"error": traceback.format_exc(limit=-4)[-20_000:]}).encode())
        return
    for key in [key for key in os.environ if key not in config["environment"]]:
        del os.environ[key]
    os.environ.update(config["environment"])
    with scratch_folder("nb-") as folder:
        kernel_process.prepare(str(folder))
    if plan.agent:
        kernel_process.load_agent(Path(config["agent"]).read_bytes())
    libc_calls.set_process_title(config["title"])
    libc_calls.set_child_subreaper()
    signal.signal(signal.SIGCHLD, _reap)
    gc.collect()
    gc.freeze()
    libc_calls.collapse_pages()
    control.send(json.dumps({"ready": report}).encode())
    _serve(control, plan)


def _warm_up(modules: list[str]) -> dict[str, Any]:
    """Import `modules` and what a kernel needs; report this process's id."""
    kernel_process.leave_debugger_out()
    for name in modules:
        importlib.import_module(name)
    _check_threads(modules)
    for name in _rehearse():
        # What a kernel has imported may since have been removed or be a part made by its parent.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    kernel_process.find_backends()
    _check_threads(modules)
    return {"pid": os.getpid()}


def _can_load(agent: str) -> bool:
    """Whether the examiner's code and a lab's helpers load here, in the file `agent`, and start no thread.

    If not, each kernel loads them, and says what is wrong.
    """
    if not agent:
        return False
    child = os.fork()
    if child == 0:
        try:
            kernel_process.load_agent(Path(agent).read_bytes())
            os._exit(0 if _threads() == 1 else 1)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _check_threads(modules: list[str]) -> None:
    if (threads := _threads()) != 1:
        raise TooManyThreadsError(
            f"importing {', '.join(modules)} started {threads - 1} threads; a process with threads "
            "cannot be forked. Leave out the module that does this, or set what keeps it from it."
        )


def _threads() -> int:
    return len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 1


def _rehearse() -> list[str]:
    """Run a kernel's start and first cells in a fork; return the modules that they import."""
    known = set(sys.modules)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with scratch_folder("nb-") as folder:
                new = [name for name in kernel_process.rehearse(str(folder)) if name not in known]
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                pipe.write("\n".join(new))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        names = pipe.read().split()
    os.waitpid(child, 0)
    return [name for name in names if not name.startswith("__")]


def _reap(number: int, frame: FrameType | None) -> None:
    """Collect every child that has ended; supervisors report for themselves."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _serve(control: socket.socket, plan: supervisor.Plan) -> None:
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 2**16, 4)
        if not message:
            return
        request = json.loads(message)
        if os.fork() == 0:
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                supervisor.run(plan, request, *descriptors)
            finally:
                os._exit(1)  # never back into the server's loop
        for descriptor in descriptors:
            os.close(descriptor)


if __name__ == "__main__":
    main(int(sys.argv[1]))
