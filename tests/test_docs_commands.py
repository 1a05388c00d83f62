"""Every command that the pages name is one that there is, with these options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from nbgrader.apps import NbGraderApp

from proctor.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```", re.M | re.S)
INLINE = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"(?<![\w./-])(?P<program>proctor|nbgrader|make) (?P<rest>[a-z-].*)")


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Find what a reader could type: in a block at the start of a command, or between backticks."""
    blocks = [line for block in FENCE.findall(text) for line in block.splitlines()]
    for words in (*blocks, *INLINE.findall(FENCE.sub("", text).replace("\n", " "))):
        for one in re.split(r"&&|;", words.split("#")[0]):
            if found := COMMAND.match(one.strip().removeprefix("$ ")):
                yield found["program"], shlex.split(found["rest"])


def refuse(arguments: list[str]) -> None:
    """Raise click's UsageError if `proctor` would not take these words; files need not be there."""
    group = main.make_parser(click.Context(main))
    group.allow_interspersed_args = False
    _, rest, _ = group.parse_args(list(arguments))
    with click.Context(main) as outer:
        name, command, rest = main.resolve_command(outer, rest)
    assert command is not None
    context = click.Context(command, info_name=name)
    values, left, _ = command.make_parser(context).parse_args(list(rest))
    if left:
        raise click.UsageError(f"too many: {left}")
    for param in command.params:
        value = values.get(param.name)
        given = param.name in values and value not in (None, ()) and "UNSET" not in repr(value)
        if not given and param.required and rest:  # alone, a command is only spoken of
            raise click.MissingParameter(param=param, ctx=context)
        if given and isinstance(param.type, click.Choice) and "|" not in str(value):
            param.type.convert(value, param, context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    targets = set(re.findall(r"^([a-z_]+):", (ROOT / "Makefile").read_text(), re.M))
    for program, words in commands(page.read_text("utf-8")):
        shown = f"{page.name}: {program} {shlex.join(words)}"
        if program == "make":
            assert words[0] in targets, shown
        elif program == "nbgrader":
            assert words[0] in NbGraderApp.subcommands or words[0].startswith("-"), shown
        else:
            try:
                refuse(words)  # "..." stands for a word
            except click.ClickException as error:
                pytest.fail(f"{shown}: {error.format_message()}")


@pytest.mark.parametrize(
    "words",
    [
        "grad lab",
        "grade lab --jbos 3",
        "grade lab folder more",
        "export lab",
        "export lab --to pdf",
    ],
)
def test_a_command_that_there_is_not_would_be_found(words: str) -> None:
    with pytest.raises(click.ClickException):
        refuse(words.split())


def test_the_week_names_every_command_an_instructor_has() -> None:
    pages = "".join(page.read_text("utf-8") for page in PAGES)
    named = {words[0] for program, words in commands(pages) if program == "proctor"}
    assert set(main.commands) <= named
