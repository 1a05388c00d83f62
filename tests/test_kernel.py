"""The examiner's questions to a student's kernel."""

from __future__ import annotations

import asyncio
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import zmq
from ipykernel.iostream import IOPubThread
from jupyter_client.session import Session
from support import needs

from proctor.errors import ProtocolError
from proctor.kernel import link
from proctor.kernel.cell_run import CellRun, KernelStopped, TimeLimit
from proctor.kernel.channel import Inbox, WireError
from proctor.kernel.check_values import StudentError
from proctor.kernel.client import Channels
from proctor.kernel.forked import CHANNELS, ForkLauncher
from proctor.kernel.session import StudentKernel
from proctor.kernel.student_side import RemoteSide
from proctor.sandbox.forkserver import ForkServer
from proctor.sandbox.limits import Limits

pytestmark = needs.isolation


@pytest.fixture(scope="module")
def launcher() -> Iterator[ForkLauncher]:
    with ForkServer(("numpy",)) as server:
        yield ForkLauncher(server)


@pytest.fixture
def kernel(launcher: ForkLauncher, tmp_path: Path) -> Iterator[StudentKernel]:
    with StudentKernel(launcher, tmp_path, {}, cell_seconds=2, total_seconds=60) as kernel:
        yield kernel


def printed(run: CellRun) -> str:
    return "".join(output.get("text", "") for output in run.outputs)


def test_a_question_is_not_announced_to_everybody(kernel: StudentKernel) -> None:
    """ipykernel says on the output channel that it is busy and idle again, around every message."""
    kernel.run("def f(a): return a + 1")
    kernel._drop_output()
    for number in range(20):
        assert RemoteSide(kernel).call("f", (number,), {}) == number + 1
    assert not kernel._alive().channels.output.poll(300)


def test_of_a_cell_only_what_it_puts_out_and_its_end_are_said(
    kernel: StudentKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ipykernel repeats the code, and says that it begins."""
    kernel.run("1")
    said: list[str] = []
    receive = kernel._alive().channels.receive

    def heard(socket: Any) -> dict[str, Any]:
        said.append((message := receive(socket))["msg_type"])
        return message

    monkeypatch.setattr(kernel._alive().channels, "receive", heard)
    kernel.run("print(1)")
    assert sorted(said) == ["execute_reply", "status", "stream"]


def test_a_cell_that_puts_nothing_out_hands_its_output_thread_one_message(
    kernel: StudentKernel,
) -> None:
    """ipykernel flushes both streams twice a cell, and waits for that thread each time."""
    kernel.run(
        "seen, thread = [], get_ipython().kernel.iopub_thread\nhand = thread.schedule\n"
        "thread.schedule = lambda f: (seen.append(f), hand(f))[1]"
    )
    kernel.run("x = 1")
    assert printed(kernel.run("print(len(seen))")) == "2\n", "that each cell has ended"


def test_a_command_of_the_system_runs_and_what_comes_after_it_too(kernel: StudentKernel) -> None:
    """IPython runs `!command` in a terminal of its own making; the sandbox has none."""
    run = kernel.run("!echo hi\nx = 3")
    assert (printed(run), run.error) == ("hi\n", None)
    assert printed(kernel.run("found = !echo there\nprint(found, x)")) == "['there'] 3\n"
    assert kernel.run("!while true; do :; done").stopped_by == "cpu"
    assert printed(kernel.run("print(x)")) == "3\n"


def test_what_a_notebook_installs_is_there_or_is_not_at_once(kernel: StudentKernel) -> None:
    """pip's own share, below the two seconds: there is no network to retry, and nothing to compare."""
    for line in (
        "%pip install -q numpy",
        "!pip install -q numpy",
        "!python -m pip install -q numpy",
    ):
        run = kernel.run(line)
        assert (run.error, run.stopped_by) == (None, ""), line
    run = kernel.run("%pip install no-such-package-anywhere")
    assert (run.stopped_by, "No matching distribution" in str(run.outputs)) == ("", True)
    assert (
        printed(kernel.run("import sys\nfound = !which python\nprint(found == [sys.executable])"))
        == "True\n"
    )


def test_a_megabyte_of_code_is_not_run_and_costs_nothing(kernel: StudentKernel) -> None:
    began = time.process_time()
    run = kernel.run("if " + "0," * 480_000)
    assert time.process_time() - began < 1
    assert run.error is not None and "960,003 characters of code" in run.error.message
    assert "not run" in run.outputs[0].evalue
    assert printed(kernel.run("print(5)")) == "5\n"


def test_a_question_that_never_ends_is_interrupted_and_the_kernel_lives(
    kernel: StudentKernel,
) -> None:
    side = RemoteSide(kernel)
    kernel.run("def f():\n    while True: pass\nkept = 5")
    with pytest.raises(TimeLimit):
        side.call("f", (), {})
    assert side.get("kept") == 5
    assert printed(kernel.run("print(kept)")) == "5\n"


def test_what_a_question_prints_is_in_no_cell(kernel: StudentKernel) -> None:
    side = RemoteSide(kernel)
    kernel.run("import sys\ndef f():\n    print('aloud', file=sys.stderr)\n    print('plain')")
    side.call("f", (), {})
    assert printed(kernel.run("print('the cell')")) == "the cell\n"


def test_a_question_after_an_error_is_answered(kernel: StudentKernel) -> None:
    side = RemoteSide(kernel)
    assert kernel.run("kept = 1\nraise ValueError('no')").error is not None
    assert side.get("kept") == 1
    with pytest.raises(StudentError, match="division"):
        side.evaluate("kept / 0")
    assert side.evaluate("kept + 1") == 2


def test_cells_run_one_after_the_other_with_questions_between(kernel: StudentKernel) -> None:
    side = RemoteSide(kernel)
    for number in range(5):
        assert printed(kernel.run(f"n = {number}; print(n)")) == f"{number}\n"
        assert side.get("n") == number


def test_a_cell_may_await(kernel: StudentKernel) -> None:
    run = kernel.run("import asyncio\nawait asyncio.sleep(0.01)\nprint('slept')")
    assert (printed(run), run.error, run.stopped_by) == ("slept\n", None, "")
    run = kernel.run("await asyncio.sleep(0)\nraise ValueError('after a nap')")
    assert run.error is not None and run.error.message == "after a nap" and not run.stopped_by
    assert kernel.run("await asyncio.sleep(60)").stopped_by == "idle"
    assert printed(kernel.run("print('alive')")) == "alive\n"


BOMB = """
import struct
k = get_ipython().kernel
agent = next(c.cell_contents for c in k.shell_handlers['proctor_request'].__closure__
             if type(c.cell_contents).__name__ == '_Agent')
def f():
    content = CONTENT
    agent.line.socket.sendall(struct.pack('<II', len(content), 0) + content)
def g():
    k.session.send(k.shell_stream, 'execute_reply', {}, parent=k.get_parent('shell'),
                   ident=k._shell_parent_ident.get(), metadata={'a': 'x' * 100_000})
"""


def test_an_answer_costs_little_more_than_its_bytes(kernel: StudentKernel) -> None:
    kernel.run(BOMB.replace("CONTENT", "b'[' + b'[],' * 20_000_000 + b'[]]'"))
    began, before = time.process_time(), psutil.Process().memory_info().rss
    with pytest.raises(ProtocolError):
        RemoteSide(kernel).call("f", (), {})
    assert time.process_time() - began < 1.5
    assert psutil.Process().memory_info().rss - before < 300 * 2**20


def test_a_message_of_jupyters_costs_little_more_than_its_bytes(kernel: StudentKernel) -> None:
    began, before = time.process_time(), psutil.Process().memory_info().rss
    with pytest.raises(KernelStopped, match="messages that no notebook sends"):
        kernel.run(BOMB + "g()")
    assert time.process_time() - began < 1.5
    assert psutil.Process().memory_info().rss - before < 300 * 2**20


def test_an_answer_that_is_too_large_ends_the_kernel(kernel: StudentKernel) -> None:
    kernel.run(BOMB.replace("CONTENT", "b'1' * 80_000_000"))
    before = psutil.Process().memory_info().rss
    with pytest.raises(KernelStopped, match="messages that no notebook sends"):
        RemoteSide(kernel).call("f", (), {})
    assert psutil.Process().memory_info().rss - before < 2**20


def test_answers_that_nobody_asked_for_end_the_kernel(kernel: StudentKernel) -> None:
    kernel.run(BOMB.replace("CONTENT", "b'{}'") + "h = f\ndef f():\n    for _ in range(200): h()")
    with pytest.raises(KernelStopped, match="messages that no notebook sends"):
        RemoteSide(kernel).call("f", (), {})


def test_an_answer_that_is_not_ascii_is_none() -> None:
    """It would be four times its bytes in memory; both sides write ASCII."""
    inbox, text = Inbox(), '{"value": "\U0001f600"}'.encode()
    inbox.feed(struct.pack("<II", len(text), 0) + text)
    with pytest.raises(WireError, match="no JSON"):
        inbox.take()


def test_who_hangs_up_is_ended(kernel: StudentKernel) -> None:
    kernel.run(BOMB.replace("CONTENT", "b''") + "def f(): agent.line.socket.close()")
    with pytest.raises(KernelStopped, match="messages that no notebook sends"):
        RemoteSide(kernel).call("f", (), {})


def test_a_copy_of_the_process_answers_nothing(kernel: StudentKernel) -> None:
    """What returns from the student's function in a fork of theirs must not speak on the same line."""
    side = RemoteSide(kernel)
    kernel.run("import os\ndef f():\n    pid = os.fork()\n    return pid > 0")
    assert [side.call("f", (), {}) for _ in range(5)] == [True] * 5
    assert printed(kernel.run("print('alive')")) == "alive\n"


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("import numpy as np\ndef f(): return [np.float64(i) for i in range(12_000)]", 12_000),
        ("def f(): return ['\u4e00' * 15_000] * 900", "OverflowError"),
        ("class E(Exception):\n    def __str__(self): return S('x')\nclass S(str):\n"
         "    def __getitem__(self, k): raise E\ndef f(): raise E", "E"),
        ("class M(type):\n    def __getattribute__(c, n): raise ValueError(n)\n"
         "class E(Exception, metaclass=M): pass\ndef f(): raise E", "Exception"),
        ("import sys\ndef f():\n    for k in range(5_000): print(k, file=sys.stderr, flush=True)\n"
         "    return []", 0),
    ],
    ids=["many arrays", "long text", "a strange message", "a strange class", "much on stderr"],
)  # fmt: skip
def test_an_honest_answer_costs_no_kernel(kernel: StudentKernel, code: str, seen: Any) -> None:
    side = RemoteSide(kernel)
    assert kernel.run(code).error is None
    if isinstance(seen, int):
        assert len(side.call("f", (), {})) == seen
    else:
        with pytest.raises(StudentError) as raised:
            side.call("f", (), {})
        assert raised.value.type_name == seen
    assert printed(kernel.run("print('alive')")) == "alive\n"


def test_many_numbers_reach_a_function(kernel: StudentKernel) -> None:
    kernel.run("def f(a): return len(a)")
    assert RemoteSide(kernel).call("f", ([np.float64(k) for k in range(12_000)],), {}) == 12_000


ALARM = """
import signal
def late(*a): raise KIND
signal.signal(signal.SIGALRM, late)
def f():
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    return 1
"""


@pytest.mark.parametrize("kind", ["TimeoutError", "ValueError", "SystemExit"])
def test_an_alarm_between_questions_is_nobodys(kernel: StudentKernel, kind: str) -> None:
    kernel.run(ALARM.replace("KIND", kind))
    side = RemoteSide(kernel)
    for _ in range(2):
        assert side.call("f", (), {}) == 1
        time.sleep(0.5)
    assert side.call("f", (), {}) == 1


def test_who_needs_some_seconds_to_react_is_not_ended(kernel: StudentKernel) -> None:
    """A question has as long as a cell."""
    kernel.run(
        "import time\ndef burn(s):\n    end = time.process_time() + s\n"
        "    while time.process_time() < end: pass\n"
        "def f():\n    try: burn(60)\n    except KeyboardInterrupt: burn(4)\n"
    )
    with pytest.raises(TimeLimit):
        RemoteSide(kernel).call("f", (), {})
    assert printed(kernel.run("print('alive')")) == "alive\n"


def test_exit_ends_nothing_a_tenth_of_a_second_later(kernel: StudentKernel) -> None:
    kernel.run("x = 1\nexit()")
    time.sleep(0.4)
    assert RemoteSide(kernel).get("x") == 1
    assert printed(kernel.run("print('alive')")) == "alive\n"


def test_memory_that_is_missing_for_the_arguments_is_told(tmp_path: Path) -> None:
    with ForkServer(("numpy",), limits=Limits(memory_mb=400)) as server:
        launcher = ForkLauncher(server)
        with StudentKernel(launcher, tmp_path, {}, cell_seconds=5, total_seconds=60) as kernel:
            kernel.run("hog = []\ntry:\n    while True: hog.append(bytearray(2**20))\nexcept MemoryError:\n"
                       "    del hog[:60]\ndef f(a=None): return 7")  # fmt: skip
            side = RemoteSide(kernel)
            with pytest.raises(StudentError, match="no room"):
                side.call("f", (np.zeros(6_500_000),), {})
            assert side.call("f", (), {}) == 7
            assert printed(kernel.run("print('alive')")) == "alive\n"
            kernel.run("def g():\n    while True: hog.append(bytearray(1_000))")
            with pytest.raises(StudentError, match="MemoryError"):
                side.call("g", (), {})
            assert [side.call("f", (), {}) for _ in range(3)] == [7] * 3


def test_an_interrupt_ends_one_answer_and_no_other(kernel: StudentKernel) -> None:
    side = RemoteSide(kernel)
    kernel.run("import time\ndef f(): time.sleep(60)\ndef g(): return 7")
    for _ in range(2):
        assert side.call("g", (), {}) == 7
        with pytest.raises(TimeLimit):
            side.call("f", (), {})
        assert side.call("g", (), {}) == 7
    assert printed(kernel.run("print('alive')")) == "alive\n"


BURN = "import time\nend = time.process_time() + SECONDS\nwhile time.process_time() < end: pass\n"


def test_a_busy_machine_does_not_shorten_a_limit(kernel: StudentKernel) -> None:
    """1.2 s of processor time under a limit of 2 s, with five others on the same processor."""
    cpu = min(os.sched_getaffinity(0))
    ours = kernel_pid()
    burn = f"import os\nos.sched_setaffinity(0, {{{cpu}}})\nwhile True: pass"
    # Linux shares a processor between sessions first: five in one would take half of it, no more.
    others = [
        subprocess.Popen([sys.executable, "-c", burn], start_new_session=True) for _ in range(5)
    ]
    try:
        psutil.Process(ours).cpu_affinity([cpu])
        began = time.monotonic()
        run = kernel.run(BURN.replace("SECONDS", "1.2") + "print('done')")
        took = time.monotonic() - began
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert took > 3, "the machine was not busy"
    assert (printed(run), run.stopped_by) == ("done\n", "")


def test_processor_time_is_what_a_limit_counts(kernel: StudentKernel) -> None:
    assert kernel.run(BURN.replace("SECONDS", "30")).stopped_by == "cpu"
    assert printed(kernel.run("print('alive')")) == "alive\n"


def kernel_pid() -> int:
    """The student's kernel: the youngest process below this one."""
    return max(psutil.Process().children(recursive=True), key=lambda one: one.create_time()).pid


ASKS = """
from IPython import get_ipython
get_ipython().user_ns["ask"] = lambda name: ask_examiner(name)
"""


@pytest.fixture
def asking(launcher: ForkLauncher, tmp_path: Path) -> Iterator[StudentKernel]:
    """A kernel whose helper asks the examiner for records by name."""
    records = {"a" * 64: b"what was kept", "large": bytes(3_000_000)}
    with StudentKernel(
        launcher, tmp_path, {"asks.py": ASKS}, cell_seconds=5, total_seconds=60, records=records
    ) as kernel:
        yield kernel


def test_a_helper_is_given_the_record_that_it_can_name_and_no_other(asking: StudentKernel) -> None:
    run = asking.run("print(ask('a' * 64), len(ask('large')), ask('b'), ask(5), ask(None))")
    assert printed(run) == "b'what was kept' 3000000 None None None\n"


def test_no_record_is_given_while_no_cell_runs(asking: StudentKernel) -> None:
    asking.run("def f(name): return ask(name) is None")
    began = time.monotonic()
    assert RemoteSide(asking).call("f", ("a" * 64,), {}) is True
    assert time.monotonic() - began < 5


def test_a_kernel_is_given_a_few_records_and_no_more(asking: StudentKernel) -> None:
    run = asking.run("print(sum(ask('large') is not None for _ in range(60)))")
    assert printed(run) == "20\n"


@pytest.mark.parametrize(
    "content", ["{}", "[]", "{'name': {}}", "{'name': 'x' * 10**6}", "{'name': ['a' * 64]}"]
)
def test_a_forged_question_gets_nothing_and_stops_nobody(
    asking: StudentKernel, content: str
) -> None:
    asking.run(
        "k = get_ipython().kernel\n"
        f"for _ in range(3): k.session.send(k.iopub_socket, 'proctor_question', {content}, "
        "parent=k.get_parent('shell'))\n"
        "print(k.stdin_socket.poll(3000) != 0)"
    )
    assert printed(asking.run("print(ask('a' * 64))")) == "b'what was kept'\n"


class SlowSender(zmq.Socket[bytes]):
    """Rests within a message, as the system may let any process rest."""

    def send_multipart(self, msg_parts: Any, *options: Any, **named: Any) -> None:
        for part in msg_parts[:-1]:
            self.send(part, zmq.SNDMORE)
            time.sleep(0.2)
        self.send(msg_parts[-1])


class Listened:
    """Where a kernel is that runs and puts out what `channels` hear."""

    process = None

    def __init__(self, channels: Channels, sockets: Path) -> None:
        self.channels, self.sockets = channels, sockets

    def lives(self) -> bool:
        return True

    def interrupt(self) -> None:
        raise AssertionError

    def why_dead(self) -> None:
        return None

    def close(self) -> None:
        raise AssertionError


def test_who_begins_to_listen_while_the_kernel_sends_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ipykernel's greeting then waits for something else that arrives: it never came, in one of 1,000s."""
    monkeypatch.setattr(link, "START_SECONDS", 5)
    monkeypatch.setattr(IOPubThread, "_run_event_pipe_gc", lambda self: asyncio.sleep(0))
    names = {f"{name}_port": number for number, name in enumerate(CHANNELS)}
    connection = {"transport": "ipc", "ip": str(tmp_path / "k"), "key": "", **names}
    connection["signature_scheme"] = "hmac-sha256"
    context = zmq.Context()
    output = SlowSender(context, zmq.XPUB)
    output.bind(f"ipc://{tmp_path / 'k'}-{names['iopub_port']}")
    thread = IOPubThread(output, session=Session())
    thread.start()
    thread.schedule(lambda: output.send_multipart([b"a", b"b", b"c", b"d", b"e"]))
    time.sleep(0.1)
    channels = Channels(connection)
    try:
        link.wait_until_heard(Listened(channels, tmp_path))
    finally:
        channels.close()
        thread.stop()
        thread.close()
        context.destroy(linger=0)
