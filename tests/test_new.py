"""A lab begun with `proctor new` can be built and marked as it is, and its mistakes are caught."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.doors import command

from proctor.author.new import new
from proctor.errors import CourseError


def test_a_new_lab_is_built_and_its_mistakes_are_caught(tmp_path: Path) -> None:
    assert command(tmp_path, "proctor", "new", "first_lab").code == 0
    assert command(tmp_path, "proctor", "build", "first_lab").code == 0
    done = command(tmp_path, "proctor", "mutate", "first_lab")
    assert done.code == 0, done.out + done.err
    assert "3 of 3 wrong answers" in done.out


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    new("words", tmp_path)
    (tmp_path / "course" / "words.py").write_text("mine")
    (tmp_path / "words_tests.py").unlink()
    with pytest.raises(CourseError, match=r"course/words\.py is there already"):
        new("words", tmp_path)
    assert (tmp_path / "course" / "words.py").read_text() == "mine"
    assert not (tmp_path / "words_tests.py").exists()


@pytest.mark.parametrize("name", ["1st", "my lab", "class", "../x"])
def test_a_name_that_no_module_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CourseError, match="cannot be a lab's name"):
        new(name, tmp_path)
    assert not list(tmp_path.iterdir())
