"""What a test needs of this machine. Where tests count (CI) its absence is a failure, elsewhere a skip."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from support.browsers import AXE, CHROMIUM
from support.hubs import PROXY

from proctor.sandbox.probe import missing

POSTGRESQL = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
_COUNTS = os.environ.get("CI", "").lower() in ("1", "true")


def needs(there: object, what: str) -> pytest.MarkDecorator:
    """Mark a test that needs something, which is there or not."""
    return pytest.mark.skipif(not there and not _COUNTS, reason=f"needs {what}")


def require(mark: pytest.MarkDecorator) -> None:
    """Skip in a fixture what a mark of this module would skip."""
    if mark.args[0]:
        pytest.skip(mark.kwargs["reason"])


linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
isolation = needs(not missing(), "a system that can isolate")
chromium = needs(CHROMIUM, "chromium (apt install chromium)")
axe = needs(CHROMIUM and AXE.is_file(), "chromium and axe-core (npm ci)")
hub = needs(CHROMIUM and PROXY.exists(), "chromium and configurable-http-proxy (npm ci)")
postgresql = needs(POSTGRESQL, "PostgreSQL (apt install postgresql)")
