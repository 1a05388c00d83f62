"""Ordinary Jupyter kernels, for systems without the fork server: nothing warm, nothing isolated.

The same interface as :class:`proctor.kernel.provisioner.ForkLauncher`, so that one notebook can be checked on
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

from proctor.sandbox.forkserver import ENVIRONMENT
from proctor.sandbox.judge_server_handle import Bench, local_bench


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
        # The path and the language of this system are its own.
        settings = {k: v for k, v in ENVIRONMENT.items() if k not in ("PATH", "LANG")}
        self.environment = settings | dict(environment or {})

    def manager(self, folder: Path) -> AsyncKernelManager:
        """Return a manager of a kernel that is not started yet and will work in `folder`."""
        for source, place in self.given:
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        spec = _FreshSpec(self.environment)
        return AsyncKernelManager(kernel_spec_manager=spec, kernel_name="proctor")

    def bench(self) -> AbstractContextManager[Bench]:
        """Yield a bench of judges: an ordinary process, where the given files lie."""
        places = {source.parent for source, place in self.given if "/" not in place}
        return local_bench(places.pop() if places else Path.cwd())

    def why_dead(self, manager: AsyncKernelManager) -> tuple[str, str] | None:
        """Nothing is known but that it ended."""
        return None
