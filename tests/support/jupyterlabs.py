"""JupyterLab with formgrader in a process of its own, and a Chromium that looks at it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.browsers import chromium

SECOND = 1000
PATIENCE = 120 * SECOND


@contextmanager
def jupyterlab(root: Path, folder: Path, home: Path) -> Iterator[str]:
    """Start JupyterLab on `root` in a course's `folder`, as ``make lab`` does; yield its address."""
    environment = {
        **os.environ,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    command += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"]
    command += [f"--ServerApp.root_dir={root}"]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        if match := re.search(r"(http://(?:localhost|127\.0\.0\.1):\d+)/lab", line):
            break
    else:
        raise AssertionError("".join(said))
    with (home / "log").open("w") as log:
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=log)
        try:
            yield match[1]
        finally:
            process.terminate()
            process.wait(30)
            drain.wait(30)


@contextmanager
def lab_page() -> Iterator[Any]:
    """Start Chromium and yield a page that waits as long as a busy machine needs."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        yield page
