"""Ordinary Jupyter kernels, for systems without the fork server: nothing warm, nothing isolated.

The same interface as :class:`proctor.kernel.forked.ForkLauncher`, so that one notebook can be checked on
macOS or Windows. Classes are marked on Linux.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync

from proctor.kernel.client import Channels
from proctor.kernel.link import Link
from proctor.sandbox.forkserver import ENVIRONMENT
from proctor.sandbox.judge_server_handle import Bench, local_bench
from proctor.sandbox.kernel_handle import Kernel
from proctor.scratch import Scratch


class _FreshSpec(KernelSpecManager):  # type: ignore[misc]
    """Knows one kernel: this interpreter's."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__()
        self.environment = dict(environment)

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(
            argv=[*launch, "--HistoryManager.enabled=False"],
            display_name="Python 3",
            language="python",
            env=self.environment,
        )


class FreshLauncher:
    """Starts each kernel as a new interpreter.

    Parameters
    ----------
    given : sequence of (Path, str)
        Files that are copied to the working folder: source, and relative place.
    environment : mapping, optional
        Added to what the grader's own environment holds.
    """

    isolation = "process"
    cpu = -1

    def __init__(
        self, given: Sequence[tuple[Path, str]] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self.given = tuple(given)
        # The path, the language and the packages of this system are its own.
        settings = {
            key: value
            for key, value in ENVIRONMENT.items()
            if key not in ("PATH", "LANG") and not key.startswith("PIP_")
        }
        self.environment = settings | dict(environment or {})

    def start(self, folder: Path) -> Link:
        """Start a kernel that works in `folder`."""
        for source, place in self.given:
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        return FreshKernel(_FreshSpec(self.environment), folder)

    def bench(self) -> AbstractContextManager[Bench]:
        """Yield a bench of judges: an ordinary process, where the given files lie."""
        places = {source.parent for source, place in self.given if "/" not in place}
        return local_bench(places.pop() if places else Path.cwd())


class FreshKernel:
    """A kernel of jupyter_client's own, as :class:`proctor.kernel.link.Link` says."""

    process: Kernel | None = None

    def __init__(self, spec: KernelSpecManager, folder: Path) -> None:
        self._manager = AsyncKernelManager(kernel_spec_manager=spec, kernel_name="proctor")
        run_sync(self._manager.start_kernel)(cwd=str(folder))
        connection = self._manager.get_connection_info()
        self.channels = Channels(connection | {"key": self._manager.session.key.decode()})
        self._scratch = Scratch("k-")  # a short path, as that of a socket has to be
        self.sockets = self._scratch.path

    def lives(self) -> bool:
        """Whether it runs."""
        return bool(run_sync(self._manager.is_alive)())

    def interrupt(self) -> None:
        """Interrupt what runs."""
        run_sync(self._manager.interrupt_kernel)()

    def why_dead(self) -> tuple[str, str] | None:
        """Nothing is known but that it ended."""
        return None

    def close(self) -> None:
        """End it now."""
        self.channels.close()
        run_sync(self._manager.shutdown_kernel)(now=True)
        self._scratch.remove()
