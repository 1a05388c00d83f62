"""The bundle's layout, and a sentence for everything that cannot be shown."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
import standin
from conftest import Trained

from explorer import Explorer, ExplorerError, Recorder
from explorer.pack import pack


def read(bundle: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the sections, read independently of the code that wrote them."""
    assert bundle[:8] == b"DIGITS01"
    length, total = np.frombuffer(bundle[8:16], "<u4")
    assert total == len(bundle)
    header = json.loads(bundle[16 : 16 + length])
    start = -(-(16 + int(length)) // 8) * 8
    kinds = {"f32": "<f4", "f16": "<u2", "u16": "<u2", "u8": "u1"}
    sections = {}
    for name, entry in header["sections"].items():
        assert entry["offset"] % 8 == 0
        kind = np.dtype(kinds[entry["dtype"]])
        at = start + entry["offset"]
        sections[name] = np.frombuffer(bundle, kind, entry["length"], at)
    return header, sections


def test_bundle_holds_weights_snapshots_and_digits(trained: Trained) -> None:
    header, sections = read(trained.explorer.bundle)
    flat = np.concatenate([w.ravel() for w in trained.model.get_weights()])
    np.testing.assert_array_equal(sections["weights0"], flat)
    snapshots = sections["snapshots0"].reshape(9, -1).cumsum(axis=0, dtype=np.uint16)
    for epoch in (0, 4, 8):
        kept = np.concatenate([w.ravel() for w in trained.recorder.snapshots[epoch]])
        packed = snapshots[epoch].view(np.float16)
        assert (np.abs(packed - kept) <= np.spacing(np.abs(packed).astype(np.float16))).all()
        assert (packed == kept.astype(np.float16)).mean() > 0.9  # nearly all to the nearest
    samples = header["samples"]
    values = (sections["samples"].astype(float) - samples["zero"]) * samples["scale"]
    found = {
        row.tobytes() for row in np.rint(values.reshape(600, 400) / samples["scale"]).astype(int)
    }
    given = {row.tobytes() for row in np.rint(trained.X / samples["scale"]).astype(int)}
    assert found == given
    assert (sections["samples"] == samples["zero"]).mean() > 0.3  # paper is exactly 0


def test_half_precision_reads_every_digit_as_the_snapshot_does() -> None:
    """Rounded to the nearest, which is what the seed is chosen for, some digits are read differently."""
    X, y = standin.load_digits()
    model = standin.make_model(seed=1)
    recorder = standin.train(model, X[:2000], y[:2000], epochs=14)
    header, sections = read(Explorer(model, X[4000:], y[4000:], history=recorder).bundle)
    steps = sections["samples"].reshape(1000, 400).astype(float) - header["samples"]["zero"]
    digits = (steps * header["samples"]["scale"]).astype(np.float32).astype(float)
    snapshots = sections["snapshots0"].reshape(15, -1).cumsum(axis=0, dtype=np.uint16)

    def readings(flat: Any) -> Any:
        arrays, at = [], 0
        for w in recorder.snapshots[0]:
            arrays.append(flat[at : at + w.size].reshape(w.shape))
            at += w.size
        for layer, k in zip(model.layers, (0, 2, 4), strict=True):
            layer.set_weights(arrays[k : k + 2])
        return model(digits).argmax(axis=1)

    nearest = 0
    for bits, arrays in zip(snapshots, recorder.snapshots, strict=True):
        flat = np.concatenate([w.ravel() for w in arrays])
        wanted = readings(flat)
        nearest += (readings(flat.astype(np.float16)) != wanted).sum()
        np.testing.assert_array_equal(readings(bits.view(np.float16)), wanted)
    assert nearest > 0


def test_same_input_gives_the_same_bytes(trained: Trained) -> None:
    again = pack(
        {"your model": (trained.model, trained.recorder), "one layer": (trained.other, None)},
        trained.X,
        trained.y,
        title="How the network reads a digit",
    )
    assert again == trained.explorer.bundle


def test_first_digit_is_a_seven_read_rightly(trained: Trained) -> None:
    header, sections = read(trained.explorer.bundle)
    assert sections["labels"][0] == 7
    values = (sections["samples"][:400].astype(float) - header["samples"]["zero"]) * header[
        "samples"
    ]["scale"]
    assert trained.model(values[None])[0].argmax() == 7


def test_tour_opens_the_unit_that_the_first_digit_moves_most(trained: Trained) -> None:
    header, sections = read(trained.explorer.bundle)
    samples = header["samples"]
    digit = (sections["samples"][:400].astype(float) - samples["zero"]) * samples["scale"]
    weights, bias = trained.model.layers[0].get_weights()
    loudest = int((digit @ weights + bias).argmax())
    opened = {stop["patch"]["unit"] for stop in header["tour"] if "unit" in stop["patch"]}
    assert opened == {loudest} != {0}  # 0 is what stands in tour.json


def test_fifty_thousand_digits_are_thinned_out_evenly() -> None:
    X, y = standin.load_digits()
    model = standin.make_model()
    header, sections = read(Explorer(model, np.tile(X, (10, 1)), np.tile(y, 10)).bundle)
    assert (header["samples"]["count"], header["samples"]["of"]) == (1000, 50_000)
    counts = np.bincount(sections["labels"], minlength=10)
    assert counts.min() >= 99 and counts.max() <= 101


def test_square_images_of_rows_are_taken_for_28_by_28() -> None:
    model = standin.make_model((16, 10), inputs=784)
    X = np.random.default_rng(0).random((20, 28, 28))
    header, _ = read(Explorer(model, X, np.arange(20) % 10).bundle)
    found = {
        key: header["input"][key] for key in ("kind", "side", "order", "normalised", "drawable")
    }
    assert found == {
        "kind": "image", "side": 28, "order": "C", "normalised": True, "drawable": True,
    }  # fmt: skip


class LSTM:
    name = "memory"

    def get_weights(self) -> list[Any]:
        return []


def broken(change: str) -> tuple[Any, ...]:
    X, y = standin.load_digits()
    X, y = X[:50], y[:50]
    model: Any = standin.make_model()
    if change == "foreign":
        model.layers.insert(1, LSTM())
    elif change == "activation":
        model.layers[1].activation.__name__ = "swish"
        model.layers[1].activation = lambda z: z * 2
    elif change == "no weights":
        model.layers[0].get_weights = list
    elif change == "nothing":
        model = object()
    elif change == "nan":
        arrays = model.layers[1].get_weights()
        arrays[0][3, 3] = np.nan
        model.layers[1].set_weights(arrays)
    elif change == "width":
        X = X[:, :399]
    elif change == "labels":
        y = np.where(y == 0, 10, y)
    elif change == "count":
        y = y[:-1]
    elif change == "pixels":
        X = X.copy()
        X[3, 5] = np.inf
    elif change == "one unit":
        model = standin.make_model((5, 1))
    return model, X, y


@pytest.mark.parametrize(
    "change, says",
    [
        ("foreign", "Layer “memory” is a LSTM"),
        ("activation", "Layer “L2” has the activation"),
        ("no weights", "Layer “L1” has no weights yet"),
        ("nothing", "has no layers"),
        ("nan", "Layer “L2” has 1 weights that are not finite"),
        ("width", "the model takes 400 numbers a digit"),
        ("labels", "y[y == 10] = 0"),
        ("count", "50 digits and y 49 labels"),
        ("pixels", "NaN or infinite"),
        ("one unit", "has one unit"),
    ],
)
def test_what_cannot_be_shown_gets_a_sentence(change: str, says: str) -> None:
    with pytest.raises(ExplorerError, match=re.escape(says)) as caught:
        Explorer(*broken(change))
    assert str(caught.value).endswith((".", "0"))


def test_a_training_that_went_astray_names_its_epoch() -> None:
    X, y = standin.load_digits()
    model = standin.make_model()
    recorder = standin.train(model, X[:80], y[:80], epochs=2)
    recorder.snapshots[1][0][0, 0] = np.nan
    with pytest.raises(ExplorerError, match="at epoch 1 has 1 weights"):
        Explorer(model, X[:20], y[:20], history=recorder)


def test_another_models_recorder_and_a_wrong_history_are_refused() -> None:
    X, y = standin.load_digits()
    other = standin.make_model((7, 10))
    recorder = standin.train(other, X[:80], y[:80], epochs=1)
    with pytest.raises(ExplorerError, match="Give the Recorder that was used"):
        Explorer(standin.make_model((8, 10)), X[:20], y[:20], history=recorder)
    with pytest.raises(ExplorerError, match="history is a int"):
        Explorer(other, X[:20], y[:20], history=7)


def test_what_fit_returned_gives_the_curves_alone() -> None:
    X, y = standin.load_digits()
    bundle = Explorer(
        standin.make_model(), X[:20], y[:20], history={"loss": [2.0, float("nan")]}
    ).bundle
    model = read(bundle)[0]["models"][0]
    assert model["epochs"] == []
    assert model["log"] == [{"epoch": 1.0, "loss": 2.0}, {"epoch": 2.0}]


def test_recorder_carries_on_over_a_second_fit() -> None:
    model = standin.make_model()
    recorder = Recorder()
    recorder.set_model(model)
    for _ in range(2):
        recorder.on_train_begin()
        recorder.on_epoch_end(0, {"loss": 1.0})
    assert [entry["epoch"] for entry in recorder.epochs] == [0, 1, 2]


def test_drawing_is_none_until_there_is_one(trained: Trained) -> None:
    explorer = Explorer(trained.model, trained.X, trained.y)
    assert explorer.drawing is None
    explorer.set_state({"_picture_shape": [2, 3, 1], "_picture": memoryview(bytes(range(6)))})
    np.testing.assert_array_equal(explorer.drawing, [[0, 1, 2], [3, 4, 5]])


def test_page_is_one_file_of_about_a_megabyte(trained: Trained) -> None:
    static = trained.explorer.static()._repr_html_()
    assert static.startswith("<iframe ") and "sandbox=" in static
    assert not re.search(r"""(?:src|href)=["']?https?:""", static)
