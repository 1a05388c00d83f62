"""Every error of the engine descends from :class:`ProctorError`.

The message of each says what was wrong, where, and what to do next; the command line prints it as it
is, without a traceback.
"""


class ProctorError(Exception):
    """Root of the engine's errors."""


class MasterError(ProctorError):
    """A lab's master file cannot be built; the message names the file and the line."""


class LabNotFoundError(ProctorError):
    """No lab of that name in the course."""


class CourseError(ProctorError):
    """The course folder lacks something that marking needs."""


class RejectedError(ProctorError):
    """A submission cannot be marked at all.

    Parameters
    ----------
    code : str
        The problem's code, as in ``problems[].code`` of a verdict.
    message : str
        One sentence for the student.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class KernelStartError(ProctorError):
    """The kernel did not come up."""


class ProtocolError(ProctorError):
    """What came back from the student's process is not a valid reply."""
