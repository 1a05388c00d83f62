"""Showing the explorer, or one sentence on why that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.messages import first_line


def show_explorer(
    make: Callable[[Any], Any], say: Callable[[BaseException], str] = first_line
) -> None:
    """Show what `make` returns when it is given the class `explorer.Explorer`."""
    try:
        from explorer import Explorer, ExplorerError
    except ImportError as error:
        print(
            f"The explorer cannot be loaded ({say(error)}). Run `pip install -r "
            "requirements.txt`, and keep the folder `explorer` beside the notebook."
        )
        return
    try:
        page = make(Explorer)
    except ExplorerError as error:
        print(f"✗ {error}")
        return
    from IPython.display import display

    display(page)
