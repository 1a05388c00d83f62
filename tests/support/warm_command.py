"""Commands of ``proctor`` and nbgrader in processes of their own, forked from one that imported them.

What a command does and leaves is what ``python -m`` does; only its imports, two seconds of processor
time, are not made anew for each.
"""

from __future__ import annotations

import atexit
import json
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import IO

import pytest

from proctor.examine.versions import installed


def run_warm(
    words: list[str],
    first: str,
    folder: Path,
    env: Mapping[str, str],
    cpu: int | None,
    patience: float,
) -> tuple[int, str, str]:
    """Run ``python -m`` these words; return its exit status and what it wrote to both streams.

    `first` is the folder that comes first where modules are looked for: the working folder, or that of
    the script by whose name the command is called.

    Raises
    ------
    subprocess.TimeoutExpired
        If it takes longer than `patience`, in seconds.
    """
    context = _context()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        streams = [f"/proc/{os.getpid()}/fd/{stream.fileno()}" for stream in (out, err)]
        arguments = (words, str(folder), dict(env), cpu, [first, *plain_path()], streams)
        process = context.Process(target=_command, args=arguments)
        process.start()
        process.join(patience)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(words, patience)
        return process.exitcode, _text(out), _text(err)


@cache
def _context() -> ForkServerContext:
    """Start the process that commands are forked from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["support.preloaded"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # where it finds that
        forkserver.ensure_running()
    return context


@cache
def plain_path() -> list[str]:
    """Where an interpreter of this environment looks for modules, but for the working folder."""
    code = "import json, sys; print(json.dumps(sys.path[1:]))"
    command = [sys.executable, "-c", code]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    return list(json.loads(said))


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8", "replace")


def _command(
    words: list[str],
    folder: str,
    env: dict[str, str],
    cpu: int | None,
    path: list[str],
    streams: list[str],
) -> None:
    """Be ``python -m`` these words; runs in the forked process."""
    for number, stream in enumerate(streams, 1):
        opened = os.open(stream, os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None  # as the environment says
    os.chdir(folder)
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    if env.get("PYTHONPATH"):
        installed.cache_clear()  # there may be others
    asked = env["PYTHONPATH"].split(os.pathsep) if env.get("PYTHONPATH") else []
    sys.path[:] = [path[0], *asked, *path[1:]]
    sys.argv[:] = words
    code = 0
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001  as an interpreter ends
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
