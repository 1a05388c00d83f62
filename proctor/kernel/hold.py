"""The examiner's hold on one kernel: messages within limits, and its end.

Everything that arrives from the kernel is bounded and parsed strictly; a kernel that breaks the
rules, hangs or dies is stopped, and :class:`KernelStopped` says why in one sentence.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zmq.constants import PollEvent
from zmq.error import ZMQError
from zmq.sugar.poll import Poller

from proctor.errors import ProtocolError
from proctor.kernel import agent
from proctor.kernel.cell_run import MISUSED, KernelStopped, Met
from proctor.kernel.client import GRACE_SECONDS
from proctor.kernel.kept_records import Records
from proctor.kernel.link import Launcher, Link
from proctor.kernel.messages import parent, receive, take
from proctor.kernel.outputs import Outputs
from proctor.kernel.time_limits import Allowance, Exceeded
from proctor.kernel.values import MAX_BYTES
from proctor.sandbox.kernel_handle import Kernel
from proctor.sandbox.limits import Used

MAX_UNASKED = 100
"""Most answers to a question that was not asked; one that came too late is such an answer."""
MAX_GIVEN = 20
"""Most records that one kernel is given."""
LOOK_SECONDS = 0.2
"""How often what runs is compared with its limit."""
MAX_UNREAD = 3 * MAX_BYTES
"""Most memory, in bytes, that may gather while one answer is awaited. A message is read when all its
parts are there, and one that never ends is never read."""


class KernelHold:
    """A kernel that runs for one submission: what is sent to it, awaited, and how it ends.

    Parameters
    ----------
    launcher : Launcher
        Where kernels come from.
    folder : Path
        Scratch folder, the working folder of a kernel that is not isolated.
    cell_seconds, total_seconds : float
        Limits of one cell or question, and of everything together, as :mod:`proctor.kernel.time_limits`
        counts.
    records : mapping of str to bytes
        What the helpers may ask for by name; see :mod:`proctor.kernel.kept_records`.

    Attributes
    ----------
    stopped : KernelStopped or None
        Why it is gone; None while it lives.
    """

    def __init__(
        self,
        launcher: Launcher,
        folder: Path,
        *,
        cell_seconds: float,
        total_seconds: float,
        records: Records | None = None,
    ) -> None:
        self.launcher = launcher
        self.folder = folder
        self.cell_seconds = cell_seconds
        self.total_seconds = total_seconds
        self.records = records or {}
        self.stopped: KernelStopped | None = None
        self._link: Link | None = None
        self._given = 0
        self._idle = 0.0  # seconds in which cells and questions wanted no processor

    def _send(self, kind: str, content: dict[str, Any], buffers: Sequence[bytes] = ()) -> str:
        """Send a message on the shell channel; return its id."""
        channels = self._alive().channels
        message = channels.session.msg(kind, content)
        try:
            channels.session.send(channels.shell, message, buffers=list(buffers))
        except ZMQError as error:
            raise self._misused() from error
        return str(message["header"]["msg_id"])

    def _await(
        self, sent: str, allowance: Allowance, taken: Outputs | None = None
    ) -> tuple[dict[str, Any] | None, Exceeded]:
        """Wait for the reply to one message, and for a cell's outputs, until all of them are there.

        Replies to other messages are dropped. Without an answer within the allowance, return by what
        that was exceeded.
        """
        link = self._alive()
        shell, output, handle = link.channels.shell, link.channels.output, link.process
        poller = Poller()
        poller.register(shell, PollEvent.POLLIN)
        if handle is not None and handle.poll() is None:
            poller.register(handle, PollEvent.POLLIN)  # readable when the kernel has ended
        if taken is not None:
            poller.register(output, PollEvent.POLLIN)
        reply: dict[str, Any] | None = None
        idle, unasked, watch = taken is None, 0, Watch(allowance)
        while reply is None or not idle:
            ready = dict(poller.poll(1000 * watch.left()))
            if shell in ready:
                message = receive(link.channels, shell)
                if parent(message) == sent and reply is None:
                    reply = message
                    watch.limit = self._grace()  # for what is left of a cell's output
                elif (unasked := unasked + 1) > MAX_UNASKED:
                    raise self._misused()
            if taken is not None and output in ready:
                message = receive(link.channels, output)
                if parent(message) == sent and message.get("msg_type") == agent.QUESTION:
                    self._answer(message)
                elif parent(message) == sent:
                    idle = take(message, taken) or idle
            if handle is not None and handle.fileno() in ready and len(ready) == 1:
                raise self._died()
            if not self._time_to_look(watch, quiet=not ready):
                continue
            if exceeded := watch.limit.exceeded():
                self._idle += allowance.idle
                return reply, "" if reply is not None else exceeded
        self._idle += allowance.idle
        return reply, ""

    def _time_to_look(self, watch: Watch, *, quiet: bool) -> bool:
        """Whether limits are looked at now; a kernel that floods, or has died without a word, is ended."""
        if not watch.due():
            return False
        if watch.flooded():
            raise self._misused()
        if quiet and not self._alive().lives():
            raise self._died()
        return True

    def _answer(self, question: dict[str, Any]) -> None:
        """Give a helper the record that it names, if there is one: who can name it has earned it."""
        channels, content = self._alive().channels, question.get("content")
        name = content.get("name") if isinstance(content, dict) else None
        record = self.records.get(name) if isinstance(name, str) else None
        if record is not None:
            self._given += 1
        buffers = [record] if record is not None and self._given <= MAX_GIVEN else []
        message = channels.session.msg(agent.ANSWER, {}, parent=question)
        try:
            channels.session.send(channels.input, message, buffers=buffers)
        except (ZMQError, ValueError) as error:  # ValueError: a forged header goes back with it
            raise self._misused() from error

    def _interrupt(self) -> None:
        self._alive().interrupt()

    def _ensure_answers(self, exceeded: Exceeded) -> None:
        """Kill the kernel unless it answers a ping after an interrupt."""
        try:
            if self._await(self._send(agent.REQUEST, {"op": "ping"}), self._grace())[0] is not None:
                return
        except ProtocolError:
            pass  # what it sent instead is no answer
        raise self._never_answers(exceeded)

    def _never_answers(self, exceeded: Exceeded) -> KernelStopped:
        return self._stop(
            "not-interruptible",
            "Your code ran longer than it may and did not react when it was interrupted, "
            "so what came after it could not be marked.",
            exceeded,
        )

    def _allowance(self) -> Allowance:
        """Begin to count what a cell or a question uses."""
        self._alive()
        used = self._used()
        left = self.total_seconds - self._idle - (used.cpu if used is not None else 0.0)
        if left <= 0:
            raise self._stop(
                "total-time",
                f"The notebook took longer than the {self.total_seconds:g} seconds it may take "
                "in all, so what came after that could not be marked.",
                "cpu",
            )
        seconds = min(self.cell_seconds, left)
        return Allowance(seconds, self._used, measured=self._handle() is not None)

    def _grace(self) -> Allowance:
        """Begin to count what it takes to react to an interrupt."""
        return Allowance(GRACE_SECONDS, self._used, measured=self._handle() is not None)

    def _used(self) -> Used | None:
        handle = self._handle()
        return handle.used() if handle is not None else None

    def _alive(self) -> Link:
        if self.stopped is not None:
            raise self.stopped
        assert self._link is not None
        return self._link

    def _died(self) -> KernelStopped:
        code, message = self._alive().why_dead() or (
            "kernel-died",
            "The Python process of your notebook ended while this ran (exit, a crash, or too much "
            "memory), so what came after it could not be marked.",
        )
        return self._stop(code, message, _BY.get(code, ""))

    def _misused(self) -> KernelStopped:
        return self._stop(*MISUSED)

    def _handle(self) -> Kernel | None:
        """The kernel's process, where it comes from a fork server."""
        return self._link.process if self._link is not None else None

    def _stop(self, code: str, message: str, by: Met = "") -> KernelStopped:
        self.stopped = KernelStopped(code, message, by)
        self.kill()
        return self.stopped

    def kill(self) -> None:
        """End the kernel now; nothing is asked of it."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
        if self.stopped is None:
            self.stopped = KernelStopped("kernel-closed", "The kernel is closed.")


class Watch:
    """When to look at what limits bound, and how memory has grown since the first look."""

    def __init__(self, limit: Allowance) -> None:
        self.limit = limit
        self._look = time.monotonic() + LOOK_SECONDS
        self._before: int | None = None

    def left(self) -> float:
        """Seconds until the next look."""
        return max(0.0, self._look - time.monotonic())

    def due(self) -> bool:
        """Whether it is time to look; if so, the next look is later."""
        if time.monotonic() < self._look:
            return False
        self._look = time.monotonic() + LOOK_SECONDS
        return True

    def flooded(self) -> bool:
        """Whether what is received and not read takes too much memory."""
        now = resident_bytes()
        self._before = now if self._before is None else self._before
        return now - self._before > MAX_UNREAD


def resident_bytes() -> int:
    """What this process holds in memory, in bytes; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


_BY: dict[str, Met] = {
    "wall-time": "wall",
    "cpu-time": "cpu",
    "killed": "machine",
    "killed-outside": "machine",
    "lost": "machine",
    "kernel-died": "machine",
}
"""By the code of an ending, what it rests on if that is not the notebook's own doing."""
