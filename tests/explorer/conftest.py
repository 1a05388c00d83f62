"""A trained stand-in, the explorer on it, its page on disk, and a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import standin
from support import browsers, looking, needs

from explorer import Explorer

PANELS = [
    "network",
    "input",
    "softmax",
    "mistakes",
    "learning",
    "training",
    "compare",
    "questions",
]
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Trained:
    """The stand-in's explorer and what it was made of."""

    explorer: Explorer
    model: standin.Model
    other: standin.Model
    recorder: Any
    X: Any
    y: Any


@pytest.fixture(scope="session")
def trained() -> Trained:
    """400-25-15-10, eight epochs on 2,000 digits; another model of one layer; 600 digits to show."""
    X, y = standin.load_digits()
    model = standin.make_model()
    recorder = standin.train(model, X[:2000], y[:2000], epochs=8)
    other = standin.make_model((10,), seed=3)
    standin.train(other, X[:2000], y[:2000], epochs=2)
    shown, labels = X[4000:4600], y[4000:4600]
    explorer = Explorer(model, shown, labels, history=recorder, compare={"one layer": other})
    return Trained(explorer, model, other, recorder, shown, labels)


@pytest.fixture(scope="session")
def page_file(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The offline page."""
    return trained.explorer.save_html(tmp_path_factory.mktemp("page") / "explorer.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    needs.require(needs.chromium)
    with browsers.chromium(*FLAGS) as running:
        yield running


_IN_APP = (
    "(arg) => { const app = document.querySelector('main').explorer; const d = app.now();"
    " return (%s); }"
)


#: A sum over the pixels of the network's picture under the part that `PART` finds.
_UNDER = """(() => { const canvas = document.querySelector('.dlx-stage canvas');
  const at = PART.getBoundingClientRect();
  const frame = canvas.getBoundingClientRect(); const ratio = canvas.width / frame.width;
  const [x, y, w, h] = [at.left - frame.left, at.top - frame.top, at.width, at.height];
  const { data } = canvas.getContext('2d').getImageData(x * ratio, y * ratio, w * ratio, h * ratio);
  return data.reduce((sum, v, k) => (sum * 31 + v * (k % 7 + 1)) % 1000003, 7); })()"""


def under(part: str) -> str:
    """What the network's picture shows under an element, as a number."""
    return _UNDER.replace("PART", part)


class Watched:
    """A page with the explorer in it, and all that went wrong on it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("request", lambda request: self.requests.append(request.url))

    def value(self, expression: str, argument: Any = None) -> Any:
        """An expression's value at rest; it may use `app`, `d` (all derived values) and `arg`."""
        return looking.steady_js(self.page, _IN_APP % expression, argument)

    def becomes(self, expression: str, wanted: Any = True, argument: Any = None) -> None:
        """Wait until an expression of `app`, `d` and `arg` equals `wanted`."""
        looking.eventually_js(self.page, _IN_APP % expression, wanted, argument)

    def has(self, **state: Any) -> None:
        """Wait until these parts of the state are so."""
        self.becomes("Object.fromEntries(arg.map((k) => [k, app.store.state[k]]))", state, [*state])

    def state(self) -> dict[str, Any]:
        """The whole state at rest."""
        return dict(self.value("app.store.state"))

    def set(self, **patch: Any) -> None:
        """Change the state, and wait until it is drawn."""
        looking.act(
            self.page,
            "(patch) => { document.querySelector('main').explorer.store.set(patch);"
            " return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));"
            "}",
            patch,
        )


@pytest.fixture
def open_page(browser: Any, page_file: Path) -> Iterator[Callable[..., Watched]]:
    """Open the page from disk, with a script that runs before its own."""
    contexts = []

    def opened(
        hash: str = "",
        width: int = 1280,
        height: int = 800,
        file: Path = page_file,
        script: str = "",
        **options: Any,
    ) -> Watched:
        # What moves is looked at where it is wanted; elsewhere every step is there at once.
        options = {"reduced_motion": "reduce", **options}
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.set_default_timeout(looking.PATIENCE)
        if script:
            context.add_init_script(script)
        watched = Watched(context.new_page())
        watched.page.goto(f"{file.as_uri()}#{hash}")
        watched.page.wait_for_selector(".dlx[data-ready], .dlx-failure")
        return watched

    yield opened
    for context in contexts:
        context.close()
