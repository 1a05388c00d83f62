"""The agent's side of the line: one answer to each of the examiner's questions, whatever becomes of it.

Shipped to the student's process with :mod:`proctor.kernel.agent`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from proctor.kernel.channel import MAX_ANSWER, Channel, ChannelClosedError, pack

_handled = signal.signal
Answer = tuple[dict[str, Any], list[bytes]]


class Answering:
    """Answers questions.

    Parameters
    ----------
    answer : callable
        Returns the answer to a question and its buffers.
    describe : callable
        Returns an exception as it is told.
    """

    def __init__(
        self,
        answer: Callable[[Any, list[bytes]], Answer],
        describe: Callable[[BaseException], dict[str, str]],
    ) -> None:
        self.answer, self.describe = answer, describe

    def serve(self, line: Channel) -> None:
        """Answer on the line until the examiner says that it is done.

        An interrupt ends the answer that is being made; what comes before or after it, is none.
        """
        me, before, number = os.getpid(), _handled(signal.SIGINT, signal.SIG_IGN), 0
        try:
            while (received := line.hear()) is None or received[0]["op"] != "bye":
                if received is None:  # there was no memory for it; questions are counted
                    number += 1
                    message = self.sorry(number, MemoryError("no room for the arguments"))
                else:
                    number = received[0]["n"]
                    message = self.message(number, *self.interruptible(*received))
                if os.getpid() != me:  # a copy that the student's code made and did not end
                    os._exit(1)
                line.socket.sendall(message)
        except (ChannelClosedError, OSError):
            return
        finally:
            _handled(signal.SIGINT, before)

    def message(self, number: int, content: dict[str, Any], out: list[bytes]) -> bytes:
        """Return an answer as it is sent; one that is too large says so."""
        try:
            message = pack({**content, "n": number}, out)
        except (ValueError, MemoryError, RecursionError) as error:
            return self.sorry(number, error)
        if len(message) > MAX_ANSWER:
            return self.sorry(number, OverflowError(f"more than {MAX_ANSWER:,} bytes"))
        return message

    def sorry(self, number: int, error: Exception) -> bytes:
        """Return an answer that tells why there is none."""
        return pack({"error": self.describe(error), "n": number})

    def interruptible(self, request: Any, buffers: list[bytes]) -> Answer:
        """Have a question answered; an interrupt ends that."""
        try:
            _handled(signal.SIGINT, signal.default_int_handler)
            answer = self.answer(request, buffers)
            _handled(signal.SIGINT, signal.SIG_IGN)
        except BaseException as error:  # noqa: BLE001  an interrupt just before or after the student's code
            _handled(signal.SIGINT, signal.SIG_IGN)
            return {"error": self.describe(error)}, []
        return answer
