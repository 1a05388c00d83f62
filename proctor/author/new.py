"""Begin a lab: a master with one exercise, its checks, and mistakes that the checks catch."""

from __future__ import annotations

import keyword
from pathlib import Path

from proctor.atomic_files import write_whole
from proctor.author.build import KIT, write_kit
from proctor.course import CONFIG
from proctor.errors import CourseError

_CONFIG = """from pathlib import Path

from proctor.nbgrader_plugin import plug_in

c = get_config()
c.CourseDirectory.course_id = "{course}"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.ClearSolutions.code_stub = {{"python": "raise NotStarted"}}
plug_in(c)
"""
_MASTER = '''# %% [markdown]
# # {title}
#
# What this lab is about, in two sentences.

# %% id="setup" given
from proctor_kit import NotStarted
from {lab}_tests import test_vowels

# %% [markdown]
# ## Exercise 1, vowels
#
# `vowels` returns how many vowels (a, e, i, o, u) a text holds, in upper or lower case.

# %% graded="vowels" points=5
# UNQ_C1
# GRADED CELL: vowels
def vowels(text):
    """Return how many vowels a text holds.

    Args:
        text (str): any text
    Returns:
        count (int): 0 or more
    """
    ### START CODE HERE ###
    ### BEGIN SOLUTION
    count = sum(letter in "aeiou" for letter in text.lower())
    ### END SOLUTION
    ### END CODE HERE ###
    return count

# %% test="vowels"
test_vowels(vowels)
'''
_TESTS = '''"""What you run in the lab to see what is right."""

from proctor_kit import Finding, run


def vowels_case(vowels, text, expected):
    """Compare one call of vowels with what it should give."""
    got = vowels(text)
    parts = {{"called": f"vowels({{text!r}})", "expected": repr(expected), "got": repr(got)}}
    if got is None:
        raise Finding("vowels returns nothing.", next="Return the count.", **parts)
    if got == sum(letter in "aeiou" for letter in text) != expected:
        raise Finding("Capital letters are not counted.", next="Use text.lower().", **parts)
    if got != expected:
        raise Finding("The count differs.", next="Count a short text by hand.", **parts)


def test_vowels(vowels):
    run(("a first example", lambda: vowels_case(vowels, "banana", 3)))
'''
_CHECKS = '''"""How the lab is marked."""

from pathlib import Path

import {lab}_tests as public
from proctor.checks import Lab

lab = Lab(
    "{lab}",
    title="{title}",
    helpers=(Path("{lab}_tests.py"),),
    files=(Path("{lab}_tests.py"), Path("proctor_kit.py")),
    release=("{lab}.ipynb", "{lab}_tests.py", "proctor_kit.py"),
)

vowels = lab.exercise("vowels", "Exercise 1, vowels", points=5)


@vowels.check(points=2, hidden=False)
def vowels_example(side, draw):
    """a first example"""
    public.vowels_case(side.get("vowels"), "banana", 3)


@vowels.check(points=3, needs=("vowels-example",))
def vowels_unseen(side, draw):
    """a text that you have not seen, with capital letters"""
    text = "".join(draw.choice(list("AEIOUaeioubcdxyz "), 30)) + "A"
    public.vowels_case(side.get("vowels"), text, sum(c in "aeiou" for c in text.lower()))
'''
_MUTANTS = '''"""Mistakes that the checks must name, and other ways to be right."""

from proctor.author.mutate import Mutant, Variant


def vowels(line):
    return f"# UNQ_C1\\ndef vowels(text):\\n    {{line}}\\n"


MUTANTS = (
    Mutant("capitals", "vowels", vowels("return sum(c in 'aeiou' for c in text)"),
           check="vowels-unseen", says="Capital letters"),
    Mutant("nothing", "vowels", vowels("count = 0"), check="vowels-example", says="returns nothing"),
    Mutant("letters", "vowels", vowels("return len(text)"), check="vowels-example"),
)
VARIANTS = (
    Variant("loop", "vowels", vowels("return len([c for c in text if c in 'aeiouAEIOU'])")),
)
'''


def new(name: str, here: Path) -> list[Path]:
    """Write the files of a lab that can be built, marked and mutated at once.

    Parameters
    ----------
    name : str
        The lab's name: of its files, and a Python module's.
    here : Path
        The folder above ``course/``.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    CourseError
        If the name cannot be a module's, or a file is there already; then nothing is written.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
        raise CourseError(f"'{name}' cannot be a lab's name: use letters, digits and underscores.")
    course = here / "course"
    title = name.replace("_", " ").capitalize()
    texts = {
        course / f"{name}.py": _MASTER,
        course / "checks" / f"{name}.py": _CHECKS,
        course / "mutants" / f"{name}.py": _MUTANTS,
        here / f"{name}_tests.py": _TESTS,
    }
    for path in texts:
        if path.exists():
            raise CourseError(f"{path.relative_to(here)} is there already; nothing was written.")
    if not (course / CONFIG).exists():
        texts[course / CONFIG] = _CONFIG
    for path, text in texts.items():
        write_whole(path, text.format(lab=name, title=title, course=here.resolve().name))
    write_kit(here)
    return [*texts, here / KIT]
