"""Run the benchmarks: ``python -m bench [NAME...]``, by default all of them, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMES = (
    "notebook",
    "quick",
    "grading",
    "ordinary",
    "hostile",
    "busy",
    "watch",
    "scaling",
    "mnist",
    "explorer",
)


def main(names: list[str]) -> int:
    """Run each benchmark in a process of its own; return how many failed."""
    known = [name for name in NAMES if (HERE / f"{name}.py").is_file()]
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"No benchmark '{unknown[0]}'. There are: {', '.join(known)}.", file=sys.stderr)
        return 2
    failed = 0
    for name in names or known:
        print(f"\n== {name} ==", flush=True)
        command = [sys.executable, "-m", f"bench.{name}"]
        failed += subprocess.run(command, cwd=HERE.parent, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
