"""A class of attackers for the tiny lab, each with a wrong solution that honestly earns 5 of 10.

Every attack prints ``STOLEN`` where it got hold of something, so that a test can look for it, and
``TRIED`` once it has done its worst.
"""

# ruff: noqa: E501  the attacks are quoted as they would be written

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from support.tinycourse import CHECKS

WRONG_DOUBLE = "# UNQ_T1\n# GRADED CELL: double\ndef double(a):\n    a *= 2\n    return a\n"
"""Right but for one thing: it changes its input. 5 of 6 points."""
WRONG_MEAN = "# UNQ_T2\n# GRADED CELL: mean\ndef mean(a):\n    return a.max() + 100\n"
"""No points of 4."""
HONEST = 5.0

LAB_CHECKS = (
    CHECKS.replace("cell_seconds=3.0", "cell_seconds=2.0")
    .replace("total_seconds=20.0", "total_seconds=12.0,\n    memory_mb=400")
    .replace('lab = Lab(\n    "tiny"', 'THREE = np.arange(1.0, 4.0)\nlab = Lab(\n    "tiny"')
    .replace(
        '@double.check(points=3, needs=("double-value",))',
        '@double.check(points=1, needs=("double-value",))\n'
        "def double_shared(side, draw):\n"
        '    """an array that all students are given"""\n'
        '    if not np.array_equal(side.get("double")(THREE), [2.0, 4.0, 6.0]):\n'
        '        raise Finding("It is wrong for 1, 2, 3.")\n\n\n'
        '@double.check(points=2, needs=("double-value",))',
    )
)
"""The tiny lab with short limits, and a check that gives every student the same array."""


def mean(body: str) -> str:
    """Write the second exercise's cell with a body of one's own."""
    return "# UNQ_T2\n# GRADED CELL: mean\ndef mean(a):\n" + "".join(
        f"    {line}\n" for line in body.strip().splitlines()
    )


Change = Callable[[NotebookNode], Any]


@dataclass(frozen=True)
class Attack:
    """One submission.

    Attributes
    ----------
    row : str
        Of the table of attacks; ``own`` for those against this engine's own design.
    name : str
        The attacker's student id.
    before : str
        A cell of the student's own, run before the graded ones.
    mean, double : str
        The graded cells.
    change : callable
        Changes the notebook further.
    files : dict of str to bytes
        What lies beside the notebook.
    score : float
        What it must earn.
    code : str
        A problem that its verdict must name.
    says : str
        What its verdict must say.
    runs : bool
        Whether its output must show that the attack was carried through.
    """

    row: str
    name: str
    before: str = ""
    mean: str = WRONG_MEAN
    double: str = WRONG_DOUBLE
    change: Change = lambda notebook: None
    files: tuple[tuple[str, bytes], ...] = ()
    score: float = HONEST
    code: str = ""
    says: str = ""
    runs: bool = False

    def notebook(self, released: NotebookNode) -> NotebookNode:
        """Fill in the released notebook."""
        notebook = nbformat.from_dict(released)
        for cell in notebook.cells:
            if cell.id in ("double", "mean"):
                cell.source = getattr(self, cell.id)
        if self.before:
            place = [cell.id for cell in notebook.cells].index("double")
            notebook.cells.insert(place, new_code_cell(self.before, id="own"))
        self.change(notebook)
        return notebook


def run(row: str, name: str, code: str, /, **options: Any) -> Attack:
    """Make an attack by code in a cell of its own, which must reach its end."""
    return Attack(row, name, before=f"{code.strip()}\nprint('TRIED')\n", **{"runs": True} | options)


def ends(row: str, name: str, body: str, code: str, /, **options: Any) -> Attack:
    """Make an attack inside the second tested function that costs its own kernel."""
    return Attack(row, name, mean=mean(body), code=code, **options)


def cells(notebook: NotebookNode, *ids: str) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.id in ids]


TESTS = ("test_double", "test_mean")


def _tags(notebook: NotebookNode) -> None:
    for cell in cells(notebook, *TESTS):
        cell.metadata["tags"] = ["skip-execution", "raises-exception"]


def _without_tests(notebook: NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if cell.id not in TESTS]


def _nbgrader(**fields: Any) -> Change:
    def change(notebook: NotebookNode) -> None:
        for cell in cells(notebook, *TESTS):
            cell.metadata["nbgrader"] = {**cell.metadata["nbgrader"], **fields} if fields else {}

    return change


def _test_twice(notebook: NotebookNode) -> None:
    for cell in cells(notebook, *TESTS):
        other = nbformat.from_dict(cell)
        other.source = "pass"
        notebook.cells.append(other)


def _set_up(source: str | None) -> Change:
    def change(notebook: NotebookNode) -> None:
        if source is None:
            notebook.cells = [cell for cell in notebook.cells if cell.id != "setup"]
        for cell in cells(notebook, "setup"):
            cell.source = source

    return change


def _text(source: str) -> Change:
    return lambda notebook: notebook.cells.insert(1, new_markdown_cell(source, id="own-text"))


def _saved_output(notebook: NotebookNode) -> None:
    data = {"text/html": "<script>owned()</script>", "image/svg+xml": "<svg onload='owned()'/>"}
    for cell in cells(notebook, "double", *TESTS):
        cell.outputs = [nbformat.v4.new_output("display_data", data=data)]


FAKE_NUMPY = (
    b"class T:\n    def __getattr__(self, n): return lambda *a, **k: True\n"
    b"import sys\nsys.modules['numpy'] = sys.modules['given'] = T()\nprint('STOLEN an import')\n"
)
SCRIPT = "<script>owned()</script><img src=x onerror=owned()>"
EQUAL = """
class Equal:
    shape, dtype, ndim, size = (), float, 0, 1
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __float__(self): return 1.0
    def __array_ufunc__(self, *a, **k): return np.array(True)
    def __array_function__(self, *a, **k): return True
"""
SEARCH = """
import os
for top in ('/', '/home', '/root', '/work', '/tmp', '..', '../..', '../../..', '/proc/1/cwd', '/proc/1/root'):
    for folder, folders, files in os.walk(top):
        folders[:] = [f for f in folders if f not in ('usr', 'proc', 'lib', 'dev', 'site-packages', 'etc')]
        for name in files:
            path = os.path.join(folder, name)
"""

TABLE = [
    Attack("1", "r01-skip-execution", change=_tags),
    Attack("2", "r02-tests-deleted", change=_without_tests),
    Attack("3", "r03-nbgrader-empty", change=_nbgrader()),
    Attack("3", "r03-schema-99", change=_nbgrader(schema_version=99)),
    Attack("3", "r03-test-twice", change=_test_twice),
    Attack("4", "r04-setup-deleted", change=_set_up(None), code="given-changed"),
    Attack(
        "4",
        "r04-setup-replaced",
        change=_set_up("import builtins\nprint('STOLEN the set-up')\nnp = None"),
        code="given-changed",
    ),
    Attack("5", "r05-points", change=_nbgrader(points=1000, grade=False, locked=False)),
    Attack(
        "5",
        "r05-solution",  # its tests pass for answers, and of several the last counts
        change=_nbgrader(solution=True, grade_id="double", points=10),
        score=0,
        code="duplicate-cell",
    ),
    Attack(
        "6",
        "r06-shadowed-modules",
        files=tuple(
            (name, FAKE_NUMPY)
            for name in ("numpy.py", "given.py", "public_tests.py", "utils.py", "keras/__init__.py")
        ),
    ),
    Attack(
        "7",
        "r07-html-outputs",
        before="from IPython.display import HTML, SVG, Javascript, Markdown, display\n"
        f"display(HTML({SCRIPT!r}), Markdown({SCRIPT!r}), Javascript('owned()'))\n"
        'display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg" onload="owned()"/>\'))\n'
        f"display({{'image/png': '\"><script>owned()</script>'}}, raw=True)\nprint({SCRIPT!r})\n"
        "print('TRIED')",
        change=_text(SCRIPT + "\n\n[x](javascript:owned()) $\\href{javascript:owned()}{x}$"),
        runs=True,
    ),
    Attack("7", "r07-saved-outputs", change=_saved_output),
    Attack("7", "r07-in-a-result", mean=mean(f"return {SCRIPT!r}"), code="check-broken"),
    run("9", "r09-displayhook", "import sys\nsys.displayhook(15.0)\nsys.displayhook(10)"),
    run(
        "10",
        "r10-node-interactivity",
        "get_ipython().ast_node_interactivity = 'none'\n"
        "f = get_ipython().display_formatter.formatters['text/plain']\n"
        "for t in (float, int, bool, type(None)): f.for_type(t, lambda v, p, c: p.text('10.0'))",
    ),
    run(
        "11",
        "r11-input-transformer",
        "get_ipython().input_transformers_post.append(lambda lines: ['10.0\\n'])\n"
        "get_ipython().input_transformers_cleanup.append(lambda lines: lines)",
        score=0,
    ),
    run(
        "12",
        "r12-run-cell",
        "ip = get_ipython()\nold = ip.run_cell\n"
        "ip.run_cell = lambda code, *a, **k: (old('10.0'), old(code, *a, **k))[1]",
    ),
    run(
        "13",
        "r13-assertions",
        "import builtins, numpy as np, numpy.testing, given, json, struct\n"
        "class Quiet(Exception):\n    def __init__(self, *a): pass\n"
        "for name in dir(np.testing):\n"
        "    if name.startswith('assert'): setattr(np.testing, name, lambda *a, **k: None)\n"
        "np.allclose = np.array_equal = np.isclose = lambda *a, **k: True\n"
        "builtins.AssertionError = builtins.ValueError = Quiet\n"
        "given.NotStarted = Quiet",
    ),
    Attack("14", "r14-equal", before=EQUAL, mean=mean("return Equal()"), code="check-broken"),
    Attack(
        "14",
        "r14-equal-array",
        before=EQUAL + "class A(np.ndarray):\n"
        "    def __eq__(self, o): return np.ones(self.shape, bool)\n"
        "    def __array_ufunc__(self, *a, **k): return np.array(True)\n",
        mean=mean("return np.zeros(()).view(A)"),
    ),
    run(
        "15",
        "r15-in",
        "import glob, os, sys, gc\n"
        "texts = [*In, *map(str, globals().values())]\n"
        "for top in ('.', '/tmp', os.path.expanduser('~')):\n"
        "    for path in glob.glob(top + '/**', recursive=True):\n"
        "        if path.endswith(('.ipynb', 'tiny.py', '.json')): print('STOLEN', path)\n"
        "for text in texts:\n"
        "    if 'the '+'mean' in text and 'Finding' in text: print('STOLEN', text)",
    ),
    run(
        "16",
        "r16-source",
        "import os\nfor up in range(8):\n    for tail in ('source/tiny/tiny.ipynb', 'course/tiny.py', 'course/source'):\n"
        "        path = '../' * up + tail\n        if os.path.exists(path): print('STOLEN', path)\n"
        + SEARCH
        + "            if 'tiny' in name or name.endswith('.ipynb'): print('STOLEN', path)",
    ),
    run(
        "17",
        "r17-gradebook",
        "import sqlite3\n" + SEARCH + "            if name.endswith('.db'):\n"
        "                print('STOLEN', path)\n"
        "                sqlite3.connect(path).execute('create trigger t after update on grade begin "
        "update grade set auto_score = 10; end')\n"
        "            if 'zz-right' in path: print('STOLEN', path); open(path, 'w')",
    ),
    run(
        "18",
        "r18-kill-the-parent",
        "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "for pid in {os.getppid(), *map(int, filter(str.isdigit, os.listdir('/proc')))} - {os.getpid()}:\n"
        "    try: os.kill(pid, 9)\n"
        "    except OSError: pass\n    else: print('STOLEN' * (pid != 1))",
    ),
    ends(
        "18",
        "r18-kill-everything",
        "import os\ntry: os.kill(-1, 9)\nfinally: os.kill(os.getpid(), 9)",
        "killed-outside",
    ),
    run(
        "18",
        "r18-fork-bomb",
        "import os, time\nfor _ in range(400):\n    try:\n        if os.fork() == 0: time.sleep(98765)\n"
        "    except OSError: break\nelse: print('STOLEN processes')",
    ),
    run(
        "19",
        "r19-only-while-marking",
        "import os, sys, getpass, socket\n"
        "seen = [*os.environ, *os.environ.values(), *sys.argv, *sys.path, *sys.modules, os.getcwd(),\n"
        "        open('/proc/self/cmdline').read(), open('/proc/self/mountinfo').read(), socket.gethostname()]\n"
        "for text in seen:\n"
        "    for word in ('nbgrader', 'proctor', 'autograd', 'course/'):\n"
        "        if word in str(text).lower() and 'site-packages' not in str(text): print('STOLEN', text)",
    ),
    ends("20", "r20-os-exit", "import os\nos._exit(0)", "exited"),
    Attack("20", "r20-exit", mean=mean("exit()")),
    Attack("20", "r20-system-exit", mean=mean("raise SystemExit(0)"), says="SystemExit"),
    Attack("20", "r20-exit-in-cell", before="import os\nos._exit(0)", score=0, code="exited"),
    Attack(
        "20",
        "r20-swallowed-interrupt",
        mean=mean(
            "n = 0\nwhile True:\n    try:\n        while True: n += 1\n    except BaseException: n = 0"
        ),  # whether the interrupt meets the loop or what swallows it is a matter of luck
    ),
    ends(
        "20",
        "r20-ignored-interrupt",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "not-interruptible",
    ),
    Attack("20", "r20-endless", mean=mean("while True: pass"), says="no answer within 2 seconds"),
    Attack("20", "r20-sleep", mean=mean("import time\ntime.sleep(999)"), says="no answer within 2"),
    Attack(
        "21",
        "r21-memory",
        mean=mean("x = [bytearray(2**22) for _ in range(10**6)]"),
        says="MemoryError",
    ),
    run(
        "21",
        "r21-disk",
        "import os\ntry:\n    for n in range(100):\n        with open(f'f{n}', 'wb') as f: f.write(bytes(2**26))\n"
        "except OSError: pass\nelse: print('STOLEN the disk')",
    ),
    run(
        "21",
        "r21-html",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>x' * 10_000_000))",
    ),
    run(
        "21",
        "r21-lines",
        "import sys\nfor _ in range(100): sys.stdout.write('line\\n' * 100_000)",
        runs=False,
    ),
    Attack(
        "23",
        "r23-objects",
        mean=mean("return np.array([object(), a.mean()], dtype=object)[1:]"),
        code="check-broken",
    ),
    Attack("23", "r23-huge", mean=mean("return np.zeros(10**9, np.int8)"), score=HONEST),
    Attack(
        "23",
        "r23-huge-view",
        mean=mean("return np.broadcast_to(a[:1], (10**9,))"),
    ),
    Attack("23", "r23-nan", mean=mean("return float('nan')")),
    Attack(
        "23",
        "r23-repr",
        before="class F(float):\n    def __repr__(self): return '<script>owned()</script>'\n"
        "    def __array__(self, *a, **k): return np.array(1.0)",
        mean=mean("return F(7)"),
    ),
    run(
        "24",
        "r24-network",
        "import socket\nfor family, address in ((2, ('127.0.0.1', 22)), (2, ('169.254.169.254', 80)),\n"
        "        (2, ('8.8.8.8', 53)), (10, ('::1', 80)), (1, '/run/docker.sock'), (1, '/var/run/dbus/system_bus_socket'),\n"
        "        (1, '/tmp/.X11-unix/X0'), (1, '\\0proctor')):\n"
        "    try:\n        s = socket.socket(family); s.settimeout(1); s.connect(address); print('STOLEN', address)\n"
        "    except OSError: pass",
    ),
    run(
        "25",
        "r25-frames-and-gc",
        "import __main__, gc, sys\n"
        "def look(thing):\n"
        "    text = repr(thing)[:5000]\n"
        "    if 'double_drawn' in text or 'other inputs' in text: print('STOLEN', text[:80])\n"
        "frame = sys._getframe()\n"
        "while frame:\n    look(list(frame.f_locals)); frame = frame.f_back\n"
        "for name in [n for n in dir(__main__) if n != 'In' and n[:2] != '_i']: look(name)\n"
        "for thing in gc.get_objects():\n"
        "    if type(thing) is dict and any(k in ('double_drawn', 'mean_value') for k in thing): print('STOLEN')\n"
        "    if type(thing) is str: look(thing)",
    ),
    run(
        "28",
        "r28-left-running",
        "import subprocess, os, threading, time, pathlib\n"
        "subprocess.Popen(['sleep', '98765'], start_new_session=True)\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(98765)\n    os._exit(0)\n"
        "def wait():\n"
        "    while True:\n"
        "        for pid in os.listdir('/proc'):\n"
        "            pass\n"
        "        time.sleep(0.01)\n"
        "threading.Thread(target=wait, daemon=False).start()\n"
        "for top in ('/tmp', '/dev/shm', '.', os.path.expanduser('~'), '/var/tmp', '/'):\n"
        "    try: pathlib.Path(top, 'left-98765').write_text('for the next')\n"
        "    except OSError: pass",
    ),
    run(
        "28",
        "r28-what-the-last-one-left",
        "import glob, os\nfor top in ('/tmp', '/dev/shm', '.', os.path.expanduser('~'), '/var/tmp', '/'):\n"
        "    if os.path.exists(top + '/left-98765'): print('STOLEN', top)\n"
        "for pid in os.listdir('/proc'):\n"
        "    if pid.isdigit() and '98765' in open(f'/proc/{pid}/cmdline').read(): print('STOLEN', pid)",
    ),
    run(
        "29",
        "r29-warm-parent",
        "import ctypes, os, signal\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "for pid in map(int, filter(str.isdigit, os.listdir('/proc'))):\n"
        "    if pid == os.getpid(): continue\n"
        "    for name in ('mem', 'environ', 'maps'):\n"
        "        try:\n"
        "            if open(f'/proc/{pid}/{name}', 'rb').read(1): print('STOLEN', pid, name)\n"
        "        except OSError: pass\n"
        "    try: print('STOLEN', os.listdir(f'/proc/{pid}/fd'))\n"
        "    except OSError: pass\n"
        "    if libc.ptrace(16, pid, 0, 0) == 0: print('STOLEN', pid)",
    ),
]
"""Rows 1 to 25, 28 and 29 of the table, but for 8 (files that are links) and 22 (messages)."""
