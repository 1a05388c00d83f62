"""What a cell put out, as it is kept: what a terminal would show, bounded, in time linear in its size."""

from __future__ import annotations

import time

import pytest

from proctor.kernel.outputs import MAX_COLOURS, Outputs, clean, shown


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        ("1/3\r2/3\r3/3\n", "3/3\n"),
        ("10%\b\b\b20%\n", "20%\n"),
        ("two\r\nlines\r\n", "two\nlines\n"),
        ("\b\bx\n", "x\n"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("bell\x07 nul\x00 half\ud800 \u202eturned", "bell nul half \\u202eturned"),
        ("größer ≥ 数\t✓", "größer ≥ 数\t✓"),
    ],
)
def test_printed_text_is_what_a_terminal_shows(printed: str, seen: str) -> None:
    assert shown(printed) == seen


@pytest.mark.parametrize("text", ["x" * 2**21, "x" * 2**20 + "\b" * 2**20, "\x1b[31mx" * 2**18])
def test_two_megabytes_take_no_more_than_seconds(text: str) -> None:
    began = time.process_time()
    assert shown(text).count("\x1b") <= MAX_COLOURS
    assert time.process_time() - began < 5


def test_text_for_a_page_or_a_terminal_holds_nothing_that_controls_them() -> None:
    assert not set(clean("\x1b[31m\x9b\x07\u202e\ud800\x7f", 100)) & set(
        "\x1b\x9b\x07\u202e\ud800\x7f"
    )
    assert clean(["no text"], 10) == ""
    assert clean("x" * 99, 10) == "x" * 10


def test_outputs_are_kept_by_kind_and_the_error_last() -> None:
    taken = Outputs()
    taken.add("stream", {"name": "stderr", "text": "w"})
    taken.add("stream", {"name": "stdout", "text": "a"})
    taken.add("stream", {"name": "stderr", "text": "x"})
    taken.add("display_data", {"data": {"text/html": "<b>", "image/png": '"><script>'}})
    taken.add("error", {"ename": "E", "evalue": "v", "traceback": ["t"]})
    kinds = [(node.output_type, node.get("text", node.get("data", ""))) for node in taken.nodes()]
    assert kinds == [("stream", "a"), ("stream", "wx"), ("display_data", {}), ("error", "")]
    assert taken.error == ("E", "v")


def test_clearing_with_wait_clears_when_the_next_comes() -> None:
    taken = Outputs()
    taken.add("stream", {"name": "stdout", "text": "old"})
    taken.add("clear_output", {"wait": True})
    assert [node.text for node in taken.nodes()] == ["old"]
    taken.add("stream", {"name": "stdout", "text": "new"})
    assert [node.text for node in taken.nodes()] == ["new"]
