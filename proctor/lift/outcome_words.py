"""How a trial of a test cell ended, in words: what its judgement rests on, and why a lift is not accepted."""

from __future__ import annotations

import re
from typing import Any

from proctor.lift.plan import Cell, Strength


def word(outcome: dict[str, Any]) -> str:
    if outcome["passed"]:
        return "passes"
    told = outcome.get("refused") or outcome.get("error")
    told = told or f"{outcome.get('type')}: {outcome.get('message')}"
    return f"does not pass ({' '.join(str(told).split())[:150]})"


def strength_of(seen: dict[str, int]) -> Strength:
    if "callback" in seen or "function given" in seen:
        return "call-backs"
    if "source" in seen:
        return "source text"
    if seen.keys() & {"instance", "callable", "class", "iterator"}:
        return "stand-ins"
    return "calls" if "call" in seen else "values"


def why_not(outcome: dict[str, Any], cell: Cell) -> str:
    """Say why a lift does not pass on the reference."""
    if "refused" in outcome:
        return f"It cannot be carried: {outcome['refused']}."
    lines = cell.source.splitlines()
    number = outcome.get("line", 0)
    where = f" in `{lines[number - 1].strip()[:100]}`" if 0 < number <= len(lines) else ""
    message = re.sub(r"\s+", " ", str(outcome.get("message", "")))[:200]
    if outcome.get("kind") == "time":
        return "It takes too long from outside."
    if outcome.get("type") == "AssertionError" and where and not message:
        return f"Outside, {where.removeprefix(' in ')} does not hold."
    raised = f"{outcome.get('type')}: {message}" if message else str(outcome.get("type"))
    return f"Outside, it raises {raised}{where}."
