"""The marking engine: a notebook goes in, a verdict comes out.

A room for each stage, in the order in which a submission passes: :mod:`~proctor.intake` reads what was
handed in; :mod:`~proctor.sandbox` confines a process and :mod:`~proctor.kernel` runs the student's code
in it; :mod:`~proctor.examine` puts that code into the instructor's notebook, asks for values and judges
them outside the student's process; :mod:`~proctor.record` keeps, :mod:`~proctor.tell` tells what came of
it; :mod:`~proctor.classroom` does all that for a class, and :mod:`~proctor.author` makes labs. Here lie
the words that all rooms share, and the doors: the command line, nbgrader's plug-in, Gradescope's
container. The engine knows nothing of any particular lab: what is particular reaches it as a
:class:`proctor.checks.Lab`.
"""

__version__ = "0.1.0"
