"""The examiner's end of the line on which a student's process answers questions.

A question costs a message and its answer over one socket. Jupyter's own messages, in seven parts and through
two threads, cost ten times as much. What comes back is bounded as everything of a kernel's, and nothing here
waits: whoever asks looks at the limits meanwhile.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from typing import Any

from proctor.errors import ProtocolError
from proctor.kernel.channel import MAX_ANSWER, Inbox, TooLargeError, WireError, pack
from proctor.kernel.client import MAX_ITEMS


class QuestionLine:
    """One end of a connected socket, without waiting.

    Parameters
    ----------
    connection : socket.socket
        A connected stream socket; closed with this.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        connection.setblocking(False)
        self._inbox = Inbox(MAX_ANSWER, MAX_ITEMS)
        self._unsent = memoryview(b"")

    def fileno(self) -> int:
        """Descriptor to wait for."""
        return self.socket.fileno()

    @property
    def waits_for(self) -> int:
        """What to wait for, as :func:`select.poll` takes it."""
        return select.POLLIN | (select.POLLOUT if self._unsent else 0)

    def say(self, tree: Any, buffers: Sequence[bytes] = ()) -> None:
        """Begin to send a message; :meth:`go_on` sends the rest."""
        self._unsent = memoryview(bytes(self._unsent) + pack(tree, buffers))
        self._send()

    def go_on(self) -> bool:
        """Send what can be sent, read what there is; return whether the other end is still open."""
        self._send()
        try:
            part = self.socket.recv(max(65_536, min(self._inbox.missing, 2**20)))
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._inbox.feed(part)
        return bool(part)

    def heard(self) -> tuple[dict[str, Any], list[bytes]] | None:
        """Return the next message, if all of it is there.

        Raises
        ------
        ProtocolError
            If it is none.
        TooLargeError
            If it is too large, so that nothing after it can be read.
        """
        try:
            message = self._inbox.take()
        except TooLargeError:
            raise
        except WireError as error:
            raise ProtocolError(f"the kernel sent {error}") from error
        if message is not None and not isinstance(message[0], dict):
            raise ProtocolError("the kernel sent something that is not an answer")
        return message

    def _send(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except BlockingIOError:
            return
        except OSError:
            self._unsent = memoryview(b"")  # that nobody is there shows where an answer is awaited

    def close(self) -> None:
        """Hang up."""
        self.socket.close()
