"""Where tests count (CI), what a test needs has to be there: it fails instead of being skipped."""

from __future__ import annotations

import os


def may_skip(lacking: object) -> bool:
    """Tell whether tests may be left out because of something that is lacking here."""
    return bool(lacking) and os.environ.get("CI", "").lower() not in ("1", "true")
