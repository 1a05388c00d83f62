"""What a student reads when something is missing, old or run too early; and the picture helpers."""

from __future__ import annotations

import html.parser
import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image
from scipy.io import savemat

import utils
from course.make_data import resize_axis
from labkit import messages
from public_tests import NotStarted

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def names_of_this_lab() -> None:
    """The other lab's helpers, which another test imports, put their own names in place of these."""
    messages.use_names(utils.EXERCISES, utils.GIVEN_IN)


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """An IPython shell in which the lab's sentences are set up, as in a notebook."""
    shell = InteractiveShell.instance()
    utils.explain_missing_names()
    yield shell
    InteractiveShell.clear_instance()


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed, which has to be one line."""
    text = capsys.readouterr().out
    assert text.count("\n") == 1, text
    return text


def digits(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    X, y = utils.load_data(ROOT / "Data")
    step = len(X) // n
    return X[::step], y[::step] % 10


# --- The data file ------------------------------------------------------------------------------


def test_the_digits_load_with_the_zero_still_stored_as_ten() -> None:
    X, y = utils.load_data(ROOT / "Data")
    assert X.shape == (5000, 400) and X.dtype == np.float64
    assert y.shape == (5000,) and y.dtype == np.int64
    assert np.array_equal(np.unique(y), np.arange(1, 11))


def test_a_missing_data_file_names_the_file_the_folder_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the wrong working directory
    with pytest.raises(
        utils.LabError, match=r"ex3data1\.mat is not in .*folder it came in"
    ) as info:
        utils.load_data()
    assert str(tmp_path) in str(info.value)
    assert "\n" not in str(info.value)


def mat(folder: Path, **content: Any) -> Path:
    savemat(folder / "ex3data1.mat", content)
    return folder


X_GOOD = np.zeros((5000, 400))
Y_GOOD = (np.arange(5000) % 10 + 1).astype(np.uint8)[:, None]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ({"Z": X_GOOD}, "holds Z"),
        ({"X": X_GOOD}, "should hold X and y"),
        ({"X": X_GOOD[:100], "y": Y_GOOD[:100]}, r"holds X \(100, 400\) and 100 labels"),
        ({"X": np.zeros((5000, 784)), "y": Y_GOOD}, r"X \(5000, 784\)"),
        ({"X": X_GOOD.astype(np.uint8), "y": Y_GOOD}, "float64"),
        ({"X": X_GOOD + 255, "y": Y_GOOD}, "between -1 and 2"),
        ({"X": X_GOOD, "y": Y_GOOD - 1}, "labels .* should be 1 to 10"),
    ],
)
def test_a_wrong_data_file_is_told_apart(
    tmp_path: Path, content: dict[str, Any], cause: str
) -> None:
    with pytest.raises(utils.LabError, match=cause) as info:
        utils.load_data(mat(tmp_path, **content))
    assert "back in its place" in str(info.value)


MATLAB_7_3 = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400)


@pytest.mark.parametrize(
    "text", [b"", b"not a matlab file at all", b"<html>404</html>" * 50, MATLAB_7_3]
)
def test_a_file_that_is_not_matlab_is_said_to_be_unreadable(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "ex3data1.mat").write_bytes(text)
    with pytest.raises(utils.LabError, match="cannot be read as a MATLAB file"):
        utils.load_data(tmp_path)


def test_a_truncated_data_file_is_said_to_be_unreadable(tmp_path: Path) -> None:
    whole = (ROOT / "Data" / "ex3data1.mat").read_bytes()
    (tmp_path / "ex3data1.mat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(utils.LabError, match="back in its place"):
        utils.load_data(tmp_path)


# --- Packages -----------------------------------------------------------------------------------


def test_an_old_keras_is_named_with_what_is_needed_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    versions = {"keras": "2.15.0", "numpy": "2.4.6", "tensorflow": "2.21.0"}
    monkeypatch.setattr(importlib.metadata, "version", versions.__getitem__)
    with pytest.raises(
        utils.LabError, match=r"keras 2\.15\.0 is too old: the lab needs 3\.10.*pip"
    ):
        utils.check_packages()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "tensorflow":
            raise importlib.metadata.PackageNotFoundError(name)
        return "9.9"

    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(utils.LabError, match=r"tensorflow is not installed.*pip install"):
        utils.check_packages()


def test_the_installed_packages_are_new_enough() -> None:
    utils.check_packages()


def test_importing_utils_does_not_import_tensorflow() -> None:
    code = "import sys, utils; sys.exit('keras' in sys.modules or 'tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# --- Cells that run too early -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("test_model(model, 10, 400)", "`model` does not exist yet: Exercise 2 is not started"),
        ("my_softmax([1, 2])", "`my_softmax` does not exist yet: Exercise 1"),
        ("X_train.shape", "`X_train` does not exist yet: it comes from section 5"),
        ("np.zeros(3)", "`np` is imported in section 1"),
        ("my_guess = c", 'A guess is a letter in quotes: my_guess = "c".'),
    ],
)
def test_a_cell_run_out_of_order_gets_one_sentence(
    shell: InteractiveShell, cell: str, sentence: str
) -> None:
    with capture_output() as seen:
        result = shell.run_cell("test_model = lambda *_: None\n" + cell)
    lines = seen.stdout.strip().splitlines()
    assert not result.success
    assert len(lines) == 1 and lines[0].startswith("✗ ") and sentence in lines[0]


def test_a_deleted_graded_cell_is_explained(shell: InteractiveShell) -> None:
    with capture_output() as seen:
        shell.run_cell("my_dense")
    assert "Undo Delete Cells" in seen.stdout and "Traceback" not in seen.stdout


def test_a_name_of_the_students_own_keeps_its_traceback(shell: InteractiveShell) -> None:
    with capture_output() as seen:
        shell.run_cell("modle")
    assert "Traceback" in seen.stdout and "modle" in seen.stdout


def test_a_lab_error_shows_its_sentence_alone(shell: InteractiveShell) -> None:
    with capture_output() as seen:
        shell.run_cell("import utils\nutils.load_data('nowhere')")
    assert seen.stdout.startswith("✗ ") and "Traceback" not in seen.stdout


def test_needs_turns_not_started_into_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with utils.needs("Exercise 1"):
        raise NotStarted
    assert "not started yet; this cell needs it" in said(capsys)


def test_needs_names_the_missing_exercise(capsys: pytest.CaptureFixture[str]) -> None:
    with utils.needs("Exercise 6"):
        history  # type: ignore[name-defined]  # noqa: B018, F821
    assert "Exercise 6 is not started" in said(capsys)


def test_needs_says_what_it_could_not_use(capsys: pytest.CaptureFixture[str]) -> None:
    with utils.needs("Exercise 1"):
        utils.plot_softmax(lambda z: None)  # type: ignore[arg-type, return-value]
    text = said(capsys)
    assert "Exercise 1" in text and "TypeError" in text and "Run the check" in text


def test_needs_lets_an_interrupt_through() -> None:
    with pytest.raises(KeyboardInterrupt), utils.needs("Exercise 1"):
        raise KeyboardInterrupt


# --- The split on loan --------------------------------------------------------------------------


def test_a_usable_split_is_taken_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = digits()
    held = np.arange(len(y)) % 4 == 0
    parts = (X[~held], X[held], y[~held], y[held])
    got = utils.split_or_lend(lambda: parts, X, y)
    assert all(np.array_equal(a, b) for a, b in zip(got, parts, strict=True))
    assert capsys.readouterr().out == ""


def raising(error: Exception) -> Callable[[], Any]:
    def split() -> Any:
        raise error

    return split


def last_rows() -> Any:
    """Split the sorted digits as validation_split does."""
    X, y = digits()
    return X[:-8], X[-8:], y[:-8], y[-8:]


@pytest.mark.parametrize(
    ("split", "reason"),
    [
        (raising(NotStarted()), "it is not finished yet"),
        (raising(ZeroDivisionError()), "it raises ZeroDivisionError"),
        (lambda: split_data(1), "Exercise 4 is not started"),  # type: ignore[name-defined]  # noqa: F821
        (lambda: None, "returns nothing"),
        (lambda: (1, 2, 3, 4), "does not have the form"),
        (lambda: ([[0.0]], [[0.0]], [0], [0]), "does not have the form"),
        (lambda: last_rows(), "Classes are missing from the test part"),
    ],
)
def test_an_unusable_split_is_replaced_and_the_reason_given(
    split: Callable[[], Any], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    X, y = digits()
    X_train, X_test, y_train, y_test = utils.split_or_lend(split, X, y)
    text = said(capsys)
    assert reason in text and "on loan" in text
    assert np.array_equal(X_test, X[::5]) and np.array_equal(y_test, y[::5])
    assert len(X_train) == len(y_train) == len(X) - len(X_test)


# --- Pictures -----------------------------------------------------------------------------------


def test_resize_is_the_one_that_made_the_digits() -> None:
    images = np.load(ROOT / "Data" / "mnist_5k.npz")["images"]
    X, _ = utils.load_data(ROOT / "Data")
    for i in (0, 1015, 4999):
        assert np.allclose(utils.resize(images[i] / 255, 20, 20).ravel(order="F"), X[i], atol=1e-6)


def test_resize_continues_what_touches_the_edge() -> None:
    """As the digits were made: nothing is assumed to lie beyond the edge but what is on it."""
    picture = np.zeros((28, 28))
    picture[:, 25:] = 1.0
    made = resize_axis(resize_axis(picture, 20, 0), 20, 1)
    assert np.allclose(utils.resize(picture, 20, 20), made, atol=1e-6)


def test_resize_keeps_a_plain_area_plain_whether_it_grows_or_shrinks() -> None:
    for shape in ((7, 3), (200, 151)):
        assert np.allclose(utils.resize(np.full(shape, 0.7), 20, 11), 0.7)


def test_resize_refuses_colour() -> None:
    with pytest.raises(ValueError, match="grey picture"):
        utils.resize(np.zeros((5, 5, 3)), 2, 2)


def test_the_centre_of_mass_ends_in_the_middle() -> None:
    digit = np.zeros((20, 12))
    digit[3:, 2:5] = 1.0
    square = utils.centre_by_mass(digit, 28)
    rows, columns = np.nonzero(square)
    assert square.shape == (28, 28) and square.sum() == digit.sum()
    assert abs(rows.mean() - 13.5) <= 0.5 and abs(columns.mean() - 13.5) <= 0.5


def test_what_sticks_out_of_the_square_is_cut_off() -> None:
    assert utils.centre_by_mass(np.ones((40, 40)), 28).shape == (28, 28)


def test_the_papers_light_is_found_under_the_ink() -> None:
    paper = np.linspace(0.6, 0.9, 200)[None, :] * np.ones((160, 1))
    photo = paper.copy()
    photo[40:120, 90:110] *= 0.2
    assert np.abs(utils.paper_light(photo) - paper).max() < 0.08


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_pictures_of_every_kind_become_grey_rgb_or_rgba(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
    Image.new(mode, (30, 20)).save(path)
    image = utils.read_image(path)
    assert image.dtype == np.uint8 and image.shape[:2] == (20, 30)
    assert image.ndim == 2 or image.shape[2] in (3, 4)


def test_a_deep_grey_picture_keeps_its_shades(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16)).save(tmp_path / "deep.png")
    assert (
        np.abs(utils.read_image(tmp_path / "deep.png").reshape(-1)[:3] - [0, 128, 255.0]).max() < 2
    )


def test_a_phones_picture_is_turned_upright_and_reduced(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    Image.new("RGB", (1600, 1200), "white").save(tmp_path / "phone.jpg", exif=exif)
    assert utils.read_image(tmp_path / "phone.jpg").shape == (640, 480, 3)


def test_a_missing_picture_and_a_false_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(utils.LabError, match="There is no file"):
        utils.read_image(tmp_path / "none.png")
    (tmp_path / "false.png").write_text("not a picture")
    with pytest.raises(utils.LabError, match="not a picture that Python can read"):
        utils.read_image(tmp_path / "false.png")


def test_missing_photographs_are_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(utils.LabError, match=r"labels\.csv is not in"):
        utils.load_handwriting(tmp_path)
    shutil.copy(ROOT / "Data" / "handwriting" / "labels.csv", tmp_path)
    with pytest.raises(utils.LabError, match="There is no file"):
        utils.load_handwriting(tmp_path)


def test_the_students_own_picture_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert utils.find_own_picture() is None
    (tmp_path / "my_digit.txt").touch()
    assert utils.find_own_picture() is None
    (tmp_path / "my_digit.JPG").touch()
    assert utils.find_own_picture() == Path("my_digit.JPG")


# --- Figures ------------------------------------------------------------------------------------


def layers() -> Any:
    """Something with ``layers`` that can be called, as a Keras model has them."""
    rng = np.random.default_rng(0)
    W1, W2 = rng.normal(size=(400, 25)), rng.normal(size=(25, 10))
    return SimpleNamespace(layers=[lambda a: np.maximum(a @ W1, 0), lambda a: a @ W2])


def figures() -> dict[str, Callable[[], None]]:
    """Every figure of the lab, each with inputs of its kind."""
    X, y = digits(100)
    wrong = (y + (np.arange(len(y)) % 7 == 0)) % 10
    p = np.full((len(y), 10), 0.02)
    p[np.arange(len(y)), wrong] = 0.82
    curves = {"loss": [2.0, 1.0], "accuracy": [0.5, 0.7]}
    held = {"val_loss": [2.1, 1.5], "val_accuracy": [0.4, 0.6]}
    image = np.full((60, 80, 3), 200, dtype=np.uint8)

    def softmax(z: np.ndarray) -> np.ndarray:
        return np.exp(z - z.max()) / np.exp(z - z.max()).sum()

    def cross_entropy(z: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        rows, p = np.arange(len(y)), np.array([softmax(row) for row in z])
        return -np.log(p[rows, y]).mean(), (p - np.eye(10)[y]) / len(y)

    return {
        "two_orders": lambda: utils.plot_two_orders(X[50], 5),
        "samples": lambda: utils.plot_samples(X, y),
        "classes": lambda: utils.plot_classes(X, y),
        "relu": lambda: utils.plot_relu(lambda z: np.maximum(z, 0)),
        "softmax": lambda: utils.plot_softmax(softmax),
        "overflow": utils.plot_overflow,
        "agreement": lambda: utils.plot_agreement(p, p + 1e-7),
        "split": lambda: utils.plot_split(y[:80], y[80:]),
        "history": lambda: utils.plot_history(SimpleNamespace(history=curves | held, epoch=[0, 1])),
        "history without held-out rows": lambda: utils.plot_history(
            SimpleNamespace(history=curves, epoch=[0, 1])
        ),
        "prediction": lambda: utils.plot_prediction(layers(), X[0], 0, softmax),
        "predictions": lambda: utils.plot_predictions(X, y, wrong),
        "confusion": lambda: utils.plot_confusion(y, wrong),
        "mistakes": lambda: utils.plot_mistakes(X, y, wrong, p),
        "one_step": lambda: utils.plot_one_step(cross_entropy, X, y),
        "learning_rates": lambda: utils.plot_learning_rates(cross_entropy, X, y),
        "picture": lambda: utils.plot_picture(X[0].reshape(20, 20)),
        "photos": lambda: utils.plot_photos([image, image[..., 0]], np.array([1, 2])),
        "preprocess": lambda: utils.plot_preprocess(image, X[0], 0),
        "handwriting": lambda: utils.plot_handwriting(X[:12], y[:12], wrong[:12], p[:12]),
    }


NAMES = list(figures())


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_summed_up_in_one_line(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures()[name]()
    text = said(capsys)
    assert text.startswith("[Figure: ") and len(text.split("] ", 1)[1]) > 20


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_alt_text_and_a_caption_in_a_notebook(
    name: str, shell: InteractiveShell
) -> None:
    with capture_output() as seen:
        figures()[name]()
    (output,) = seen.outputs
    page = output.data["text/html"]
    images: list[dict[str, str | None]] = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                images.append(dict(attrs))

    Reader().feed(page)
    assert len(images) == 1 and len(images[0]["alt"] or "") > 20
    assert "<figcaption" in page
    assert len(page) < 150_000


def test_every_plotting_function_is_tested() -> None:
    plots = {name.removeprefix("plot_") for name in vars(utils) if name.startswith("plot_")}
    assert plots <= set(NAMES)


def test_text_in_a_figures_description_cannot_break_its_html(shell: InteractiveShell) -> None:
    from matplotlib.figure import Figure

    with capture_output() as seen:
        utils.show(Figure(figsize=(1, 1)), 'a "quoted" <b>', "1 < 2")
    page = seen.outputs[0].data["text/html"]
    assert "&quot;quoted&quot; &lt;b&gt;" in page and "1 &lt; 2" in page


def test_no_mistakes_gives_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = digits()
    utils.plot_mistakes(X, y, y, np.eye(10)[y])
    assert said(capsys) == "There is no mistake to show.\n"


# --- The explorer -------------------------------------------------------------------------------


def test_without_the_explorer_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "explorer", None)
    X, y = digits()
    utils.explore(None, X, y)
    assert "The explorer cannot be loaded" in said(capsys)


def test_quiet_start_shows_what_it_held_back_when_the_start_fails(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = "import os; os.write(2, b'a note')"
    with utils.quiet_start():
        subprocess.run([sys.executable, "-c", code], check=True)
    assert "a note" not in capfd.readouterr().err
    with pytest.raises(ImportError), utils.quiet_start():
        subprocess.run([sys.executable, "-c", code], check=True)
        raise ImportError
    assert "a note" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg"])
def test_a_picture_that_is_cut_off_is_named(tmp_path: Path, name: str) -> None:
    Image.effect_noise((60, 40), 50).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(utils.LabError, match="only a part of one"):
        utils.read_image(tmp_path / name)
