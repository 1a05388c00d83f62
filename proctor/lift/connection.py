"""A driver's line to one of its processes: messages that may carry a socket; and forks for trials."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
import traceback
from collections.abc import Callable
from typing import Any

from proctor.kernel.channel import Channel


class Line(Channel):
    """A channel whose messages may carry sockets."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self.sockets: list[int] = []

    def send_with(self, tree: Any, carried: socket.socket) -> None:
        """Send a message after a byte that carries a socket."""
        socket.send_fds(self.socket, [b"\n"], [carried.fileno()])
        self.send(tree)

    def _more(self) -> bytes:
        part, descriptors, _, _ = socket.recv_fds(self.socket, 65_536, 4)
        self.sockets += descriptors
        if not descriptors:
            return part
        # The line is idle before a request, so the byte comes first; it may come alone.
        return part.removeprefix(b"\n") or self._more()

    def take_socket(self) -> socket.socket:
        """Return the socket that came last."""
        return socket.socket(fileno=self.sockets.pop(0))


class Server:
    """Does what the driver asks over `control`: a request names the method, ``do_...``."""

    def __init__(self, control: Line) -> None:
        self.control = control

    def serve(self) -> None:
        """Work until the driver has gone."""
        while True:
            request, _ = self.control.receive()
            operation: Callable[..., Any] = getattr(self, f"do_{request.pop('op')}")
            try:
                answer = operation(**request)
            except Exception:  # noqa: BLE001  a mistake of ours is told, and stops one marking
                answer = {"broken": traceback.format_exc(limit=-6)[-4000:]}
            self.control.send(answer)


def in_child(run: Callable[[], dict[str, Any]], seconds: float) -> dict[str, Any]:
    """Run in a fork and return what it returned; an answer that says so if none came."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            answer = run()
        except BaseException:  # noqa: BLE001  the parent is told
            answer = {"passed": False, "broken": traceback.format_exc(limit=-6)[-4000:]}
        with contextlib.suppress(BaseException), os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    data, end = b"", time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and select.select([reading], [], [], left)[0]:
        part = os.read(reading, 2**20)
        if not part:
            break
        data += part
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    try:
        return dict(json.loads(data))
    except ValueError:
        return {"passed": False, "type": "", "kind": "lost", "message": "its process ended"}
