"""Messages over a Unix socket, JSON and buffers: how a student's process is asked, and answers.

Shipped to the student's process with :mod:`proctor.kernel.agent`, so it imports the standard library alone.
What is received is bounded before it is read.
"""

from __future__ import annotations

import contextlib
import json
import math
import socket
import struct
from collections.abc import Sequence
from typing import Any

MAX_BYTES = 80 * 2**20
"""Largest message, in bytes: a value's arrays, and its tree."""
MAX_BUFFERS = 100_000
"""Most buffers of a message: each array is one, and each of NumPy's numbers."""
SPARE_BYTES = 2**20
"""Memory that :meth:`Channel.hear` holds, to let go of where the process has no more."""
MAX_ANSWER = 68 * 2**20
"""Largest answer to an examiner's question, in bytes."""
MAX_PARTS = 12_000_000
"""Most commas and brackets of a tree."""
PLAIN = frozenset({int, float, bool, str, type(None)})
"""Types of what travels as JSON has it, where it is short: see :func:`plain_text`."""
_WHOLE, _SHORT = 2**53, 1_000
_HEAD = struct.Struct("<II")
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
_decode = json.JSONDecoder().raw_decode


class ChannelClosedError(Exception):
    """The other side has gone."""


class WireError(Exception):
    """What came is no message."""


class TooLargeError(WireError):
    """What comes is larger than a message may be; what follows cannot be read either."""


def pack(tree: Any, buffers: Sequence[bytes] = ()) -> bytes:
    """Return one message as it is sent."""
    if not buffers:
        return pack_text(_encode(tree))
    text = _encode(tree).encode()
    parts = [_HEAD.pack(len(text), len(buffers)), text]
    parts.append(struct.pack(f"<{len(buffers)}I", *map(len, buffers)))
    parts += buffers
    return b"".join(parts)


def pack_text(text: str) -> bytes:
    """Return a message without buffers, whose tree was written already: JSON, ASCII alone."""
    return _HEAD.pack(len(text), 0) + text.encode("ascii")


def plain_text(value: Any) -> str | None:
    """Write a short value that JSON itself keeps, its type too; None for any other.

    It is what most calls of a loop are given and give back, at a third of the cost of a tree.
    """
    kind = type(value)
    if kind is int:
        return str(value) if -_WHOLE < value < _WHOLE else None
    if kind is float:
        return repr(value) if math.isfinite(value) else None
    if kind is str:
        return _encode(value) if len(value) <= _SHORT and value.isascii() else None
    if kind is bool:
        return "true" if value else "false"
    return "null" if value is None else None


class Inbox:
    """What was received and not taken yet.

    Parameters
    ----------
    max_bytes, max_parts : int
        Bounds of one message.

    Attributes
    ----------
    missing : int
        How many bytes are known to be missing of the next message.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, max_parts: int = MAX_PARTS) -> None:
        self.max_bytes, self.max_parts = max_bytes, max_parts
        self.missing = _HEAD.size
        self._whole = 0
        self._read = bytearray()

    def __bool__(self) -> bool:
        return bool(self._read)

    def feed(self, part: bytes) -> None:
        """Add what was received."""
        self._read += part

    def take(self) -> tuple[Any, list[bytes]] | None:
        """Return the next message, if all of it is there.

        Raises
        ------
        WireError
            If what came is no message, or too large.
        """
        if self._lacks(_HEAD.size):
            return None
        length, count = _HEAD.unpack_from(self._read)
        if length > self.max_bytes or count > MAX_BUFFERS:
            raise TooLargeError("a message that is too large")
        end = _HEAD.size + length
        sizes: tuple[int, ...] = ()
        if count:
            if self._lacks(end + 4 * count):
                return None
            sizes = struct.unpack_from(f"<{count}I", self._read, end)
            if length + sum(sizes) > self.max_bytes:
                raise TooLargeError("a message that is too large")
        whole = self._whole = end + 4 * count + sum(sizes)
        if self._lacks(whole):
            return None
        buffers, place = [], end + 4 * count
        with memoryview(self._read) as view:
            text = bytes(view[_HEAD.size : end])
            for size in sizes:
                buffers.append(bytes(view[place : place + size]))
                place += size
        del self._read[:whole]
        self.missing, self._whole = _HEAD.size, 0
        return _parse(text, self.max_parts), buffers

    @property
    def begun(self) -> bool:
        """Whether so much of the next message is there that its length is known."""
        return self._whole > 0

    def drop(self) -> int:
        """Forget the message that is being received; return how many of its bytes are still to come."""
        left = max(0, self._whole - len(self._read))
        del self._read[: self._whole]
        self.missing, self._whole = _HEAD.size, 0
        return left

    def _lacks(self, size: int) -> bool:
        self.missing = size - len(self._read)
        return self.missing > 0


class Channel:
    """One end of a conversation.

    Parameters
    ----------
    connection : socket.socket
        A connected stream socket.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._inbox = Inbox()
        self._spare: bytearray | None = None

    def send(self, tree: Any, buffers: Sequence[bytes] = ()) -> None:
        """Send one message; see :meth:`send_packed`."""
        self.send_packed(pack(tree, buffers))

    def send_packed(self, message: bytes) -> None:
        """Send what :func:`pack` or :func:`pack_text` made.

        Raises
        ------
        ChannelClosedError
            If nobody is there any more.
        """
        try:
            self.socket.sendall(message)
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
        if not self._inbox:
            part = self._received()
            if _is_whole(part):  # as most are: nothing to keep
                return _parse(part[_HEAD.size :], self._inbox.max_parts), []
            self._inbox.feed(part)
        while (message := self._inbox.take()) is None:
            self._inbox.feed(self._received())
        return message

    def hear(self) -> tuple[Any, list[bytes]] | None:
        """Wait for a message, whatever a signal's handler raises meanwhile; None for one that does not fit.

        Raises
        ------
        ChannelClosedError
            If the other side has gone.
        WireError
            If what comes is no message.
        """
        while True:
            try:
                message = self.receive()
            except (ChannelClosedError, WireError, KeyboardInterrupt):
                raise
            except MemoryError:
                if not self._inbox.begun:
                    if self._spare is None:
                        raise
                    self._spare = None  # what is let go of now is enough for short messages
                    continue
                left = self._inbox.drop()
                while left > 0:
                    left -= len(self._received(min(left, 65_536)))
                return None
            except BaseException:  # noqa: BLE001  whoever set that handler is not being asked now
                continue
            if self._spare is None:
                with contextlib.suppress(MemoryError):
                    self._spare = bytearray(SPARE_BYTES)
            return message

    def _received(self, most: int = 0) -> bytes:
        try:
            part = self.socket.recv(most) if most else self._more()
        except OSError as error:
            if error.errno is None:  # a handler's own
                raise
            raise ChannelClosedError(str(error)) from error
        if not part:
            raise ChannelClosedError("the other side has gone")
        return part

    def _more(self) -> bytes:
        return self.socket.recv(max(65_536, min(self._inbox.missing, 2**20)))

    @property
    def has_more(self) -> bool:
        """Whether something of the next message has been read already."""
        return bool(self._inbox)

    def close(self) -> None:
        """End the conversation."""
        self.socket.close()


def _is_whole(part: bytes) -> bool:
    """Whether this is one message, without buffers."""
    return len(part) >= _HEAD.size and _HEAD.unpack_from(part) == (len(part) - _HEAD.size, 0)


def _parse(text: bytes, max_parts: int) -> Any:
    if len(text) > 10_000 and sum(text.count(sign) for sign in (b",", b"[", b"{")) > max_parts:
        raise WireError("a message of too many parts")
    try:
        # As `json.loads`, without its look at white space; both sides write ASCII.
        tree, end = _decode(text.decode("ascii"))
    except (ValueError, RecursionError, MemoryError) as error:
        raise WireError("a message that is no JSON") from error
    if end != len(text):
        raise WireError("a message that is no JSON")
    return tree
