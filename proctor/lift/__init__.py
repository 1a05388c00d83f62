"""Judge an ordinary notebook's test cells outside the student's process, as they are.

A test cell is written for the process in which the student's code ran. Here it runs in a judge of our
own, whose namespace answers the student's names with what the student's process holds: data as values,
functions and objects as stand-ins. :func:`adopt` finds out on the instructor's own solution for which
cells that says the same; :func:`lift` judges one cell of one submission::

    plan = adopt(cells, bench)
    with Judge(plan, bench, student) as judge:
        judge.ran(step, source)              # given and solution cells, in order
        outcome = lift(cell, student, judge)

Nothing here knows nbgrader.
"""

from proctor.lift.acceptance import adopt
from proctor.lift.plan import Cell, Plan, Step
from proctor.lift.process_handle import Bench, CourtError
from proctor.lift.session import Judge, Outcome, Student, lift

__all__ = [
    "Bench",
    "Cell",
    "CourtError",
    "Judge",
    "Outcome",
    "Plan",
    "Step",
    "Student",
    "adopt",
    "lift",
]
