"""Run code in a kernel of the fork server, and look at what it says; for tests."""

from __future__ import annotations

import os
import select
import tempfile
from collections.abc import Callable
from pathlib import Path

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from proctor.sandbox.forkserver import ForkServer
from proctor.sandbox.kernel_handle import Kernel
from proctor.sandbox.limits import Ending

SECONDS = 60


class Said(str):
    """What a cell printed; ``error`` is the exception as ``"Type: message"``, if there was one."""

    error = ""


def spawn(
    server: ForkServer, folder: Path, connection_file: Path, work: Path | None = None, cpu: int = -1
) -> Kernel:
    """Start a kernel and wait until it listens."""
    kernel = server.request(folder, connection_file, work, cpu)
    assert select.select([kernel], [], [], SECONDS)[0], "the kernel did not come up"
    kernel.started()
    return kernel


class Session:
    """A kernel with a client. Leaving it kills the kernel."""

    def __init__(self, server: ForkServer, work: Path | None = None, cpu: int = -1) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="k-")
        self.folder = Path(self._folder.name)
        self.sockets = self.folder / "s"
        self.sockets.mkdir()
        file, _ = write_connection_file(
            str(self.folder / "connection.json"),
            ip=str(self.sockets / "k"),
            transport="ipc",
            key=os.urandom(16).hex().encode(),
        )
        self.kernel = spawn(server, self.sockets, Path(file), work, cpu)
        self.client = BlockingKernelClient(connection_file=file)
        self.client.load_connection_file()
        self.client.start_channels()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> Ending:
        """Kill the kernel; return its ending."""
        ending = self.kernel.kill()
        self.client.stop_channels()
        self._folder.cleanup()
        return ending

    def run(
        self, code: str, seconds: float = SECONDS, heard: Callable[[str], None] | None = None
    ) -> Said:
        """Run a cell to its end; `heard` is called with each text that it prints."""
        text: list[str] = []
        error = ""

        def hear(message: dict[str, dict[str, str]]) -> None:
            nonlocal error
            content = message["content"]
            if message["msg_type"] == "stream":
                text.append(content["text"])
                if heard is not None:
                    heard(content["text"])
            elif message["msg_type"] == "error":
                error = f"{content['ename']}: {content['evalue']}"
            elif message["msg_type"] in ("display_data", "execute_result"):
                text.append(" ".join(content["data"]))

        self.client.execute_interactive(code, output_hook=hear, timeout=seconds)
        said = Said("".join(text).strip())
        said.error = error
        return said

    def start(self, code: str) -> None:
        """Begin a cell that is not expected to end well."""
        self.client.execute(code)
