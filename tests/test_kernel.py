"""The examiner's questions to a student's kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from full_setup import may_skip

from proctor.forkserver import ForkServer
from proctor.kernel import CellRun, StudentKernel, TimeLimit
from proctor.provisioner import ForkLauncher
from proctor.sandbox import missing
from proctor.side import RemoteSide
from proctor.values import StudentError

pytestmark = pytest.mark.skipif(may_skip(missing()), reason="this system cannot isolate")


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
    assert not kernel._output.poll(300)


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
