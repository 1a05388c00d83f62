"""What the labs load and plot with: one function, one job.

Every figure comes with a description for people who cannot see it (the image's ``alt`` text) and
with one line of text under it that says what it shows. Keras is imported only where it is needed,
so importing this file is quick.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import html
import importlib.metadata
import io
import os
import re
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy import ndimage
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from labkit.cells import why_missing
from labkit.findings import NotStarted

Array = np.ndarray[Any, Any]

OLDEST = {"keras": (3, 10), "numpy": (2, 0), "tensorflow": (2, 20)}
"""The oldest versions that the labs were tested with."""

EXERCISES = {
    "my_softmax": "Exercise 1",
    "model": "Exercise 2",
    "my_dense": "Exercise 3",
    "split_data": "Exercise 4",
    "history": "Exercise 5",
    "predict_digits": "Exercise 6",
    "preprocess": "Exercise 7",
}
"""Which exercise makes a name, for the sentence about a name that is missing."""

GIVEN_IN = {
    "X": "section 2, which loads the digits",
    "y": "section 2, which loads the digits",
    "X_train": "section 5, after Exercise 4",
    "X_test": "section 5, after Exercise 4",
    "y_train": "section 5, after Exercise 4",
    "y_test": "section 5, after Exercise 4",
    "callbacks": "section 6, before Exercise 5",
    "recorder": "section 6, before Exercise 5",
    "digits": "section 7, after Exercise 6",
    "probabilities": "section 7, after Exercise 6",
    "photos": "the beginning of section 8",
    "photo_labels": "the beginning of section 8",
}
"""Which given cell makes a name."""

RUN_IT = (
    "Run that cell first; if it was deleted, use Edit > Undo Delete Cells or take it from a fresh "
    "copy of the notebook."
)

# --- Messages -----------------------------------------------------------------------------------


class LabError(Exception):
    """Something outside your code is not as the lab needs it; the message says what to do."""

    def _render_traceback_(self) -> list[str]:
        return [f"✗ {self}"]


def where_from(error: BaseException) -> str | None:
    """Say which cell makes the name that a ``NameError`` misses; None for other names or errors."""
    name = getattr(error, "name", None) if isinstance(error, NameError) else None
    if not isinstance(name, str):
        return None
    lab = getattr(sys.modules.get("__main__"), "utils_mnist", None)  # in lab_mnist: its names
    exercises, given_in = (lab.EXERCISES, lab.GIVEN_IN) if lab else (EXERCISES, GIVEN_IN)
    if name in exercises:
        cause = why_missing(name)
        return f"`{name}` does not exist yet: " + (
            f"the cell of {exercises[name]} stopped with an error. {cause}"
            if cause
            else f"{exercises[name]} is not started, or its cell was not run or stopped with an "
            f"error. {RUN_IT}"
        )
    if name in given_in:
        return f"`{name}` does not exist yet: it comes from {given_in[name]}. {RUN_IT}"
    if name in ("np", "keras", "Sequential", "Dense", "Input", "Image", "Adam", "NotStarted"):
        return f"`{name}` is imported in section 1: run the notebook's first code cell again."
    return None


def explain_missing_names() -> None:
    """Let IPython answer a cell that was run too early with one sentence instead of a traceback."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return

    def explain(shell: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> None:
        sentence = where_from(error)
        if sentence:
            error._render_traceback_ = lambda: [f"✗ {sentence}"]
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

    shell.set_custom_exc((NameError,), explain)


class needs:
    """Run a cell's body only as far as earlier exercises allow, and say so in one sentence.

    Parameters
    ----------
    *exercises : str
        What the body uses: ``needs("Exercise 2", "Exercise 5")``.
    """

    def __init__(self, *exercises: str) -> None:
        self.exercises = " and ".join(exercises)

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        if kind is None or error is None or not issubclass(kind, Exception):
            return False
        if isinstance(error, NotStarted):
            print(f"… {error.exercise} is not started yet; this cell needs it.")
        elif isinstance(error, LabError):
            print(f"✗ {error}")
        elif sentence := where_from(error):
            print(f"… {sentence}")
        else:
            print(
                f"✗ This cell needs {self.exercises}, and could not use what came from there "
                f"({kind.__name__}: {_first_line(error)}). Run the check of that exercise."
            )
        return True


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else "no message"


def check_packages(oldest: dict[str, tuple[int, int]] = OLDEST) -> None:
    """Raise :class:`LabError` if a package is missing or too old for the lab."""
    for package, least in oldest.items():
        wanted = ".".join(map(str, least))
        remedy = "Run `pip install -r requirements.txt` in a terminal, then restart the kernel."
        try:
            found = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            raise LabError(f"{package} is not installed. {remedy}") from None
        if tuple(int(n) for n in re.findall(r"\d+", found)[:2]) < least:
            raise LabError(
                f"{package} {found} is too old: the lab needs {wanted} or newer. {remedy}"
            )


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keep the start-up notes that TensorFlow writes past Python; show them if the start fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as notes:
        screen = os.dup(2)
        os.dup2(notes.fileno(), 2)
        try:
            yield
        except BaseException:
            notes.seek(0)
            os.write(screen, notes.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


# --- Data ---------------------------------------------------------------------------------------


def load_data(folder: str | os.PathLike[str] = "Data") -> tuple[Array, Array]:
    """Load the 5,000 digits.

    Returns
    -------
    X : ndarray of float64, shape (5000, 400)
        One digit a row: 20x20 pixels, unrolled column by column; ink is bright.
    y : ndarray of int64, shape (5000,)
        Labels as the file has them: 1 to 9, and 10 for a zero.

    Raises
    ------
    LabError
        The file is missing, cannot be read or holds something else.
    """
    path = Path(folder) / "ex3data1.mat"
    if not path.exists():
        raise LabError(
            f"{path} is not in {Path.cwd()}. Open lab_digits.ipynb from the folder it came in; if "
            "the file is missing there too, unpack the lab again."
        )
    remedy = f"Put the {path} that came with the lab back in its place."
    try:
        # Data/ex3data1.mat is a MATLAB file: a dictionary of arrays.
        content = loadmat(os.fspath(path))
    except (
        MatReadError,
        LookupError,
        NotImplementedError,  # a file of MATLAB 7.3
        OSError,
        TypeError,
        ValueError,
        zlib.error,
    ) as error:
        raise LabError(
            f"{path} cannot be read as a MATLAB file ({_first_line(error)}). {remedy}"
        ) from None
    X, y = content.get("X"), content.get("y")
    if X is None or y is None:
        names = ", ".join(name for name in content if not name.startswith("__")) or "nothing"
        raise LabError(f"{path} should hold X and y, and holds {names}. {remedy}")
    if X.shape != (5000, 400) or y.size != 5000:
        raise LabError(
            f"{path} should hold X (5000, 400) and 5,000 labels, and holds X {X.shape} and "
            f"{y.size:,} labels. {remedy}"
        )
    if X.dtype != np.float64 or not np.isfinite(X).all() or not -1 < X.min() <= X.max() < 2:
        raise LabError(f"X in {path} should be float64 brightness between -1 and 2. {remedy}")
    if not np.array_equal(np.unique(y), np.arange(1, 11)):
        raise LabError(f"The labels in {path} should be 1 to 10 (10 is the zero). {remedy}")
    return X, y.ravel().astype(np.int64)


def read_image(path: str | os.PathLike[str], longest: int = 640) -> Array:
    """Read a picture file: uint8, shape (H, W), (H, W, 3) or (H, W, 4), upright.

    A picture whose longer side has more than `longest` pixels is reduced to that.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file)
            if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut at 255
                picture = Image.fromarray((np.asarray(picture) / 257).astype(np.uint8))
            if picture.mode not in ("L", "RGB", "RGBA"):
                see_through = "A" in picture.mode or "transparency" in picture.info
                picture = picture.convert("RGBA" if see_through else "RGB")
            picture.thumbnail((longest, longest))
            return np.array(picture)
    except FileNotFoundError:
        raise LabError(f"There is no file {path} in {Path.cwd()}. Check its name.") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise LabError(
            f"{path} is not a picture that Python can read, or only a part of one; save it again "
            "as PNG or JPEG."
        ) from None


def load_handwriting(
    folder: str | os.PathLike[str] = "Data/handwriting",
) -> tuple[list[Array], Array]:
    """Load the sample photographs: a list of uint8 images and their digits, int64 (n,)."""
    table = Path(folder) / "labels.csv"
    if not table.exists():
        raise LabError(f"{table} is not in {Path.cwd()}. Unpack the lab again.")
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    images = [read_image(Path(folder) / row["file"]) for row in rows]
    return images, np.array([int(row["digit"]) for row in rows])


def find_own_picture(stem: str = "my_digit") -> Path | None:
    """Return the path of your own picture beside the notebook, or None if there is none."""
    found = [
        p for p in sorted(Path().glob(f"{stem}.*")) if p.suffix.lower() in (".png", ".jpg", ".jpeg")
    ]
    return found[0] if found else None


def split_or_lend(
    split: Callable[[], Any], X: Array, y: Array
) -> tuple[Array, Array, Array, Array]:
    """Return what Exercise 4 gives; where it gives nothing usable, hold out every fifth row.

    Parameters
    ----------
    split : function of no argument
        Calls your ``split_data`` and returns X_train, X_test, y_train, y_test.
    """
    try:
        parts = [np.asarray(part) for part in split()]
        shapes = [(p.ndim, p.shape[1:]) for p in parts]
        rows = [part.shape[:1] for part in parts]
        usable = (
            shapes == [(2, X.shape[1:])] * 2 + [(1, ())] * 2
            and rows[:2] == rows[2:]
            and min(rows) > (0,)
        )
        reason = "its four parts do not have the shapes of rows and labels"
    except Exception as error:  # noqa: BLE001  your code may raise anything; the line below says what
        usable = False
        reason = "it is not finished yet"
        if not isinstance(error, NotStarted):
            reason = where_from(error) or f"it raises {type(error).__name__}"
    if usable:
        return parts[0], parts[1], parts[2], parts[3]
    print(
        f"… Exercise 4 cannot be used so far ({reason}). Until then you have a simple split on loan: "
        "every fifth row is held out."
    )
    held = np.arange(len(y)) % 5 == 0
    return X[~held], X[held], y[~held], y[held]


# --- Pictures of digits -------------------------------------------------------------------------


def _cubic(t: Array) -> Array:
    """Cubic convolution with a = -0.5 (Keys 1981, doi:10.1109/TASSP.1981.1163711)."""
    t = np.abs(t)
    near, far = (1.5 * t - 2.5) * t * t + 1, ((2.5 - 0.5 * t) * t - 4) * t + 2
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))


def _resizing(n_in: int, n_out: int) -> Array:
    """Matrix (n_out, n_in) that resizes one axis; its edge pixels continue outside."""
    step = n_in / n_out
    reach = max(step, 1.0)
    matrix = np.zeros((n_out, n_in))
    for i in range(n_out):
        centre = (i + 0.5) * step - 0.5
        taps = np.arange(np.floor(centre - 2 * reach), np.ceil(centre + 2 * reach) + 1).astype(int)
        weights = _cubic((taps - centre) / reach)
        np.add.at(matrix[i], np.clip(taps, 0, n_in - 1), weights / weights.sum())
    return matrix


def resize(picture: Array, height: int, width: int) -> Array:
    """Resize a grey picture (H, W) to (height, width), as the digits in ``X`` were resized.

    The interpolation is bicubic and smooths what gets smaller; it overshoots a little at sharp
    edges, which is why values of ``X`` leave [0, 1].
    """
    picture = np.asarray(picture, dtype=np.float64)
    if picture.ndim != 2 or 0 in picture.shape:
        raise ValueError(f"resize needs a grey picture of shape (H, W), not {picture.shape}")
    return np.asarray(
        _resizing(picture.shape[0], height) @ picture @ _resizing(picture.shape[1], width).T
    )


def paper_light(grey: Array) -> Array:
    """Brightness that the bare paper would have at every pixel of a photograph.

    Parameters
    ----------
    grey : ndarray of float, shape (H, W)
        Dark ink on light paper.

    Returns
    -------
    ndarray of float64, shape (H, W)
        What is left when everything narrower than half the picture and darker than what is
        around it is filled in (a morphological closing).
    """
    grey = ndimage.gaussian_filter(np.asarray(grey, dtype=np.float64), 1.0)
    window = max(3, min(grey.shape) // 2)
    return np.asarray(ndimage.grey_closing(grey, size=(window, window), mode="nearest"))


def centre_by_mass(picture: Array, side: int = 28) -> Array:
    """Put a picture (h, w) on a dark square of `side` pixels, its centre of mass in the middle.

    This is how MNIST places its digits. What would stick out of the square is cut off.
    """
    picture = np.asarray(picture, dtype=np.float64)
    square = np.zeros((side, side))
    down, across = ndimage.center_of_mass(np.clip(picture, 0, None))
    top, left = (round((side - 1) / 2 - centre) for centre in (down, across))
    for row in range(max(0, -top), min(picture.shape[0], side - top)):
        for column in range(max(0, -left), min(picture.shape[1], side - left)):
            square[top + row, left + column] = picture[row, column]
    return square


# --- Training -----------------------------------------------------------------------------------


def one_layer_model(n_inputs: int = 400, n_classes: int = 10) -> Any:
    """Return a small compiled Keras model, for quick experiments with data."""
    import keras

    model = keras.Sequential(
        [keras.Input(shape=(n_inputs,)), keras.layers.Dense(n_classes, activation="softmax")]
    )
    # Eagerly: for a few steps, building the graph would take longer than they do.
    model.compile(
        keras.optimizers.RMSprop(0.01),
        "sparse_categorical_crossentropy",
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        run_eagerly=True,
    )
    return model


def training_callbacks(X_test: Array, y_test: Array) -> tuple[list[Any], Any]:
    """Return what `fit` can be given to watch the training.

    Parameters
    ----------
    X_test : ndarray, shape (m, n)
        Held-out rows; the loss and the accuracy on them join the history of every epoch.
    y_test : ndarray of int, shape (m,)
        Their labels.

    Returns
    -------
    callbacks : list of keras.callbacks.Callback
        The held-out figures, a progress line, and the explorer's recorder where the explorer is
        installed.
    recorder : explorer.Recorder or None
        Keeps the weights of every epoch for the explorer.
    """
    import keras

    class HeldOut(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        """Add `val_loss` and `val_accuracy`: as `validation_data` does, in one batch.

        Where `fit` was given `validation_data`, its figures stay.
        """

        def on_train_begin(self, logs: Any = None) -> None:
            self.rows = keras.ops.convert_to_tensor(np.asarray(X_test, dtype=np.float32))
            self.labels = keras.ops.convert_to_tensor(np.ravel(y_test))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if logs is None or "val_loss" in logs:
                return
            outputs = self.model.predict_on_batch(self.rows)
            logs["val_loss"] = float(self.model.compute_loss(y=self.labels, y_pred=outputs))
            logs["val_accuracy"] = float((np.argmax(outputs, axis=1) == np.ravel(y_test)).mean())

    class ProgressLine(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        """One line that is written over, epoch by epoch, instead of forty lines."""

        def on_train_begin(self, logs: Any = None) -> None:
            self.started = self.shown = time.monotonic()
            self.line = _Line()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            last = epoch + 1 == self.params.get("epochs")
            if not last and time.monotonic() - self.shown < SHOWN_EVERY:
                return
            self.shown = time.monotonic()
            figures = ", ".join(
                f"{'held-out ' if name.startswith('val_') else ''}{name.removeprefix('val_')} {value:.3f}"
                for name, value in (logs or {}).items()
            )
            seconds = time.monotonic() - self.started
            of = self.params.get("epochs", "?")
            self.line.write(f"Epoch {epoch + 1} of {of} ({seconds:.0f} s): {figures}")

    try:
        from explorer import Recorder
    except ImportError:
        return [HeldOut(), ProgressLine()], None
    recorder = Recorder()
    return [HeldOut(), ProgressLine(), recorder], recorder


SHOWN_EVERY = 0.5
"""Seconds after which the line of progress is written anew."""


class _Line:
    """A line of output that the next text replaces; outside IPython the lines follow each other."""

    def __init__(self) -> None:
        self.handle: Any = None

    def write(self, text: str) -> None:
        if "IPython" not in sys.modules or sys.modules["IPython"].get_ipython() is None:
            print(text)
            return
        from IPython.display import display

        bundle = {"text/plain": text}
        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)


# --- Figures ------------------------------------------------------------------------------------

BLUE, ORANGE, GREY = "#1f5fa8", "#b34700", "#6b6b6b"


def show(figure: Figure, description: str, summary: str, *, photo: bool = False) -> None:
    """Show a figure with its description (``alt`` text) and, under it, one line that sums it up.

    JupyterLab has no other way to give an output image an ``alt`` text than HTML.
    """
    text = f"[Figure: {description}] {summary}"
    if "IPython" not in sys.modules or sys.modules["IPython"].get_ipython() is None:
        print(text)
        return
    from IPython.display import display

    kind, data = _encoded(figure, photo)
    image = (
        f'<img alt="{html.escape(description)}" width="{round(figure.get_figwidth() * 96)}" '
        f'style="max-width: 100%" src="data:image/{kind};base64,{data}">'
    )
    caption = f'<figcaption style="max-width: 48em">{html.escape(summary)}</figcaption>'
    page = f'<figure style="margin: 0.5em 0">{image}{caption}</figure>'
    display({"text/html": page, "text/plain": text}, raw=True)


def _encoded(figure: Figure, photo: bool) -> tuple[str, str]:
    """Return a figure's image type and its base64 text, small: a notebook keeps all of them."""
    from PIL import Image

    figure.set_dpi(120)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib has no types here
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    image = Image.fromarray(pixels[..., :3])
    small = io.BytesIO()
    if photo:
        image.save(small, "JPEG", quality=80)
    else:
        image.quantize(48, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            small, "PNG"
        )
    return "jpeg" if photo else "png", base64.b64encode(small.getvalue()).decode()


def _from_to(counts: Sequence[int] | Array) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def picture(row: Array) -> Array:
    """Return a row of ``X`` as a picture (20, 20): the unrolling by columns undone."""
    return np.asarray(row).reshape(20, 20).T


def _mosaic(
    axes: Axes, rows: Array, columns: int, captions: Sequence[str], size: float = 9
) -> None:
    """Draw digits in a grid, each with its caption above it."""
    high, wide = 30, 24
    lines = -(-len(rows) // columns)
    canvas = np.ones((lines * high, columns * wide))
    for i, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        top, left = (i // columns) * high + 9, (i % columns) * wide + 2
        canvas[top : top + 20, left : left + 20] = np.clip(picture(row), 0, 1)
        axes.text(left + 9.5, top - 1.5, caption, ha="center", va="bottom", fontsize=size)
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_axis_off()


def _grid(rows: Array, columns: int, captions: Sequence[str], *, cell: float = 0.72) -> Figure:
    lines = -(-len(rows) // columns)
    figure = Figure(figsize=(columns * cell, lines * cell * 1.25 + 0.1))
    _mosaic(figure.add_axes((0, 0, 1, 0.96)), rows, columns, captions)
    return figure


def _panels(
    width: float,
    height: float,
    columns: int = 1,
    *,
    left: float = 0.65,
    right: float = 0.15,
    bottom: float = 0.5,
    top: float = 0.15,
    between: float = 0.7,
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its axes side by side; sizes and margins in inches.

    A layout engine would find the margins by drawing everything twice more.
    """
    figure = Figure(figsize=(width, height))
    each = (width - left - right - (columns - 1) * between) / columns
    places = {
        "left": left / width,
        "right": 1 - right / width,
        "bottom": bottom / height,
        "top": 1 - top / height,
        "wspace": between / each,
    }
    return figure, list(figure.subplots(1, columns, squeeze=False, gridspec_kw=places)[0])


def plot_two_orders(row: Array, label: int) -> None:
    """Show one row of ``X`` put back row by row (wrong) and column by column (right)."""
    figure, panels = _panels(6, 2.9, 2, left=0.4, bottom=0.3, top=0.3, between=0.5)
    square = np.asarray(row).reshape(20, 20)
    for axes, image, title in zip(
        panels,
        (square, square.T),
        ('row by row: order="C"', 'column by column: order="F"'),
        strict=True,
    ):
        axes.imshow(image, cmap="gray")
        axes.set_title(title, fontsize=10)
        axes.set_xticks([0, 5, 10, 15])
        axes.set_yticks([0, 5, 10, 15])
    show(
        figure,
        f"The same 400 numbers as a picture, twice. Filled row by row the {label} lies mirrored on "
        "its side; filled column by column it stands upright.",
        f"A {label}: 20x20 pixels, {row.min():.3f} to {row.max():.3f}, unrolled column by column.",
    )


def plot_samples(X: Array, y: Array, seed: int = 1234) -> None:
    """Show 64 digits, drawn at random, with their labels."""
    rows = np.random.default_rng(seed).choice(len(X), 64, replace=False)
    labels = " ".join(map(str, y[rows]))
    show(
        _grid(X[rows], 8, [str(label) for label in y[rows]], cell=0.46),
        f"64 handwritten digits in eight lines, the label above each: {labels}.",
        f"64 of {len(X):,} digits; every label names the digit under it.",
    )


def plot_classes(X: Array, y: Array) -> None:
    """Show the mean of each class, and how many digits it has."""
    classes = np.unique(y)
    means = np.array([X[y == k].mean(axis=0) for k in classes])
    counts = [int((y == k).sum()) for k in classes]
    show(
        _grid(means, 10, [f"{k}: {n}" for k, n in zip(classes, counts, strict=True)], cell=0.85),
        "The mean picture of each class: blurred, but each can be read as its digit.",
        f"{len(classes)} classes, {_from_to(counts)} digits each.",
    )


def plot_relu(relu: Callable[[Array], Array]) -> None:
    """Show ReLU between -3 and 3."""
    z = np.linspace(-3, 3, 121)
    figure, (axes,) = _panels(4.6, 2.7)
    axes.plot(z, relu(z), color=BLUE, linewidth=2.5)
    axes.set(xlabel="z, what comes in", ylabel="a, what goes out")
    axes.text(-1.6, 0.25, "off: a = 0", ha="center")
    axes.text(1.25, 1.75, "on: a = z", ha="right")
    axes.grid(alpha=0.3)
    show(
        figure,
        "ReLU as a line: flat at 0 for negative z, then rising with slope 1.",
        "ReLU(z) = max(0, z): it lets positive numbers through and stops negative ones.",
    )


def plot_softmax(my_softmax: Callable[[Array], Array], z: Sequence[float] = (1, 2, 3, 4)) -> None:
    """Show logits and the probabilities that `my_softmax` makes of them, as bars."""
    logits = np.array(z, dtype=np.float64)
    probabilities = np.asarray(my_softmax(logits.copy()), dtype=np.float64)
    figure, panels = _panels(6.6, 2.5, 2, left=0.4, bottom=0.3, top=0.3, between=0.5)
    for axes, values, title in zip(
        panels, (logits, probabilities), ("logits z", "my_softmax(z)"), strict=True
    ):
        bars = axes.bar(range(len(values)), values, color=BLUE)
        axes.bar_label(bars, fmt="%.3g", fontsize=9)
        axes.set_title(title, fontsize=10)
        axes.set_xticks(range(len(values)))
        axes.margins(y=0.18)
    share = ", ".join(f"{p:.3f}" for p in probabilities)
    show(
        figure,
        "Two bar charts: the logits, and what softmax makes of them; the order stays, the gaps grow.",
        f"Logits {', '.join(f'{v:g}' for v in logits)} become {share}; sum {probabilities.sum():.6f}.",
    )


def plot_overflow() -> None:
    """Show what float32 makes of the cross-entropy, from probabilities and from logits."""
    gap = np.linspace(0, 200, 201, dtype=np.float32)
    with np.errstate(divide="ignore"):
        naive = -np.log(np.exp(-gap) / (1 + np.exp(-gap)))
    stable = gap + np.log1p(np.exp(-gap))
    last = float(gap[np.isfinite(naive)][-1])
    figure, (axes,) = _panels(6, 2.8)
    axes.plot(gap, stable, color=BLUE, linewidth=4, alpha=0.6, label="from the logits")
    axes.plot(gap, naive, color=ORANGE, linewidth=2, linestyle="--", label="from probabilities")
    axes.plot(last, last, "x", color=ORANGE, markersize=10, markeredgewidth=2.5)
    axes.axvline(last, color=GREY, linestyle=":")
    axes.text(last + 3, 12, f"beyond {last:.0f}: infinite", color=ORANGE)
    axes.set(xlabel="how far the right logit is behind", ylabel="cross-entropy")
    axes.legend()
    show(
        figure,
        "Cross-entropy against the distance between two logits: a straight line from the logits; "
        "the dashed one, from probabilities, ends where the probability becomes 0.",
        f"In float32 the loss from probabilities is infinite beyond {last:.0f}; from logits it is "
        f"right everywhere ({stable[-1]:.0f} at {gap[-1]:.0f}).",
    )


def plot_agreement(mine: Array, theirs: Array) -> None:
    """Show logits computed by hand against the ones that Keras gives."""
    mine, theirs = np.asarray(mine), np.asarray(theirs)
    if mine.shape != theirs.shape:
        raise ValueError(f"shapes differ: {mine.shape} by hand, {theirs.shape} from Keras")
    largest = np.abs(mine - theirs).max()
    ends = [min(mine.min(), theirs.min()), max(mine.max(), theirs.max())]
    figure, (axes,) = _panels(3.6, 3.2)
    axes.plot(ends, ends, color=GREY, linewidth=1)
    axes.plot(theirs.ravel(), mine.ravel(), "o", color=BLUE, markersize=3)
    axes.set(xlabel="logit, Keras", ylabel="logit, my_dense three times")
    verdict = "the same numbers" if largest < 1e-4 else "not the same numbers yet"
    show(
        figure,
        "Each logit by hand against the same one from Keras, with the diagonal on which they agree.",
        f"{mine.size} logits, largest difference {largest:.1e}: {verdict}.",
    )


def plot_split(y_train: Array, y_test: Array) -> None:
    """Show how many digits of each class are to train on and how many are held out."""
    digits = np.arange(10)
    train = np.array([(np.asarray(y_train) == k).sum() for k in digits])
    test = np.array([(np.asarray(y_test) == k).sum() for k in digits])
    figure, (axes,) = _panels(6, 2.5, top=0.35)
    axes.bar(digits, train, color=BLUE, label="to train on")
    bars = axes.bar(
        digits, test, bottom=train, color="white", edgecolor=ORANGE, hatch="///", label="held out"
    )
    axes.bar_label(
        bars,
        labels=[str(n) for n in test],
        label_type="center",
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )
    axes.set(xticks=digits, xlabel="digit", ylabel="rows")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    show(
        figure,
        "Stacked bars, one a digit: rows to train on below, held-out rows (hatched) on top.",
        f"{train.sum():,} rows to train on ({_from_to(train)} a digit), {test.sum():,} held out "
        f"({_from_to(test)} a digit).",
    )


def _curve(history: dict[str, list[float]], word: str) -> tuple[list[float], list[float] | None]:
    name = next(key for key in history if word in key and not key.startswith("val_"))
    return history[name], history.get(f"val_{name}")


def plot_history(history: Any) -> None:
    """Show loss and accuracy over the epochs, on the training rows and on the held-out ones."""
    figure, panels = _panels(8, 2.9, 2)
    words = [w for w in ("loss", "acc") if any(w in key for key in history.history)]
    summary = []
    for axes, word in zip(panels, words, strict=False):
        train, held_out = _curve(history.history, word)
        title = "loss" if word == "loss" else "accuracy"
        epochs = range(1, len(train) + 1)
        axes.plot(epochs, train, color=BLUE, linewidth=2, label="training rows")
        text = f"{title} {train[-1]:.3f} in training"
        if held_out:
            axes.plot(
                epochs, held_out, color=ORANGE, linewidth=2, linestyle="--", label="held-out rows"
            )
            best = int(np.argmin(held_out) if word == "loss" else np.argmax(held_out))
            text += f", {held_out[-1]:.3f} held out (best {held_out[best]:.3f}, epoch {best + 1})"
        summary.append(text)
        axes.set(xlabel="epoch", ylabel=title)
        axes.grid(alpha=0.3)
        axes.legend()
    show(
        figure,
        "Learning curves over the epochs: the solid line of the training rows keeps getting better, "
        "the dashed line of the held-out rows levels off.",
        f"After {len(history.epoch)} epochs: {'; '.join(summary)}.",
    )


def activations(model: Any, row: Array) -> list[Array]:
    """Return what each layer of a model gives for one row of ``X``, in one call of the model."""
    a = np.asarray(row, dtype=np.float32)[np.newaxis]
    found = []
    for layer in model.layers:
        a = np.asarray(layer(a))
        found.append(a[0])
    return found


def plot_prediction(
    model: Any, row: Array, label: int, my_softmax: Callable[[Array], Array]
) -> None:
    """Show one digit on its way through the network: pixels, activations, logits, probabilities."""
    *hidden, logits = activations(model, row)
    probabilities = np.asarray(my_softmax(logits.astype(np.float64)))
    figure = Figure(figsize=(9, 2.7))
    figure.subplots_adjust(left=0.01, right=0.99, top=0.84, bottom=0.1, wspace=0.28)
    panels = figure.subplots(1, 3 + len(hidden), width_ratios=[1.3] + [1] * (2 + len(hidden)))
    panels[0].imshow(picture(row), cmap="gray")
    panels[0].set_title(f"label {label}", fontsize=10)
    panels[0].set_axis_off()
    for number, (axes, a) in enumerate(zip(panels[1:], hidden, strict=False), 1):
        axes.barh(range(len(a)), a, color=GREY)
        axes.set_title(f"layer {number}:\n{int((a > 0).sum())} of {len(a)} on", fontsize=9)
    for axes, values, title in zip(
        panels[-2:], (logits, probabilities), ("logits", "probabilities"), strict=True
    ):
        axes.barh(range(len(values)), values, color=BLUE)
        axes.set_yticks(range(len(values)))
        axes.set_title(title, fontsize=10)
    for axes in panels[1:]:
        axes.invert_yaxis()
        axes.tick_params(labelsize=8)
    first, second = np.argsort(probabilities)[::-1][:2]
    show(
        figure,
        f"A {label} as pixels, then bars: the units of each hidden layer, ten logits, ten probabilities.",
        f"The logit of {first} is the largest ({logits[first]:.1f}; next {second}, {logits[second]:.1f}): "
        f"probability {probabilities[first]:.4f} against {probabilities[second]:.4f}. Label: {label}.",
    )


def plot_predictions(X: Array, y: Array, digits: Array, seed: int = 1234) -> None:
    """Show 64 digits at random with label and prediction; a cross marks each wrong one."""
    rows = np.random.default_rng(seed).choice(len(X), 64, replace=False)
    pairs = list(zip(y[rows].tolist(), np.asarray(digits)[rows].tolist(), strict=True))
    captions = [str(d) if d == k else f"✗ {k}→{d}" for k, d in pairs]
    wrong = [f"{k} read as {d}" for k, d in pairs if d != k]
    told = f"{len(wrong)} wrong ({', '.join(wrong[:8])})" if wrong else "none wrong"
    show(
        _grid(X[rows], 8, captions, cell=0.46),
        "64 held-out digits in eight lines, the prediction above each; where it is wrong, a cross, "
        "the label, an arrow and the prediction.",
        f"64 of {len(X):,} held-out digits: {told}.",
    )


def plot_confusion(y: Array, digits: Array) -> None:
    """Show how often each label was read as each digit."""
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, (np.asarray(y), np.asarray(digits)), 1)
    off = counts - np.diag(np.diag(counts))
    figure, (axes,) = _panels(5, 4.2)
    axes.imshow(off, cmap="Oranges", vmax=max(1, off.max()) * 1.4)
    for row, column in np.ndindex(10, 10):
        if counts[row, column]:
            weight = "bold" if row == column else "normal"
            axes.text(
                column,
                row,
                str(counts[row, column]),
                ha="center",
                va="center",
                fontsize=9,
                weight=weight,
            )
    axes.set(xticks=range(10), yticks=range(10), xlabel="predicted", ylabel="label")
    label, digit = np.unravel_index(off.argmax(), off.shape)
    right = np.trace(counts)
    show(
        figure,
        "Confusion matrix, a row for each label and a column for each prediction; right answers are "
        "on the diagonal, in bold.",
        f"{right:,} of {counts.sum():,} right ({right / counts.sum():.1%}); the most frequent mistake: "
        f"{label} read as {digit}, {off.max()} times.",
    )


def plot_mistakes(X: Array, y: Array, digits: Array, probabilities: Array, most: int = 10) -> None:
    """Show the wrong predictions that the network was surest of."""
    digits, sure = np.asarray(digits), np.asarray(probabilities).max(axis=1)
    wrong = np.flatnonzero(digits != y)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:most]
    if not len(worst):
        print("There is no mistake to show.")
        return
    told = [f"{y[i]}→{digits[i]}" for i in worst]
    show(
        _grid(
            X[worst],
            10,
            [f"{t}\n{sure[i]:.0%}" for t, i in zip(told, worst, strict=True)],
            cell=0.85,
        ),
        f"The worst mistakes: label, arrow, prediction and its probability above each: {', '.join(told)}.",
        f"{len(wrong)} mistakes; in the {len(worst)} worst the network was {sure[worst].min():.0%} to "
        f"{sure[worst].max():.0%} sure.",
    )


def plot_picture(image: Array) -> None:
    """Show any grey picture (H, W), for looking at what a step of yours gives."""
    image = np.asarray(image, dtype=np.float64)
    figure, (axes,) = _panels(3.8, 2.6, left=0.45, bottom=0.3)
    axes.locator_params(integer=True, nbins=5)
    figure.colorbar(axes.imshow(image, cmap="gray"))
    show(
        figure,
        "A grey picture with the scale of its values.",
        f"{image.shape[0]} rows, {image.shape[1]} columns, {image.min():.3g} to {image.max():.3g}.",
    )


def plot_photos(photos: Sequence[Array], labels: Array) -> None:
    """Show photographs as they are, in two lines."""
    from PIL import Image

    columns, tile = -(-len(photos) // 2), 150
    canvas = np.full((2 * (tile + 24), columns * (tile + 8), 4), 255, dtype=np.uint8)
    figure = Figure(figsize=(canvas.shape[1] / 120, canvas.shape[0] / 120))
    axes = figure.add_axes((0, 0, 1, 1))
    for i, (photo, label) in enumerate(zip(photos, labels, strict=True)):
        small = Image.fromarray(photo).convert("RGBA")
        small.thumbnail((tile, tile))
        top, left = (i // columns) * (tile + 24) + 24, (i % columns) * (tile + 8)
        canvas[top : top + small.height, left : left + small.width] = np.asarray(small)
        axes.text(left + 4, top - 5, str(label), fontsize=10)
    axes.imshow(canvas)
    axes.set_axis_off()
    sizes = sorted({photo.size // (photo.shape[0] * photo.shape[1]) for photo in photos})
    kinds = {1: "grey", 3: "RGB", 4: "RGBA"}
    show(
        figure,
        "Photographs of digits on paper of several colours, some lined or squared, with different "
        f"pens and shadows; their labels: {' '.join(map(str, labels))}.",
        f"{len(photos)} photographs, {', '.join(kinds[n] for n in sizes)}.",
        photo=True,
    )


def plot_preprocess(image: Array, row: Array, label: int | None = None) -> None:
    """Show a photograph beside what `preprocess` makes of it."""
    row = np.asarray(row)
    figure, (before, after) = _panels(
        5.6, 2.6, 2, left=0.1, right=0.1, bottom=0.1, top=0.3, between=0.2
    )
    before.imshow(image, cmap="gray", vmin=0, vmax=255)
    after.imshow(picture(row), cmap="gray", vmin=0, vmax=1)
    for axes, title in (
        (before, f"{image.shape[1]}x{image.shape[0]} photograph"),
        (after, "what the network gets"),
    ):
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    down, across = ndimage.center_of_mass(np.clip(picture(row), 0, None))
    what = "a digit" if label is None else f"a {label}"
    show(
        figure,
        f"A photograph of {what} on paper, and beside it the 20x20 picture made of it.",
        f"Range {row.min():.2f} to {row.max():.2f}, centre of mass at row {down:.1f}, column "
        f"{across:.1f} of 0 to 19 (MNIST's digits: 9.5, 9.5).",
        photo=True,
    )


def plot_handwriting(rows: Array, labels: Array, digits: Array, probabilities: Array) -> None:
    """Show preprocessed photographs with what the network reads in them."""
    rows, digits, sure = np.asarray(rows), np.asarray(digits), np.asarray(probabilities).max(axis=1)
    captions = [
        f"{'✓' if d == k else f'✗ {k}→'}{d}\n{p:.0%}"
        for k, d, p in zip(labels, digits, sure, strict=True)
    ]
    wrong = [f"{k} read as {d}" for k, d in zip(labels, digits, strict=True) if k != d]
    show(
        _grid(rows, 12, captions, cell=0.8),
        "Preprocessed photographs; above each a tick and the digit read, or a cross, the label, an "
        "arrow and the digit read; below that its probability.",
        f"{len(rows) - len(wrong)} of {len(rows)} photographs read right"
        + (f"; wrong: {', '.join(wrong)}." if wrong else "."),
    )


def explore(model: Any, X: Array, y: Array, recorder: Any = None, history: Any = None) -> None:
    """Show the explorer on a model and some digits, or say in one sentence why that fails."""
    try:
        from explorer import Explorer, ExplorerError
    except ImportError as error:
        print(
            f"The explorer cannot be loaded ({_first_line(error)}). Run `pip install -r "
            "requirements.txt`, and keep the folder `explorer` beside the notebook."
        )
        return
    try:
        page = Explorer(model, X, y, history=recorder if recorder and recorder.epochs else history)
    except ExplorerError as error:
        print(f"✗ {error}")
        return
    from IPython.display import display

    display(page)


explain_missing_names()
