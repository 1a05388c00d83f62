"""Run a notebook of a few cells through the lift, and the same without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proctor.lift import Bench, Cell, Plan, Step, adopt
from proctor.lift.process_handle import Worker, local_bench

__all__ = ["ALWAYS", "LIFTED", "Playing", "a_bench", "cells", "planned", "playing", "step_of"]

ALWAYS = """
class Yes:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __call__(self, *a, **k): return self
    def __getattr__(self, n):
        if n.startswith('__'): raise AttributeError(n)
        return self
    def __len__(self): return 3
    def __iter__(self): return iter([0, 1, 4])
    def __hash__(self): return 0
    __array_ufunc__ = __array_function__ = lambda s, *a, **k: True
"""
"""An object that equals everything."""

# What a test cell does -> a solution, and a test of it; each is judged outside.
LIFTED = {
    "a value": ("x = 2 ** 200", "assert x == 2 ** 200 and type(x) is int"),
    "a mean": ("m = sum([1, 2]) / 2", "assert abs(m - 1.5) < 1e-9"),
    "a set": ("s = {1, 2}", "assert s == {2, 1} and isinstance(s, set)"),
    "text": ("t = 'a' * 100000", "import hashlib\nassert len(t) == 100000\n"
             "assert hashlib.md5(t.encode()).hexdigest() == '1af6d6f2f682f76f80e606aeaaee1680'"),
    "an exception": (
        "def f(n):\n    if n < 0:\n        raise ValueError('negative')\n    return n",
        "try:\n    f(-1)\nexcept ValueError as e:\n    assert 'negative' in str(e)\nelse:\n"
        "    raise AssertionError('did not raise')",
    ),
    "an exception of their own": (
        "class Full(Exception):\n    pass\ndef f():\n    raise Full('x')",
        "try:\n    f()\nexcept Full as e:\n    assert str(e) == 'x'\nelse:\n    assert False",
    ),
    "a name taken away": (
        "def g(x):\n    return x + 1\ndef f(x):\n    return g(x)",
        "kept = g\ndel g\ntry:\n    f(1)\nexcept NameError:\n    pass\nelse:\n"
        "    raise AssertionError('f does not use g')\nfinally:\n    g = kept\nassert f(1) == 2",
    ),
    "a name rebound": (
        "def rate():\n    return 2\ndef price(x):\n    return x * rate()",
        "old = rate\nrate = lambda: 10\nassert price(1) == 10\nrate = old\nassert price(1) == 2",
    ),
    "an argument changed": (
        "def add(items):\n    items.append(4)",
        "mine = [1]\nadd(mine)\nassert mine == [1, 4]",
    ),
    "the same argument back": ("def f(a):\n    a.sort()\n    return a", "m = [2, 1]\nassert f(m) is m"),
    "printed text": (
        "def hello():\n    print('hi', end='!')",
        "import io, contextlib\nout = io.StringIO()\nwith contextlib.redirect_stdout(out):\n"
        "    hello()\nassert out.getvalue() == 'hi!'",
    ),
    "input": (
        "def ask():\n    return int(input('n? ')) + 1",
        "from unittest.mock import patch\nwith patch('builtins.input', lambda p: '41'):\n"
        "    assert ask() == 42",
    ),
    "a class": (
        "class Stack:\n    def __init__(self):\n        self.items = []\n    def push(self, x):\n"
        "        self.items.append(x)\n    def __len__(self):\n        return len(self.items)",
        "s = Stack()\ns.push(3)\nassert len(s) == 1 and s.items == [3]\nassert isinstance(s, Stack)",
    ),
    "a given function taken away": (
        "def base(x):\n    return x + 1\ndef f(x):\n    return base(x) * 2",
        "mine = base\ndel base\ntry:\n    f(1)\nexcept NameError:\n    pass\nelse:\n    assert False\n"
        "finally:\n    base = mine\nassert f(1) == 4",
    ),
    "a picture": (
        "from PIL import Image\np = Image.new('RGB', (3, 2), 'red')",
        "assert p.size == (3, 2) and p.getpixel((0, 0)) == (255, 0, 0)",
    ),
    "a generator": (
        "def evens():\n    n = 0\n    while True:\n        yield n\n        n += 2",
        "g = evens()\nassert [next(g) for _ in range(3)] == [0, 2, 4]",
    ),
    "a function given": (
        "def twice(f, x):\n    return f(f(x))",
        "assert twice(lambda v: v * 3, 2) == 18",
    ),
    "a function returned": ("def adder(n):\n    return lambda x: x + n", "assert adder(2)(3) == 5"),
    "source text": (
        "def total(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t",
        "import inspect\nassert 'for' in inspect.getsource(total)\nassert total(4) == 6",
    ),
    "a seed": (
        "import random\ndef roll():\n    return random.randint(1, 10**9)",
        "import random\nrandom.seed(3)\na = roll()\nrandom.seed(3)\nassert a == roll()\n"
        "random.seed(3)\nassert random.randint(1, 10**9) == a",
    ),
    "a NumPy seed": (
        "import numpy as np\ndef draw():\n    return np.random.rand(2)",
        "import numpy as np\nnp.random.seed(0)\na = draw()\nnp.random.seed(0)\n"
        "assert np.allclose(a, np.random.rand(2))",
    ),
    "an array": (
        "import numpy as np\ndef grow(a):\n    a += 1\n    return a.sum()",
        "import numpy as np\na = np.zeros(3)\nassert grow(a) == 3\nassert (a == 1).all()",
    ),
    "numpy.testing": (
        "import numpy as np\ndef half(a):\n    return np.asarray(a) / 2",
        "import numpy as np\nnp.testing.assert_allclose(half([1, 3]), [0.5, 1.5])\n"
        "np.testing.assert_array_equal(half([2]), [1])",
    ),
    "a figure": (
        "import matplotlib.pyplot as plt\ndef draw():\n    fig, ax = plt.subplots()\n"
        "    ax.plot([1, 2], [3, 4])\n    ax.set_title('Growth')\n    return ax",
        "ax = draw()\nassert ax.get_title() == 'Growth'\n"
        "assert list(ax.get_lines()[0].get_ydata()) == [3, 4]",
    ),
    "a NumPy scalar": ("import numpy as np\nv = np.float32(1.5)", "assert type(v).__name__ == 'float32'"),
    "a frame": (
        "import pandas as pd\nd = pd.DataFrame({'a': [1, 2], 'b': ['x', None]}, index=['r', 's'])",
        "import pandas as pd\nassert list(d.index) == ['r', 's']\nassert d.loc['r', 'a'] == 1\n"
        "pd.testing.assert_frame_equal(d[['a']], pd.DataFrame({'a': [1, 2]}, index=['r', 's']))",
    ),
    "the type of a function": (
        "def f():\n    pass",
        "import types\nassert isinstance(f, types.FunctionType)\n"
        "assert type(f) == types.FunctionType and callable(f)",
    ),
    "a signature": ("def f(a, b=2):\n    return a", "import inspect\n"
                    "assert list(inspect.signature(f).parameters) == ['a', 'b']"),
    "a test's own helper": (
        "def f(x):\n    return x * 2",
        "def check(x, y):\n    assert f(x) == y\ncheck(1, 2)\ncheck(2, 4)",
    ),
    "a class of tests": (
        "def f(x):\n    return x * 2",
        "import unittest\nclass T(unittest.TestCase):\n    def test_f(self):\n"
        "        self.assertEqual(f(2), 4)\nr = unittest.TextTestRunner().run("
        "unittest.defaultTestLoader.loadTestsFromTestCase(T))\nassert r.wasSuccessful()",
    ),
    "a class of named tuples": (
        "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')\n"
        "def f():\n    return Point(1, 2)\n"
        "def g(p):\n    return isinstance(p, Point) and p.x",
        "p = f()\nassert isinstance(p, Point) and p == Point(1, 2) and g(Point(3, 4)) == 3",
    ),
    "a copy of an object": (
        "class Stack:\n    def __init__(self):\n        self.items = []\n"
        "    def push(self, x):\n        self.items.append(x)",
        "import copy\na = Stack()\na.push(1)\nb = copy.deepcopy(a)\nb.push(2)\n"
        "assert a.items == [1] and b.items == [1, 2] and isinstance(b, Stack)",
    ),
    "an open file": (
        "def first(file):\n    return file.readline() + str(len(list(file)))",
        "import pathlib\npathlib.Path('rows.txt').write_text('a\\nb\\nc\\n')\n"
        "with open('rows.txt') as file:\n    assert first(file) == 'a\\n2'",
    ),
    "a path": (
        "def name(path):\n    return path.with_suffix('.py')",
        "from pathlib import Path\nassert name(Path('a/b.txt')) == Path('a/b.py')",
    ),
    "a random state": (
        "def f(rng):\n    return rng.randint(0, 10, 3).tolist()",
        "import numpy as np\nrng = np.random.RandomState(0)\nassert f(rng) == [5, 0, 3]\n"
        "assert f(rng) == [3, 7, 9]",
    ),
    "a global statement": (
        "counter = 0\ndef bump():\n    global counter\n    counter += 1",
        "counter = 5\nbump()\nassert counter == 6",
    ),
}  # fmt: skip


def cells(*pairs: tuple[str, str]) -> list[Cell]:
    """Make cells from pairs of kind and source; their ids are c0, c1..."""
    return [Cell(f"c{n}", kind, source) for n, (kind, source) in enumerate(pairs)]  # type: ignore[arg-type]


@contextmanager
def a_bench(folder: Path) -> Iterator[Bench]:
    """Start a bench in an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with local_bench(folder) as bench:
        yield bench


def planned(bench: Bench, notebook: Sequence[Cell], *, mutants: bool = True) -> Plan:
    """Make the plan of a notebook."""
    return adopt(notebook, bench, cell_seconds=20.0, mutants=mutants)


def step_of(plan: Plan, id: str) -> Step:
    """Find a cell's step."""
    return next(step for step in plan.steps if step.id == id)


class Playing:
    """A submission in a player, with a judge beside it: what a kernel does when marking."""

    def __init__(self, bench: Bench, student: Worker) -> None:
        self.bench, self.student = bench, student
        self._serving = False

    def connect(self) -> Any:
        """Make the line to the judge; the player gets its end when it is to serve."""
        import socket

        self._line, other = socket.socketpair()
        return other

    def run(self, source: str) -> dict[str, Any]:
        """Run a cell of the student's."""
        return self.student.ask("run", source=source, seconds=20.0, watch=False)

    def serve(self) -> None:
        """Answer the judge until it is done."""
        line = self._line.dup()
        self.student.send("serve", line, fork=False, seconds=20.0, mutant=None)
        line.close()
        self.student.answer(40.0)

    def run_cell(self, source: str, name: str) -> dict[str, Any]:
        """Run a test cell there."""
        return self.student.ask("cell", source=source, name=name, seconds=20.0)


@contextmanager
def playing(bench: Bench) -> Iterator[Playing]:
    """Start a student's process."""
    with Worker(bench, "player") as student:
        yield Playing(bench, student)
