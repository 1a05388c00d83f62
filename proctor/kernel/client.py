"""The sockets to an untrusted kernel, with bounds on all that is read from them."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from jupyter_client.session import Session
from zmq.constants import Flag, SocketOption, SocketType
from zmq.sugar.context import Context
from zmq.sugar.socket import Socket

from proctor.kernel.values import MAX_BYTES

MAX_HEADER_BYTES = 2**16
"""Most bytes of a message's header, of the header that it answers, and of its metadata, each."""
MAX_ITEMS = 1_000_000
"""Most commas and opening brackets in a message; a figure of 300,000 points has fewer."""
MAX_WAITING = 20
"""Most messages on one channel that wait to be read; a kernel that sends more has to wait."""
GRACE_SECONDS = 3.0
"""How long an interrupted kernel has to answer before it is killed."""
_DELIMITER = b"<IDS|MSG>"


class BoundedSession(Session):  # type: ignore[misc]
    """Reads no message that would take much more memory, or time, than its bytes.

    JSON of a few megabytes can be millions of lists, and while it is read no other thread runs. Dates
    in headers stay text: nobody looks at them.
    """

    def deserialize(
        self, msg_list: list[bytes], content: bool = True, copy: bool = True
    ) -> dict[str, Any]:
        """Unpack one message.

        Raises
        ------
        ValueError
            If it is none, or not within the bounds.
        """
        if len(msg_list) < 5:
            raise ValueError("a message of too few parts")
        signature, *parts = msg_list[:5]
        if any(len(part) > MAX_HEADER_BYTES for part in parts[:3]):
            raise ValueError("a message with a header that is too long")
        if sum(part.count(sign) for part in parts for sign in (b",", b"[", b"{")) > MAX_ITEMS:
            raise ValueError("a message of too many parts")
        if not hmac.compare_digest(signature, self.sign(parts)):
            raise ValueError("a message with a wrong signature")
        header, parent, metadata, body = map(self.unpack, parts)
        return {
            "header": header,
            "msg_type": header["msg_type"],
            "parent_header": parent,
            "metadata": metadata,
            "content": body,
            "buffers": [memoryview(part) for part in msg_list[5:]],
        }


class Channels:
    """The examiner's ends of a kernel's sockets, which refuse what is too large before it is in memory.

    Parameters
    ----------
    connection : mapping
        What a connection file holds.

    Attributes
    ----------
    session : BoundedSession
    shell, output, input : Socket
    """

    def __init__(self, connection: Mapping[str, Any]) -> None:
        self.session = BoundedSession(
            key=connection["key"].encode(), signature_scheme=connection["signature_scheme"]
        )
        self._connection = connection
        self._asked = 0
        self.shell = self._socket(SocketType.DEALER, "shell")
        self.input = self._socket(SocketType.DEALER, "stdin")
        self.output = self._socket(SocketType.SUB, "iopub")

    def _socket(self, kind: SocketType, channel: str) -> Socket[bytes]:
        socket: Socket[bytes] = Context.instance().socket(kind)
        socket.setsockopt(SocketOption.LINGER, 0)
        socket.setsockopt(SocketOption.MAXMSGSIZE, MAX_BYTES + 2**22)
        socket.setsockopt(SocketOption.RCVHWM, MAX_WAITING)
        # After a refused message there is no connection, and sending would wait for one for ever.
        socket.setsockopt(SocketOption.SNDTIMEO, int(1000 * GRACE_SECONDS))
        if kind == SocketType.SUB:
            socket.setsockopt(SocketOption.SUBSCRIBE, b"")
        else:
            socket.setsockopt(SocketOption.IDENTITY, self.session.bsession)
        where, port = self._connection["ip"], self._connection[f"{channel}_port"]
        ipc = self._connection["transport"] == "ipc"
        socket.connect(f"ipc://{where}-{port}" if ipc else f"tcp://{where}:{port}")
        return socket

    def listen_again(self) -> None:
        """Subscribe once more to what the kernel puts out, so that it has something to react to."""
        self._asked += 1
        self.output.setsockopt(SocketOption.SUBSCRIBE, b"listening-%d" % self._asked)

    def receive(self, socket: Socket[bytes]) -> dict[str, Any]:
        """Read one message that is there; whatever a forged one makes a library raise is raised."""
        parts = socket.recv_multipart(Flag.NOBLOCK)
        return self.session.deserialize(parts[parts.index(_DELIMITER) + 1 :])

    def close(self) -> None:
        """Close all; what was not sent yet is dropped."""
        for socket in (self.shell, self.input, self.output):
            socket.close()
