"""Runs in the student's kernel before the student's code: what determines a training, as a digest.

With all of it equal TensorFlow gives the same weights to the bit: the network and its initial weights,
loss, optimizer, metrics, the arguments of `fit`, the code of the callbacks, everything random.
"""

import hashlib
import json
import random
import types
from typing import TYPE_CHECKING

import keras
import numpy as np
from tensorflow.python.eager import context as tf_context

if TYPE_CHECKING:  # the engine runs a lab's helpers one after the other in one namespace
    from course.quick.plain import (
        FUNCTIONS,
        Unusual,
        functions_of,
        need_plain,
        need_plain_class,
        of_a_library,
    )

FIGURES_ONLY = {"training_callbacks.<locals>.HeldOut"}
"""Callbacks of the lab's own that, after an epoch, do nothing but add figures to it: the record of
a training has these figures, so that they need not be computed again."""


def nameless(config):
    """Return a configuration without the names, which count up and change nothing."""
    if isinstance(config, dict):
        kept = {key: nameless(value) for key, value in config.items() if key != "name"}
        return {key: value for key, value in kept.items() if key != "steps_per_execution"}
    return [nameless(part) for part in config] if isinstance(config, (list, tuple)) else config


def fingerprint(value):
    """Return bytes that tell a value from every other one that means another training."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        data = hashlib.sha256(np.ascontiguousarray(value)).digest()
        return b"array" + repr((value.dtype.str, value.shape)).encode() + data
    if value is None or type(value) in (bool, int, float, str):
        return repr((type(value).__name__, value)).encode()
    if type(value) in (list, tuple):
        return b"(" + b",".join(fingerprint(part) for part in value) + b")"
    raise Unusual


def code_of(callback):
    """Return the code of a callback's class, and of the functions that it calls by name.

    Only that of the lab's own can match. One of Keras's own may stop a training or change it.
    """
    own = vars(callback)
    if type(callback).__module__.startswith("keras."):
        raise Unusual
    if any(isinstance(value, FUNCTIONS) for value in own.values()):
        raise Unusual
    kinds = type(callback).__mro__
    ours = [kind for kind in kinds if not kind.__module__.startswith(("keras.", "builtins"))]
    for kind in set(kinds).difference(ours):
        need_plain_class(kind)
    functions = {
        f: None for kind in ours for value in vars(kind).values() for f in functions_of(value)
    }
    waiting = list(functions)
    while waiting:
        function = waiting.pop()
        called = [function.__globals__.get(name) for name in function.__code__.co_names]
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        for one in (*called, *cells):
            if isinstance(one, types.FunctionType) and not of_a_library(one):
                waiting += [] if one in functions else [one]
                functions[one] = None
    texts = [(one.__qualname__, text_of(one.__code__), repr(one.__defaults__)) for one in functions]
    plain = [(name, v) for name, v in sorted(own.items()) if type(v) in (int, float, str, bool)]
    return repr((type(callback).__qualname__, sorted(texts), plain)).encode()


def closure_of(callback):
    """Return what the methods of a callback's class refer to outside of it, as bytes."""
    parts = []
    for name, method in sorted(vars(type(callback)).items()):
        if isinstance(method, types.FunctionType):
            cells = zip(method.__code__.co_freevars, method.__closure__ or (), strict=True)
            contents = [(variable, cell.cell_contents) for variable, cell in cells]
            parts += [
                repr((name, variable, value.__name__)).encode()
                if isinstance(value, (types.ModuleType, type))
                else repr((name, variable)).encode() + fingerprint(value)
                for variable, value in contents
            ]
    return b",".join(parts)


def figures_only(callback):
    """Tell whether all that a callback does after an epoch is to add figures."""
    ours = type(callback).__qualname__ in FIGURES_ONLY
    return ours and "on_epoch_end" not in vars(callback)


def text_of(code):
    """Return all of a function's code, apart from the file and the lines that it came from."""
    constants = [text_of(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return repr((code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants))


def sees_model(callback):
    """Tell whether a callback could look at the weights: its code would name them or the model."""
    code = code_of(callback)
    return b"model" in code or b"weight" in code


def random_state():
    """Return the state of everything random that a training could use or change."""
    eager = tf_context.context()
    generator = keras.src.backend.common.global_state.get_global_attribute("global_seed_generator")
    return repr(
        (
            hashlib.sha256(repr(random.getstate()).encode()).hexdigest(),
            hashlib.sha256(repr(np.random.get_state(legacy=False)).encode()).hexdigest(),
            hashlib.sha256(np.random.get_state()[1].tobytes()).hexdigest(),
            eager.global_seed() if hasattr(eager, "global_seed") else eager._seed,
            generator and np.asarray(generator.state).tolist(),
        )
    ).encode()


def digest(model, given):
    """Return the digest of everything that determines what `fit` does to `model`, in hexadecimal.

    Raises
    ------
    Unusual
        If something about it is not of the kind that is recorded.
    """
    stateless = (keras.layers.InputLayer, keras.layers.Dense, keras.layers.Flatten)
    plainly = type(model) is keras.Sequential and getattr(model, "compiled", False)
    if not plainly or any(type(layer) not in stateless for layer in model.layers):
        raise Unusual
    if model.optimizer is None or model.stop_training or not model.built:
        raise Unusual
    started = [v for v in model.optimizer.variables if v.path.endswith("iteration")]
    if any(int(np.asarray(v)) for v in started):
        raise Unusual  # it goes on with an earlier training
    need_plain(model)
    options = {key: value for key, value in given.items() if key not in ("self", "callbacks")}
    callbacks = given.get("callbacks") or ()
    parts = [
        json.dumps(nameless(model.get_config()), sort_keys=True).encode(),
        json.dumps(nameless(model.get_compile_config()), sort_keys=True).encode(),
        json.dumps(functions_in(model)).encode(),
        *(fingerprint(weight) for weight in model.get_weights()),
        *(name.encode() + b"=" + fingerprint(options[name]) for name in sorted(options)),
        *(code_of(callback) for callback in callbacks),
        *(closure_of(callback) for callback in callbacks if figures_only(callback)),
        random_state(),
    ]
    together = hashlib.sha256()
    for part in parts:
        together.update(len(part).to_bytes(8, "big") + part)
    return together.hexdigest()


def functions_in(model):
    """Return the names of the functions that layers, loss and optimizer hold, in order.

    A configuration names them by their last part at most.
    """
    holders = (*model.layers, model.loss, model.optimizer)
    return [
        [type(holder).__qualname__, name, value.__module__, value.__qualname__]
        for holder in holders
        for name, value in sorted(getattr(holder, "__dict__", {}).items())
        if isinstance(value, types.FunctionType)
    ]
