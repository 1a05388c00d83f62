"""Warm kernels: modules imported once, each submission's kernel a fork of that.

::

    with ForkServer(lab.warm, isolation="namespaces", limits=Limits(memory_mb=2048)) as server:
        kernel = server.request(folder, connection_file)   # some hundredths of a second
        ...
        kernel.kill()
        print(kernel.ending.message)

One server may serve any number of kernels at the same time, from several processes. What runs where
is told in ``docs/security.md``.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from proctor.errors import KernelStartError
from proctor.sandbox import filesystem
from proctor.sandbox.judge_server_handle import Bench, SocketBench
from proctor.sandbox.kernel_handle import MAX_MESSAGE, Kernel
from proctor.sandbox.limits import Limits
from proctor.scratch import Scratch, clear_abandoned

Isolation = Literal["namespaces", "process"]
_PACKAGE = Path(__file__).resolve().parents[1]
"""The engine's own folder, which no kernel may see."""
WARM_SECONDS = 300.0
"""Longest time to import the warm modules; TensorFlow from a cold disk takes most of a minute."""
SPAWN_SECONDS = 60.0

ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",  # `!python` is the kernel's
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONHASHSEED": "0",
    # One thread each: a kernel is bound to one processor, sums come out in one order, and no library
    # starts threads in the warm parent. A name that no library reads costs nothing.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    # There is no network. `%pip install` of what is there says so, of anything else fails, both without
    # three seconds of retries, of looking for a newer pip, and of reading what every package requires.
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_WARN_CONFLICTS": "0",  # pip takes it for the value of warn_about_conflicts
}
"""The whole environment of the warm parent and of every kernel, but for the home folder."""


class Spawner:
    """Asks a fork server for kernels, in any process that holds its socket.

    Parameters
    ----------
    control : socket.socket
        The socket to the warm parent, of kind SEQPACKET: what several processes send does not mix.
    isolation, limits, given
        As the server was started with; see :class:`ForkServer`.
    """

    def __init__(
        self,
        control: socket.socket | None,
        isolation: Isolation,
        limits: Limits,
        given: Sequence[tuple[Path, str]] = (),
    ) -> None:
        self.isolation = isolation
        self.limits = limits
        self.given = tuple(given)
        self._control = control

    def request(
        self,
        folder: Path,
        connection_file: Path,
        work: Path | None = None,
        cpu: int = -1,
        orders: socket.socket | None = None,
    ) -> Kernel:
        """Ask for a kernel without waiting: once it is readable, call :meth:`Kernel.started`.

        Parameters
        ----------
        folder : Path
            The kernel's own folder for its sockets, and for nothing else: the kernel sees it.
        connection_file : Path
            Jupyter's connection file, of transport ``ipc`` with its ``ip`` a path in `folder`. Keep
            it elsewhere: it is read before the kernel is confined, and the kernel need not see it.
        work : Path, optional
            Working folder of a kernel that is not isolated; the given files are copied there. An
            isolated one has a working folder of its own, in memory.
        cpu : int
            Number of the one processor that it may use, so that however many threads a submission
            starts it slows down none but those on the same; -1 for any.
        orders : socket.socket, optional
            Ask for a bench of judges instead, which takes its orders there.

        Raises
        ------
        KernelStartError
            If the server is not there.
        """
        if self._control is None:
            raise KernelStartError("The fork server is not running; use it in a with statement.")
        work = (work or folder).resolve()
        if self.isolation == "process":
            self._give(work)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        message = {
            "folder": str(folder.resolve()),
            "file": str(connection_file.resolve()),
            "work": str(work),
            "cpu": cpu,
        }
        with theirs:
            try:
                carried = [theirs.fileno()] + ([orders.fileno()] if orders is not None else [])
                socket.send_fds(self._control, [json.dumps(message).encode()], carried)
            except OSError as error:
                ours.close()
                raise KernelStartError(
                    f"The fork server has gone ({error}); start it again."
                ) from error
        return Kernel(ours, self.limits)

    def bench(self, folder: Path) -> tuple[Bench, Kernel]:
        """Start a bench of judges: a sandbox like a kernel's, which lasts for a whole class.

        Parameters
        ----------
        folder : Path
            An empty folder of its own.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            kernel = self.request(folder, Path(), orders=theirs)
        if not select.select([kernel], [], [], SPAWN_SECONDS)[0]:
            kernel.kill()
            raise KernelStartError(f"The bench did not come up within {SPAWN_SECONDS:g} s.")
        kernel.started()
        return SocketBench(ours), kernel

    def _give(self, folder: Path) -> None:
        for source, target in self.given:
            place = folder / target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)

    def fileno(self) -> int:
        """Descriptor of the socket, to be handed to another process."""
        if self._control is None:
            raise KernelStartError("The fork server is not running; use it in a with statement.")
        return self._control.fileno()


class ForkServer(Spawner):
    """A warm parent process and its kernels.

    Parameters
    ----------
    warm : sequence of str
        Modules to import once.
    isolation : {"namespaces", "process"}
        Whether kernels are isolated. ``process`` is a plain fork with limits, for systems or people
        that want nothing more.
    limits : Limits
        For each kernel.
    given : sequence of (Path, str)
        Files that a kernel finds in its working folder, read-only: source, and relative place.
    hidden : sequence of Path
        Folders that must not be seen even if they lie in a folder of the interpreter's or the
        system's: the course, the output, the home folder.
    environment : mapping, optional
        Added to :data:`ENVIRONMENT`.
    agent : bytes
        The examiner's code that serves in each kernel, to be loaded once; see
        :func:`proctor.kernel.agent.packed`.

    Raises
    ------
    KernelStartError
        On entering, if a warm module cannot be imported or starts threads.
    """

    def __init__(
        self,
        warm: Sequence[str] = (),
        *,
        isolation: Isolation = "namespaces",
        limits: Limits | None = None,
        given: Sequence[tuple[Path, str]] = (),
        hidden: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
        agent: bytes = b"",
    ) -> None:
        super().__init__(None, isolation, limits or Limits(), given)
        self.warm = tuple(warm)
        self.hidden = tuple(hidden)
        self.environment = ENVIRONMENT | dict(environment or {})
        self.agent = agent
        self.pid = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: Scratch | None = None
        self._folder = Path()

    def __enter__(self) -> ForkServer:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the warm parent and wait until its modules are imported."""
        clear_abandoned()
        self._scratch = Scratch("nb-")
        self._folder = self._scratch.path
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        config = self._configuration()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        log, home = self._folder / "log", self._folder / "home"
        with theirs, log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-s", "-c", _START, str(theirs.fileno()), _package_root()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # While it imports: a home without anybody's settings, and a cache that lasts.
                env=config["environment"] | {"HOME": str(home), "XDG_CACHE_HOME": _cache()},
                cwd=home,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C reaches the grader, who decides
            )
        ours.send(json.dumps(config).encode())
        ours.settimeout(WARM_SECONDS)
        try:
            answer = json.loads(ours.recv(MAX_MESSAGE) or b"{}")
        except TimeoutError:
            answer = {"error": f"the modules took more than {WARM_SECONDS:g} s to import"}
        ours.settimeout(None)
        if "ready" not in answer:
            told = answer.get("error") or log.read_text("utf-8", "replace")[-4000:]
            raise KernelStartError(
                f"The warm parent of the kernels did not start (modules: {', '.join(self.warm)}).\n"
                f"{told}\nImport these modules in {sys.executable} to see what they need."
            )
        self.pid = answer["ready"]["pid"]

    def _configuration(self) -> dict[str, Any]:
        """Everything the warm parent is told; nothing of any submission."""
        for name in ("home", "given", "root"):
            (self._folder / name).mkdir()
        isolated = self.isolation == "namespaces"
        home = filesystem.HOME if isolated else str(self._folder / "home")
        given = filesystem.copy_given(self.given, self._folder / "given")
        layout = filesystem.plan(
            self._folder / "root", given, (*self.hidden, _PACKAGE), self.limits
        )
        agent = self._folder / "agent"
        if self.agent:
            agent.write_bytes(self.agent)
        return {
            "warm": self.warm,
            "agent": str(agent) if self.agent else "",
            "isolation": self.isolation,
            "limits": self.limits.to_dict(),
            "layout": layout.to_dict(),
            "environment": self.environment
            | {"HOME": home, "USER": "student", "LOGNAME": "student"},
            "title": "python -m ipykernel_launcher -f kernel.json",
        }

    def close(self) -> None:
        """End the warm parent and every kernel."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None


_START = (
    "import sys; sys.path.insert(0, sys.argv[2]); from proctor.sandbox import warm_process; "
    "sys.path.pop(0); warm_process.main(int(sys.argv[1]))"
)


def _package_root() -> str:
    """The folder that holds this package, wherever it was installed or checked out."""
    return str(_PACKAGE.parent)


def _cache() -> str:
    """Where the warm parent may keep caches between runs (Matplotlib's list of fonts)."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "proctor")
