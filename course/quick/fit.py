"""Runs in the student's kernel before the student's code: `fit` works through batches in groups.

Keras returns to Python after every batch, which for a network as small as these costs more than the
batch itself. `steps_per_execution` keeps it in TensorFlow for several batches; weights and history
stay the same to the bit, which `tests/test_quick_fit.py` shows. Where the student chose a number,
put something of their own into the model, or could notice the difference, everything stays as it is.
"""

import functools
import inspect
import weakref
from typing import TYPE_CHECKING

import keras
import numpy as np

if TYPE_CHECKING:  # the engine runs a lab's helpers one after the other in one namespace
    from course.quick.plain import Unusual, need_plain

STEPS = 32
BATCH_HOOKS = tuple(
    f"on_{kind}batch_{when}" for kind in ("", "train_", "test_") for when in ("begin", "end")
)

chosen = weakref.WeakSet()
"""Models whose author gave `compile` a number of steps."""
grouped = weakref.WeakKeyDictionary()
"""Model -> its training and testing functions that run several batches."""


def remember_choice(compile_model):
    """Return `compile`, noting what the student chose."""
    signature = inspect.signature(compile_model)

    @functools.wraps(compile_model)
    def compile(self, *args, **kwargs):
        grouped.pop(self, None)
        chosen.discard(self)
        result = compile_model(self, *args, **kwargs)
        if "steps_per_execution" in signature.bind(self, *args, **kwargs).arguments:
            chosen.add(self)
        return result

    return compile


def group_batches(fit_model):
    """Return `fit`, running several batches at a time where nobody could tell."""
    signature = inspect.signature(fit_model)

    @functools.wraps(fit_model)
    def fit(self, *args, **kwargs):
        try:
            given = signature.bind(self, *args, **kwargs).arguments
        except TypeError:  # fit itself says what is wrong
            return fit_model(self, *args, **kwargs)
        if not may_group(self, given):
            return fit_model(self, *args, **kwargs)
        single = self.train_function, self.test_function
        self.train_function, self.test_function = grouped.get(self, (None, None))
        self.steps_per_execution = STEPS
        try:
            return fit_model(self, *args, **kwargs)
        finally:
            # `predict` and `evaluate` go on as before: grouping costs them more than it saves.
            grouped[self] = self.train_function, self.test_function
            self.steps_per_execution = 1
            self.train_function, self.test_function = single

    return fit


def may_group(model, given):
    """Tell whether grouping the batches of this call of `fit` cannot be noticed."""
    plain = (
        getattr(model, "compiled", False)
        and model not in chosen
        and model.steps_per_execution == 1
        and not model.run_eagerly
        and isinstance(given.get("x"), np.ndarray)
    )
    unusual = given.get("steps_per_epoch") or given.get("validation_steps")
    callbacks = given.get("callbacks") or ()
    if not isinstance(callbacks, (list, tuple)):
        return False
    if not plain or unusual or any(sees_batches(one) for one in callbacks):
        return False
    try:
        need_plain(model)  # a train_function of the student's own would be put aside
    except Unusual:
        return False
    return True


def sees_batches(callback):
    """Tell whether a callback does something at a batch: keras calls it only once a group."""
    for name in BATCH_HOOKS:
        hook = getattr(callback, name, None)
        hook = getattr(hook, "__func__", hook)
        if hook is not getattr(keras.callbacks.Callback, name, None) and not does_nothing(hook):
            return True
    return False


def does_nothing(hook):
    """Tell whether a function's body is empty (the explorer's recorder has such hooks)."""
    code = getattr(hook, "__code__", None)
    return hook is None or (
        code is not None
        and not code.co_names
        and not code.co_freevars
        and len(code.co_code) <= len((lambda: None).__code__.co_code)
    )


if not hasattr(keras.Model.fit, "groups_batches"):
    keras.Model.compile = remember_choice(keras.Model.compile)
    keras.Model.fit = group_batches(keras.Model.fit)
    keras.Model.fit.groups_batches = True
