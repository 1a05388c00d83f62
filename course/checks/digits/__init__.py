"""How lab_digits is marked: a module per exercise, each of which makes an ``exercise``.

The public checks are those of ``labkit``, which the student ran, asked for by their ids; the hidden
ones run the same bodies, or their own, on inputs drawn for the submission at hand.
"""

import numpy as np

Draw = np.random.Generator

QUICK = 5.0
"""Seconds of processor time for a cell that does not train, or for a question about it.

No right answer of the table takes more than 0.6 for its cell and all questions together, so one on a
machine half as fast needs a quarter of it.
"""
