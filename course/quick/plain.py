"""Runs in the student's kernel before the student's code: is a training what its configuration says?

A configuration names layers, loss and optimizer. It does not say that somebody put a `train_step` of
their own on the model, a `call` on a layer or a function into a class of Keras. Here all of that is
looked at: the objects that take part, their classes and the functions that these hold.
"""

import functools
import inspect
import os
import sys
import types

import keras
import numpy as np
import tensorflow as tf

LIBRARIES = tuple(
    {os.path.dirname(os.path.dirname(m.__file__)) + os.sep for m in (keras, tf, np)}
    | {os.path.dirname(os.__file__) + os.sep}
)
WRAPPED = ("build", "quantize")
"""Methods that Keras itself puts on each layer, around those of its class."""
MOST = 50_000
"""Objects that are looked at; a model of the lab's kind has some 1,500."""
FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, functools.partial)
CALLED = (tf, tf.nn, tf.math)
"""Modules beside its own whose functions Keras looks up by name each time."""


class Unusual(Exception):
    """This training is not of the kind that is recorded."""


def need_plain(*things):
    """Raise `Unusual` if one of these, or what it consists of, is not as Keras makes it."""
    waiting, seen = list(things), set()
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or type(thing) in (int, float, str, bytes, bool, type(None)):
            continue
        seen.add(id(thing))
        if len(seen) > MOST:
            raise Unusual
        waiting += parts_of(thing)
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("keras.")]
    for module in (*modules, *CALLED):
        for function in list(vars(module).values()):
            if type(function) is types.FunctionType and not of_a_library(function):
                raise Unusual


def parts_of(thing):
    """Return what a thing consists of; raise `Unusual` if it is somebody's own, or was changed."""
    if isinstance(thing, types.MethodType):
        return [thing.__func__, thing.__self__]
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if isinstance(thing, types.FunctionType):
        if not of_a_library(thing):
            raise Unusual
        return []
    if isinstance(thing, (type, types.ModuleType, types.BuiltinFunctionType)):
        return []
    for kind in type(thing).__mro__:
        need_plain_class(kind)
    parts = []
    if issubclass(type(thing), dict):  # isinstance would believe a stand-in
        parts += dict.values(thing)
    elif issubclass(type(thing), (list, tuple, set, frozenset)):
        parts += type(thing).__iter__(thing)
    for name, value in getattr(thing, "__dict__", {}).items():
        if isinstance(value, FUNCTIONS) and hasattr(type(thing), name):
            its_own = getattr(value, "__wrapped__", None)
            if name not in WRAPPED or getattr(its_own, "__self__", None) is not thing:
                raise Unusual  # it stands in front of the method of its class
        if not type(thing).__module__.startswith("tensorflow.") or isinstance(value, FUNCTIONS):
            parts.append(value)
    return parts


def need_plain_class(kind):
    """Raise `Unusual` if a class is not a library's, or holds a function of somebody else's."""
    if kind.__module__ == "builtins" or issubclass(kind, tuple):
        return
    for name, value in list(vars(kind).items()):
        for function in functions_of(value):
            if not of_a_library(function):
                raise Unusual
            written = inspect.unwrap(function).__code__.co_name
            if written != name and (name == "__call__" or not name.startswith("__")):
                raise Unusual  # another function of the library stands in its place


def functions_of(value):
    """Return the functions behind an entry of a class: itself, or a property's."""
    if isinstance(value, property):
        return [one for one in (value.fget, value.fset) if isinstance(one, types.FunctionType)]
    value = getattr(value, "__func__", value)
    return [value] if isinstance(value, types.FunctionType) else []


def of_a_library(function):
    """Tell whether a function is written in a file of Keras, TensorFlow, NumPy, Python, or in here."""
    if function.__globals__ is globals():
        return True
    file = function.__code__.co_filename
    return file.startswith((*LIBRARIES, "<frozen "))
