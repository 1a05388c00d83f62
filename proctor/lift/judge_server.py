"""Where judges come from: one process in a sandbox of its own, which forks one for each submission.

It is started like a kernel, by the fork server, so that it sees what a kernel sees (the interpreter,
the packages, the lab's given files) and nothing else, and holds the same warm modules. Each fork works
in a folder of its own, in which the given files lie.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from typing import NoReturn

from proctor.lift import judge_process, notebook_player

ROLES = {"judge": judge_process.main, "player": notebook_player.main}


def run(control: socket.socket) -> NoReturn:
    """Fork a process for each request on `control`, until its other end closes."""
    place = os.getcwd()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    folders: dict[int, str] = {}
    while True:
        try:
            message, descriptors, _, _ = socket.recv_fds(control, 2**16, 4)
        except InterruptedError:
            continue
        if not message:
            os._exit(0)
        _bury(folders)
        request = json.loads(message)
        folder = tempfile.mkdtemp(prefix="work-")
        child = os.fork()
        if child == 0:
            try:
                control.close()
                _work_in(folder, place)
                sockets = [socket.socket(fileno=number) for number in descriptors]
                ROLES[request["role"]](*sockets)
            except BaseException:  # noqa: BLE001  the driver's end closes, and it knows
                os._exit(1)
            os._exit(0)
        folders[child] = folder
        for number in descriptors:
            os.close(number)
        control.send(json.dumps({"pid": child}).encode())


def _work_in(folder: str, place: str) -> None:
    """Go to a folder of one's own, with links to the given files."""
    for name in os.listdir(place):
        with contextlib.suppress(OSError):
            os.symlink(os.path.join(place, name), os.path.join(folder, name))
    os.chdir(folder)
    if sys.path[:1] != [""]:
        sys.path.insert(0, "")


def _bury(folders: dict[int, str]) -> None:
    """Collect those that have ended, and their folders."""
    while True:
        try:
            child, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not child:
            return
        shutil.rmtree(folders.pop(child, ""), ignore_errors=True)
