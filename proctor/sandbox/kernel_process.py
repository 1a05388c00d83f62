"""The student's kernel itself: ipykernel started in a fork of the warm parent.

What an interactive session wants and a marked notebook does not is left out: the history database,
start-up files, the debugger, the connection file, the heartbeat, the advice on the terminal. What is the
same for every kernel and needs neither a thread nor a socket is made in the warm parent, once: the
application and IPython's shell (:func:`prepare`).
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import logging
import marshal
import os
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

from ipykernel import kernelapp
from ipykernel.compiler import XCachingCompiler
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython import get_ipython
from IPython.core.profiledir import ProfileDir
from traitlets.config import Config

MAX_SAID = 2 * 2**20
"""Most that is kept of what a command of the system says, in bytes: as much as of a cell."""


class _OutputThread(IOPubThread):  # type: ignore[misc]
    """ipykernel's output thread without the TCP port on which it listens for forked children."""

    def __init__(self, socket: Any, pipe: bool = False, session: Any = None) -> None:
        super().__init__(socket, pipe=False, session=session)


class QuietStream(OutStream):  # type: ignore[misc]
    """ipykernel's stdout and stderr, which wait for its output thread only if there is something to send.

    ipykernel flushes both twice a cell. All that is sent goes through that thread in its order, so that
    nothing can overtake what was flushed before.
    """

    def flush(self) -> None:
        """Send what was written and not sent yet."""
        if self._buffers:
            super().flush()


class _NoThread:
    """In the place of ipykernel's thread for subshells, which there are none of: false, as if missing.

    Without it a cell that awaits has no end: ipykernel asks it which thread runs cells.
    """

    parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class _Kernel(IPythonKernel):  # type: ignore[misc]
    """ipykernel's kernel, which takes the object above for a thread."""

    _supports_kernel_subshells = False


class _KernelApp(IPKernelApp):  # type: ignore[misc]
    """ipykernel's application, given its connection as a value instead of a file."""

    connection: dict[str, Any]
    kernel_class = _Kernel

    def parse_command_line(self, argv: Any = None) -> None:
        pass

    def init_connection_file(self) -> None:
        self.load_connection_info(self.connection)

    def write_connection_file(self, **options: Any) -> None:
        pass

    def init_heartbeat(self) -> None:
        pass

    def init_control(self, context: Any) -> None:
        super().init_control(context)
        self.shell_channel_thread = _NoThread()

    def log_connection_info(self) -> None:
        self._ports = {
            name: getattr(self, f"{name}_port")
            for name in ("shell", "iopub", "stdin", "hb", "control")
        }

    def init_profile_dir(self) -> None:
        self.profile_dir = ProfileDir(location=os.path.join(self.ipython_dir, "profile_default"))

    def init_config_files(self) -> None:
        pass

    def load_config_file(self, suppress_errors: Any = None) -> None:
        pass

    def init_code(self) -> None:
        pass


_agents: list[Callable[[Any], None]] = []
"""What adds the examiner's request handler to a shell's kernel, once it is loaded."""


def load_agent(packed: bytes) -> None:
    """Run the examiner's code that serves in a kernel; see :func:`proctor.kernel.agent.packed`."""
    code, modules, helpers = marshal.loads(packed)  # made by this very interpreter, of the grader's
    agent: dict[str, Any] = {"__name__": "proctor_agent", "__builtins__": vars(builtins).copy()}
    exec(code, agent)
    _agents.append(agent["prepare"](modules, helpers))


def prepare(folder: str) -> None:
    """Make the application and its shell, without a thread or a socket; called in the warm parent.

    A kernel finds the shell where it would make one: there is one in a process. What the shell noted
    of this process, :func:`run` tells it anew.

    Parameters
    ----------
    folder : str
        For IPython's profile; must be writable.
    """
    config = Config()
    config.HistoryManager.enabled = False
    config.IPKernelApp.parent_handle = 0
    config.IPKernelApp.log_level = 50
    config.IPKernelApp.outstream_class = f"{__name__}.{QuietStream.__name__}"
    config.IPythonKernel._execute_sleep = 0.0  # whoever asks waits for the last output by itself
    kernelapp.IOPubThread = _OutputThread
    app = _KernelApp.instance(config=config)
    # traitlets has the log compose each message, and its handler drop it.
    app.log.setLevel(logging.CRITICAL)
    shell = ZMQInteractiveShell.instance(
        config=app.config,
        ipython_dir=folder,
        profile_dir=ProfileDir(location=os.path.join(folder, "profile_default")),
        user_ns={},
        compiler_class=XCachingCompiler,
    )
    shell.system = _system(shell)
    app.user_ns = shell.user_ns
    _warm_caches(shell)


def _system(shell: Any) -> Callable[[str], None]:
    """Return what runs `!command`: IPython's asks for a terminal, which is not there.

    What it says comes before the cell goes on. Through a stream that a thread watches, as ipykernel has it,
    it may come after the cell's end.
    """

    def system(command: str) -> None:
        command = shell.var_expand(command, depth=1)
        with tempfile.TemporaryFile() as said:
            try:
                code = subprocess.call(
                    ["/bin/sh", "-c", command],
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                )
            except KeyboardInterrupt:
                code = 130
            said.seek(0)
            sys.stdout.write(said.read(MAX_SAID).decode("utf-8", "replace"))
        shell.user_ns["_exit_code"] = code if code <= 128 else 128 - code

    return system


def _warm_caches(shell: Any) -> None:
    """Have the expressions compiled and the tables made that reading and showing a cell needs."""
    for source in ("%precision 3\n", "!true\n", "x = [1]?\n", "def f(a):\n    return a; f(1)"):
        shell.check_complete(shell.transform_cell(source))
    shell.display_formatter.format({1: "a"})


def run(connection: dict[str, Any], folder: str, bound: Callable[[], None]) -> None:
    """Run the kernel that was prepared until it is told to stop; then the process ends.

    Parameters
    ----------
    connection : dict
        What a connection file holds.
    folder : str
        For IPython's profile; must be writable.
    bound : callable
        Called once the kernel's sockets exist and before anything can arrive on them.
    """
    os.makedirs(folder, exist_ok=True)
    _seed()
    app = _KernelApp.instance()
    app.connection, app.ipython_dir = connection, folder
    app.initialize([])
    _move(app)
    sys.path.insert(0, "")  # a notebook imports what lies beside it
    _show_figures(app.shell)
    for attach in _agents:
        attach(app.shell)
    _forget_engine()
    bound()
    app.start()


def _move(app: _KernelApp) -> None:
    """Tell the shell where it is now, and whose."""
    shell = app.shell
    shell.parent = shell.kernel = app.kernel
    shell.ipython_dir, shell.profile_dir = app.ipython_dir, app.profile_dir
    shell.starting_dir = os.getcwd()
    shell.init_pushd_popd_magic()  # the home folder
    shell.save_sys_module_state()  # the streams


def leave_debugger_out() -> None:
    """Import ipykernel's debugger as where debugpy is not installed: it costs time and memory."""
    if "debugpy" in sys.modules or "ipykernel.debugger" in sys.modules:
        return
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    importlib.import_module("ipykernel.debugger")
    del sys.modules["debugpy"]


def find_backends() -> None:
    """Let Matplotlib look now for the packages that draw for it; each kernel would look again."""
    backends = sys.modules.get("matplotlib.backends")
    if backends is not None:
        backends.backend_registry.list_all()


def rehearse(folder: str) -> list[str]:
    """Start a kernel in `folder` and run what most notebooks run; name what is imported by then.

    The warm parent calls this in a fork and imports those modules, so that no kernel has to.
    """
    names: list[str] = []

    def run_cells() -> None:
        shell = get_ipython()
        for cell in _REHEARSAL:
            shell.run_cell(cell, silent=True)
        if "matplotlib.pyplot" in sys.modules:
            shell.run_cell("import matplotlib.pyplot as plt\nplt.plot([1, 2])")
        names.extend(sys.modules)
        raise _RehearsalOverError

    ports = {
        f"{name}_port": n + 1 for n, name in enumerate(("shell", "iopub", "stdin", "hb", "control"))
    }
    prepare(f"{folder}/p")
    with contextlib.suppress(_RehearsalOverError):
        run({"transport": "ipc", "ip": f"{folder}/k", "key": "", **ports}, folder, run_cells)
    return names


class _RehearsalOverError(Exception):
    """The rehearsed kernel is not to be started in earnest."""


_REHEARSAL = ("print(1)", "1 + 1", "import sys; print(2, file=sys.stderr)", "1 / 0", "%precision 3")


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
