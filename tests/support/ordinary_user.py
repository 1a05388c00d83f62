"""Run a command as an ordinary user without any rights; for tests that root runs.

``python ordinary_user.py HOME COMMAND...``. Where the interpreter or this repository lies below a
folder that only root may enter, that folder is replaced, in a mount namespace of this process alone,
by one that shows nothing but them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from proctor.sandbox import libc_calls  # noqa: E402 - after the path

USER = 4321


def open_up(needed: list[Path]) -> None:
    """Make `needed` reachable for everybody, in this process's own mount namespace."""
    closed: dict[Path, list[Path]] = {}
    for path in needed:
        for parent in reversed(path.parents):
            if parent.stat().st_mode & 0o005 != 0o005:
                closed.setdefault(parent, []).append(path)
                break
    for folder, paths in closed.items():
        held = [(path, os.open(path, os.O_PATH)) for path in paths]
        libc_calls.mount("tmpfs", str(folder), "tmpfs", 0, "mode=755")
        for path, descriptor in held:
            path.mkdir(parents=True, exist_ok=True)
            flags = libc_calls.MS_BIND | libc_calls.MS_REC
            libc_calls.mount(f"/proc/self/fd/{descriptor}", str(path), None, flags)
            os.close(descriptor)


def main() -> None:
    home, *command = sys.argv[1:]
    libc_calls.unshare(libc_calls.CLONE_NEWNS)
    libc_calls.mount("none", "/", None, libc_calls.MS_REC | libc_calls.MS_PRIVATE)
    open_up(list(dict.fromkeys(Path(p) for p in (sys.prefix, sys.base_prefix, ROOT))))
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    environment = {"HOME": home, "TMPDIR": home, "PATH": "/usr/bin:/bin", "CI": "true"}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    main()
