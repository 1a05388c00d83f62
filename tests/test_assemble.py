"""Assembly: the student's code in the instructor's notebook, whatever was done to the rest."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from support.malformed_class import Notebook, cell_of, own_cell, strip, text_of, unmark
from support.sample_lab import DENSE, SOFTMAX, solved, source_notebook, submission

from proctor.examine.assemble import Assembled, assemble

ORDER = [
    "given packages",
    "given load",
    "graded softmax",
    "test softmax",
    "graded dense",
    "test dense",
    "given use",
    "graded predict",
    "test predict",
]


def put_together(notebook: Notebook) -> Assembled:
    return assemble(source_notebook(), submission(notebook))


def changed(change: Callable[[Notebook], Any]) -> Assembled:
    notebook = solved()
    change(notebook)
    return put_together(notebook)


def steps(assembled: Assembled) -> list[str]:
    return [f"{step.kind} {step.id}" for step in assembled.steps]


def codes(assembled: Assembled) -> list[str]:
    return [problem.code for problem in assembled.problems]


def source(assembled: Assembled, kind: str, id: str) -> str:
    (found,) = [step for step in assembled.steps if (step.kind, step.id) == (kind, id)]
    return found.source


def index_of(notebook: Notebook, grade_id: str) -> int:
    return notebook["cells"].index(cell_of(notebook, grade_id))


def insert(notebook: Notebook, after: str, text: str, **fields: Any) -> None:
    """Add a cell of the student's own after a known one; at the top for an empty id."""
    place = index_of(notebook, after) + 1 if after else 0
    notebook["cells"].insert(place, own_cell(text, id=f"own-{text[:20].strip()}", **fields))


def move(notebook: Notebook, grade_id: str, after: str) -> None:
    cell = cell_of(notebook, grade_id)
    notebook["cells"].remove(cell)
    notebook["cells"].insert(index_of(notebook, after) + 1 if after else 0, cell)


def test_the_steps_are_the_sources_with_the_students_graded_cells():
    assembled = put_together(solved())
    assert steps(assembled) == ORDER
    assert assembled.problems == ()
    assert "# mine" in source(assembled, "graded", "softmax")
    assert assembled.answers["dense"] == source(assembled, "graded", "dense")
    assert source(assembled, "given", "load") == cell_of(dict(source_notebook()), "load")["source"]


def test_positions_lead_back_into_both_notebooks():
    notebook = solved()
    insert(notebook, "load", "helper = 1")
    instructor = source_notebook()
    for step in put_together(notebook).steps:
        assert step.kind == "extra" or step.source.replace("# mine", "### START CODE HERE ###") == (
            instructor.cells[step.cell_index].source
        )
        if step.kind in ("graded", "extra"):
            assert text_of(notebook["cells"][step.position]) == step.source
        else:
            assert step.position == -1


def test_cells_that_only_draw_are_no_steps():
    assert not any("plot_samples" in step.source for step in put_together(solved()).steps)


def test_the_solution_never_stands_in_for_a_cell_that_was_deleted():
    assembled = changed(lambda nb: nb["cells"].remove(cell_of(nb, "softmax")))
    assert assembled.answers["softmax"] is None
    assert steps(assembled) == [step for step in ORDER if step != "graded softmax"]
    assert [(p.code, p.cell, p.attention) for p in assembled.problems] == [
        ("cell-missing", "softmax", True)
    ]


# What a submission may try


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: cell["metadata"].update(tags=["skip-execution", "figure"]),
        lambda cell: cell["metadata"].update(nbgrader={}),
        lambda cell: cell["metadata"]["nbgrader"].update(schema_version=99),
        lambda cell: cell["metadata"]["nbgrader"].update(grade=False, solution=True),
        lambda cell: cell["metadata"]["nbgrader"].update(points=1000),
        lambda cell: cell.update(source="print(15.0)"),
        lambda cell: cell.update(cell_type="markdown"),
        lambda cell: cell.clear(),
    ],
)
@pytest.mark.parametrize("id", ["test_softmax", "load"])
def test_what_is_done_to_a_test_or_a_given_cell_has_no_effect(id: str, change: Callable[..., Any]):
    assembled = changed(lambda nb: change(cell_of(nb, id)))
    assert [step for step in steps(assembled) if not step.startswith("extra")] == ORDER
    right = put_together(solved())
    assert [s.source for s in assembled.steps if s.kind in ("given", "test")] == [
        s.source for s in right.steps if s.kind in ("given", "test")
    ]
    assert not any(step.kind == "extra" for step in assembled.steps)


def test_a_test_cell_duplicated_or_deleted_is_there_once():
    def twice(nb: Notebook) -> None:
        nb["cells"].append(copy.deepcopy(cell_of(nb, "test_softmax")))

    assert steps(changed(twice)) == ORDER
    assert steps(changed(lambda nb: nb["cells"].remove(cell_of(nb, "test_softmax")))) == ORDER


def test_a_copy_of_a_test_without_its_metadata_is_not_run():
    assembled = changed(lambda nb: insert(nb, "dense", text_of(cell_of(nb, "test_softmax"))))
    assert steps(assembled) == ORDER


def test_a_given_cell_changed_or_deleted_is_the_sources_and_it_is_noted():
    assembled = changed(lambda nb: cell_of(nb, "load").update(source="X, y = cheat()"))
    assert "cheat" not in source(assembled, "given", "load")
    assert codes(assembled) == ["given-changed"]
    assert "load" in assembled.problems[0].message
    assert codes(changed(lambda nb: nb["cells"].remove(cell_of(nb, "load")))) == ["given-changed"]


def test_blank_lines_and_spaces_at_line_ends_are_no_change():
    def respace(nb: Notebook) -> None:
        cell = cell_of(nb, "load")
        cell["source"] = text_of(cell).replace("\n", "  \r\n\r\n") + "\n"

    assert changed(respace).problems == ()


# The student's own cells


def test_own_cells_come_along_in_their_order_after_the_cells_they_follow():
    def add(nb: Notebook) -> None:
        insert(nb, "dense", "second = 2")
        insert(nb, "dense", "first = 1")
        insert(nb, "", "%pip install this")
        insert(nb, "samples", "after_figure = 1")
        nb["cells"].append(own_cell("last = 1"))

    assembled = changed(add)
    assert steps(assembled) == [
        "extra extra_1",
        "given packages",
        "given load",
        "extra extra_2",
        "graded softmax",
        "test softmax",
        "graded dense",
        "extra extra_3",
        "extra extra_4",
        "test dense",
        "given use",
        "graded predict",
        "test predict",
        "extra extra_5",
    ]
    extras = [step.source for step in assembled.steps if step.kind == "extra"]
    assert extras == [
        "%pip install this",
        "after_figure = 1",
        "first = 1",
        "second = 2",
        "last = 1",
    ]
    assert assembled.problems == ()


def test_empty_cells_and_text_are_no_steps():
    def add(nb: Notebook) -> None:
        insert(nb, "dense", "  \n\t\n")
        insert(nb, "dense", "my notes", cell_type="markdown")
        insert(nb, "dense", "raw", cell_type="raw")

    assert steps(changed(add)) == ORDER


def test_a_moved_cell_is_run_in_its_place_and_does_not_drag_own_cells_along():
    def late(nb: Notebook) -> None:
        insert(nb, "load", "helper = 1")
        move(nb, "softmax", "predict")

    assembled = changed(late)
    assert [step for step in steps(assembled) if not step.startswith("extra")] == ORDER
    assert steps(assembled).index("extra extra_1") == 2
    assert [(p.code, p.cell, p.attention) for p in assembled.problems] == [
        ("moved-cell", "softmax", True)
    ]


def test_own_cells_keep_their_order_around_moved_cells():
    def early(nb: Notebook) -> None:
        move(nb, "predict", "")
        insert(nb, "predict", "one = 1")
        insert(nb, "load", "two = 2")
        insert(nb, "dense", "three = 3")

    extras = [step.source for step in changed(early).steps if step.kind == "extra"]
    assert extras == ["one = 1", "two = 2", "three = 3"]


def test_a_moved_cell_matters_to_nobody_without_own_cells():
    assembled = changed(lambda nb: move(nb, "softmax", "predict"))
    assert steps(assembled) == ORDER
    assert assembled.problems == ()


# Metadata lost


def test_a_stripped_notebook_is_put_together_alike_and_it_is_noted_once():
    def lose(nb: Notebook) -> None:
        insert(nb, "softmax", "helper = 1")
        strip(nb)

    assembled = changed(lose)
    assert steps(assembled) == [*ORDER[:3], "extra extra_1", *ORDER[3:]]
    assert codes(assembled) == ["metadata-stripped"]
    assert all(answer and "# mine" in answer for answer in assembled.answers.values())


def test_an_edited_given_cell_without_metadata_is_recognised():
    def edit(nb: Notebook) -> None:
        cell_of(nb, "load")["source"] += "\nprint(y[:5])"
        strip(nb)

    assembled = changed(edit)
    assert steps(assembled) == ORDER
    assert "y[:5]" not in source(assembled, "given", "load")
    assert codes(assembled) == ["metadata-stripped", "given-changed"]


def test_cell_ids_suffice_where_nbgraders_metadata_is_gone():
    def lose(nb: Notebook) -> None:
        for cell in nb["cells"]:
            cell["metadata"] = {}
        cell_of_id(nb, "dense")["source"] = "def my_dense(a_in, W, b, g): return g(a_in @ W + b)"

    assembled = changed(lose)
    assert steps(assembled) == ORDER
    assert codes(assembled) == ["metadata-stripped"]


def cell_of_id(notebook: Notebook, id: str) -> Notebook:
    return next(cell for cell in notebook["cells"] if cell["id"] == id)


def test_one_cell_without_metadata_is_found_by_its_marker_and_noted():
    def lose(nb: Notebook) -> None:
        cell = cell_of(nb, "dense")
        cell["metadata"], cell["id"] = {}, "another"
        cell["source"] = text_of(cell).replace("# UNQ_C3", "#unq_c3 ")

    assembled = changed(lose)
    assert steps(assembled) == ORDER
    assert [(p.code, p.cell) for p in assembled.problems] == [("metadata-stripped", "dense")]


def test_without_marker_the_title_line_will_do_and_a_person_looks():
    def lose(nb: Notebook) -> None:
        strip(nb)
        cell = next(cell for cell in nb["cells"] if "# UNQ_C3" in text_of(cell))
        cell["source"] = text_of(cell).replace("# UNQ_C3\n", "")

    assembled = changed(lose)
    assert steps(assembled) == ORDER
    assert [(p.code, p.attention) for p in assembled.problems] == [
        ("metadata-stripped", False),
        ("marker-missing", True),
    ]


def test_without_marker_and_title_a_cell_is_known_by_what_it_defines():
    def lose(nb: Notebook) -> None:
        unmark(nb, "dense")
        strip(nb)

    assembled = changed(lose)
    assert steps(assembled) == ORDER
    assert [(p.code, p.cell, p.attention) for p in assembled.problems] == [
        ("metadata-stripped", "", False),
        ("known-by-definition", "dense", True),
    ]


def test_a_cell_that_defines_something_else_is_missing_and_a_person_looks():
    def lose(nb: Notebook) -> None:
        unmark(nb, "dense")
        strip(nb)
        for cell in nb["cells"]:
            cell["source"] = text_of(cell).replace("def my_dense(", "def layer(")

    assembled = changed(lose)
    assert assembled.answers["dense"] is None
    assert assembled.answers["softmax"] and assembled.answers["predict"]
    assert [(p.code, p.cell, p.attention) for p in assembled.problems] == [
        ("metadata-stripped", "", False),
        ("cell-missing", "dense", True),
    ]
    assert "extra extra_1" in steps(assembled)  # its code still runs, where it stood


def test_a_notebook_of_something_else_is_never_graded_nothing():
    other = {"nbformat": 4, "metadata": {}, "cells": [own_cell("print('hello')")]}
    assembled = put_together(other)
    assert ("wrong-notebook", True) in [(p.code, p.attention) for p in assembled.problems]
    assert set(assembled.answers.values()) == {None}


# Copies


def test_of_several_copies_the_last_is_marked_and_a_person_looks():
    def repeat(nb: Notebook) -> None:
        place = index_of(nb, "softmax")
        for text in ("# UNQ_C1\nlast = 3", "# UNQ_C1\nmiddle = 2"):
            twin = copy.deepcopy(cell_of(nb, "softmax"))
            nb["cells"].insert(place + 1, {**twin, "source": text})

    assembled = changed(repeat)
    assert steps(assembled) == ORDER
    assert assembled.answers["softmax"] == "# UNQ_C1\nlast = 3"
    (problem,) = assembled.problems
    assert (problem.code, problem.cell, problem.attention) == ("duplicate-cell", "softmax", True)
    assert "3 times" in problem.message and "last" in problem.message


def test_copies_of_the_same_code_need_nobodys_attention():
    assembled = changed(lambda nb: nb["cells"].append(copy.deepcopy(cell_of(nb, "softmax"))))
    assert [(p.code, p.attention) for p in assembled.problems] == [("duplicate-cell", False)]


def test_a_copy_that_lost_its_metadata_is_a_copy():
    assembled = changed(lambda nb: insert(nb, "softmax", SOFTMAX + "# better\n"))
    assert "# better" in (assembled.answers["softmax"] or "")
    assert steps(assembled) == ORDER
    assert any(problem.attention for problem in assembled.problems)


def test_an_id_copied_along_with_a_cell_says_less_than_the_marker():
    def overwrite(nb: Notebook) -> None:
        nb["cells"].remove(cell_of(nb, "dense"))
        twin = copy.deepcopy(cell_of(nb, "softmax"))
        nb["cells"].insert(index_of(nb, "test_softmax") + 1, {**twin, "source": DENSE + "# twin\n"})

    assembled = changed(overwrite)
    assert steps(assembled) == ORDER
    assert "# mine" in (assembled.answers["softmax"] or "")
    assert "# twin" in (assembled.answers["dense"] or "")


def test_two_exercises_merged_into_one_cell_are_run_once_with_the_first():
    def merge(nb: Notebook) -> None:
        dense = cell_of(nb, "dense")
        nb["cells"].remove(dense)
        cell = cell_of(nb, "softmax")
        cell["source"] = text_of(cell) + "\n" + text_of(dense)

    assembled = changed(merge)
    assert steps(assembled) == [step for step in ORDER if step != "graded dense"]
    assert assembled.answers["dense"] == assembled.answers["softmax"]
    assert ("merged-cells", True) in [(p.code, p.attention) for p in assembled.problems]


def test_a_graded_cell_turned_into_text_is_marked_as_code_unless_a_code_copy_is_there():
    assembled = changed(lambda nb: cell_of(nb, "dense").update(cell_type="markdown"))
    assert steps(assembled) == ORDER
    assert codes(assembled) == ["not-code"]

    def quote(nb: Notebook) -> None:
        insert(nb, "test_dense", "# UNQ_C3\nin the text I explain why", cell_type="markdown")

    assembled = changed(quote)
    assert "# mine" in (assembled.answers["dense"] or "")
    assert assembled.problems == ()


def test_a_later_copy_that_is_text_does_not_replace_the_code():
    def append(nb: Notebook) -> None:
        twin = copy.deepcopy(cell_of(nb, "dense"))
        nb["cells"].append({**twin, "cell_type": "markdown", "source": "what I thought"})

    assembled = changed(append)
    assert "# mine" in (assembled.answers["dense"] or "")
    assert assembled.problems == ()


def test_a_marker_mentioned_in_another_exercise_is_no_copy():
    def mention(nb: Notebook) -> None:
        cell_of(nb, "predict")["source"] += "# UNQ_C3 has the formula\n"

    assembled = changed(mention)
    assert assembled.answers["dense"] == cell_of(solved(), "dense")["source"]
    assert assembled.problems == ()


def test_code_that_python_cannot_read_becomes_an_error_that_says_why():
    def break_both(nb: Notebook) -> None:
        cell_of(nb, "softmax")["source"] += "\x00"
        insert(nb, "load", "x = '\udc80'")

    assembled = changed(break_both)
    for kind, id in (("graded", "softmax"), ("extra", "extra_1")):
        with pytest.raises(SyntaxError, match="which Python cannot read"):
            exec(source(assembled, kind, id))
    assert all(step.source.encode("utf-8") for step in assembled.steps)
    assert codes(assembled) == ["unreadable-characters"]


def test_the_same_submission_gives_the_same_assembly():
    def mess(nb: Notebook) -> None:
        strip(nb)
        nb["cells"].reverse()

    assert changed(mess) == changed(mess)
