"""Where a lab's verdicts lie: two labs of one course share a folder, and neither may lose its own."""

from __future__ import annotations

import json
from pathlib import Path

from proctor.whole import write_whole

OWNER = ".lab"
"""Name of the file in ``verdicts/`` that names the lab whose verdicts lie there directly."""


def verdict_folder(out: Path, lab: str) -> Path:
    """Return ``out/verdicts`` for the first lab that is marked there, ``out/verdicts/LAB`` for others."""
    top = out / "verdicts"
    return top if _owner(top) in ("", lab) else top / lab


def claim_verdict_folder(out: Path, lab: str) -> Path:
    """Return the folder of `lab`'s verdicts, and note that it is theirs."""
    folder = verdict_folder(out, lab)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / OWNER).is_file():
        write_whole(folder / OWNER, lab)
    return folder


def _owner(top: Path) -> str:
    """Return the lab whose verdicts lie in `top`; an empty string where there are none."""
    try:
        return (top / OWNER).read_text("utf-8").strip()
    except (OSError, ValueError):
        pass
    for path in sorted(top.glob("*.json")):
        try:
            return str(json.loads(path.read_bytes())["lab"])
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return ""
