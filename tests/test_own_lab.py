"""docs/own-lab.md, typed in: its files are written, its commands run, its words compared."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from support.doors import command

PAGE = Path(__file__).parent.parent / "docs" / "own-lab.md"
FILE = re.compile(r"^`([\w./]+)`:\n\n```python\n(.*?)^```$", re.M | re.S)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)


def steps(text: str) -> list[tuple[str, str]]:
    """Return the page's files as (path, content) and commands as ('$', session), in its order."""
    found = [(match.start(), match[1], match[2]) for match in FILE.finditer(text)]
    found += [(match.start(), "$", match[1]) for match in CONSOLE.finditer(text)]
    return [(name, body) for _, name, body in sorted(found)]


def run(session: str, folder: Path) -> None:
    """Run each command of a session; every line that the page shows of it must come out."""
    for part in re.split(r"^\$ ", session, flags=re.M)[1:]:
        typed, *shown = part.splitlines()
        done = command(folder, *shlex.split(typed), env={"COLUMNS": "120"})
        assert done.code == 0, f"{typed}\n{done.out}{done.err}"
        for line in shown:
            assert line in done.out, f"{typed}\n{done.out}{done.err}"


def test_the_page_makes_a_lab_and_marks_a_class(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    written = steps(text)
    assert len(written) > 8
    assert not re.search(r"digit|softmax|tensorflow", "".join(body for _, body in written), re.I)
    for name, body in written:
        if name == "$":
            run(body, tmp_path)
        else:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
    scores = {
        path.stem: json.loads(path.read_text())["score"]
        for path in (tmp_path / "course" / "verdicts").glob("*.json")
    }
    assert scores == {"ada": 10.0, "ben": 6.0, "cleo": 0.0}
    page = (tmp_path / "course" / "feedback" / "ben" / "words" / "words.html").read_text()
    assert "That is the length, not the word." in page
    assert "That is the length, not the word." in (tmp_path / "course" / "report.html").read_text()
    released = (tmp_path / "words.ipynb").read_text()
    assert "raise NotStarted" in released and "counts.get" not in released
