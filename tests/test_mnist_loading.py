"""Which digits lab_mnist finds, what it says of it, and what it makes of bad files and pictures."""

from __future__ import annotations

import io
import shutil
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import utils
import utils_mnist
from course.checks.lab_mnist import parts, true_rows
from course.mutants.lab_mnist import GREY, RIGHT, photo
from labkit import full_mnist
from labkit.photo_causes import GIVEN
from utils import LabError

ROOT = Path(__file__).resolve().parent.parent
NOWHERE = "http://127.0.0.1:9/mnist.npz"  # the discard port: nothing listens


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the lab's data, an empty Keras cache beside it, and no network."""
    (tmp_path / "Data").mkdir()
    shutil.copy(ROOT / "Data" / "mnist_5k.npz", tmp_path / "Data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(full_mnist, "ORIGIN", NOWHERE)
    monkeypatch.setattr(full_mnist, "network_answers", lambda **_: False)
    yield tmp_path
    full_mnist._full.clear()


def cache_of(folder: Path) -> Path:
    path = folder / "keras" / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    return path


def write_full_set(path: Path) -> None:
    """A file of the full set's form: black images, labels in turn."""
    np.savez_compressed(
        path,
        x_train=np.zeros((60000, 28, 28), np.uint8),
        y_train=np.arange(60000, dtype=np.uint8) % 10,
        x_test=np.zeros((10000, 28, 28), np.uint8),
        y_test=np.arange(10000, dtype=np.uint8) % 10,
    )


def test_the_cache_is_where_keras_looks_for_it() -> None:
    from keras.src.backend import config

    assert full_mnist.keras_cache() == Path(config.keras_home()) / "datasets" / "mnist.npz"


def test_without_network_and_cache_it_goes_on_with_the_5000_and_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert full_mnist.find_full_set() == ""
    said = capsys.readouterr().out
    assert "could not be fetched (the network does not answer)" in said
    assert "5,000 digits" in said
    x_train, y_train, x_test, y_test = full_mnist.load_digits()
    assert (len(x_train), len(y_train), len(x_test), len(y_test)) == (4000, 4000, 1000, 1000)


def test_every_fifth_digit_of_each_class_is_held_out_shuffled(folder: Path) -> None:
    x_train, y_train, x_test, y_test = full_mnist.load_digits()
    assert np.bincount(y_test).tolist() == [100] * 10
    for images, labels, X, y in zip(
        (x_train, x_test), (y_train, y_test), parts()[::2], parts()[1::2], strict=True
    ):
        # The marking goes by row numbers: its own parts are in the same order.
        assert np.array_equal(images.reshape(-1, 784), np.rint(255 * X).astype(np.uint8))
        assert np.array_equal(labels, y)
        assert (np.diff(labels) != 0).mean() > 0.8


@pytest.mark.parametrize("place", ["cache", "Data"])
def test_the_full_set_is_taken_from_the_cache_or_from_data(
    folder: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = cache_of(folder) if place == "cache" else folder / "Data" / "mnist.npz"
    write_full_set(path)
    assert full_mnist.find_full_set() == place
    assert "60,000 digits to train on" in capsys.readouterr().out
    assert full_mnist.load_digits()[0].shape == (60000, 28, 28)


def test_a_half_downloaded_file_is_named_and_left_as_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = cache_of(folder)
    write_full_set(path)
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(half)
    assert full_mnist.find_full_set() == ""
    said = capsys.readouterr().out
    assert str(path) in said and "only half of it" in said
    assert path.read_bytes() == half
    assert len(full_mnist.load_digits()[1]) == 4000


def test_a_damaged_cache_does_not_hide_a_good_file_in_data(folder: Path) -> None:
    cache_of(folder).write_bytes(b"<html>")
    write_full_set(folder / "Data" / "mnist.npz")
    assert full_mnist.find_full_set() == "Data"


@pytest.mark.parametrize("arrays", [{"x": np.zeros(3)}, {"x_train": np.zeros((5, 28, 28))}])
def test_another_file_of_that_name_is_refused(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(folder / "Data" / "mnist.npz", **arrays)
    with pytest.raises(LabError, match="left as it is"):
        full_mnist.read_full_set(folder / "Data" / "mnist.npz")


def test_a_server_that_never_answers_costs_no_more_than_its_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []
        threading.Thread(target=lambda: held.append(server.accept()[0]), daemon=True).start()
        start = time.monotonic()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/mnist.npz"
        assert full_mnist.network_answers(address, seconds=0.5) is False
        assert time.monotonic() - start < 5


def test_a_failed_download_is_told_and_leaves_the_5000(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(full_mnist, "network_answers", lambda **_: True)
    monkeypatch.setattr(full_mnist, "_download", lambda: "Exception: URL fetch failure")
    assert full_mnist.find_full_set() == ""
    assert "URL fetch failure" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"PK\x03\x04 half", b""])
def test_missing_or_damaged_5000_is_told_in_one_sentence(
    folder: Path, content: bytes | None
) -> None:
    path = folder / "Data" / "mnist_5k.npz"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LabError, match=r"mnist_5k\.npz"):
        full_mnist.load_digits()


def test_rows_are_lent_until_prepare_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    images = np.arange(30 * 784, dtype=np.uint32).astype(np.uint8).reshape(30, 28, 28)
    for wrong in (lambda x: x.reshape(len(x), -1), lambda x: None, lambda x: 1 / 0):
        (lent,) = utils_mnist.prepare_or_lend(wrong, images)
        assert np.allclose(lent, true_rows(images))
        assert "on loan" in capsys.readouterr().out
    (mine,) = utils_mnist.prepare_or_lend(true_rows, images)
    assert np.allclose(mine, true_rows(images)) and capsys.readouterr().out == ""


# --- Pictures -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def read() -> object:
    """The right ``preprocess_photo``."""
    names = {"np": np, "utils": utils, "utils_mnist": utils_mnist, "Image": Image}
    exec(RIGHT["photo"], names)
    return names["preprocess_photo"]


def photo_of_a_seven() -> Image.Image:
    return Image.open(ROOT / "Data" / "handwriting" / "photo_01.png").convert("RGB")


def saved(tmp_path: Path, picture: Image.Image, name: str, **options: object) -> str:
    path = tmp_path / name
    picture.save(path, **options)
    return str(path)


def test_a_text_file_is_told_in_one_sentence(tmp_path: Path, read) -> None:
    path = tmp_path / "picture.png"
    path.write_text("not a picture")
    with pytest.raises(LabError, match="not a picture"):
        read(str(path))


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (40, 30), (8000, 6000)])
def test_a_blank_picture_of_any_size_is_told_in_one_sentence(
    tmp_path: Path, read, size: tuple[int, int]
) -> None:
    path = saved(tmp_path, Image.new("L", size, 230), "blank.png")
    with pytest.raises(LabError, match="no digit to be seen"):
        read(path)


def test_a_transparent_blank_picture_is_blank(tmp_path: Path, read) -> None:
    path = saved(tmp_path, Image.new("RGBA", (60, 60), (0, 0, 0, 0)), "clear.png")
    with pytest.raises(LabError, match="no digit to be seen"):
        read(path)


def test_a_blank_picture_gives_one_sentence_and_no_warning(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    names = {"np": np, "utils": utils, "utils_mnist": utils_mnist, "Image": Image}
    ink = ("ink = utils.paper_light(grey) - grey", "ink = ink / ink.max()")
    exec(photo(*GREY, *ink, "crop = ink[utils_mnist.ink_box(ink)]", "return crop"), names)
    path = saved(tmp_path, Image.new("L", (60, 40), 255), "white.png")
    with warnings.catch_warnings(), utils.needs("Exercise 5"):
        warnings.simplefilter("error")
        names["preprocess_photo"](path)
    assert "✗ There is no digit to be seen in this picture" in capfd.readouterr().out


def test_a_digit_without_mass_is_told_in_one_sentence() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(LabError, match="no digit to be seen"):
            utils.centre_by_mass(np.zeros((5, 7)), 28)


def test_ink_the_wrong_way_round_is_told_by_the_box() -> None:
    ink = np.zeros((30, 20))
    ink[10:20, 5:8] = -0.8
    with pytest.raises(LabError, match="not the other way round"):
        utils_mnist.ink_box(ink)


def test_the_functions_of_the_exercise_are_in_the_files_that_a_finding_names() -> None:
    for name, file in GIVEN.items():
        assert hasattr({"utils": utils, "utils_mnist": utils_mnist}[file], name), name


def alike(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_a_huge_photograph_a_palette_and_alpha_give_the_same_digit(tmp_path: Path, read) -> None:
    photo = photo_of_a_seven()
    expected = read(saved(tmp_path, photo, "plain.png"))
    alpha = photo.convert("RGBA")
    others = {
        "huge.jpg": photo.resize((8000, 6000)),
        "palette.png": photo.quantize(64),
        "palette.gif": photo.quantize(64),
        "grey.png": photo.convert("L"),
        "alpha.png": alpha,
    }
    for name, picture in others.items():
        got = read(saved(tmp_path, picture, name))
        assert got.shape == (1, 28, 28) and alike(got, expected) > 0.9, name


def test_a_picture_rotated_by_its_exif_tag_is_read_upright(tmp_path: Path, read) -> None:
    photo = photo_of_a_seven()
    expected = read(saved(tmp_path, photo, "plain.png"))
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by 90 degrees clockwise to view"
    turned = photo.transpose(Image.Transpose.ROTATE_90)
    got = read(saved(tmp_path, turned, "turned.jpg", exif=exif, quality=95))
    assert alike(got, expected) > 0.9


def test_a_half_written_picture_is_told_or_read(tmp_path: Path, read) -> None:
    whole = io.BytesIO()
    photo_of_a_seven().save(whole, "PNG")
    path = tmp_path / "half.png"
    path.write_bytes(whole.getvalue()[:5000])
    with pytest.raises((LabError, OSError)):
        read(str(path))
