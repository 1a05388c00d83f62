"""The student's kernel itself: ipykernel started in a fork of the warm parent.

What an interactive session wants and a marked notebook does not is left out: the history database,
start-up files, the debugger, the connection file, the advice on the terminal.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from typing import Any

from IPython.core.profiledir import ProfileDir
from ipykernel import ipkernel
from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config


class _KernelApp(IPKernelApp):  # type: ignore[misc]
    """ipykernel's application, given its connection as a value instead of a file."""

    def __init__(self, connection: dict[str, Any], **options: Any) -> None:
        super().__init__(**options)
        self._connection = connection

    def init_connection_file(self) -> None:
        self.load_connection_info(self._connection)

    def write_connection_file(self, **options: Any) -> None:
        pass

    def log_connection_info(self) -> None:
        self._ports = {
            name: getattr(self, f"{name}_port") for name in ("shell", "iopub", "stdin", "hb", "control")
        }

    def init_profile_dir(self) -> None:
        self.profile_dir = ProfileDir(location=os.path.join(self.ipython_dir, "profile_default"))

    def load_config_file(self, suppress_errors: Any = None) -> None:
        pass

    def init_code(self) -> None:
        pass


def run(connection: dict[str, Any], folder: str, bound: Callable[[], None]) -> None:
    """Run a kernel until it is told to stop; then the process ends.

    Parameters
    ----------
    connection : dict
        What a connection file holds.
    folder : str
        For IPython's profile; must be writable.
    bound : callable
        Called once the kernel's sockets exist and before anything can arrive on them.
    """
    config = Config()
    config.HistoryManager.enabled = False
    os.makedirs(folder, exist_ok=True)
    config.IPKernelApp.ipython_dir = folder
    config.IPKernelApp.parent_handle = 0
    config.IPKernelApp.log_level = 50
    ipkernel._is_debugpy_available = False
    _seed()
    app = _KernelApp.instance(connection, config=config)
    app.initialize([])
    _show_figures(app.shell)
    _forget_engine()
    bound()
    app.start()


def _seed() -> None:
    """Give unseeded code one stream everywhere: a fork would inherit its parent's state."""
    random.seed(0)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(0)


def _show_figures(shell: Any) -> None:
    """Connect Matplotlib, imported before there was a shell, to it; its own import does so too late."""
    if "matplotlib.pyplot" in sys.modules:
        shell.enable_matplotlib("inline")


def _forget_engine() -> None:
    """Leave nothing of the engine to be imported: it is not there for a student."""
    for name in [name for name in sys.modules if name.split(".")[0] == "proctor"]:
        del sys.modules[name]
