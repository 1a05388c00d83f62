"""The one error that the explorer raises."""

from __future__ import annotations


class ExplorerError(ValueError):
    """Something given to the explorer cannot be shown; the message says what, and what to do."""
