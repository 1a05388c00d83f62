"""A kernel that runs, as the examiner holds it: its process, and the sockets to it."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from proctor.errors import KernelStartError
from proctor.kernel.client import Channels
from proctor.sandbox.judge_server_handle import Bench
from proctor.sandbox.kernel_handle import Kernel

START_SECONDS = 60.0
LOOK_MS = 200


class Link(Protocol):
    """A running kernel.

    Attributes
    ----------
    channels : Channels
    process : Kernel or None
        Its process, where it comes from a fork server.
    sockets : Path
        Folder of its sockets, which it sees, too.
    """

    channels: Channels
    process: Kernel | None
    sockets: Path

    def lives(self) -> bool:
        """Whether the kernel's process runs."""

    def interrupt(self) -> None:
        """Send what a keyboard's Ctrl-C sends."""

    def why_dead(self) -> tuple[str, str] | None:
        """Say why it ended, as (code, sentence), where that is known."""

    def close(self) -> None:
        """End it now, and all that it started; nothing is asked of it."""


class Launcher(Protocol):
    """Starts kernels; see :class:`proctor.kernel.forked.ForkLauncher`."""

    isolation: str
    cpu: int

    def start(self, folder: Path) -> Link:
        """Start a kernel whose working folder, if it is not isolated, is `folder`."""

    def bench(self) -> AbstractContextManager[Bench]:
        """Yield a bench of judges, beside the kernels and isolated like them."""


def wait_until_heard(link: Link) -> None:
    """Wait until the kernel has greeted whoever listens to its output: from then on nothing is lost.

    A kernel that is sending while somebody begins to listen may leave the greeting until something
    else arrives (libzmq tells of new subscribers once, and sending takes that in). So it is asked again.

    Raises
    ------
    KernelStartError
        If it ends before, or takes too long.
    """
    end = time.monotonic() + START_SECONDS
    while not link.channels.output.poll(LOOK_MS):
        link.channels.listen_again()
        if not link.lives():
            raise KernelStartError("The kernel did not start: it ended before it answered.")
        if time.monotonic() >= end:
            raise KernelStartError(
                f"The kernel did not start: no answer within {START_SECONDS:g} seconds."
            )
