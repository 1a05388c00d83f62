"""Intake: whose is what, which notebook is meant, and what its bytes say."""

from __future__ import annotations

import copy
import json
import os
import socket
import zipfile
from pathlib import Path

import pytest
from support.malformed_class import cell_of, dumps, zipped
from support.sample_lab import LAB, solved

from proctor.errors import CourseError, RejectedError
from proctor.intake import parse
from proctor.intake.lms_file_names import file_owner, lms_owner, printable, safe_id, unique_ids
from proctor.intake.submissions import Candidate, Handed, Submission, collect, read, read_bytes

RIGHT = dumps(solved())
NAME = f"{LAB}.ipynb"


def put(path: Path, data: bytes = RIGHT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def named(number: int) -> bytes:
    """Return a right notebook that can be told from others."""
    notebook = copy.deepcopy(solved())
    notebook["metadata"]["number"] = number
    return dumps(notebook)


def marked(handed: Handed) -> int:
    """Return the number of the notebook that is read."""
    digest = read(handed, LAB).digest
    return next(n for n in range(10) if read_bytes(named(n), "s", LAB).digest == digest)


def codes(handed: Handed) -> list[str]:
    return [problem.code for problem in read(handed, LAB).problems]


def students(path: Path) -> list[str]:
    return [one.student for one in collect(path, LAB)]


# Layouts


def test_nbgraders_tree_a_folder_of_folders_and_a_flat_folder_give_the_same(tmp_path: Path):
    for name in ("s002", "s001"):
        put(tmp_path / "tree" / name / LAB / NAME)
        put(tmp_path / "folders" / name / NAME)
        put(tmp_path / "flat" / f"{name}.ipynb")
        put(tmp_path / "named" / f"{name}_{NAME}")
    for layout in ("tree", "folders", "flat", "named"):
        handed = collect(tmp_path / layout, LAB)
        assert [one.student for one in handed] == ["s001", "s002"]
        assert all(codes(one) == [] for one in handed)


def test_nbgraders_timestamp_is_taken_over(tmp_path: Path):
    put(tmp_path / "s001" / LAB / NAME)
    put(tmp_path / "s001" / LAB / "timestamp.txt", b"2026-03-01 12:00:00.123 UTC\n")
    put(tmp_path / "s002" / LAB / NAME)
    put(tmp_path / "s002" / LAB / "timestamp.txt", b"<script>alert(1)</script>")
    times = [one.timestamp for one in collect(tmp_path, LAB)]
    assert times == ["2026-03-01 12:00:00.123 UTC", None]


def test_another_labs_notebooks_in_nbgraders_tree_are_not_looked_at(tmp_path: Path):
    put(tmp_path / "s001" / LAB / NAME)
    put(tmp_path / "s001" / "lab_other" / "lab_other.ipynb", b"broken")
    put(tmp_path / "s002" / "lab_other" / "lab_other.ipynb")
    put(tmp_path / "s003" / "lab_third" / "lab_third.ipynb")
    put(tmp_path / "s004" / "lab_third" / "lab_third.ipynb")
    (handed,) = collect(tmp_path, LAB)
    assert handed.student == "s001"
    assert codes(handed) == []


def test_a_known_labs_folder_is_that_labs(tmp_path: Path):
    put(tmp_path / "s001" / "w2" / NAME)
    put(tmp_path / "s002" / LAB / NAME)
    assert len(collect(tmp_path, LAB)) == 2
    (handed,) = collect(tmp_path, LAB, others=("w2",))
    assert handed.student == "s002"


def test_a_students_own_subfolder_is_looked_into(tmp_path: Path):
    put(tmp_path / "s001" / "homework" / "week 3" / NAME)
    put(tmp_path / "s002" / f"{LAB} (1)" / f"{LAB} (1).ipynb")
    put(tmp_path / "s003" / "homework" / "homework.ipynb")
    assert [codes(one) for one in collect(tmp_path, LAB)] == [[], ["renamed"], ["renamed"]]


def test_one_students_folder_and_one_notebook_are_a_class_of_one(tmp_path: Path):
    put(tmp_path / "s007" / LAB / NAME)
    assert students(tmp_path / "s007") == ["s007"]
    assert students(put(tmp_path / "x" / f"s008_{NAME}")) == ["s008"]


def test_an_empty_class_is_an_empty_list_and_an_absent_one_an_error(tmp_path: Path):
    assert collect(tmp_path, LAB) == []
    with pytest.raises(CourseError, match="no folder, zip archive or notebook"):
        collect(tmp_path / "nowhere", LAB)


def test_what_editors_and_systems_leave_behind_is_nobodys(tmp_path: Path):
    put(tmp_path / "s001" / NAME)
    put(tmp_path / "s001" / ".ipynb_checkpoints" / f"{LAB}-checkpoint.ipynb", b"old")
    put(tmp_path / ".ipynb_checkpoints" / NAME)
    put(tmp_path / "__MACOSX" / "s001" / f"._{NAME}")
    put(tmp_path / ".vscode" / "settings.json")
    put(tmp_path / "grades.csv")
    (handed,) = collect(tmp_path, LAB)
    assert codes(handed) == []


def test_an_empty_folder_is_a_student_without_a_notebook(tmp_path: Path):
    (tmp_path / "s001").mkdir()
    (tmp_path / "s002" / LAB).mkdir(parents=True)
    for handed in collect(tmp_path, LAB):
        with pytest.raises(RejectedError) as error:
            read(handed, LAB)
        assert error.value.code == "no-notebook"
    assert students(tmp_path) == ["s001", "s002"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            [f"lovelaceada_12_345_{NAME}", f"hopper_LATE_13_346_{LAB}-2.ipynb"],
            ["hopper_13", "lovelaceada_12"],
        ),
        (
            [
                f"Ada Lovelace_12_assignsubmission_file/{NAME}",
                "Bo_13_assignsubmission_file_/x.ipynb",
            ],
            ["Ada-Lovelace_12", "Bo_13"],
        ),
        (
            [
                f"Ada Lovelace_12_assignsubmission_file_{NAME}",
                f"Bo_13_assignsubmission_file_{NAME}",
            ],
            ["Ada-Lovelace_12", "Bo_13"],
        ),
        (
            [
                "assignment_7_export/submission_metadata.yml",
                f"assignment_7_export/submission_98/{NAME}",
                "assignment_7_export/submission_99/notes.pdf",
            ],
            ["submission_98", "submission_99"],
        ),
        ([f"submissions/s001/{LAB}/{NAME}"], ["s001"]),
        ([f"s001/{LAB}/{NAME}"], ["s001"]),
        (
            [f"class/s001/{NAME}", f"class/s002/{NAME}", f"__MACOSX/class/._{NAME}"],
            ["s001", "s002"],
        ),
        ([f"{LAB}/s001.ipynb", f"{LAB}/s002.ipynb"], ["s001", "s002"]),
        ([f"Lab_ada_attempt_2026-03-01-10-00-00_{NAME}"], ["ada"]),
    ],
)
def test_archives_of_learning_platforms(tmp_path: Path, names: list[str], expected: list[str]):
    path = put(tmp_path / "class.zip", zipped(dict.fromkeys(names, RIGHT)))
    assert students(path) == expected
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")
    if not names[0].startswith("class/"):  # a folder on disk is named by the instructor
        assert students(tmp_path / "unpacked") == expected


def test_an_archive_among_folders_counts_as_a_folder(tmp_path: Path):
    put(tmp_path / "s001" / "work.zip", zipped({f"work/{NAME}": RIGHT}))
    put(tmp_path / "s002.zip", zipped({NAME: RIGHT}))
    put(tmp_path / f"s003_{LAB}.zip", zipped({NAME: RIGHT}))
    handed = collect(tmp_path, LAB)
    assert [(one.student, codes(one)) for one in handed] == [
        ("s001", []),
        ("s002", []),
        ("s003", []),
    ]


def test_a_class_archive_that_cannot_be_read_says_so(tmp_path: Path):
    with pytest.raises(RejectedError, match=r"class\.zip.*damaged"):
        collect(put(tmp_path / "class.zip", b"PK\x03\x04"), LAB)


def test_an_archive_of_too_many_files_is_refused_before_it_is_listed(tmp_path: Path):
    many = zipped({f"{number}.txt": b"" for number in range(2_001)})
    put(tmp_path / "s001" / "work.zip", many)
    (handed,) = collect(tmp_path, LAB)
    assert [problem.code for problem in handed.problems] == ["bad-archive"]


# Which notebook is meant


def test_of_two_notebooks_the_exact_name_is_marked_and_it_is_noted(tmp_path: Path):
    put(tmp_path / "s001" / NAME, named(1))
    put(tmp_path / "s001" / f"{LAB} (7).ipynb", named(7))
    (handed,) = collect(tmp_path, LAB)
    assert marked(handed) == 1
    (problem,) = read(handed, LAB).problems
    assert problem.code == "several-notebooks"
    assert f"'{NAME}' is the one that was marked" in problem.message
    assert not problem.attention


def test_of_two_attempts_the_newest_is_marked(tmp_path: Path):
    for number, day in ((1, "2026-03-01"), (3, "2026-03-03"), (2, "2026-03-02")):
        put(tmp_path / f"Lab_ada_attempt_{day}-10-00-00_{NAME}", named(number))
    (handed,) = collect(tmp_path, LAB)
    assert marked(handed) == 3
    assert handed.candidates[0].timestamp == "2026-03-03-10-00-00"


def test_of_two_copies_the_highest_number_is_marked(tmp_path: Path):
    for number in (2, 9, 1):
        put(tmp_path / f"s001_{LAB} ({number}).ipynb", named(number))
    (handed,) = collect(tmp_path, LAB)
    assert marked(handed) == 9


def test_where_names_say_nothing_the_one_with_graded_cells_is_marked_and_a_person_looks(
    tmp_path: Path,
):
    empty = {**solved(), "cells": [{"cell_type": "code", "source": "1", "metadata": {}}]}
    put(tmp_path / "s001" / "a.ipynb", dumps(empty))
    put(tmp_path / "s001" / "b.ipynb", named(2))
    put(tmp_path / "s001" / "c.ipynb", dumps(empty))
    (handed,) = collect(tmp_path, LAB)
    assert marked(handed) == 2
    assert any(problem.attention for problem in read(handed, LAB).problems)


def test_the_same_name_in_two_folders_is_decided_by_the_labs_folder(tmp_path: Path):
    put(tmp_path / "s001" / NAME, named(1))
    put(tmp_path / "s001" / LAB / NAME, named(2))
    put(tmp_path / "s001" / LAB / "old" / NAME, named(3))
    put(tmp_path / "s002" / LAB / NAME)
    handed, _ = collect(tmp_path, LAB)
    assert marked(handed) == 2
    assert not any(problem.attention for problem in read(handed, LAB).problems)


def test_two_files_that_name_the_same_student_need_attention(tmp_path: Path):
    put(tmp_path / "s001.ipynb", named(1))
    put(tmp_path / f"s001_{NAME}", named(2))
    (handed,) = collect(tmp_path, LAB)
    assert [problem.attention for problem in read(handed, LAB).problems] == [True]


def test_if_the_likeliest_notebook_is_broken_another_is_marked_and_a_person_looks(tmp_path: Path):
    put(tmp_path / "s001" / NAME, RIGHT[:500])
    put(tmp_path / "s001" / f"{LAB} (4).ipynb", named(4))
    (handed,) = collect(tmp_path, LAB)
    assert marked(handed) == 4
    assert [p.attention for p in read(handed, LAB).problems if p.code == "several-notebooks"] == [
        True
    ]


# Files


def test_a_file_name_cannot_put_markup_into_a_message(tmp_path: Path):
    name = "<img src=x onerror=alert(1)>[a](javascript:b)`*.ipynb"
    put(tmp_path / "s001" / name)
    (handed,) = collect(tmp_path, LAB)
    (problem,) = read(handed, LAB).problems
    assert not set('<>&[]`*"') & set(problem.message)
    assert "img src?x onerror?alert(1)" in problem.message


def test_files_that_lie_beside_the_notebook_are_not_taken_along(tmp_path: Path):
    put(tmp_path / "s001" / NAME)
    for name in ("numpy.py", "keras/__init__.py", "public_tests.py", "weights.h5"):
        put(tmp_path / "s001" / name, b"raise SystemExit")
    (handed,) = collect(tmp_path, LAB)
    assert [one.name for one in handed.candidates] == [NAME]
    assert codes(handed) == []


def test_a_link_in_the_folder_is_refused_and_the_notebook_beside_it_marked(tmp_path: Path):
    put(tmp_path / "s001" / NAME)
    (tmp_path / "s001" / "gradebook.ipynb").symlink_to(put(tmp_path / "secret.ipynb"))
    (tmp_path / "s002").symlink_to(tmp_path / "s001")
    handed = {one.student: one for one in collect(tmp_path, LAB)}
    assert codes(handed["s001"]) == ["link"]
    assert len(handed["s001"].candidates) == 1
    with pytest.raises(RejectedError, match="links are not followed"):
        read(handed["s002"], LAB)


def test_a_file_that_became_a_link_after_it_was_listed_is_not_followed(tmp_path: Path):
    path = put(tmp_path / "s001" / NAME)
    (handed,) = collect(tmp_path, LAB)
    path.unlink()
    path.symlink_to(put(tmp_path / "secret.ipynb"))
    with pytest.raises(RejectedError) as error:
        read(handed, LAB)
    assert error.value.code == "not-a-file"


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "s001").mkdir()
    monkeypatch.chdir(tmp_path / "s001")  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(NAME)
        (handed,) = collect(tmp_path, LAB)
    assert [problem.code for problem in handed.problems] == ["not-a-file"]


def test_a_file_that_may_not_be_read_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    put(tmp_path / "s001" / NAME)
    (handed,) = collect(tmp_path, LAB)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(RejectedError, match="cannot be read \\(Permission denied\\)") as error:
        read(handed, LAB)
    assert error.value.code == "unreadable"


def test_a_file_that_grows_past_the_limit_is_rejected(tmp_path: Path):
    path = put(tmp_path / "s001" / NAME)
    (handed,) = collect(tmp_path, LAB)
    with path.open("ab") as file:
        file.truncate(parse.MAX_BYTES + 1)
    with pytest.raises(RejectedError, match="at most 64 MB"):
        read(handed, LAB)


# Names


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("s001.ipynb", "s001"),
        ("s001 (2).ipynb", "s001"),
        (f"s001_{LAB}-2.ipynb", "s001"),
        (f"s001-{LAB} (1).ipynb", "s001"),
        (f"s001 {LAB.upper()} copy.ipynb", "s001"),
        (f"{LAB}_s001.ipynb", "s001"),
        (f"{LAB} (1).ipynb", f"{LAB} (1)"),
        ("jane.doe@uni.edu.ipynb", "jane.doe@uni.edu"),
    ],
)
def test_the_student_is_read_from_the_file_name(name: str, student: str):
    assert file_owner(name, LAB).student == student


def test_a_name_that_only_looks_like_a_platforms_is_left_alone():
    assert lms_owner("s001_2.ipynb") is None
    assert lms_owner("12_13.ipynb") is None


@pytest.mark.parametrize(
    "plain",
    ["s001", "a.b-c_d", "x" * 100, "0", "Müller", "anna s", "数", "नमस्ते", "_x"],
)
def test_an_id_that_is_safe_stays_as_it_is(plain: str):
    assert safe_id(plain) == plain


def test_an_id_is_the_same_however_its_accents_are_written():
    assert safe_id("Mu\u0308ller") == safe_id("M\u00fcller") == "M\u00fcller"
    assert safe_id("a/u\u0308") == safe_id("a/\u00fc")


@pytest.mark.parametrize(
    "strange",
    [
        *("..", ".", "", " ", "../../x", "a/b", ".hidden", "-rf", "x" * 300, "a\nb", "a ", " a"),
        *("a*", "[a]", "a;b", "$(x)", "a'b", "a,b", "a+b", "<b>", "a\u202eb", "a\u3164", "数" * 90),
        *("\u0301a", "a\u200bb", "a\ufe0fb", "caf\udce9"),
    ],
)
def test_any_other_becomes_a_safe_one_that_does_not_depend_on_the_class(strange: str):
    safe = safe_id(strange)
    assert safe_id(safe) == safe
    assert len(safe) <= 100 and safe.isascii() and safe[0] not in ".-" and "/" not in safe
    assert unique_ids({strange: False, "other": False})[strange] == safe


def test_ids_that_would_collide_are_kept_apart_whatever_their_order():
    originals = ["Ada Lovelace_1", "Ada-Lovelace_1", "Ada+Lovelace_1", "s1"]
    ids = unique_ids(dict.fromkeys(originals, True))
    assert len(set(ids.values())) == 4
    assert ids["Ada-Lovelace_1"] == "Ada-Lovelace_1"
    assert unique_ids(dict.fromkeys(reversed(originals), True)) == ids


def test_names_that_are_no_text_are_kept_in_a_form_that_can_be_written(tmp_path: Path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9 \x1b[31m\n"
    os.mkdir(folder)
    (tmp_path / "s001").mkdir()
    first, _second = collect(tmp_path, LAB)
    assert first.original == "caf\\udce9 \\x1b[31m\\n"
    assert first.original.encode("utf-8").decode() == printable(first.original)


# Bytes


def test_a_submission_survives_json_byte_for_byte():
    notebook = solved()
    cell_of(notebook, "softmax")["source"] = "x = '\ud800' # é 数"
    submission = read_bytes(dumps(notebook), "s001", LAB)
    text = submission.to_json()
    assert text.isascii()
    assert Submission.from_json(text) == submission
    assert Submission.from_json(text).to_json() == text


def test_utf_16_with_its_mark_is_read():
    text = json.dumps(solved(), ensure_ascii=False)
    problems = read_bytes(text.encode("utf-16"), "s001", LAB).problems
    assert [problem.code for problem in problems] == ["byte-order-mark"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b" \n\t ", "empty"),
        (bytes(4096), "empty"),
        (b"%PDF-1.7 ...", "not-json"),
        (b"PK\x03\x04rest", "not-json"),
        (b"import numpy as np\n", "not-json"),
        (b"[]", "not-a-notebook"),
        (b'{"a": 1}', "no-cells"),
        (b'{"cells": {}}', "no-cells"),
        (b'{"worksheets": [{"cells": 3}, 4]}', "no-cells"),
        (b'{"cells": [}', "truncated"),
        (b'{"cells": []} x', "not-json"),
        (b'{"cells": ["', "truncated"),
        (b'{"cells": ["\\', "truncated"),
        (b'{"cells": [' + b"[]," * 2_000_000 + b"1]}", "too-complex"),
        (b'{"cells": [' + b'"",' * 2_000_001 + b"1]}", "too-complex"),
        (b'{"cells": [' + b"1," * 2_000 + b"1]}", "too-many-cells"),
        (b"\xff\xfe\x00", "bad-encoding"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "not-json"),
        (b'{"cells": ["\xe9\x80"]}', "bad-encoding"),
    ],
)
def test_bytes_that_are_no_notebook_are_rejected_for_what_they_are(data: bytes, code: str):
    with pytest.raises(RejectedError) as error:
        read_bytes(data, "s001", LAB)
    assert error.value.code == code


@pytest.mark.parametrize("start", ["", '"', '\\"', "\\", '\\\\"', "\r\n\\"])
def test_brackets_within_strings_do_not_count_as_nesting(start: str):
    cell = {"cell_type": "code", "metadata": {}, "source": start + "[" * 500}
    (found,) = read_bytes(dumps({"cells": [cell], "nbformat": 4}), "s001", LAB).cells
    assert found.source == cell["source"].replace("\r\n", "\n")


def test_a_number_of_5000_digits_does_no_harm():
    data = b'{"nbformat": 4, "x": ' + b"9" * 5000 + b', "cells": [{"source": "1"}]}'
    assert len(read_bytes(data, "s001", LAB).cells) == 1


def test_things_in_the_list_of_cells_that_are_none_are_passed_over():
    data = json.dumps({"nbformat": 4, "cells": [None, 3, "x", [], {"source": "1"}, {}]}).encode()
    submission = read_bytes(data, "s001", LAB)
    assert [cell.source for cell in submission.cells] == ["", "", "", "", "1", ""]
    assert [problem.code for problem in submission.problems] == ["bad-cell"]


def test_ids_that_are_not_ids_count_as_none():
    cell = {"source": "1", "id": "../x", "metadata": {"nbgrader": {"grade_id": ["softmax"]}}}
    data = json.dumps({"nbformat": 4, "cells": [cell, {**cell, "metadata": {"nbgrader": 7}}]})
    cells = read_bytes(data.encode(), "s001", LAB).cells
    assert {(cell.grade_id, cell.cell_id) for cell in cells} == {("", "")}


def test_a_cell_too_long_to_run_is_cut_and_says_so():
    cell = {"cell_type": "code", "source": "x" * (parse.MAX_SOURCE + 1)}
    data = json.dumps({"nbformat": 4, "cells": [cell]}).encode()
    (found,) = read_bytes(data, "s001", LAB).cells
    assert "longer than 1,000,000 characters" in found.broken
    assert len(found.source) == parse.MAX_SOURCE


def test_a_candidate_in_memory_is_read_like_one_on_disk(tmp_path: Path):
    disk = Handed("a", "a", (Candidate(NAME, path=put(tmp_path / NAME)),))
    memory = Handed("a", "a", (Candidate(NAME, data=RIGHT),))
    assert read(disk, LAB) == read(memory, LAB)


def test_a_class_that_handed_in_another_lab_only_handed_in_nothing(tmp_path: Path):
    for student in ("s001", "s002", "s003"):
        put(tmp_path / student / "lab_other" / "lab_other.ipynb")
    assert collect(tmp_path, LAB) == []
