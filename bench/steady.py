"""Run the browser tests again and again beside three busy loops: ``python -m bench.steady [ROUNDS]``.

A test that looks at a page before it is drawn passes on an idle machine and fails on a busy one.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOOPS = 3
ROUNDS = 10


def browser_tests() -> list[str]:
    """The test files that look at a page in a browser."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    looks = re.compile(r"looking import|import looking|\bopen_page\b")
    found = [path for path in files if looks.search(path.read_text(encoding="utf-8"))]
    return [str(path.relative_to(ROOT)) for path in found if path.name != "test_looking.py"]


def main(rounds: int = ROUNDS) -> int:
    """Run the rounds; return how many failed."""
    tests = browser_tests()
    print(f"{len(tests)} files, {rounds} rounds beside {LOOPS} busy loops", flush=True)
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(LOOPS)]
    failed = 0
    try:
        for at in range(1, rounds + 1):
            start = time.monotonic()
            command = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "--no-header",
                "-p",
                "no:cacheprovider",
            ]
            done = subprocess.run(
                [*command, *tests], cwd=ROOT, check=False, capture_output=True, text=True
            )
            failed += done.returncode != 0
            last = done.stdout.strip().rpartition("\n")[2]
            print(f"round {at}: {last} ({time.monotonic() - start:.0f} s)", flush=True)
            if done.returncode:
                print(done.stdout, done.stderr, sep="\n", flush=True)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    print(f"{rounds - failed} of {rounds} rounds passed")
    return failed


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
