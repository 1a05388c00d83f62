"""How lab_digits is marked: a module per exercise, each of which makes an ``exercise``.

The public checks are those of ``labkit``, which the student ran, asked for by their ids; the hidden
ones run the same bodies, or their own, on inputs drawn for the submission at hand.
"""

import numpy as np

Draw = np.random.Generator

QUICK = 10.0
"""Seconds of processor time for a cell that does not train: right ones take less than 1."""
