"""The marking engine: a notebook goes in, a verdict comes out.

One module a step: :mod:`~proctor.intake` reads what was handed in, :mod:`~proctor.assemble` puts the
student's code into the instructor's notebook, :mod:`~proctor.kernel` runs it,
:mod:`~proctor.examiner` asks it for values and judges them outside the student's process,
:mod:`~proctor.gradebook` and :mod:`~proctor.report` tell the result. The engine knows nothing of any
particular lab: what is particular reaches it as a :class:`proctor.checks.Lab`.
"""

__version__ = "0.1.0"
