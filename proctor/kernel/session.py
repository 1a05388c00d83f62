"""One student's kernel: runs cells, and carries the examiner's questions.

A cell goes to it as Jupyter sends it. A question goes over a line of its own, a socket, and is answered while
no cell runs.
"""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zmq.constants import Flag
from zmq.error import ZMQError

from proctor.errors import KernelStartError, ProtocolError
from proctor.kernel import agent
from proctor.kernel.cell_run import (
    MAX_CODE,
    CellRun,
    KernelStopped,
    TimeLimit,
    too_long,
)
from proctor.kernel.channel import TooLargeError
from proctor.kernel.check_values import StudentError, decode
from proctor.kernel.hold import MAX_UNASKED, KernelHold, Watch
from proctor.kernel.kept_records import Records
from proctor.kernel.link import START_SECONDS, Launcher, Link, wait_until_heard
from proctor.kernel.messages import parent, receive, student_error
from proctor.kernel.outputs import MAX_ALL_BYTES, Outputs
from proctor.kernel.question_line import QuestionLine
from proctor.kernel.time_limits import Allowance, Exceeded

LINE = "line"
"""Name of the socket, beside the kernel's own, over which it answers questions, or a judge's."""
MAX_DROPPED = 2_000
"""Most messages that are dropped before a cell: what the student's code said in questions, and since."""


class StudentKernel(KernelHold):
    """A kernel for one submission. Use as a context manager; leaving it kills the kernel at once.

    Parameters
    ----------
    launcher, folder, cell_seconds, total_seconds, records
        See :class:`proctor.kernel.hold.KernelHold`.
    helpers : dict of str to str
        File name -> source of the lab's helper files.
    """

    def __init__(
        self,
        launcher: Launcher,
        folder: Path,
        helpers: dict[str, str],
        *,
        cell_seconds: float,
        total_seconds: float,
        records: Records | None = None,
    ) -> None:
        super().__init__(
            launcher,
            folder,
            cell_seconds=cell_seconds,
            total_seconds=total_seconds,
            records=records,
        )
        self.helpers = helpers
        self._line: QuestionLine | None = None
        self._conversation = ""  # id of the message that had it answer on the line, while it does
        self._asked = 0
        self._room = MAX_ALL_BYTES

    def __enter__(self) -> StudentKernel:
        try:
            self._link = self.launcher.start(self.folder)
            wait_until_heard(self._link)
            if self._link.process is None or not self._link.process.agent:
                self._install()
            self._line = QuestionLine(self._connect())
        except (RuntimeError, OSError) as error:
            self.kill()
            raise KernelStartError(f"The kernel did not start: {error}") from error
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def hand_over(self) -> socket.socket:
        """Give the line to a judge; from now on this end asks nothing but orders."""
        self._alive()
        assert self._line is not None and not self._conversation
        line, self._line = self._line.socket, None
        line.setblocking(True)
        return line

    def _connect(self) -> socket.socket:
        """Let the kernel connect to a socket beside its own; nobody else can any more."""
        link = self._alive()
        path = link.sockets / LINE
        # An isolated kernel sees the folder elsewhere: beside its own sockets.
        name = LINE if link.process is not None else str(path.resolve())
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            path.chmod(0o777)  # the kernel is another user
            listening.listen(1)
            listening.settimeout(START_SECONDS)
            try:
                self.order({"op": "connect", "name": name})
            except (StudentError, TimeLimit, ProtocolError, KernelStopped) as error:
                raise KernelStartError(f"The kernel did not connect: {error}") from error
            line, _ = listening.accept()
        path.unlink()
        return line

    def _install(self) -> None:
        run = self.run(agent.BOOTSTRAP)
        if run.error is not None:
            raise KernelStartError(f"The examiner could not be installed: {run.error}")
        code = agent.packed(self.helpers)
        try:
            self.order({"op": "ping"}, [code])
        except (StudentError, TimeLimit, ProtocolError) as error:
            raise KernelStartError(f"The examiner could not be installed: {error}") from error

    def run(self, source: str) -> CellRun:
        """Run `source` as a cell.

        Raises
        ------
        KernelStopped
            If the kernel is dead, or had to be killed because it did not react to an interrupt.
        """
        if len(source) > MAX_CODE:
            return too_long(source)
        self._end_conversation()
        allowance = self._allowance()
        self._drop_output()
        taken = Outputs(self._room)
        sent = self._send(
            "execute_request",
            {
                "code": source,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": False,
            },
        )
        exceeded: Exceeded = ""
        try:
            reply, exceeded = self._await(sent, allowance, taken)
            if reply is None:
                self._interrupt()
                self._await(sent, self._grace(), taken)
        except ProtocolError as error:  # whatever a forged message makes a library raise
            raise self._misused() from error
        self._room -= taken.used
        raised = None if taken.error is None else StudentError(*taken.error)
        if exceeded or (raised is not None and raised.type_name == "KeyboardInterrupt"):
            self._ensure_answers(exceeded)
        return CellRun(taken.nodes(), raised, exceeded)

    def _drop_output(self) -> None:
        """Take what the last questions left on the output channel, unread: nobody wants it."""
        with contextlib.suppress(ZMQError):
            output = self._alive().channels.output
            for _ in range(MAX_DROPPED):
                output.recv_multipart(Flag.NOBLOCK)

    def ask(
        self, request: dict[str, Any], buffers: Sequence[bytes] = ()
    ) -> tuple[dict[str, Any], list[Any]]:
        """Ask the agent a question, on the line; return its answer's content and buffers.

        Raises
        ------
        StudentError
            If the student's code raised.
        TimeLimit
            If it took too long and could be interrupted.
        ProtocolError
            If the answer is not one.
        KernelStopped
            If the kernel is dead.
        """
        allowance = self._allowance()
        assert self._line is not None
        if not self._conversation:
            self._conversation = self._send(agent.REQUEST, {"op": "answer"})
        self._asked += 1
        self._line.say({**request, "n": self._asked}, buffers)
        reply, exceeded = self._listen(self._line, allowance)
        if reply is None:
            self._interrupt()
            for _ in range(2):  # as long as a cell has
                if self._listen(self._line, self._grace())[0] is not None:
                    raise TimeLimit(exceeded)
            raise self._never_answers(exceeded)
        content, parts = reply
        error = content.get("error")
        if error is not None:
            raise student_error(error)
        return content, parts

    def _listen(
        self, line: QuestionLine, allowance: Allowance
    ) -> tuple[tuple[dict[str, Any], list[bytes]] | None, Exceeded]:
        """Wait for the answer to the last question; without one, return by what the limit was exceeded."""
        link = self._alive()
        handle, poll, watch, stray = link.process, select.poll(), Watch(allowance), 0
        if handle is not None and handle.poll() is None:
            poll.register(handle, select.POLLIN)  # readable when the kernel has ended
        connected = True
        while True:
            if (message := self._heard(line)) is not None:
                if message[0].get("n") == self._asked:
                    self._idle += allowance.idle
                    return message, ""
                if (stray := stray + 1) > MAX_UNASKED:
                    raise self._misused()
                continue
            if connected:
                poll.register(line, line.waits_for)
            ready = [number for number, _ in poll.poll(1000 * watch.left())]
            if connected and line.fileno() in ready:
                connected = line.go_on()
                if not connected:  # it has died, or hung up: that shows by itself
                    poll.unregister(line)
            elif ready:
                raise self._died()
            if not self._time_to_look(watch, quiet=not ready):
                continue
            if self._hung_up(link):
                raise self._misused()
            if exceeded := allowance.exceeded():
                self._idle += allowance.idle
                return None, exceeded

    def _heard(self, line: QuestionLine) -> tuple[dict[str, Any], list[bytes]] | None:
        try:
            return line.heard()
        except TooLargeError as error:
            raise self._misused() from error

    def _hung_up(self, link: Link) -> bool:
        """Whether the kernel says that it no longer answers on the line, which nobody told it."""
        shell = link.channels.shell
        try:
            while shell.poll(0):
                if parent(receive(link.channels, shell)) == self._conversation:
                    return True
        except ProtocolError:
            return True
        return False

    def _end_conversation(self) -> None:
        """Have the kernel go back to its other messages."""
        if not self._conversation or self._line is None:
            return
        sent, self._conversation = self._conversation, ""
        self._line.say({"op": "bye"})
        try:
            if self._await(sent, self._grace())[0] is None:
                raise self._never_answers("")
        except ProtocolError as error:
            raise self._misused() from error

    def order(
        self, request: dict[str, Any], buffers: Sequence[bytes] = ()
    ) -> tuple[dict[str, Any], list[Any]]:
        """Send the agent a message that is no question, and wait until it is done; as :meth:`ask`."""
        self._end_conversation()
        allowance = self._allowance()
        sent = self._send(agent.REQUEST, request, buffers)
        reply, exceeded = self._await(sent, allowance)
        if reply is None:
            self._interrupt()
            if self._await(sent, self._grace())[0] is None:
                self._ensure_answers(exceeded)
            raise TimeLimit(exceeded)
        content = reply["content"]
        if reply["msg_type"] != agent.REPLY or not isinstance(content, dict):
            raise ProtocolError("the kernel sent something that is not an answer")
        error = content.get("error")
        if error is not None:
            raise student_error(error)
        return content, list(reply["buffers"])

    def value(self, tree: Any, parts: list[Any]) -> Any:
        """Decode one value of a reply; see :func:`proctor.kernel.check_values.decode`."""
        return decode(tree, parts)

    def kill(self) -> None:
        """End the kernel now; nothing is asked of it."""
        if self._line is not None:
            self._line.close()
            self._line = None
        super().kill()
