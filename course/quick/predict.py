"""Runs in the student's kernel before the student's code: `predict` of one batch goes straight to the
network.

Keras builds a pipeline of `tf.data` for every call, which for a few rows takes twenty times as
long as the prediction. The compiled function that it then calls is called here with the same rows, so
that the outputs are the same to the bit, and so is what is printed, but for the time that it
tells; `tests/test_quick_predict.py` shows both. Anything but one batch of plain numbers is predicted
as ever.
"""

import functools
import inspect

import keras
import numpy as np
import tensorflow as tf

DEFAULT_BATCH = 32
"""Rows in a batch where the caller does not say: Keras's own."""


def in_one_batch(predict_model):
    """Return `predict`, without the pipeline where it would carry a single batch."""
    signature = inspect.signature(predict_model)

    @functools.wraps(predict_model)
    def predict(self, *args, **kwargs):
        try:
            given = dict(signature.bind(self, *args, **kwargs).arguments)
        except TypeError:  # predict itself says what is wrong
            return predict_model(self, *args, **kwargs)
        if not is_one_batch(self, given):
            return predict_model(self, *args, **kwargs)
        verbose = given.get("verbose", "auto")
        rows = tf.convert_to_tensor(given["x"].astype(keras.config.floatx()))
        self.make_predict_function()
        self.stop_predicting = False
        told = keras.callbacks.CallbackList(
            None, add_progbar=verbose != 0, verbose=verbose, epochs=1, steps=1, model=self
        )
        told.on_predict_begin()
        told.on_predict_batch_begin(0)
        outputs = self.predict_function([rows])
        told.on_predict_batch_end(0, {"outputs": outputs})
        told.on_predict_end()
        return keras.tree.map_structure(lambda tensor: tensor.numpy(), outputs)

    return predict


def is_one_batch(model, given):
    """Tell whether a call of `predict` is one batch of plain numbers, and the model of a plain kind."""
    x, size = given.get("x"), given.get("batch_size")
    size = DEFAULT_BATCH if size is None else size
    return (
        type(model) is keras.Sequential
        and all(dense(output) for output in getattr(model, "outputs", None) or (None,))
        and "predict_step" not in vars(model)
        and not model.run_eagerly
        and (model.steps_per_execution == 1 or given.get("verbose") == 0)
        and type(x) is np.ndarray
        and x.dtype in (np.float32, np.float64)
        and type(size) is int
        and 1 <= len(x) <= size
        and x.shape[1:] == tuple(model.inputs[0].shape[1:])
        and not given.get("callbacks")
        and not given.get("steps")
    )


def dense(output):
    """Tell whether an output of a model is a plain tensor, neither sparse nor ragged."""
    kinds = (getattr(output, "sparse", True), getattr(output, "ragged", False))
    return not any(kinds)


if not hasattr(keras.Model.predict, "goes_straight"):
    keras.Model.predict = in_one_batch(keras.Model.predict)
    keras.Model.predict.goes_straight = True
