"""Which networks are shown, that their numbers are Keras's, and the sentence for every other one."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import standin
from conftest import Watched, under
from support.looking import box, eventually_js, expect, fits, text

from explorer import Explorer, ExplorerError, Recorder
from explorer.layers import outputs
from explorer.network import read_layers

layers = keras.layers

rng = np.random.default_rng(0)
SMALL = rng.random((40, 8, 8, 1)).astype(np.float32)
CLASSES = np.arange(40) % 3


#: No two parts overlap, each is a target of 24 pixels with its surroundings, names do not touch.
APART = """(() => {
  const boxes = (s) => [...document.querySelectorAll(s)].map((e) => e.getBoundingClientRect());
  const pairs = (all, right) => all.every((a, i) => all.every((b, j) => i === j || right(a, b)));
  const beside = (a, b) => a.right <= b.left + 0.5 || b.right <= a.left + 0.5;
  const apart = (a, b) => beside(a, b) || a.bottom <= b.top + 0.5 || b.bottom <= a.top + 0.5;
  const middle = (a) => [a.x + a.width / 2, a.y + a.height / 2];
  const away = (a, b) => Math.hypot(middle(a)[0] - middle(b)[0], middle(a)[1] - middle(b)[1]) >= 24;
  const units = boxes('.dlx-unit');
  const names = boxes('.dlx-layer-name');
  return units.length > 10 && pairs(units, apart) && pairs(units, away) && pairs(names, apart);
})()"""


def images() -> tuple[Any, Any]:
    """The 5,000 digits that come with the lab, 28 x 28, mixed."""
    data = np.load(standin.ROOT / "Data" / "mnist_5k.npz")
    order = np.random.default_rng(0).permutation(5000)
    return data["images"][order, :, :, None].astype(np.float32) / 255, data["labels"][order]


def sequel() -> Any:
    """`lab_mnist`'s convolutional network, its layers named as if it were the first one."""
    keras.utils.clear_session()
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 5, strides=2, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(48),
            layers.ReLU(),
            layers.Dense(10),
            layers.Softmax(),
        ]
    )


@pytest.fixture(scope="module")
def convolutional() -> tuple[Any, Any, Any, Any]:
    """That network after an epoch of a part, with its recorder and 300 digits."""
    X, y = images()
    keras.utils.set_random_seed(1)
    model = sequel()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy())
    recorder = Recorder()
    model.fit(X[:1500], y[:1500], epochs=1, batch_size=50, verbose=0, callbacks=[recorder])
    return model, recorder, X[4000:4300], y[4000:4300]


@pytest.fixture(scope="module")
def conv_page(convolutional: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model, recorder, X, y = convolutional
    folder = tmp_path_factory.mktemp("conv")
    return Explorer(model, X, y, history=recorder).save_html(folder / "conv.html")


def test_one_output_pixels_whole_arithmetic_is_shown(conv_page: Path, open_page: Any) -> None:
    """Window times filter, over all channels: 3 x 3 x 32 terms, their sum, the bias, ReLU."""
    watched: Watched = open_page("layer=1&unit=1605&all=1", file=conv_page)
    panel = watched.page.locator("[data-part=unit]")
    expect(panel.locator(".dlx-h")).to_have_text("conv2d_1, map 5, row 2, col 5", timeout=30_000)
    expect(panel.locator(".dlx-terms tbody tr")).to_have_count(288)
    total, bias, z, a = watched.value(
        "['sum', 'bias', 'z', 'a'].map((n) => Number("
        "document.querySelector('[data-part=unit]').dataset[n]))"
    )
    assert total + bias == pytest.approx(z, abs=1e-9) and a == max(0, z)
    watched.becomes(
        "(() => { const { layers, pass } = d; const [x, w] = [pass.a[0], layers[1].weights]; let sum = 0;"
        " for (let u = 0; u < 3; u++) for (let v = 0; v < 3; v++) for (let i = 0; i < 32; i++)"
        " sum += x[((2 + u) * 12 + 5 + v) * 32 + i] * w[((u * 3 + v) * 32 + i) * 64 + 5];"
        " return Math.abs(sum - arg) < 1e-9; })()",
        argument=total,
    )
    # Another point of the map, by its sliders.
    panel.get_by_label("Row of the map").fill("7")
    watched.has(unit=(7 * 10 + 5) * 64 + 5)
    expect(panel.locator(".dlx-h")).to_have_text("conv2d_1, map 5, row 7, col 5")


def test_each_map_shows_what_its_filter_makes_of_the_digit(conv_page: Path, open_page: Any) -> None:
    watched: Watched = open_page("sample=3", file=conv_page)
    for map_of in ("conv2d map 4", "conv2d_1 map 9", "max_pooling2d map 9"):
        look = under(f"document.querySelector('.dlx-unit[aria-label^=\"{map_of},\"]')")
        before = watched.value(look)
        watched.set(sample=8)
        watched.becomes(f"{look} !== arg", argument=before)
        watched.set(sample=3)
        watched.becomes(look, before)


def test_scrub_and_blame_work_on_maps(conv_page: Path, open_page: Any) -> None:
    watched: Watched = open_page("grain=unit&t=40", file=conv_page)
    page = watched.page
    expect(page.locator(".dlx-said")).to_contain_text("conv2d_1, map 7.")
    watched.becomes("d.place.shown", [32, 8, 0, 0, 0])
    slider = page.get_by_label("Position in the forward pass")
    slider.fill("33")
    watched.has(layer=1, t=33)
    slider.fill("219")
    expect(page.locator(".dlx-answer")).to_have_text(re.compile(r"^\d$"))
    page.locator("[data-panel=network] [data-part=blame] button").first.click()
    watched.has(layer=3)


def test_functional_chains_and_models_in_models_are_read() -> None:
    inputs = keras.Input((8, 8, 1))
    inner = keras.Sequential([keras.Input((6, 6, 2)), layers.Flatten(), layers.Dense(5, "tanh")])
    model = keras.Model(inputs, layers.Dense(3)(inner(layers.Conv2D(2, 3)(inputs))))
    read = read_layers(model)
    assert [layer.kind for layer in read] == ["conv", "dense", "dense"]
    ours = outputs(read, SMALL.reshape(40, -1))
    np.testing.assert_allclose(ours, np.asarray(model(SMALL)), atol=1e-5)
    Explorer(model, SMALL, CLASSES)


def refused(change: str) -> Any:
    """A model that is no chain of what is supported."""
    inputs = keras.Input((8, 8, 1))
    flat = layers.Flatten()(inputs)
    if change == "shared":
        shared = layers.Dense(64, name="twice")
        return keras.Model(inputs, layers.Dense(3)(shared(shared(flat))))
    if change == "two outputs":
        return keras.Model(inputs, [layers.Dense(3)(flat), layers.Dense(3)(flat)])
    if change == "two inputs":
        other = keras.Input((64,))
        return keras.Model([inputs, other], layers.Dense(3)(layers.Add()([flat, other])))
    if change == "joined":
        one, two = layers.Dense(4, name="one")(flat), layers.Dense(4, name="two")(flat)
        return keras.Model(inputs, layers.Dense(3)(layers.Add(name="sum")([one, two])))
    if change == "own class":

        class Mine(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.one = layers.Dense(3)

            def call(self, x: Any) -> Any:
                return self.one(keras.ops.reshape(x, (-1, 64))) ** 2

        model = Mine()
        model(SMALL)
        return model
    if change == "not built":
        return keras.Sequential([layers.Conv2D(2, 3, name="early"), layers.Flatten()])
    if change == "sizes left open":
        open_ended = [layers.Conv2D(2, 3, name="any"), layers.GlobalAveragePooling2D()]
        return keras.Sequential([keras.Input((None, None, 1)), *open_ended, layers.Dense(3)])
    if change == "twice":
        again = layers.Dense(64)
        return keras.Sequential([inputs, layers.Flatten(), again, again, layers.Dense(3)])
    if change == "quantised":
        model = keras.Sequential([inputs, layers.Flatten(), layers.Dense(3, name="small")])
        with warnings.catch_warnings(action="ignore"):
            model.quantize("int8")
        return model
    parts: dict[str, list[Any]] = {
        "channels": [layers.MaxPooling2D(1, data_format="channels_first", name="pool")],
        "flattened": [layers.Flatten(data_format="channels_first", name="flat")],
        "groups": [layers.Conv2D(4, 3), layers.Conv2D(4, 3, groups=2, name="split")],
        "keepdims": [layers.GlobalAveragePooling2D(keepdims=True, name="mean")],
        "axis": [layers.BatchNormalization(axis=1, name="rows")],
        "dtype": [layers.Flatten(), layers.Dense(3, dtype="bfloat16", name="half")],
        "capped": [layers.Flatten(), layers.Dense(4), layers.ReLU(max_value=1, name="cap")],
        "other axis": [layers.Flatten(), layers.Dense(3), layers.Softmax(axis=0, name="odd")],
        "layer": [layers.SeparableConv2D(2, 3, name="odd"), layers.Flatten(), layers.Dense(3)],
        "dilation": [layers.Conv2D(2, 2, dilation_rate=2), layers.Flatten(), layers.Dense(3)],
        "dense on maps": [layers.Dense(4, name="per_point"), layers.Flatten(), layers.Dense(3)],
        "softmax on maps": [
            layers.Conv2D(3, 3, activation="softmax"),
            layers.Flatten(),
            layers.Dense(3),
        ],
        "maps at the end": [layers.Conv2D(3, 3, name="end")],
        "activation": [layers.Flatten(), layers.Dense(4, "gelu", name="odd"), layers.Dense(3)],
        "one unit": [layers.Flatten(), layers.Dense(1, "sigmoid", name="yes")],
        "size": [layers.Flatten(), layers.Dense(40_000), layers.Dense(3)],
    }
    return keras.Sequential([inputs, *parts[change]])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("shared", "Layer “twice” is used 2 times"),
        ("two outputs", "has 2 outputs"),
        ("two inputs", "has 2 inputs"),
        ("joined", "goes to two layers, “one” and “two”"),
        ("own class", "Mine is a model of your own class"),
        ("layer", "Layer “odd” is a SeparableConv2D"),
        ("dilation", "with dilation_rate (2, 2)"),
        ("dense on maps", "Layer “per_point” is a Dense layer on 8 x 8 maps"),
        ("softmax on maps", "takes a softmax over maps"),
        ("maps at the end", "The last layer, “end”, gives 6 x 6 maps"),
        ("activation", "Layer “odd” has the activation gelu"),
        ("one unit", "“yes”, has one unit"),
        ("size", "weights; the explorer shows up to 2,000,000"),
        ("not built", "Layer “early” is not built"),
        ("sizes left open", "Layer “any” is not built: the size of what comes in is not known"),
        ("twice", "A layer stands in the model twice"),
        ("quantised", "Layer “small” has weights of dtype int8"),
        ("channels", "Layer “pool” keeps its channels first"),
        ("flattened", "Layer “flat” keeps its channels first"),
        ("groups", "with dilation_rate (1, 1) and groups 2"),
        ("keepdims", "Layer “mean” has keepdims=True"),
        ("axis", "Layer “rows” normalises axis 1. The explorer shows the last one"),
        ("dtype", "Layer “half” computes in bfloat16. The explorer shows float32"),
        ("capped", "Layer “cap” has the activation ReLU"),
        ("other axis", "Layer “odd” has the activation Softmax"),
    ],
)
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis 0")
def test_what_is_not_supported_is_refused_by_name(change: str, says: str) -> None:
    with pytest.raises(ExplorerError, match=re.escape(says)) as caught:
        Explorer(refused(change), SMALL, CLASSES)
    says_so = r"explorer shows|Show a smaller|Leave it out"
    assert re.search(says_so, str(caught.value)), "says what is supported"


def test_what_differs_from_keras_is_refused_rather_than_shown() -> None:
    """A layer that calls itself Dense and does more."""

    class Dense(layers.Dense):
        def call(self, x: Any) -> Any:
            return super().call(x) * 1.01

    model = keras.Sequential([keras.Input((64,)), Dense(3)])
    with pytest.raises(ExplorerError, match="differs from Keras by"):
        Explorer(model, SMALL.reshape(40, 64), CLASSES)


def test_labels_that_are_text_or_broken_get_a_clear_answer_and_whole_floats_are_taken() -> None:
    model = keras.Sequential([keras.Input((64,)), layers.Dense(3)])
    X = SMALL.reshape(40, 64)
    for labels, says in (
        (CLASSES.astype(str), "y holds text ('0'). Give the classes as integers 0 to 2"),
        (CLASSES + 0.5, "y holds 0.5, which is no class"),
        (np.eye(3)[CLASSES], "y has 3 columns, one for each class"),
        (CLASSES - 1, "y goes from -1 to 1"),
        (CLASSES * 1j, "y has the dtype complex128. Give the classes as integers 0 to 2"),
        ([None] * 40, "y has the dtype object. Give the classes as integers 0 to 2"),
        (CLASSES[:39], "X holds 40 digits and y 39 labels"),
    ):
        with pytest.raises(ExplorerError, match=re.escape(says)):
            Explorer(model, X, labels)
    assert Explorer(model, X, CLASSES.astype(float)).bundle == Explorer(model, X, CLASSES).bundle


def test_inputs_that_do_not_fit_get_a_sentence_that_says_what_does() -> None:
    model = keras.Sequential([keras.Input((64,)), layers.Dense(3)])
    image = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3)])
    four = keras.Sequential([keras.Input((64,)), layers.Dense(4)])
    X = SMALL.reshape(40, 64)
    for given, options, says in (
        ((model, [["a"] * 64] * 40, CLASSES), {}, "X holds something that is no number"),
        ((model, X * 1j, CLASSES), {}, "X holds something that is no number"),
        ((model, [[1], [2, 3]], [0, 1]), {}, "X holds something that is no number"),
        ((model, X.astype("M8[s]"), CLASSES), {}, "Give an array of numbers: integers or floats"),
        ((model, X[:, :60], CLASSES), {}, "Give X with shape (m, 64)"),
        ((model, X[:0], CLASSES[:0]), {}, "at least one of them"),
        ((model, X, CLASSES), {"samples": 0}, "samples is 0; give how many inputs to keep"),
        ((model, X, CLASSES), {"samples": 2.5}, "samples is 2.5; give how many"),
        ((model, X, CLASSES), {"order": "Q"}, "order is 'Q'; give 'F' (columns), 'C' (rows)"),
        ((image, X, CLASSES), {"order": "F"}, "the model takes images row by row"),
        ((model, X, CLASSES), {"columns": ["a", "b"]}, "There are 2 names in columns"),
        ((image, X, CLASSES), {"columns": ["a"]}, "columns are names for a row of numbers"),
        ((model, X, CLASSES), {"compare": {"four": four}}, "Two models can be compared if they"),
        ((model, X, CLASSES), {"compare": {"your model": model}}, "Give each its own name"),
    ):
        with pytest.raises(ExplorerError, match=re.escape(says)):
            Explorer(*given, **options)


def many(name: str) -> Explorer:
    """Networks larger than the lab's, and tables."""
    X, y = rng.random((60, 400)), np.arange(60)
    relu = "relu"
    if name == "deep":
        stack = [layers.Dense(300, relu, name="a_layer_with_a_long_name")]
        stack += [layers.Dense(20 + k, relu, name=f"another_long_name_{k}") for k in range(10)]
        model = keras.Sequential([keras.Input((400,)), *stack, layers.Dense(26)])
        return Explorer(model, X, y % 26)
    if name == "wide":
        model = keras.Sequential([keras.Input((400,)), layers.Dense(300, relu), layers.Dense(300)])
        return Explorer(model, X, y % 300)
    model = keras.Sequential([keras.Input((5,)), layers.Dense(12, relu), layers.Dense(3)])
    columns = ["age", "height", "weight", "pulse", "a column with a long name"]
    return Explorer(model, rng.normal(size=(60, 5)) * [1, 10, 100, 1, 5], y % 3, columns=columns)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("many")
    return {n: many(n).save_html(folder / f"{n}.html") for n in ("deep", "wide", "table")}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["deep", "wide", "table"])
def test_networks_of_any_size_stay_on_the_page_and_nothing_overlaps(
    pages: dict[str, Path], open_page: Any, name: str, width: int
) -> None:
    watched: Watched = open_page(file=pages[name], width=width)
    page = watched.page
    fits(page, width)
    eventually_js(
        page,
        APART,
    )
    stage = box(page.locator(".dlx-stage-box"))
    assert stage["x"] >= 0 and stage["x"] + stage["width"] <= width
    if name == "table":
        expect(page.get_by_role("tab", name="Input")).to_have_count(0)
        expect(page.locator(".dlx-terms tbody th").first).to_have_text(
            re.compile("age|height|weight|pulse|a column with a long name")
        )
        return
    # What is folded is said, and can be opened.
    expect(page.locator(".dlx-network > .dlx-note")).to_contain_text(
        "Folded away, a page at a time:"
    )
    more = page.locator(".dlx-more").first
    folded = int(text(more).lstrip("+"))
    expect(page.locator(".dlx-network > .dlx-note")).to_contain_text(f"{folded} of 300")
    more.click()
    watched.has(layer=0, unit=300 - folded)
    expect(page.locator(".dlx-unit[aria-pressed=true]")).to_have_count(1)
    expect(page.locator(".dlx-answers .dlx-note")).to_contain_text("more classes, together")


def test_standardised_images_are_drawn_over_their_own_range(open_page: Any, tmp_path: Path) -> None:
    X, y = images()
    X = (X[:300].reshape(300, 784) - 0.13) / 0.31
    model = keras.Sequential([keras.Input((784,)), layers.Dense(8, "relu"), layers.Dense(10)])
    watched: Watched = open_page(file=Explorer(model, X, y[:300]).save_html(tmp_path / "s.html"))
    watched.becomes("d.bundle.input.drawable")
    low, high = watched.value("[d.bundle.input.low, d.bundle.input.high]")
    assert (low, high) == pytest.approx((X.min(), X.max()), abs=0.02)
    watched.set(source="ink", ink="1c0a1c2s.0a1e2s1e")
    # A drawing's paper and ink are the data's own.
    watched.becomes(
        "[Math.min(...d.pass.x), Math.max(...d.pass.x) > 0.7 * d.bundle.input.high]", [low, True]
    )


def test_pixels_standardised_one_by_one_can_be_seen_but_not_drawn(
    open_page: Any, tmp_path: Path
) -> None:
    X = rng.normal(size=(60, 64))
    model = keras.Sequential([keras.Input((64,)), layers.Dense(8, "relu"), layers.Dense(3)])
    page = Explorer(model, X, np.arange(60) % 3).save_html(tmp_path / "n.html")
    watched: Watched = open_page("source=ink&ink=1c0a1c2s", file=page)
    expect(watched.page.locator(".dlx-answer")).to_have_text(re.compile(r"^\d$"))
    expect(watched.page.get_by_text("Erase")).to_have_count(0)
    watched.becomes("d.state.source", "sample")
