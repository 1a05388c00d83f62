"""Kernels from the fork server for anything that speaks jupyter_client: nbclient, nbgrader, proctor.

Registered as the kernel provisioner ``proctor-fork``. A kernel spec asks for it in its metadata::

    {"kernel_provisioner": {"provisioner_name": "proctor-fork",
                            "config": {"warm": ["numpy"], "isolation": "namespaces"}}}

The first such kernel in a process starts the warm parent; it ends with the process.
The examiner itself takes the shorter way of :mod:`proctor.kernel.forked`.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import signal
import threading
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Dict, Enum, Instance, Integer, List, Unicode

from proctor.errors import KernelStartError
from proctor.sandbox.forkserver import SPAWN_SECONDS, ForkServer, Spawner
from proctor.sandbox.kernel_handle import Kernel
from proctor.sandbox.limits import Limits
from proctor.scratch import Scratch

NAME = "proctor-fork"
_LONGEST_ADDRESS = 100
"""A Unix socket's path holds 107 bytes; the port's number follows."""

_servers: dict[str, ForkServer] = {}
_servers_lock = threading.Lock()


class ForkProvisioner(KernelProvisionerBase):  # type: ignore[misc]
    """Has a fork server start the kernel, and ends it at once when it is no longer wanted."""

    warm = List(Unicode(), help="Modules to import once.").tag(config=True)
    isolation = Enum(("namespaces", "process"), "namespaces").tag(config=True)
    limits = Dict(help="Fields of proctor.sandbox.limits.Limits that differ from the default.").tag(
        config=True
    )
    given = List(help="Files beside the notebook: [source, relative place].").tag(config=True)
    hidden = List(Unicode(), help="Folders never to be seen.").tag(config=True)
    server = Instance(Spawner, allow_none=True, help="A running fork server to use instead.")
    cpu = Integer(-1, help="The one processor that the kernel may use; -1 for any.").tag(
        config=True
    )

    kernel: Kernel | None = None
    _scratch: Scratch | None = None

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel."""
        return self.kernel is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Give the kernel a folder of its own for its sockets, and write the connection file."""
        manager = self.parent
        self._scratch = Scratch("k-")
        folder = self._scratch.path
        sockets = folder / "s"
        sockets.mkdir(mode=0o700)
        manager.transport, manager.ip = "ipc", str(sockets / "k")
        if len(manager.ip) > _LONGEST_ADDRESS:
            raise KernelStartError(
                f"The path {manager.ip} is too long for a socket. Set TMPDIR to a shorter folder."
            )
        for channel in ("shell", "iopub", "stdin", "hb", "control"):
            setattr(manager, f"{channel}_port", 0)
        manager.connection_file = str(folder / "connection.json")
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        kwargs.pop("extra_arguments", None)
        return dict(await super().pre_launch(cmd=[], **kwargs))

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel; it listens when this returns."""
        assert self._scratch is not None
        folder = self._scratch.path
        server = self.server or await asyncio.to_thread(self._shared_server)
        work = Path(kwargs.get("cwd") or folder)
        file = folder / "connection.json"
        kernel = server.request(folder / "s", file, work, self.cpu)
        if not await _readable(kernel, SPAWN_SECONDS):
            kernel.kill()
            raise KernelStartError(f"The kernel did not come up within {SPAWN_SECONDS:g} s.")
        kernel.started()
        self.kernel = kernel
        return self.connection_info

    def _shared_server(self) -> ForkServer:
        """One warm parent for each configuration in this process."""
        limits = Limits.from_dict(dict(self.limits))
        key = json.dumps([self.warm, self.isolation, limits.to_dict(), self.given, self.hidden])
        with _servers_lock:
            if key not in _servers:
                server = ForkServer(
                    self.warm,
                    isolation=self.isolation,
                    limits=limits,
                    given=[(Path(source), place) for source, place in self.given],
                    hidden=[Path(folder) for folder in self.hidden],
                )
                server.start()
                atexit.register(server.close)
                _servers[key] = server
            return _servers[key]

    async def poll(self) -> int | None:
        """Return None while the kernel runs, else 1."""
        return None if self.kernel is not None and self.kernel.poll() is None else 1

    async def wait(self) -> int | None:
        """Wait until the kernel has ended."""
        if self.kernel is not None:
            while self.kernel.poll() is None:
                await _readable(self.kernel, None)
        return 1

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel itself; SIGKILL ends all that it started too."""
        if self.kernel is None:
            return
        if signum == signal.SIGKILL:
            self.kernel.kill()
        else:
            self.kernel.signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """End the kernel and everything it started."""
        if self.kernel is not None:
            self.kernel.kill()

    async def terminate(self, restart: bool = False) -> None:
        """The same as :meth:`kill`: nothing is asked of a kernel that is not trusted."""
        await self.kill(restart)

    async def shutdown_requested(self, restart: bool = False) -> None:
        """End the kernel now instead of waiting for its reply."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the kernel's folder."""
        await self.kill()
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None

    def get_shutdown_wait_time(self, recommended: float = 5.0) -> float:
        """No grace: there is nothing to wait for."""
        return 0.0


async def _readable(kernel: Kernel, seconds: float | None) -> bool:
    """Wait, without polling, until the kernel has something to tell."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[None] = loop.create_future()
    descriptor = kernel.fileno()

    def tell() -> None:
        if not told.done():
            told.set_result(None)

    loop.add_reader(descriptor, tell)
    try:
        await asyncio.wait_for(told, seconds)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
    return True
