"""`proctor mutate`: which check catches which wrong answer, and what is not as the table says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from support.tinycourse import DOUBLE, MEAN

from proctor.cli import main
from proctor.course import Course

TABLE = f"""
from proctor.author.mutate import Mutant, Variant

DOUBLE = {DOUBLE!r}
MEAN = {MEAN!r}


def double(line):
    return DOUBLE.replace("return 2 * a", line)


MUTANTS = (
    Mutant("triple", "double", double("return 3 * a"), "double-value", "not twice"),
    Mutant("only-the-example", "double", double("return np.array([2.0, -4.0])"), "double-drawn"),
    Mutant("in-place", "double", double("a *= 2; return a"), "double-untouched", "changes the array"),
)
VARIANTS = (
    Variant("sum", "double", double("return a + a")),
    Variant("numpy", "mean", MEAN.replace("a.sum() / len(a)", "np.mean(a)")),
)
"""


@pytest.fixture
def run(tiny: Course) -> Iterator[object]:
    (tiny.folder / "mutants").mkdir()

    def mutate(table: str, *arguments: str) -> Result:
        (tiny.folder / "mutants" / "tiny.py").write_text(table)
        return CliRunner().invoke(
            main, ["--course", str(tiny.folder), "mutate", "tiny", "-j", "2", *arguments]
        )

    yield mutate


def lines(done: Result) -> list[str]:
    return [" ".join(line.replace("│", " ").split()) for line in done.stdout.splitlines()]


def test_it_prints_what_catches_what_and_what_catches_nothing(run) -> None:  # type: ignore[no-untyped-def]
    done = run(TABLE)
    assert done.exit_code == 0, done.output
    said = lines(done)
    assert "double-drawn only-the-example" in said
    assert "double-untouched in-place" in said
    assert "double-value triple" in said
    assert "Catches none of them: mean-value" in said
    assert (
        "3 of 3 wrong answers are caught as they should be; 2 of 2 right ones get all points."
        in said
    )


def test_it_names_what_is_not_as_the_table_says(run) -> None:  # type: ignore[no-untyped-def]
    wrong = TABLE.replace('"not twice"', '"three times"')
    wrong = wrong.replace('"double-drawn"', '"double-untouched"')
    wrong = wrong.replace("return a + a", "return a + a + 0.01")
    done = run(wrong, "--exercise", "double")
    assert done.exit_code == 1
    said = lines(done)
    cause = "It is not twice the input."
    assert f"✗ wrong answer triple: double-value says '{cause}', not 'three times'" in said
    missed = "✗ wrong answer only-the-example: passes double-untouched; caught by double-drawn"
    assert missed in said
    assert f"✗ right answer sum: 0 of 6 points (double-value: {cause})" in said
    assert not any("numpy" in line for line in said)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            '"double-value", "not',
            '"double-values", "not',
            "names no check of the lab: double-values",
        ),
        ('"numpy", "mean"', '"numpy", "median"', "is of no exercise of the lab: median"),
        ('"in-place", ', '"triple", ', "the id 'triple' is used twice"),
        ("import Mutant", "import Nothing, Mutant", "cannot be loaded"),
    ],
)
def test_a_table_that_does_not_fit_the_lab_is_refused(run, old: str, new: str, says: str) -> None:  # type: ignore[no-untyped-def]
    done = run(TABLE.replace(old, new))
    assert done.exit_code == 2
    assert says in done.output


def test_without_a_table_it_says_what_is_missing(tiny: Course) -> None:
    done = CliRunner().invoke(main, ["--course", str(tiny.folder), "mutate", "tiny"])
    assert done.exit_code == 2
    assert "course/mutants/tiny.py is missing" in done.output
