"""The client of an untrusted kernel: jupyter_client with bounds on all that it reads."""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.session import Session
from traitlets import default
from zmq.constants import SocketOption

from proctor.kernel.values import MAX_BYTES

MAX_HEADER_BYTES = 2**16
"""Most bytes of a message's header, of the header that it answers, and of its metadata, each."""
MAX_ITEMS = 1_000_000
"""Most commas and opening brackets in a message; a figure of 300,000 points has fewer."""
MAX_WAITING = 20
"""Most messages on one channel that wait to be read; a kernel that sends more has to wait."""
GRACE_SECONDS = 3.0
"""How long an interrupted kernel has to answer before it is killed."""
START_SECONDS = 60.0


class BoundedSession(Session):  # type: ignore[misc]
    """Reads no message that would take much more memory, or time, than its bytes.

    JSON of a few megabytes can be millions of lists, and while it is read no other thread runs.
    """

    def deserialize(
        self, msg_list: list[Any], content: bool = True, copy: bool = True
    ) -> dict[str, Any]:
        """Unpack one message.

        Raises
        ------
        ValueError
            If it is none, or not within the bounds.
        """
        parts = [part if copy else part.bytes for part in msg_list[1:5]]
        if any(len(part) > MAX_HEADER_BYTES for part in parts[:3]):
            raise ValueError("a message with a header that is too long")
        if sum(part.count(sign) for part in parts for sign in (b",", b"[", b"{")) > MAX_ITEMS:
            raise ValueError("a message of too many parts")
        message: dict[str, Any] = super().deserialize(msg_list, content=content, copy=copy)
        return message


class BoundedChannels(AsyncKernelClient):  # type: ignore[misc]
    """A client whose sockets refuse what is too large before it is in memory."""

    @default("context")  # type: ignore[untyped-decorator]
    def _bounded(self) -> zmq.asyncio.Context:
        self._created_context = True
        context = zmq.asyncio.Context()
        context.setsockopt(SocketOption.MAXMSGSIZE, MAX_BYTES + 2**22)
        context.setsockopt(SocketOption.RCVHWM, MAX_WAITING)
        # After a refused message there is no connection, and sending would wait for one for ever.
        context.setsockopt(SocketOption.SNDTIMEO, int(1000 * GRACE_SECONDS))
        return context

    def start_channels(
        self,
        shell: bool = True,
        iopub: bool = True,
        stdin: bool = True,
        hb: bool = True,
        control: bool = True,
    ) -> None:
        """Start all but the heartbeat, a thread for each kernel: whether it lives, its process tells."""
        super().start_channels(shell=shell, iopub=iopub, stdin=stdin, hb=False, control=control)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and its output arrives.

        jupyter_client's own then listens for another 0.2 s, to be rid of what the kernel said before
        the first cell; whoever runs a cell here looks at what belongs to it alone.
        """
        seconds = timeout or START_SECONDS
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.kernel_info()
            try:
                reply = await self.shell_channel.get_msg(timeout=1)
                await self.iopub_channel.get_msg(timeout=0.2)
            except Empty:
                if not await self._async_is_alive():
                    raise RuntimeError("it ended before it answered") from None
            else:
                self._handle_kernel_info_reply(reply)
                return
        raise RuntimeError(f"no answer within {seconds:g} seconds")
