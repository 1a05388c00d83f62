"""A grader with one running kernel, which waits to be killed; for tests."""

from __future__ import annotations

import sys
import threading

from support.kernels import Session

from proctor.sandbox.forkserver import ForkServer

with ForkServer(isolation=sys.argv[1]) as server, Session(server) as session:
    session.start(
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'], stdin=-1)"
    )
    print("running", flush=True)
    threading.Event().wait()
