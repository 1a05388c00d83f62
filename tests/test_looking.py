"""No test looks at a page once, straight after an action: the sources of all tests are searched."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

#: What reads a page once. `looking.py` alone may call it: there it is asked again.
ONCE = re.compile(
    "all_inner_texts|all_text_contents|aria_snapshot|bounding_box|eval_on_selector(_all)?"
    "|evaluate(_all|_handle)?|get_attribute|inner_(html|text)|input_value|query_selector(_all)?"
    "|is_(checked|disabled|editable|enabled|hidden|visible)|text_content"
)
#: The same, where the name means something else too: on a locator, or on a page, only.
OF_A_LOCATOR = frozenset({"all", "count"})
OF_A_PAGE = frozenset({"content", "title"})
#: Tests that have to do with a browser; elsewhere a model may be evaluated.
IN_A_BROWSER = re.compile("playwright|chromium|open_page|looking|browser")
FINDERS = ("locator", "get_by_", "frame_locator")


def looks(source: str) -> list[str]:
    """Lines of a test's source that read a page once, as "line: name"."""
    tree = ast.parse(source)
    located = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _finds(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name, of = node.func.attr, node.func.value
        bare = not node.args and not node.keywords
        on_locator = _finds(of) or (isinstance(of, ast.Name) and of.id in located)
        if (
            ONCE.fullmatch(name)
            or (name in OF_A_LOCATOR and bare and on_locator)
            or (name in OF_A_PAGE and bare and ast.unparse(of).split(".")[-1] in ("page", "tab"))
        ):
            found.append(f"{node.lineno}: {name}")
    return found


def _finds(node: ast.expr) -> bool:
    """Whether an expression's last calls look for elements."""
    return any(
        isinstance(part, ast.Attribute) and part.attr.startswith(FINDERS) for part in ast.walk(node)
    )


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("assert page.locator('a').count() == 2", ["count"]),
        ("rows = page.get_by_role('row')\nassert rows.count() == 2", ["count"]),
        ("for tab in page.locator('a').all(): pass", ["all"]),
        ("assert page.locator('a').inner_text() == 'b'", ["inner_text"]),
        ("assert page.evaluate('scrollY') == 0", ["evaluate"]),
        ("assert watched.page.title() == 'b'", ["title"]),
        ("assert [1, 2].count(1) == 1 and (array > 0).all() and 'a'.title()", []),
        ("expect(page.locator('a')).to_have_count(2)", []),
    ],
)
def test_a_look_is_found(line: str, names: list[str]) -> None:
    assert [found.split(": ")[1] for found in looks(line)] == names


def test_every_test_looks_at_pages_by_asking_again() -> None:
    sources = {
        path.relative_to(TESTS): path.read_text(encoding="utf-8")
        for path in sorted(TESTS.rglob("*.py"))
        if path.name != "looking.py"
    }
    found = {
        str(path): lines
        for path, source in sources.items()
        if IN_A_BROWSER.search(source) and (lines := looks(source))
    }
    assert found == {}, "use looking.expect, eventually_js, steady_js or box"
