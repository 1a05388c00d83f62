"""What a network that is not the one asked for shows (exercise 2 of lab_digits)."""

from __future__ import annotations

from labkit.asking import Symptom

EXTRA = {
    "Dropout": "Dropout switches units off at random; this lab does without.",
    "Softmax": "The softmax belongs in the loss here: the model's output is logits.",
    "Flatten": "The rows of X are flat already.",
    "BatchNormalization": "This lab does without batch normalisation.",
}

LAYERS = (
    Symptom(
        "There is an extra layer, {extra}. {why}",
        "Take {extra} out; what is asked for is three Dense layers.",
        lambda n_dense, extra: bool(extra),
    ),
    Symptom(
        "There are {n_dense} Dense layers: the input is not a layer of its own with units.",
        "Count the lines with units in the table above: three.",
        lambda n_dense, extra: n_dense > 3,
    ),
    Symptom(
        "There are {n_dense} Dense layers where the network has two hidden ones and an output.",
        "Compare with the table above, line by line.",
        lambda n_dense, extra: True,
    ),
)
"""What the number of Dense layers, and the layers of other kinds, show."""

UNITS = (
    Symptom(
        "The two hidden layers are swapped: 25 units come first, then 15.",
        "Change their order.",
        lambda units, n_classes: units[:2] == [15, 25],
    ),
    Symptom(
        "{more} outputs: with the label 10 remapped to 0, the classes are 0 to 9.",
        "Give the last layer one unit for each class.",
        lambda units, n_classes: units[-1:] == [n_classes + 1],
    ),
    Symptom(
        "One output gives one number; a choice among ten digits takes ten of them.",
        "Give the last layer one unit for each class.",
        lambda units, n_classes: units[-1:] == [1],
    ),
)
"""What the units of the Dense layers show."""

_ONE_ROW = (
    "Say the shape of *one* row, ({n},): a tuple with one number, without the number of rows."
)

INPUTS = (
    Symptom(
        "The number of rows was put into the input's shape: the model would take {shape}, one axis "
        "too many. Keras adds the axis of the rows by itself.",
        _ONE_ROW,
        lambda shape, n: len(shape) > 2 and shape[1] in (60_000, 5000, 4000, None, 1),
    ),
    Symptom(
        "The input has an axis too many: {shape}, as if each number were a row of one.",
        _ONE_ROW,
        lambda shape, n: len(shape) > 2,
    ),
    Symptom(
        "The number of rows is fixed at {rows}: by batch_shape or batch_size, or because there is no "
        "Input and the first data that the model was called with stood in for it.",
        "Begin the list with an Input that states the shape of one row; the number of rows stays open.",
        lambda shape, n: len(shape) == 2 and shape[0] is not None,
    ),
    Symptom(
        "The input has another length than a row of X.",
        "Look at X.shape: the shape of one row leaves the number of rows out.",
        lambda shape, n: shape != [None, n],
    ),
)
"""What the shape that a model takes shows; `n` is the length of a row."""

HIDDEN = {
    "linear": "Hidden layer {number} is linear: it was given no activation, and two linear layers in a "
    "row can do no more than one.",
    "sigmoid": "Hidden layer {number} has a sigmoid. Accuracy hardly shows it (0.90), but it learns "
    "more slowly than ReLU and is not what was asked for.",
}
"""What there is to say of a hidden layer's activation, by its name."""

OUTPUT = {
    "softmax": "The output layer has a softmax. Here the softmax sits in the loss, which is more exact; "
    "with both, it would be applied twice.",
    "relu": "The output layer has a ReLU: it makes every negative logit 0, and the network can no "
    "longer say how unlikely a digit is (accuracy falls to about 0.83).",
}
"""What there is to say of the output layer's activation, by its name."""

PARAMETERS = (
    Symptom(
        "Layer {unbiased} has no bias (use_bias=False).",
        "Leave the bias in: it lets a unit choose its own threshold.",
        lambda unbiased, frozen, model, n: bool(unbiased),
    ),
    Symptom(
        "Layer {frozen} is frozen (trainable=False): training would not change its weights.",
        "Leave every layer trainable.",
        lambda unbiased, frozen, model, n: bool(frozen),
    ),
    Symptom(
        "The model is frozen (trainable=False): training would not change its weights.",
        "Leave every layer trainable.",
        lambda unbiased, frozen, model, n: model["trainable"] != model["parameters"],
    ),
    Symptom(
        "The number of parameters is not that of three Dense layers with biases.",
        "Work out (inputs + 1) x units for each layer, and compare with model.summary().",
        lambda unbiased, frozen, model, n: model["parameters"] != n,
    ),
)
"""What the layers' weights show; `n` is how many parameters there should be."""
