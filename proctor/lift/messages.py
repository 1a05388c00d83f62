"""Messages between a judge and the student's process: JSON and buffers over a Unix socket.

Shipped to the student's process with :mod:`proctor.lift.student_end`, so it imports the standard library
alone. What is received is bounded before it is read.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Sequence
from typing import Any

MAX_BYTES = 80 * 2**20
"""Largest message, in bytes: a value's arrays, and its tree."""
MAX_BUFFERS = 10_000
MAX_PARTS = 12_000_000
"""Most commas and brackets of a tree."""
_HEAD = struct.Struct("<II")
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
_decode = json.JSONDecoder().raw_decode


class ChannelClosedError(Exception):
    """The other side has gone."""


class WireError(Exception):
    """What came is no message."""


class Channel:
    """One end of a conversation.

    Parameters
    ----------
    connection : socket.socket
        A connected stream socket.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._read = bytearray()

    def send(self, tree: Any, buffers: Sequence[bytes] = ()) -> None:
        """Send one message.

        Raises
        ------
        ChannelClosedError
            If nobody is there any more.
        """
        text = _encode(tree).encode()
        parts = [_HEAD.pack(len(text), len(buffers)), text]
        if buffers:
            parts.append(struct.pack(f"<{len(buffers)}I", *map(len, buffers)))
            parts += buffers
        try:
            self.socket.sendall(b"".join(parts))
        except OSError as error:
            raise ChannelClosedError(str(error)) from error

    def receive(self) -> tuple[Any, list[bytes]]:
        """Wait for a message.

        Raises
        ------
        ChannelClosedError
            If the other side has gone.
        WireError
            If what comes is no message, or too large.
        """
        self._fill(_HEAD.size)
        length, count = _HEAD.unpack_from(self._read)
        if length > MAX_BYTES or count > MAX_BUFFERS:
            raise WireError("a message that is too large")
        end = _HEAD.size + length
        sizes: tuple[int, ...] = ()
        if count:
            self._fill(end + 4 * count)
            sizes = struct.unpack_from(f"<{count}I", self._read, end)
            if length + sum(sizes) > MAX_BYTES:
                raise WireError("a message that is too large")
        whole = end + 4 * count + sum(sizes)
        self._fill(whole)
        text = bytes(self._read[_HEAD.size : end])
        buffers, place = [], end + 4 * count
        for size in sizes:
            buffers.append(bytes(self._read[place : place + size]))
            place += size
        del self._read[:whole]
        return _parse(text), buffers

    @property
    def has_more(self) -> bool:
        """Whether something of the next message has been read already."""
        return bool(self._read)

    def _fill(self, size: int) -> None:
        while len(self._read) < size:
            try:
                part = self.socket.recv(max(65_536, min(size - len(self._read), 2**20)))
            except OSError as error:
                raise ChannelClosedError(str(error)) from error
            if not part:
                raise ChannelClosedError("the other side has gone")
            self._read += part

    def close(self) -> None:
        """End the conversation."""
        self.socket.close()


def _parse(text: bytes) -> Any:
    if len(text) > 10_000 and sum(text.count(sign) for sign in (b",", b"[", b"{")) > MAX_PARTS:
        raise WireError("a message of too many parts")
    try:
        tree, end = _decode(text.decode())  # as `json.loads`, without its look at white space
    except (ValueError, RecursionError) as error:
        raise WireError("a message that is no JSON") from error
    if end != len(text):  # both sides write ASCII
        raise WireError("a message that is no JSON")
    return tree
