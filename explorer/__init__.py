"""See a network think: every number between a digit and its prediction, in the browser.

>>> from explorer import Explorer, Recorder
"""

from .errors import ExplorerError
from .prep import preprocess
from .recorder import Recorder
from .widget import Explorer

__all__ = ["Explorer", "ExplorerError", "Recorder", "preprocess"]
