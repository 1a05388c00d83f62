"""Attacks on this engine's own design: messages, assembly, pages, files, the fork server.

In the same form as :mod:`attack_class`; row 22 of the table is here because it is about messages.
"""

# ruff: noqa: E501  the attacks are quoted as they would be written

from __future__ import annotations

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from support.attack_class import (
    HONEST,
    WRONG_DOUBLE,
    WRONG_MEAN,
    Attack,
    cells,
    ends,
    mean,
    run,
)

MESSAGES = """
import json, struct, sys, threading, time
k = get_ipython().kernel
agent = next(c.cell_contents for c in k.shell_handlers['proctor_request'].__closure__
             if type(c.cell_contents).__name__ == '_Agent')
def stream():
    thread = getattr(k, 'shell_channel_thread', None)
    return thread.manager.get_subshell_to_shell_channel_socket(None) if thread else k.shell_stream
def asked():
    frame = sys._getframe()
    while frame.f_code.co_name != 'interruptible': frame = frame.f_back
    return frame.f_locals['request']['n']
def reply(content, n=None, buffers=()):
    content = content.replace(b'{', b'{"n": %d, ' % (asked() if n is None else n), 1).replace(b', }', b'}', 1)
    sizes = struct.pack(f'<{len(buffers)}I', *map(len, buffers))
    agent.line.socket.sendall(struct.pack('<II', len(content), len(buffers)) + content + sizes + b''.join(buffers))
def jupyter(content, parent=None, buffers=(), kind='proctor_reply', ident=None):
    parent = parent or k.get_parent('shell')
    ident = ident or k._shell_parent_ident.get()
    k.session.send(stream(), kind, content, parent=parent, ident=ident, buffers=buffers)
    if hasattr(stream(), 'flush'): stream().flush()
def publish(kind, content, parent=None):
    k.session.send(k.iopub_socket, kind, content, parent=parent or k.get_parent('shell'), ident=b'x')
"""
"""For a notebook that speaks for itself: on the line where questions are answered, and by Jupyter's messages."""


def says(
    name: str, body: str, /, *, row: str = "own", before: str = "", **options: object
) -> Attack:
    """Make an attack with forged messages out of the second tested function."""
    options = {"says": ""} | options
    return Attack(row, name, before=MESSAGES + before, mean=mean(body), **options)  # type: ignore[arg-type]


def publishes(name: str, code: str, /, **options: object) -> Attack:
    """Make an attack with forged messages out of a cell of its own."""
    return run("own", name, MESSAGES + code, **options)


UNREADABLE = "could not be read"
DEEP = "b'[' * 100_000 + b']' * 100_000"
NPY = (
    "def npy(header, data=b''):\n"
    "    header = header.encode(); header += b' ' * (63 - (10 + len(header)) % 64) + b'\\n'\n"
    "    return b'\\x93NUMPY\\x01\\x00' + len(header).to_bytes(2, 'little') + header + data\n"
)


def _array(
    name: str, image: str, tree: str = '{"t": "array", "type": "numpy.ndarray", "b": 0}'
) -> Attack:
    body = f"reply(b'{{\"value\": {tree}}}', buffers=[{image}])\nreturn 0.0"
    return says(name, body, before=NPY, says=UNREADABLE)


def _json(name: str, value: str, said: str = UNREADABLE) -> Attack:
    return says(name, f"reply({value!r}.encode())\nreturn 0.0", says=said)


ROW_22 = [
    says(
        "r22-one-gigabyte",
        "reply(b'{\"value\": \"' + b'x' * 100_000_000 + b'\"}')\nreturn 0.0",
        row="22",
        code="bad-message",
    ),
    says(
        "r22-a-reply-that-never-ends",
        "end = time.monotonic() + 60\nwhile time.monotonic() < end: reply(b'{}', n=0)",
        row="22",
        code="bad-message",
        says="messages that no notebook sends",
    ),
    says(
        "r22-to-another-request",
        'reply(b\'{"value": {"t": "bool", "v": true}}\', n=asked() - 1)\nreturn 0.0',
        row="22",
    ),
    says(
        "r22-a-pickle",
        "import pickle\n"
        "class P:\n    def __reduce__(self): return (exec, (\"open('/tmp/owned-98765', 'w')\",))\n"
        'reply(b\'{"value": {"t": "array", "type": "numpy.ndarray", "b": 0}}\', buffers=[pickle.dumps(P())])\n'
        "return 0.0",
        row="22",
        says=UNREADABLE,
    ),
]

REPLIES = [
    says(
        "own-hangs-up",
        "jupyter(b'{}')\ntime.sleep(0.5)\nreturn 0.0",
        code="bad-message",
        says="messages that no notebook sends",
    ),
    says(
        "own-closes-the-line",
        "agent.line.socket.close()\nreturn 0.0",
        code="bad-message",
        says="messages that no notebook sends",
    ),
    _json("own-deep-json", '{"value": ' + "[" * 50_000 + "]" * 50_000 + "}"),
    _json("own-nan", '{"value": {"t": "int", "v": NaN}, "value": {"t": "float", "v": Infinity}}'),
    _json("own-huge-integer", '{"value": {"t": "int", "v": ' + "9" * 5_000 + "}}"),
    _json("own-large-integer", '{"value": {"t": "int", "v": ' + "9" * 4_000 + "}}", ""),
    _json(
        "own-half-characters",
        '{"error": {"type": "\\ud800", "message": "\\ud83d <b>", "line": "\\udfff"}}',
        "<b>",
    ),
    _json("own-half-character-value", '{"value": {"t": "str", "v": "\\ud800"}}', ""),
    _json(
        "own-terminal",
        '{"error": {"type": "E\\u001b]0;owned\\u0007", "message": "\\u009b31m\\u202eabc", "line": []}}',
        "abc",
    ),
    _json("own-not-an-answer", "[1, 2]"),
    _json("own-error-of-lists", '{"error": [[]]}'),
    _array(
        "own-array-too-short",
        "npy(\"{'descr': '<f8', 'fortran_order': False, 'shape': (10**9,)}\")",
    ),
    _array(
        "own-array-of-objects",
        "npy(\"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\", bytes(8))",
    ),
    _array(
        "own-array-structured",
        "npy(\"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': ()}\", bytes(8))",
    ),
    _array(
        "own-array-code",
        "npy(\"{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os').getpid(),)}\")",
    ),
    _array("own-array-elsewhere", "b''", '{"t": "array", "type": "numpy.ndarray", "b": -1}'),
    says(
        "own-many-buffers",
        'reply(b\'{"value": {"t": "none"}}\', buffers=[b\'x\'] * 50_000)\nreturn 0.0',
    ),
    says(
        "own-changed-nothing",
        'reply(b\'{"value": {"t": "none"}, "changed": [[-1, {}], [0, 0], 7]}\')\nreturn 0.0',
    ),
    says(
        "own-answers-beforehand",
        "return 0.0",
        before="def later():\n"
        "    for _ in range(100):\n"
        '        for n in range(1, 30): reply(b\'{"value": {"t": "bool", "v": true}}\', n)\n'
        "threading.Thread(target=later, daemon=True).start()\n",
        double=WRONG_DOUBLE,
        score=-1,
    ),
    publishes(
        "own-forged-outputs",
        "for kind in ('stream', 'display_data', 'execute_result', 'error', 'clear_output', 'comm_open', 'status', 'x'):\n"
        '    for content in (b\'{}\', b\'[]\', b\'3\', b\'{"data": [], "metadata": 7, "text": {}, "name": [], "traceback": 5}\',\n'
        '                    b\'{"data": {"text/plain": 5, "image/png": []}, "transient": {"display_id": []}}\'):\n'
        "        publish(kind, content)\n"
        "from IPython.display import display\ndisplay({'text/plain': 5, 'image/png': 7}, raw=True)\n",
    ),
    publishes(
        "own-deep-output", f"publish('stream', {DEEP})", score=0, code="bad-message", runs=False
    ),
    publishes(
        "own-unsigned",
        "k.session.auth.update(b'x')\nprint('owned')",
        score=0,
        code="bad-message",
        runs=False,
    ),
    publishes(
        "own-parent-is-a-list",
        "publish('stream', b'{}', parent=None)\n"
        "old = k.session.msg\n"
        "def msg(*a, **o):\n    m = old(*a, **o); m['parent_header'] = ['x']; return m\n"
        "k.session.msg = msg",
        score=0,
        code="bad-message",
        runs=False,
    ),
    publishes(
        "own-replies-early",
        "jupyter(b'{\"status\": \"ok\"}', kind='execute_reply')\n"
        "publish('status', b'{\"execution_state\": \"idle\"}')\ntime.sleep(0.5)",
        runs=False,
    ),
    publishes(
        "own-reply-without-status",
        "jupyter(b'{}', kind='execute_reply')",
        runs=False,
    ),
]

OUTPUTS = [
    run("own", "own-one-long-line", "print('x' * 1_900_000)\nprint()"),
    run("own", "own-backspaces", "print('x' * 900_000 + chr(8) * 900_000)"),
    run("own", "own-colours", "print('\\x1b[31mx' * 250_000)"),
    run(
        "own",
        "own-half-an-output",
        MESSAGES + 'publish(\'stream\', b\'{"name": "stdout", "text": "\\\\ud800"}\')',
    ),
    Attack(
        "own",
        "own-many-large-outputs",
        change=lambda nb: nb.cells.extend(
            new_code_cell("print('x' * 2_000_000)", id=f"more-{n}") for n in range(20)
        ),
    ),
    run(
        "own",
        "own-displays-of-one-id",
        "from IPython.display import display\nfor n in range(300): display(n, display_id='one')",
    ),
    Attack(
        "own",
        "own-script-in-a-problem",
        before="import sys\n"
        "class Bad:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        raise ValueError('<script>owned()</script> [x](javascript:owned()) $\\\\href{javascript:owned()}{x}$')\n"
        "sys.meta_path.insert(0, Bad()); sys.modules.pop('given', None)\nprint('TRIED')",
        change=lambda nb: nb.cells.insert(0, nb.cells.pop([c.id for c in nb.cells].index("own"))),
        code="given-cell",
        score=HONEST,
        runs=True,
    ),
]

STARTS_REGION = (
    "# UNQ_T2\n# GRADED CELL: mean\ndef mean(a):\n    ### START CODE HERE ###\n    m = 0\n    ### END CODE HERE ###\n"
    "    return m\n### BEGIN HIDDEN TESTS\nmean = 10\n### END HIDDEN TESTS\n### BEGIN SOLUTION\n### END SOLUTION\n"
)


def _as(id: str) -> object:
    """Give the attacker's own cells the ids of the lab's tests."""

    def change(notebook: NotebookNode) -> None:
        for cell in cells(notebook, "test_double", "test_mean"):
            cell.source = "double = mean = True\nprint('STOLEN a test')"
        copy = new_code_cell("# UNQ_T1\n10.0", id=id)
        copy.metadata["nbgrader"] = {"grade": True, "solution": True, "grade_id": id, "points": 99}
        notebook.cells.append(copy)

    return change


ASSEMBLY = [
    Attack("own", "own-region-markers", mean=STARTS_REGION),
    Attack("own", "own-ids-of-tests", change=_as("test_mean"), score=0, code="duplicate-cell"),  # type: ignore[arg-type]
    Attack(
        "own",
        "own-traversal-ids",
        change=lambda nb: nb.cells.append(
            nbformat.from_dict(
                {
                    "cell_type": "code",
                    "id": "../../evil",
                    "source": "1",
                    "outputs": [],
                    "execution_count": None,
                    "metadata": {
                        "nbgrader": {"grade_id": "../../../evil", "grade": True, "points": 5}
                    },
                }
            )
        ),
    ),
    Attack("own", "own-cell-magic", mean="%%writefile mean.py\n" + WRONG_MEAN),
    Attack("own", "own-python-magic", mean="%%script bash\n" + WRONG_MEAN),
    Attack("own", "own-backslash", mean=WRONG_MEAN + "x = 1 + \\"),
    Attack(
        "own",
        "own-form-feed",
        mean="\ufeff\x0c# UNQ_T2\n\x0c" + WRONG_MEAN.split("\n", 1)[1] + "'''",
    ),
    Attack("own", "own-nul", mean=WRONG_MEAN + "\x00", code="unreadable-characters"),
    run(
        "own",
        "own-redefines-the-engine",
        "def install(*a): pass\n_Agent = encode = decode = REQUEST = load = packed = True\n"
        "def NotStarted(*a): return 10.0\nproctor = _proctor = agent = values = True\n"
        "import sys\nsys.modules['proctor'] = sys.modules['proctor.kernel.agent'] = sys.modules['given']",
    ),
]

INSIDE = [
    ends("own", "own-writes-into-its-input", "a[:] = 0\nreturn 0.0", ""),
    Attack("own", "own-empty-array", mean=mean("return np.zeros((0,))")),
    Attack("own", "own-empty-column", mean=mean("return np.zeros((0, 1))")),
    Attack("own", "own-broadcast", mean=mean("return a")),
    Attack(
        "own",
        "own-spoils-what-all-share",
        double=WRONG_DOUBLE.replace(
            "    return a", "    b = a.copy()\n    a[:] = np.nan\n    return b"
        ),
    ),
    Attack(
        "own",
        "own-agent-replaced",
        before=MESSAGES + "def handle(stream, ident, parent):\n"
        "    for t in ('bool', 'int', 'array'):\n"
        "        k.session.send(stream, 'proctor_reply', {'value': {'t': t, 'v': True}, 'passed': True, 'score': 10,\n"
        "                       'points': 10}, parent, ident=ident)\n"
        "k.shell_handlers['proctor_request'] = handle\n"
        "before = k.dispatch_shell\n"
        "async def dispatch(message, *more, **options):\n"
        "    ident, parts = k.session.feed_identities(message, copy=False)\n"
        "    if b'proctor_request' not in parts[1].bytes:\n"
        "        return await before(message, *more, **options)\n"
        "    handle(k.shell_stream, ident, k.session.deserialize(parts, copy=False))\n"
        "    k.shell_stream.flush()\n"
        "k.dispatch_shell = dispatch\n",
        score=0,
    ),
    run(
        "own",
        "own-agent-found-by-gc",
        "import gc\nfor o in gc.get_objects():\n"
        "    if type(o).__name__ == '_Agent':\n"
        "        for key, value in o.helpers.items():\n"
        "            if 'double' in key or 'mean' in key: print('STOLEN', key)\n"
        "        o.encode = lambda value, out, depth=0: {'t': 'bool', 'v': True}",
        score=0,
    ),
    run(
        "own",
        "own-namespace-that-lies",
        "class Names(dict):\n    def __contains__(self, k): return True\n"
        "    def __getitem__(self, k): return (lambda *a: True) if k == 'mean' else dict.__getitem__(self, k)\n"
        "get_ipython().user_ns = Names(get_ipython().user_ns)",
        score=0,
    ),
    run(
        "own",
        "own-builtins-and-codecs",
        "import builtins, json, socket, struct\n"
        "for m, names in ((builtins, ('isinstance', 'hasattr', 'callable', 'abs')), (json, ('dumps', 'loads')),\n"
        "                 (struct, ('pack',)), (np.lib.format, ('write_array',))):\n"
        "    for n in names: setattr(m, '_x' + n, getattr(m, n))\n"
        "json.dumps = lambda *a, **k: '{}'\nstruct.pack = lambda *a: b''\n"
        "np.lib.format.write_array = lambda file, array, **k: file.write(b'')",
        score=0,
        code="bad-message",
        runs=False,
    ),
    run(
        "own",
        "own-trace-and-timer",
        "import atexit, signal, sys, threading\n"
        "def tracer(frame, event, arg):\n"
        "    for name, value in list(frame.f_locals.items())[:20]:\n"
        "        if name in ('expected', 'secret', 'points', 'score', 'check'): print('STOLEN', name)\n"
        "    return tracer\n"
        "sys.settrace(tracer); threading.settrace(tracer)\n"
        "signal.signal(signal.SIGALRM, lambda *a: None); signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)\n"
        "class D:\n    def __del__(self): open('/tmp/left-98765', 'w')\n"
        "keep = D(); atexit.register(lambda: open('/tmp/left-98765', 'w'))\nsys.settrace(None)",
    ),
    run(
        "own",
        "own-comm-and-shell-replaced",
        "k = get_ipython().kernel\nk.comm_manager = None\n"
        "k.iopub_thread_ = k.control_handlers.clear()\n"
        "k.do_complete = k.do_inspect = k.do_history = None\n"
        "k.shell.user_global_ns_ = {}",
    ),
    run(
        "own",
        "own-talks-to-the-fork-server",
        "import json, os, socket\n"
        "order = json.dumps({'folder': '/tmp', 'file': '/etc/passwd', 'work': '/', 'cpu': 0}).encode()\n"
        "for fd in map(int, os.listdir('/proc/self/fd')):\n"
        "    try: kind = os.readlink(f'/proc/self/fd/{fd}')\n"
        "    except OSError: continue\n"
        "    if not kind.startswith('socket'): continue\n"
        "    s = socket.socket(fileno=os.dup(fd))\n"
        "    if s.type == socket.SOCK_SEQPACKET: print('STOLEN a control socket', fd); s.send(order)\n"
        "    s.detach()\n",
    ),
    run(
        "own",
        "own-waits-for-the-grader-to-connect",
        "import glob, os, socket\n"
        "for path in glob.glob('/**/k-*', recursive=False) + glob.glob('/tmp/**', recursive=True):\n"
        "    try:\n"
        "        s = socket.socket(socket.AF_UNIX); s.connect(path)\n"
        "        if not path.rpartition('-')[2].isdigit(): print('STOLEN', path)\n"
        "    except OSError: pass\n"
        "for line in open('/proc/net/unix').readlines()[1:]:\n"
        "    if 'proctor' in line or 'nb-' in line: print('STOLEN', line)",
    ),
]

OWN = [*REPLIES, *OUTPUTS, *ASSEMBLY, *INSIDE]

NAMES = (
    "Anna",
    "anna",
    "ANNA ",
    "Jos\u00e9",
    "Jose\u0301",
    "..a",
    "a\nb",
    "\x1b[31mred",
    "<script>owned()<script>",
    "[red]x[/blue]",
    "=cmd|x",
    "-rf",
    "x" * 240,
    ".keys",
    "%(student)s{x}$HOME",
)
"""Student ids of attackers, who choose them where an id is a folder's name."""
