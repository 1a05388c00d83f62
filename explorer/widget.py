"""The explorer in a notebook: an anywidget around the bundle."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike, NDArray

from .errors import ExplorerError
from .pack import pack
from .page import Static, asset, page
from .saved import saved

DEFAULT_TITLE = "How the network reads a digit"


class Explorer(anywidget.AnyWidget):  # type: ignore[misc]  # AnyWidget is Any to mypy here
    """See a digit go through your own network, step by step.

    Parameters
    ----------
    model : keras.Model
        A chain of Dense, Conv2D, pooling, Flatten, BatchNormalization, Rescaling and Dropout layers.
    X : (m, n) or (m, rows, columns) or (m, rows, columns, channels)
        Inputs as the model takes them: images, or rows of a table.
    y : (m,) integers
        Their classes, from 0.
    history : Recorder, keras.callbacks.History, dict or None
        A Recorder gives the epoch slider; what ``fit`` returned gives the curves alone.
    compare : mapping of name to model, or to (model, history), optional
        Other models on the same input, to be compared with this one.
    name : str
        What to call the model.
    title : str
        The heading.
    order : "F", "C" or None
        Whether the input is the image column by column or row by row; None: columns for 20x20 (as
        in ex3data1.mat), rows otherwise.
    columns : sequence of str, optional
        Names of a table's columns, where a row of numbers is no image.
    samples : int
        Digits to keep, at most; they are taken evenly from `X`.

    Raises
    ------
    ExplorerError
        If the model or the digits cannot be shown; the message says why and what to do.

    Examples
    --------
    >>> recorder = Recorder()
    >>> model.fit(X_train, y_train, epochs=40, callbacks=[recorder])  # doctest: +SKIP
    >>> Explorer(model, X_test, y_test, history=recorder)  # doctest: +SKIP
    """

    # Traits rather than paths: a missing file is then an ExplorerError here, not at import.
    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    _key = traitlets.Unicode().tag(sync=True)
    bundle = traitlets.Bytes().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    answers = traitlets.List().tag(sync=True)
    # What comes over the wire is a memoryview, which the trait would refuse.
    _picture = traitlets.Bytes().tag(sync=True, from_json=lambda value, _: bytes(value or b""))
    _picture_shape = traitlets.List().tag(sync=True)

    def __init__(
        self,
        model: Any,
        X: ArrayLike,
        y: ArrayLike,
        history: Any = None,
        *,
        compare: Mapping[str, Any] | None = None,
        name: str = "your model",
        title: str = DEFAULT_TITLE,
        order: str | None = None,
        columns: Sequence[str] | None = None,
        samples: int = 1000,
    ) -> None:
        if order not in (None, "F", "C"):
            raise ExplorerError(f"order is {order!r}; give 'F' (columns), 'C' (rows) or None.")
        models = {name: (model, history)}
        for other, given in (compare or {}).items():
            if other in models:
                raise ExplorerError(f"Two models are called “{other}”. Give each its own name.")
            models[other] = given if isinstance(given, tuple) else (given, None)
        self._title = title
        packed = pack(models, X, y, title=title, order=order, columns=columns, limit=samples)
        super().__init__(
            bundle=packed,
            _esm=asset("explorer.js"),
            _css=asset("explorer.css"),
            _key=uuid.uuid4().hex,
        )

    def _ipython_display_(self, **kwargs: Any) -> None:
        """Show the widget, and beside it what stays when the notebook is opened without its kernel."""
        from IPython.display import display

        live = self._repr_mimebundle_(**kwargs)
        data, metadata = live if isinstance(live, tuple) else (live, {})
        display(data, metadata=metadata, raw=True)
        picture = {"text/html": saved(self.bundle, self._title, self._key), "text/plain": ""}
        display(picture, raw=True)

    @property
    def drawing(self) -> NDArray[np.uint8] | None:
        """The picture drawn or loaded in the browser, or None if there is none yet.

        uint8 (rows, columns) for a drawing and (rows, columns, 3) for a loaded picture, dark ink
        on light paper: what ``preprocess`` takes.
        """
        if not self._picture_shape:
            return None
        rows, cols, channels = (int(n) for n in self._picture_shape)
        if len(self._picture) != rows * cols * channels:
            return None
        picture = np.frombuffer(self._picture, dtype=np.uint8)
        shape = (rows, cols) if channels == 1 else (rows, cols, channels)
        return picture.reshape(shape).copy()

    def save_html(self, path: str | Path) -> Path:
        """Write the explorer as one HTML file that opens from disk, without a network."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(self.bundle, self._title), encoding="utf-8")
        return target

    def static(self, height: int = 900) -> Static:
        """Return the explorer as HTML that stays in the notebook when nbconvert exports it."""
        return Static(page(self.bundle, self._title), self._title, height)
