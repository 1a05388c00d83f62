"""Find out whether this system can isolate a submission, by isolating something for a moment.

Asking for version numbers and settings would miss what a container's own filters refuse, so a fresh
process goes through the very steps of :mod:`proctor.sandbox.namespaces`; the first that fails is translated.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from proctor.sandbox import filesystem, seccomp
from proctor.sandbox import namespaces as sandbox
from proctor.sandbox.limits import Limits
from proctor.scratch import scratch_folder

_SETTINGS = (
    # File, bad value, sentence.
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "User namespaces are switched off. Run: sysctl -w user.max_user_namespaces=15000",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "Ordinary users may not create user namespaces. Run: "
        "sysctl -w kernel.unprivileged_userns_clone=1 (or run proctor as root)",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor keeps ordinary users from using user namespaces. Run: "
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (or run proctor as root)",
    ),
)
_CONTAINER = (
    "If this is a container, start it with --privileged, or with --security-opt seccomp=unconfined "
    "--security-opt apparmor=unconfined --security-opt systempaths=unconfined."
)
_STEPS = {
    "namespaces": "Namespaces cannot be created",
    "root": "A private root folder cannot be built",
    "confine": "A kernel cannot give up its rights",
    "seal": "The sockets' folder cannot be made read-only",
}


def missing() -> list[str]:
    """Say what keeps kernels from being isolated here.

    Returns
    -------
    list of str
        Sentences for an administrator; empty if isolation works.
    """
    if sys.platform != "linux":
        return ["Isolation needs Linux; on other systems, run the grader in a Linux container."]
    if not seccomp.supported():
        return [
            f"There is no system call filter for {platform.machine()}, only x86_64 and aarch64."
        ]
    command = "import sys; sys.path.insert(0, sys.argv[1]); from proctor.sandbox import probe; "
    command += "probe.main()"
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-P", "-s", "-c", command, root],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if not lines:
        return [f"Isolation could not be tried: {done.stderr.decode('utf-8', 'replace')[-500:]}"]
    failed = [told for told in map(json.loads, lines) if told["step"] != "done"]
    return advice(**failed[0]) if failed else []


def advice(step: str, number: int, error: str) -> list[str]:
    """Turn the step that failed and its error into sentences.

    Parameters
    ----------
    step : str
        A key of the table of steps.
    number : int
        ``errno``.
    error : str
        The error's own text.
    """
    found = [f"{_STEPS[step]}: {error}."]
    if number == errno.ENOSYS or "mount_setattr" in error:
        return [*found, "Linux 5.14 or newer is needed."]
    if "mount proc" in error:
        return [
            *found,
            "A fresh /proc may not be mounted where parts of /proc are covered.",
            _CONTAINER,
        ]
    if number in (errno.EPERM, errno.EACCES, errno.ENOSPC, errno.EUSERS):
        settings = [text for file, bad, text in _SETTINGS if _read(file) == bad]
        return found + (settings or [_CONTAINER])
    return found


def _read(file: str) -> str:
    try:
        return Path(file).read_text("ascii").strip()
    except OSError:
        return ""  # this kernel has no such setting


def main() -> None:
    """Try, and print the step that failed and why as one line of JSON; the probe's own process."""
    with scratch_folder("nb-") as folder:
        for name in ("root", "run"):
            (folder / name).mkdir()
        child = os.fork()
        if child == 0:
            _try(folder)
        os.waitpid(child, 0)


def _try(folder: Path) -> None:
    limits = Limits()
    layout = filesystem.plan(folder / "root", (), (), limits)
    step = "namespaces"
    told: dict[str, str | int] = {"step": "done"}
    try:
        sandbox.enter_namespaces(layout)
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            os._exit(0)
        step = "root"
        sandbox.build_root(layout, str(folder / "run"), str(folder / "run" / "k"))
        if os.fork() == 0:
            step = "confine"
            sandbox.confine(layout, limits)
        else:
            os.wait()
            step = "seal"
            sandbox.seal(layout)
    except OSError as error:
        told = {"step": step, "number": error.errno or 0, "error": str(error)}
    os.write(1, (json.dumps(told) + "\n").encode())
    os._exit(0)
