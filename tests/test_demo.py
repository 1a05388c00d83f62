"""`make demo` makes the explorer's page anew only when something that it is made of has changed."""

from __future__ import annotations

from pathlib import Path

from course.demo import PAGE_INPUTS, finish_page, is_made, page_key, start_page

WRITES = "import pathlib, sys\npathlib.Path(sys.argv[1]).write_text('page')\n"


def make_root(folder: Path) -> Path:
    for pattern in PAGE_INPUTS:
        path = folder / pattern.replace("*", "one")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    (folder / "course" / "explorer_page.py").write_text(WRITES)
    return folder


def test_a_page_is_kept_until_something_that_it_is_made_of_changes(tmp_path: Path) -> None:
    root, page = make_root(tmp_path), tmp_path / "explorer.html"
    key = page_key(root)
    assert not is_made(page, key)
    writing = start_page(root, page)
    writing.wait()
    assert page.is_file() and not is_made(page, key), "one that was not finished is no page"
    finish_page(writing, page, key)
    assert is_made(page, key)
    for pattern in PAGE_INPUTS:
        changed = root / pattern.replace("*", "one")
        before = changed.read_text()
        changed.write_text(before + "2")
        assert not is_made(page, page_key(root)), pattern
        changed.write_text(before)
    assert is_made(page, page_key(root))
    page.unlink()
    assert not is_made(page, key)


def test_what_the_page_is_made_of_is_there() -> None:
    root = Path(__file__).parents[1]
    assert [pattern for pattern in PAGE_INPUTS if not list(root.glob(pattern))] == []
