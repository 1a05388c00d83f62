"""One student's kernel: runs cells through nbclient, and carries the examiner's questions.

Everything that arrives from the kernel is bounded and parsed strictly; a kernel that breaks the
rules, hangs or dies is stopped, and :class:`KernelStopped` says why in one sentence.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from zmq.constants import Flag, PollEvent
from zmq.error import ZMQError
from zmq.sugar.poll import Poller
from zmq.sugar.socket import Socket

from proctor import agent, flood
from proctor.client import (
    GRACE_SECONDS,
    START_SECONDS,
    BoundedChannels,
    BoundedClient,
    BoundedSession,
)
from proctor.errors import KernelStartError, ProtocolError
from proctor.handle import Kernel
from proctor.outputs import Outputs, clean
from proctor.values import StudentError, decode

MAX_DROPPED = 2_000
"""Most messages that are dropped before a cell: what the student's code said in questions, and since."""
MAX_UNASKED = 100
"""Most answers to a question that was not asked; one that came too late is such an answer."""
_HERE = Path(__file__).parent


class KernelStopped(Exception):
    """The kernel is gone; nothing more can be asked of it.

    Attributes
    ----------
    code, message : str
        Short name and one sentence.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class TimeLimit(Exception):
    """The student's code ran longer than a cell or a check may; the kernel lives on."""


@dataclass
class CellRun:
    """What came of running one cell.

    Attributes
    ----------
    outputs : list of NotebookNode
        nbformat outputs, in safe forms only.
    error : StudentError or None
        What the cell raised.
    timed_out : bool
        Whether it was interrupted at its time limit.
    """

    outputs: list[NotebookNode] = field(default_factory=list)
    error: StudentError | None = None
    timed_out: bool = False


class Launcher(Protocol):
    """Starts kernels; see :class:`proctor.provisioner.ForkLauncher`."""

    isolation: str

    def manager(self, folder: Path) -> AsyncKernelManager:
        """Return a manager whose kernel will run in `folder`; it is not started yet."""

    def alone(self) -> AbstractContextManager[None]:
        """Give kernels that start meanwhile every processor: for a trusted one beside no other."""

    def why_dead(self, manager: AsyncKernelManager) -> tuple[str, str] | None:
        """Say why a kernel ended, as (code, sentence), where that is known."""


class StudentKernel:
    """A kernel for one submission. Use as a context manager; leaving it kills the kernel at once.

    Parameters
    ----------
    launcher : Launcher
        Where kernels come from.
    folder : Path
        Scratch folder, the working folder of a kernel that is not isolated.
    helpers : dict of str to str
        File name -> source of the lab's helper files.
    cell_seconds, total_seconds : float
        Wall-clock limits of one cell or question, and of everything together.

    Attributes
    ----------
    stopped : KernelStopped or None
        Why it is gone; None while it lives.
    flooded : bool
        Whether it was ended because what kernels sent filled this process's memory.
    """

    def __init__(
        self,
        launcher: Launcher,
        folder: Path,
        helpers: dict[str, str],
        *,
        cell_seconds: float,
        total_seconds: float,
    ) -> None:
        self.launcher = launcher
        self.folder = folder
        self.helpers = helpers
        self.cell_seconds = cell_seconds
        self.total_seconds = total_seconds
        self.stopped: KernelStopped | None = None
        self.flooded = False
        self._client: BoundedClient | None = None
        self._shell: Socket[bytes]
        self._output: Socket[bytes]
        self._deadline = 0.0

    def __enter__(self) -> StudentKernel:
        manager = self.launcher.manager(self.folder)
        manager.client_factory = BoundedChannels
        manager.session = BoundedSession(parent=manager)
        client = BoundedClient(
            new_notebook(),
            km=manager,
            timeout=int(self.cell_seconds),
            startup_timeout=int(START_SECONDS),
            interrupt_on_timeout=True,
            error_on_timeout={"ename": "TimeLimit", "evalue": "", "traceback": []},
            allow_errors=True,
            store_widget_state=False,
            coalesce_streams=False,
            iopub_timeout=int(GRACE_SECONDS),
        )
        client.log.setLevel("CRITICAL")
        self._client = client
        try:
            client.start_new_kernel(cwd=str(self.folder))
            client.start_new_kernel_client()
            # The same socket without asyncio, which costs more than a short question itself.
            self._shell = Socket.shadow(client.kc.shell_channel.socket.underlying)
            self._output = Socket.shadow(client.kc.iopub_channel.socket.underlying)
        except (RuntimeError, OSError, TimeoutError) as error:
            self.kill()
            raise KernelStartError(f"The kernel did not start: {error}") from error
        self._deadline = time.monotonic() + self.total_seconds
        try:
            self._install()
        except BaseException:
            self.kill()
            raise
        flood.GUARD.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def _install(self) -> None:
        run = self.run(agent.BOOTSTRAP)
        if run.error is not None:
            raise KernelStartError(f"The examiner could not be installed: {run.error}")
        code = agent.packed(_HERE / "agent.py", _HERE / "values.py", self.helpers)
        try:
            self.ask({"op": "ping"}, [code])
        except (StudentError, TimeLimit, ProtocolError) as error:
            raise KernelStartError(f"The examiner could not be installed: {error}") from error

    def run(self, source: str) -> CellRun:
        """Run `source` as a cell.

        Raises
        ------
        KernelStopped
            If the kernel is dead, or had to be killed because it did not react to an interrupt.
        """
        client = self._alive()
        seconds = self._seconds()
        client.timeout = max(1, int(seconds))
        client.begin_cell()
        self._drop_output()
        cell = new_code_cell(source)
        client.nb.cells = [cell]
        began = time.monotonic()
        try:
            client.execute_cell(cell, 0, store_history=True)
        except CellExecutionError:
            pass  # allow_errors covers all but a few control replies; the outputs tell the rest
        except DeadKernelError:
            raise self._died() from None
        except Exception as error:  # whatever a forged message makes a library raise
            raise self._misused() from error
        client.room -= client.taken.used
        run = _outcome(client.taken)
        if run.error is None and time.monotonic() - began >= seconds - 0.5:
            run.timed_out = True
        if run.timed_out or (run.error and run.error.type_name == "KeyboardInterrupt"):
            run.timed_out = run.timed_out or time.monotonic() - began >= seconds - 0.5
            self._ensure_answers()
        return run

    def _drop_output(self) -> None:
        """Take what the last questions left on the output channel, unread: nobody wants it."""
        with contextlib.suppress(ZMQError):
            for _ in range(MAX_DROPPED):
                self._output.recv_multipart(Flag.NOBLOCK)

    def ask(
        self, request: dict[str, Any], buffers: Sequence[bytes] = ()
    ) -> tuple[dict[str, Any], list[Any]]:
        """Send a request to the agent and return its reply's content and decoded buffers.

        Raises
        ------
        StudentError
            If the student's code raised.
        TimeLimit
            If it took too long and could be interrupted.
        ProtocolError
            If the reply is not one.
        KernelStopped
            If the kernel is dead.
        """
        content, parts = self._exchange(request, buffers, self._seconds())
        error = content.get("error")
        if error is not None:
            raise _student_error(error, content.get("printed"))
        return content, parts

    def value(self, tree: Any, parts: list[Any]) -> Any:
        """Decode one value of a reply; see :func:`proctor.values.decode`."""
        return decode(tree, parts)

    def _exchange(
        self, request: dict[str, Any], buffers: Sequence[bytes], seconds: float
    ) -> tuple[dict[str, Any], list[Any]]:
        sent = self._send(request, buffers)
        reply = self._reply(sent, seconds)
        if reply is None:
            run_sync(self._alive().km.interrupt_kernel)()
            if self._reply(sent, GRACE_SECONDS) is None:
                self._ensure_answers()
            raise TimeLimit(f"no answer within {seconds:g} s")
        content = reply["content"]
        if reply["msg_type"] != agent.REPLY or not isinstance(content, dict):
            raise ProtocolError("the kernel sent something that is not an answer")
        return content, list(reply["buffers"])

    def _send(self, request: dict[str, Any], buffers: Sequence[bytes] = ()) -> str:
        """Send a request; return its id."""
        kc = self._alive().kc
        message = kc.session.msg(agent.REQUEST, request)
        try:
            kc.session.send(self._shell, message, buffers=list(buffers))
        except ZMQError as error:
            raise self._misused() from error
        return str(message["header"]["msg_id"])

    def _reply(self, message_id: str, seconds: float) -> dict[str, Any] | None:
        """Wait for the reply to one request; replies to others are dropped."""
        client = self._alive()
        session, shell = client.kc.session, self._shell
        handle = self._handle()
        poller = Poller()
        poller.register(shell, PollEvent.POLLIN)
        if handle is not None and handle.poll() is None:
            poller.register(handle, PollEvent.POLLIN)  # readable when the kernel has ended
        end = time.monotonic() + seconds
        unasked = 0
        while unasked <= MAX_UNASKED:
            left = max(0.0, end - time.monotonic())  # at the end, once more: it may have come
            if shell not in dict(poller.poll(1000 * min(left, 1.0))):
                if not run_sync(client.km.is_alive)():
                    raise self._died()
                if not left:
                    return None
                continue
            try:
                reply: dict[str, Any] = session.recv(shell, mode=Flag.NOBLOCK)[1]
            except Exception as error:  # whatever a forged message makes a library raise
                raise ProtocolError("the kernel sent a message that cannot be read") from error
            parent = reply.get("parent_header")
            if isinstance(parent, dict) and parent.get("msg_id") == message_id:
                return reply
            unasked += 1
        raise self._misused()

    def _ensure_answers(self) -> None:
        """Kill the kernel unless it answers a ping after an interrupt."""
        try:
            if self._reply(self._send({"op": "ping"}), GRACE_SECONDS) is not None:
                return
        except ProtocolError:
            pass  # what it sent instead is no answer
        raise self._stop(
            "not-interruptible",
            "Your code ran longer than it may and did not react when it was interrupted, "
            "so what came after it could not be marked.",
        )

    def _seconds(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._stop(
                "total-time",
                f"The notebook took longer than the {self.total_seconds:g} seconds it may take "
                "in all, so what came after that could not be marked.",
            )
        return min(self.cell_seconds, left)

    def _alive(self) -> BoundedClient:
        if self.stopped is not None:
            raise self.stopped
        assert self._client is not None
        return self._client

    def _died(self) -> KernelStopped:
        assert self._client is not None
        known = self.launcher.why_dead(self._client.km) if self._client.km else None
        code, message = known or (
            "kernel-died",
            "The Python process of your notebook ended while this ran (exit, a crash, or too much "
            "memory), so what came after it could not be marked.",
        )
        return self._stop(code, message)

    def _misused(self) -> KernelStopped:
        return self._stop(
            "bad-message",
            "Your notebook's process sent messages that no notebook sends, so what came after them "
            "could not be marked.",
        )

    def end_for_flood(self) -> None:
        """Have the kernel end, from another thread: what the kernels sent fills our memory."""
        self.flooded = True
        handle = self._handle()
        if handle is not None:
            handle.ask_to_end()

    def _handle(self) -> Kernel | None:
        """The kernel's process, where it comes from a fork server."""
        client = self._client
        return getattr(client.km.provisioner, "kernel", None) if client and client.km else None

    def _stop(self, code: str, message: str) -> KernelStopped:
        if self.flooded:
            code, message = flood.CODE, flood.MESSAGE
        self.stopped = KernelStopped(code, message)
        self.kill()
        return self.stopped

    def kill(self) -> None:
        """End the kernel now; nothing is asked of it."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            self._close(client)
        finally:
            flood.GUARD.remove(self)

    def _close(self, client: BoundedClient) -> None:
        if client.kc is not None:
            client.kc.stop_channels()
        if client.km is not None:
            run_sync(client.km.shutdown_kernel)(now=True)
        if self.stopped is None:
            self.stopped = KernelStopped("kernel-closed", "The kernel is closed.")


def _student_error(error: Any, printed: Any) -> StudentError:
    if not isinstance(error, dict):
        raise ProtocolError("an error that is not one")
    name, message, line = (clean(error.get(key), 2000) for key in ("type", "message", "line"))
    return StudentError(name, message, line, printed=clean(printed, 2000))


def _outcome(taken: Outputs) -> CellRun:
    """Read the error off a cell's outputs."""
    run = CellRun(outputs=taken.nodes())
    if taken.error is not None:
        run.error = StudentError(*taken.error)
    return run
