"""The examiner's hand in the student's process: answers requests for values.

This file and :data:`MODULES`, compiled, are sent to a kernel before any of the student's code
runs. :func:`install` adds one handler to the kernel's shell channel. A request names an object
and carries data; the reply carries data. Nothing here knows an expected answer, and nothing that
comes from here is believed: a student who replaces it can only send other values.

It travels without the package around it, so it imports the standard library, NumPy and IPython
alone. It keeps its own copy of ``builtins``, and compares arrays by their bytes, so that a student
who replaces functions there or in NumPy does not change what it says.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import importlib.util
import io
import marshal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np

MODULES = (
    "proctor.kernel.channel",
    "proctor.kernel.answering",
    "proctor.kernel.dataframes",
    "proctor.kernel.arrays",
    "proctor.kernel.object_forms",
    "proctor.kernel.value_forms",
    "proctor.kernel.values",
    "proctor.kernel.check_values",
    "proctor.kernel.figures",
    "proctor.lift.both_ends",
    "proctor.lift.references",
    "proctor.lift.student_codec",
    "proctor.lift.cell_code",
    "proctor.lift.student_end",
)
"""What travels along, in the order in which each imports the ones before."""
REQUEST = "proctor_request"
REPLY = "proctor_reply"
QUESTION = "proctor_question"
"""What a helper asks while a cell runs, on the output channel: a name."""
ANSWER = "proctor_answer"
"""The bytes of that name, on the channel for input; no bytes if there are none."""
ANSWER_SECONDS = 10.0
"""How long a helper waits for an answer."""
MAX_MESSAGE = 2_000


def load(name: str, codes: list[CodeType]) -> dict[str, Any]:
    """Run code in one namespace and return it; no module of that name stays behind.

    While it runs the module has to be in ``sys.modules``: ``dataclasses`` looks there.
    """
    module = ModuleType(name)
    module.__dict__["__builtins__"] = vars(builtins).copy()
    sys.modules[name] = module
    try:
        for code in codes:
            exec(code, module.__dict__)
    finally:
        del sys.modules[name]
    return module.__dict__


def load_modules(codes: list[tuple[str, CodeType]]) -> dict[str, dict[str, Any]]:
    """Run modules that import each other by their names; none of these stays behind."""
    made: dict[str, ModuleType] = {}
    for name, _ in codes:
        parts = name.split(".")
        for place in range(1, len(parts) + 1):
            full = ".".join(parts[:place])
            made.setdefault(full, ModuleType(full)).__dict__.setdefault("__path__", [])
    kept = {name: sys.modules.get(name) for name in made}
    try:
        for name, module in made.items():
            module.__dict__["__builtins__"] = vars(builtins).copy()
            sys.modules[name] = module
        for name, code in codes:
            exec(code, made[name].__dict__)
            package, _, last = name.rpartition(".")
            setattr(made[package], last, made[name])
    finally:
        for name, before in kept.items():
            del sys.modules[name]
            if before is not None:
                sys.modules[name] = before
    return {name: made[name].__dict__ for name, _ in codes}


def install(
    shell: Any, modules: list[tuple[str, CodeType]], helpers: list[tuple[str, CodeType]]
) -> None:
    """Add the request handler to the kernel of `shell`; see :func:`prepare`."""
    prepare(modules, helpers)(shell)


def prepare(
    modules: list[tuple[str, CodeType]], helpers: list[tuple[str, CodeType]]
) -> Callable[[Any], None]:
    """Run all that travels; return what adds the request handler to the kernel of a shell.

    Parameters
    ----------
    modules : list of (str, code)
        :data:`MODULES`, compiled.
    helpers : list of code
        The lab's helper files, compiled.
    """
    own = load_modules(modules)
    space = load("proctor_helpers", [code for _, code in helpers])

    def attach(shell: Any) -> None:
        kernel = shell.kernel
        space["ask_examiner"] = _asking(kernel)
        agent = _Agent(shell, own, space)
        send = kernel.session.send

        def handle(stream: Any, ident: Any, parent: Any) -> None:
            content, buffers = agent.answer(parent["content"], parent["buffers"])
            send(stream, REPLY, content, parent, ident=ident, buffers=buffers)

        kernel.shell_handlers[REQUEST] = handle
        # `exit()` would end it a tenth of a second later: too late for some cells, and not for others.
        shell.ask_exit = lambda: None
        _say_less(kernel)
        _read_once(shell)

    return attach


def _say_less(kernel: Any) -> None:
    """Leave out what the examiner does not read: a cell's code, and that it begins."""
    publish_status = kernel._publish_status

    def publish_last(status: str, *args: Any, **kwargs: Any) -> None:
        if status != "busy":
            publish_status(status, *args, **kwargs)

    kernel._publish_status = publish_last
    kernel._publish_execute_input = lambda *args, **kwargs: None


def _read_once(shell: Any) -> None:
    """Have a cell translated to Python once: ipykernel asks for it, and then IPython again."""
    transform = shell.transform_cell
    known: dict[tuple[int, str], str] = {}

    def transform_cell(raw: str) -> str:
        place = shell.execution_count, raw
        if place in known:
            return known.pop(place)  # a cell that is run again may mean something else by then
        known.clear()
        known[place] = cell = transform(raw)
        return str(cell)

    shell.transform_cell = transform_cell


def _asking(kernel: Any) -> Any:
    """Return a function by which helpers ask for what the run on the instructor's solution kept."""
    session, answers = kernel.session, kernel.stdin_socket

    def ask_examiner(name: str) -> bytes | None:
        """Return the bytes of this name; None if there are none, or no cell runs."""
        parent = kernel.get_parent("shell")
        if parent.get("header", {}).get("msg_type") != "execute_request":
            return None
        question = session.send(kernel.iopub_socket, QUESTION, {"name": name}, parent=parent)
        end = time.monotonic() + ANSWER_SECONDS
        while (left := end - time.monotonic()) > 0 and answers.poll(1000 * left):
            message = session.recv(answers)[1]
            of = (message or {}).get("parent_header", {}).get("msg_id")
            if of == question["header"]["msg_id"]:
                return bytes(message["buffers"][0]) if message["buffers"] else None
        return None

    return ask_examiner


class _Agent:
    def __init__(
        self, shell: Any, modules: dict[str, dict[str, Any]], helpers: dict[str, Any]
    ) -> None:
        self.shell = shell
        self.names = shell.user_ns
        self.helpers = helpers
        values, hand, figures = (
            _module(modules, one) for one in ("check_values", "student_end", "figures")
        )
        self.draw = figures["describe"]
        self.hand: Any = hand["Hand"](self.names)
        self.own_line = _module(modules, "cell_code")["own_line"]
        self.line: Any = None
        self.answering: Any = _module(modules, "answering")["Answering"](self.answer, self.describe)
        self.encode = values["encode"]
        self.decode = values["decode"]
        self.type_name = values["type_name"]

    def answer(self, request: Any, buffers: Any) -> tuple[dict[str, Any], list[bytes]]:
        out: list[bytes] = []
        try:
            nobody = io.StringIO()  # reads it
            with contextlib.redirect_stdout(nobody), contextlib.redirect_stderr(nobody):
                content = self.run(request, [bytes(part) for part in buffers], out)
        except BaseException as error:  # noqa: BLE001  SystemExit and the like are answers too
            out.clear()
            content = {"error": self.describe(error)}
        return content, out

    def run(self, request: Any, buffers: list[bytes], out: list[bytes]) -> dict[str, Any]:
        operation = request["op"]
        if operation == "ping":
            return {"value": self.encode(None, out)}
        if operation == "get":
            return {"value": self.encode(self.lookup(request["name"]), out)}
        if operation in ("connect", "answer", "serve", "cell"):
            return {"value": self.encode(self.ordered(operation, request), out)}
        args = [self.argument(tree, buffers) for tree in request["args"]]
        kwargs = {key: self.argument(tree, buffers) for key, tree in request["kwargs"].items()}
        if operation == "evaluate":
            space = {**self.names, **self.helpers, **kwargs}
            return {"value": self.encode(eval(request["expression"], space), out)}
        if operation == "figure":
            drawn = self.draw(self.lookup(request["name"]), args, kwargs)
            return {"value": self.encode(drawn, out)}
        before = [arg.tobytes() if isinstance(arg, np.ndarray) else None for arg in args]
        result = self.lookup(request["name"])(*args, **kwargs)
        content = {"value": self.encode(result, out)}
        content["changed"] = [
            [index, self.encode(arg, out)]
            for index, (arg, old) in enumerate(zip(args, before, strict=True))
            if old is not None and arg.tobytes() != old
        ]
        return content

    def ordered(self, operation: str, request: Any) -> Any:
        """Connect to the examiner; answer it, or a judge; run a test cell of an ordinary course here."""
        if operation == "connect":
            line = socket.socket(socket.AF_UNIX)
            line.connect(self.beside_own_sockets(request["name"]))
            self.line = self.hand.channel_to(line)
        elif operation == "answer":
            self.answering.serve(self.line)
        elif operation == "serve":
            self.hand.serve(self.line)
        else:
            return self.hand.run_cell(request["source"], request["file"])
        return None

    def beside_own_sockets(self, name: str) -> str:
        """Path of a socket in the folder of the kernel's own sockets, as it is seen here."""
        return str(Path(self.shell.kernel.parent.ip).parent / name)

    def lookup(self, name: str) -> Any:
        if name not in self.names:
            raise NameError(f"name '{name}' is not defined")
        return self.names[name]

    def argument(self, tree: Any, buffers: list[bytes]) -> Any:
        if tree["t"] == "name":
            return self.lookup(tree["v"])
        if tree["t"] == "helper":
            return self.helpers[tree["v"]]
        return self.decode(tree, buffers)

    def describe(self, error: BaseException) -> dict[str, str]:
        """Say what was raised; a class of the student's may do anything when it is asked."""
        told = {"type": "Exception", "message": "", "line": ""}
        with contextlib.suppress(BaseException):
            name = self.type_name(error)
            if not issubclass(type(error), Exception) or type(error).__module__ == "__main__":
                name = type(error).__name__
            told["type"] = str.__str__(name)
        with contextlib.suppress(BaseException):
            told["message"] = str.__getitem__(str(error), slice(MAX_MESSAGE))
        with contextlib.suppress(BaseException):
            told["line"] = self.own_line(error)
        return told


BOOTSTRAP = f"""
def _proctor():
    import builtins, marshal, traceback
    shell, own = get_ipython(), vars(builtins).copy()
    handlers, send = shell.kernel.shell_handlers, shell.kernel.session.send

    def install(stream, ident, parent):
        try:
            code, modules, helpers = marshal.loads(parent["buffers"][0])
            agent = {{"__name__": "proctor_agent", "__builtins__": own}}
            exec(code, agent)
            agent["install"](shell, modules, helpers)
        except BaseException:
            error = {{"type": "", "message": traceback.format_exc(limit=-4), "line": ""}}
            send(stream, {REPLY!r}, {{"error": error}}, parent, ident=ident)
        else:
            handlers[{REQUEST!r}](stream, ident, parent)

    handlers[{REQUEST!r}] = install
_proctor()
del _proctor
"""
"""Run in a kernel, lets the first request, a ping that carries :func:`packed`, install this agent.

It leaves no name behind. The code itself does not come in a cell: ipykernel hashes each cell byte by
byte in Python.
"""


def packed(helpers: dict[str, str]) -> bytes:
    """Return the code of all that travels, compiled: the kernel's interpreter is this one.

    A fork server runs it once, for all its kernels; elsewhere it goes with the first request.
    """
    own = _compiled("<agent>", Path(__file__).read_text("utf-8"))
    modules = [(name, _compiled(f"<{name}>", _source(name))) for name in MODULES]
    named = [(name, _compiled(name, source)) for name, source in helpers.items()]
    return marshal.dumps((own, modules, named))


@functools.lru_cache(maxsize=16)
def _source(name: str) -> str:
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).read_text("utf-8")


@functools.lru_cache(maxsize=64)
def _compiled(name: str, source: str) -> CodeType:
    return compile(source, name, "exec", dont_inherit=True)


def _module(modules: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """Find a module by the last part of its name."""
    return next((own for full, own in modules.items() if full.endswith(f".{name}")), {})
