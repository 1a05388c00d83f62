"""The data: what is committed is what a rebuild gives, and is what was published."""

from __future__ import annotations

import csv
import hashlib
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from course import make_data
from course.make_photographs import as_grey, read_photograph
from course.photographs import Look, photograph, strokes

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "Data"
WEIGHTS = ROOT.parent / "shared" / "data" / "ex4weights.mat"

#: zlib's own compressor made the committed files; a substitute gives other bytes, same values.
CLASSIC_ZLIB = re.fullmatch(r"[\d.]+", zlib.ZLIB_RUNTIME_VERSION) is not None


@pytest.fixture(scope="module")
def rebuilt() -> dict[str, bytes]:
    return dict(make_data.rebuild())


@pytest.fixture(scope="module")
def lab() -> tuple[np.ndarray, np.ndarray]:
    file = loadmat(DATA / "ex3data1.mat")
    return file["X"], file["y"]


@pytest.fixture(scope="module")
def mnist_5k() -> tuple[np.ndarray, np.ndarray]:
    with np.load(DATA / "mnist_5k.npz") as file:
        return file["images"], file["labels"]


def read_labels() -> list[dict[str, str]]:
    with open(DATA / "handwriting" / "labels.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["ex3data1.mat", "mnist_5k.npz"])
def test_rebuilding_gives_the_committed_bytes(rebuilt: dict[str, bytes], name: str) -> None:
    committed = (DATA / name).read_bytes()
    assert make_data.same_content(name, rebuilt[name], committed)
    if CLASSIC_ZLIB:
        assert rebuilt[name] == committed


def test_rebuilding_gives_the_committed_photographs(rebuilt: dict[str, bytes]) -> None:
    names = [name for name in rebuilt if name.startswith("handwriting/")]
    there = {f"handwriting/{path.name}" for path in (DATA / "handwriting").iterdir()}
    assert set(names) == there
    for name in names:
        assert make_data.same_content(name, rebuilt[name], (DATA / name).read_bytes()), name


def test_shapes_and_types(lab, mnist_5k) -> None:
    (X, y), (images, labels) = lab, mnist_5k
    assert (X.shape, X.dtype) == ((5000, 400), np.float64)
    assert (y.shape, y.dtype) == ((5000, 1), np.uint8)
    assert (images.shape, images.dtype) == ((5000, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((5000,), np.uint8)


def test_published_figures_hold(lab) -> None:
    X, y = lab
    figures = [X.min(), X.max(), X.mean(), X.std(), X[0].sum(), *X[0, 166:170]]
    published = [
        -0.13196323019852388,
        1.1276882991588881,
        0.1313391300798409,
        0.29505160379519346,
        62.22731187080514,
        0.936720163,
        1.04320956,
        0.598003217,
        -0.00359409041,
    ]
    np.testing.assert_allclose(figures, published, rtol=0, atol=1e-8)
    assert y[1015] == 2


def test_zero_is_stored_as_ten_and_classes_are_sorted(lab, mnist_5k) -> None:
    y, labels = lab[1].ravel(), mnist_5k[1]
    assert y.tolist() == np.repeat([10, 1, 2, 3, 4, 5, 6, 7, 8, 9], 500).tolist()
    assert labels.tolist() == np.repeat(np.arange(10), 500).tolist()


def test_rows_unroll_by_columns(lab, mnist_5k) -> None:
    rows, images = lab[0], mnist_5k[0] / 255.0
    for i in range(0, 5000, 250):
        upright = rows[i].reshape(20, 20).T
        # Both grids are summed in bands of a quarter: only the upright digit has the same ones.
        small = upright.reshape(4, 5, 4, 5).sum(axis=(1, 3)) * 1.4**2
        large = images[i].reshape(4, 7, 4, 7).sum(axis=(1, 3))
        np.testing.assert_allclose(small, large, atol=1.5)


@pytest.mark.skipif(not WEIGHTS.is_file(), reason=f"the published weights are not at {WEIGHTS}")
def test_published_weights_give_the_published_accuracy_and_costs(lab) -> None:
    X, y = lab
    weights = loadmat(WEIGHTS)
    theta1, theta2 = weights["Theta1"], weights["Theta2"]

    def layer(a: np.ndarray, theta: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(a @ theta[:, 1:].T + theta[:, 0])))

    h = layer(layer(X, theta1), theta2)
    assert np.mean(h.argmax(axis=1) + 1 == y.ravel()) == 0.9752
    target = np.eye(10)[y.ravel() - 1]
    cost = -np.sum(target * np.log(h) + (1 - target) * np.log(1 - h)) / len(X)
    penalty = (np.sum(theta1[:, 1:] ** 2) + np.sum(theta2[:, 1:] ** 2)) / (2 * len(X))
    assert round(cost, 6) == 0.287629
    assert round(cost + penalty, 6) == 0.383770


def test_photographs_are_labelled_and_cover_every_digit(mnist_5k) -> None:
    table = read_labels()
    assert len(table) == 12
    assert {int(line["digit"]) for line in table} == set(range(10))
    for line in table:
        assert int(line["digit"]) == mnist_5k[1][int(line["row"])]


def test_photographs_have_the_shape_that_their_form_says() -> None:
    channels = {"colour": (3,), "grey": (), "opaque alpha": (4,), "cut out": (4,)}
    table = read_labels()
    assert {line["form"] for line in table} == set(channels)
    for line in table:
        path = DATA / "handwriting" / line["file"]
        photo = read_photograph(path)
        assert photo.dtype == np.uint8
        assert photo.shape[2:] == channels[line["form"]], line["file"]
        assert path.stat().st_size < 62_000, line["file"]
        if line["form"] == "cut out":
            assert photo[0, 0].tolist() == [0, 0, 0, 0]


def test_ink_is_darker_than_paper_everywhere_on_unseen_photographs(mnist_5k) -> None:
    from scipy import ndimage

    for seed in range(24):
        digit = mnist_5k[0][seed * 200 + 7]
        rng = np.random.default_rng([7, seed])
        look = Look.draw(rng)
        state = rng.bit_generator.state
        photo = as_grey(photograph(digit, rng, look)).astype(int)
        rng.bit_generator.state = state
        cover = strokes(digit, look, rng)
        ink = photo[ndimage.minimum_filter(cover, 5) > 0.97]
        paper = photo[ndimage.maximum_filter(cover, 7) < 0.01]
        assert ink.size and paper.min() - ink.max() >= 30, (seed, look)
        edge = np.concatenate([cover[[0, -1]].ravel(), cover[:, [0, -1]].ravel()])
        assert edge.max() == 0, f"digit cut off by the border: {look}"


def test_photograph_repeats_with_the_seed_and_changes_with_it(mnist_5k) -> None:
    digit = mnist_5k[0][1500]
    one, again, other = (photograph(digit, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert one.shape != other.shape or not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("digit", "words"),
    [(np.zeros((20, 20), np.uint8), "(28, 28)"), (np.zeros((28, 28), np.uint8), "blank")],
)
def test_photograph_refuses_what_is_no_digit(digit: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        photograph(digit, np.random.default_rng(0))


def test_data_card_lists_every_file_with_its_checksum() -> None:
    card = (DATA / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", card))
    files = [path for path in DATA.rglob("*") if path.is_file() and path.name != "README.md"]
    # mnist.npz, the full set, may be put here by whoever has it; it is not part of the project.
    sums = {
        path.relative_to(DATA).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name != "mnist.npz"
    }
    assert listed == sums


def test_check_names_a_damaged_and_a_missing_file(
    tmp_path: Path, rebuilt: dict[str, bytes], monkeypatch, capsys
) -> None:
    monkeypatch.setattr(make_data, "rebuild", lambda: iter(rebuilt.items()))
    assert make_data.main(["--to", str(tmp_path)]) == 0
    assert make_data.main(["--to", str(tmp_path), "--check"]) == 0
    (tmp_path / "mnist_5k.npz").write_bytes(rebuilt["mnist_5k.npz"][:1000])
    (tmp_path / "handwriting" / "photo_03.png").unlink()
    capsys.readouterr()
    assert make_data.main(["--to", str(tmp_path), "--check"]) == 1
    output = capsys.readouterr().out
    assert re.search(r"mnist_5k\.npz +\d+ +differs", output)
    assert re.search(r"photo_03\.png +\d+ +missing", output)
