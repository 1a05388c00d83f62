"""Kernels of a running fork server, for :class:`proctor.kernel.session.StudentKernel`."""

from __future__ import annotations

import json
import secrets
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proctor.errors import KernelStartError
from proctor.kernel.client import Channels
from proctor.kernel.link import Link
from proctor.sandbox.forkserver import SPAWN_SECONDS, Spawner
from proctor.sandbox.judge_server_handle import Bench
from proctor.sandbox.kernel_handle import Kernel
from proctor.scratch import Scratch

CHANNELS = ("shell", "iopub", "stdin", "hb", "control")
LONGEST_ADDRESS = 100
"""A Unix socket's path holds 107 bytes; the port's number follows."""


class ForkLauncher:
    """Starts kernels of a running fork server.

    Parameters
    ----------
    server : Spawner
        Of a fork server that the caller started and closes.

    Attributes
    ----------
    cpu : int
        The processor that the next kernel may use; -1 for any.
    """

    def __init__(self, server: Spawner) -> None:
        self.server = server
        self.isolation: str = server.isolation
        self.cpu = -1

    @contextmanager
    def bench(self) -> Iterator[Bench]:
        """Yield a bench of judges, which ends with the context; see :mod:`proctor.lift`."""
        scratch = Scratch("k-")
        try:
            bench, process = self.server.bench(scratch.path)
            try:
                yield bench
            finally:
                process.kill()
        finally:
            scratch.remove()

    def start(self, folder: Path) -> Link:
        """Start a kernel; it listens when this returns.

        Parameters
        ----------
        folder : Path
            Working folder, if kernels are not isolated; isolated ones never see it.
        """
        return ForkedKernel(self.server, folder, self.cpu)


class ForkedKernel:
    """A kernel of a fork server, as :class:`proctor.kernel.link.Link` says."""

    def __init__(self, server: Spawner, work: Path, cpu: int) -> None:
        self._scratch = Scratch("k-")
        self.sockets = self._scratch.path / "s"
        self.process: Kernel | None = None
        try:
            connection = self._connection()
            file = self._scratch.path / "connection.json"
            file.write_text(json.dumps(connection), "ascii")
            self.process = server.request(self.sockets, file, work, cpu)
            self._await(self.process)
            self.channels = Channels(connection)
        except BaseException:
            if self.process is not None:
                self.process.kill()
            self._scratch.remove()
            raise

    def _connection(self) -> dict[str, str | int]:
        """Make the folder of the sockets, and say where they will be."""
        self.sockets.mkdir(mode=0o700)
        address = str(self.sockets / "k")
        if len(address) > LONGEST_ADDRESS:
            raise KernelStartError(
                f"The path {address} is too long for a socket. Set TMPDIR to a shorter folder."
            )
        ports = {f"{name}_port": number for number, name in enumerate(CHANNELS, 1)}
        return {
            "transport": "ipc",
            "ip": address,
            "key": secrets.token_hex(16),
            "signature_scheme": "hmac-sha256",
            **ports,
        }

    def _await(self, process: Kernel) -> None:
        if not select.select([process], [], [], SPAWN_SECONDS)[0]:
            raise KernelStartError(f"The kernel did not come up within {SPAWN_SECONDS:g} s.")
        process.started()

    def lives(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def interrupt(self) -> None:
        """Interrupt what runs."""
        if self.process is not None:
            self.process.signal(signal.SIGINT)

    def why_dead(self) -> tuple[str, str] | None:
        """Say why it ended, as (code, sentence); None if it runs."""
        ending = self.process.poll() if self.process is not None else None
        return (ending.code, ending.message) if ending is not None else None

    def close(self) -> None:
        """End it and everything it started; remove its folder."""
        self.channels.close()
        if self.process is not None:
            self.process.kill()
        self._scratch.remove()
