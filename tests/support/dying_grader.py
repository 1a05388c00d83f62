"""``proctor`` that is killed at the n-th time it puts a file in its place or takes one away.

    python -m support.dying_grader N FOLDER WORDS...

Only what happens below FOLDER counts. With fewer than N such moments it ends as usual.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from proctor.cli import main

left, below = int(sys.argv[1]), os.path.realpath(sys.argv[2])


def dying(function: Any) -> Any:
    """Return `function` that dies in our stead when its time has come."""

    def wrapped(first: Any, *rest: Any, **options: Any) -> Any:
        global left
        place = os.path.realpath(rest[0] if rest else first)
        if place.startswith(below + os.sep):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return function(first, *rest, **options)

    return wrapped


os.replace, os.rename, os.unlink = dying(os.replace), dying(os.rename), dying(os.unlink)
main(sys.argv[3:], prog_name="proctor")
