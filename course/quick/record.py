"""Runs in the student's kernel before the student's code: what the reference run trained already
is not trained again.

Most right submissions train the very network that the instructor's solution trains: from the same
weights, on the same rows, in the same way. With everything that determines a training equal,
TensorFlow gives the same weights to the bit, so those of the instructor's run can stand in for
them; `tests/test_quick_record.py` shows that nothing can tell the two apart. Anything unusual is
trained as ever: a function of somebody's own anywhere in model, optimizer, loss or callbacks, on the
object or on its class (`plain.py`).

The records are not here. What determines a training is put into a digest, and the examiner is asked
for the record of that name (`ask_examiner`, which the engine provides). Who can name it has the right
network, split, loss, optimizer and arguments of `fit`, to the bit, and has solved the exercise.
"""

import contextlib
import functools
import inspect
import io
import json
import warnings
from typing import TYPE_CHECKING

import keras
import numpy as np

if TYPE_CHECKING:  # the engine runs a lab's helpers one after the other in one namespace
    from course.quick.digest import digest, figures_only, random_state, sees_model
    from course.quick.plain import Unusual

MAX_RECORD = 8 * 2**20
"""Largest record, in bytes; a larger one would cost a short training more than it saves."""

made = None
"""Name of a record -> the record, where this is the run that makes them."""


def ask_examiner(name):
    """Return the record of this name as bytes, None if there is none; the engine puts its own here."""
    return None


def begin_records():
    """Keep what is trained from now on."""
    global made
    made = {}


def all_records():
    """Return what was kept: by name, bytes as uint8, shape (n,)."""
    return made


def packed(arrays):
    """Return named arrays as one array of bytes."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return np.frombuffer(file.getvalue(), np.uint8)


def unpacked(data):
    """Return what `packed` was given."""
    with np.load(io.BytesIO(bytes(data)), allow_pickle=False) as arrays:
        return dict(arrays)


class Watch(keras.callbacks.Callback):
    """Keeps what the callbacks of a training are shown: after each epoch, figures and weights."""

    def __init__(self, *, weights):
        super().__init__()
        self.weights, self.epochs = weights, []
        self.logs = []

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append(dict(logs or {}))
        if self.weights:
            self.epochs.append(flat(self.model.get_weights()))


@contextlib.contextmanager
def after_epochs(callbacks, replace):
    """Let `replace` stand for `on_epoch_end` of those callbacks that only add figures.

    Parameters
    ----------
    callbacks : sequence of keras.callbacks.Callback
    replace : callable
        Given the place of such a callback and its method, returns what is called meanwhile.
    """
    ours = [(str(i), one) for i, one in enumerate(callbacks) if figures_only(one)]
    for place, callback in ours:
        callback.on_epoch_end = replace(place, callback.on_epoch_end)
    try:
        yield
    finally:
        for _, callback in ours:
            del callback.on_epoch_end


def kept_figures(added):
    """Return a `replace` for :func:`after_epochs` that notes in `added` what each one adds."""

    def replace(place, method):
        figures = added.setdefault(place, [])

        def on_epoch_end(epoch, logs=None):
            before = dict(logs)
            method(epoch, logs)
            figures.append({k: v for k, v in logs.items() if k not in before or v != before[k]})

        return on_epoch_end

    return replace


def told_figures(added):
    """Return a `replace` for :func:`after_epochs` that adds what was noted."""
    return lambda place, _: lambda epoch, logs=None: logs.update(added[place][epoch])


def flat(arrays):
    """Return arrays as one."""
    return np.concatenate([np.ravel(array) for array in arrays])


def state(model):
    """Return the variables that a training leaves behind, apart from the weights."""
    metrics = [v for metric in model.metrics for v in metric.variables]
    return [*model.optimizer.variables, *metrics]


def record(model, watch, added, name):
    """Keep a training that has just ended."""
    arrays = {f"state{i}": np.asarray(v) for i, v in enumerate(state(model))}
    arrays["weights"] = np.stack(watch.epochs or [flat(model.get_weights())])
    arrays["logs"] = np.frombuffer(json.dumps([watch.logs, added]).encode(), np.uint8)
    data = packed(arrays)
    if len(data) <= MAX_RECORD:
        made[name] = data


def replay(model, given, arrays):
    """Do to `model` and its callbacks what the recorded training did; return the history."""
    logs, added = json.loads(arrays["logs"].tobytes())
    steps = -(-training_rows(len(given["x"]), given) // (given.get("batch_size") or 32))
    callbacks = keras.callbacks.CallbackList(
        given.get("callbacks"),
        add_history=True,
        add_progbar=False,
        verbose=0,
        epochs=len(logs),
        steps=steps,
        model=model,
    )
    model.optimizer.build(model.trainable_variables)
    outputs = model(given["x"][:1])
    model.compute_loss(y=given["y"][:1], y_pred=outputs)
    model.compute_metrics(None, given["y"][:1], outputs)  # makes the metrics' variables
    places = np.cumsum([0, *(w.size for w in model.get_weights())])
    shapes = [w.shape for w in model.get_weights()]
    told = {}
    callbacks.on_train_begin()
    with after_epochs(given.get("callbacks") or (), told_figures(added)):
        for epoch, figures in enumerate(logs):
            callbacks.on_epoch_begin(epoch)
            if epoch >= len(logs) - len(arrays["weights"]):
                row = arrays["weights"][epoch - len(logs)]
                pieces = zip(places, places[1:], shapes, strict=False)
                model.set_weights([row[a:b].reshape(shape) for a, b, shape in pieces])
            told = dict(figures)
            callbacks.on_epoch_end(epoch, told)
    for index, variable in enumerate(state(model)):
        variable.assign(arrays[f"state{index}"])
    callbacks.on_train_end(logs=told)
    return model.history


def training_rows(rows, given):
    """Return how many of the rows `fit` trains on; it gives away a last part for validation."""
    return int(rows * (1 - given["validation_split"])) if given.get("validation_split") else rows


def remember(fit_model):
    """Return `fit`, using and keeping records."""
    signature = inspect.signature(fit_model)

    @functools.wraps(fit_model)
    def fit(self, *args, **kwargs):
        try:
            given = dict(signature.bind(self, *args, **kwargs).arguments)
            if given.get("verbose") != 0 or type(given.get("x")) is not np.ndarray:
                raise Unusual
            with warnings.catch_warnings(action="ignore"):  # a lambda's configuration warns
                name = digest(self, given)
        except Exception:  # noqa: BLE001 - a configuration may raise anything; then fit tells
            return fit_model(self, *args, **kwargs)
        if made is None:
            kept = ask_examiner(name)
            if kept is None:
                return fit_model(self, *args, **kwargs)
            return replay(self, given, unpacked(kept))
        callbacks = given.get("callbacks") or ()
        watch = Watch(weights=any(sees_model(c) and not figures_only(c) for c in callbacks))
        given["callbacks"] = [watch, *callbacks]
        added = {}
        before = random_state()
        del given["self"]
        with after_epochs(callbacks, kept_figures(added)):
            history = fit_model(self, **given)
        if random_state() == before:
            record(self, watch, added, name)
        return history

    return fit


if not hasattr(keras.Model.fit, "uses_records"):
    keras.Model.fit = remember(keras.Model.fit)
    keras.Model.fit.uses_records = True
