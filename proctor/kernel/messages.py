"""What an untrusted kernel sends, read strictly: nothing in it is taken for granted."""

from __future__ import annotations

from typing import Any

from zmq.sugar.socket import Socket

from proctor.errors import ProtocolError
from proctor.kernel.check_values import StudentError
from proctor.kernel.client import Channels
from proctor.kernel.outputs import Outputs, clean


def receive(channels: Channels, socket: Socket[bytes]) -> dict[str, Any]:
    """Read one message that is there.

    Raises
    ------
    ProtocolError
        If it cannot be read.
    """
    try:
        return channels.receive(socket)
    except Exception as error:  # whatever a forged message makes a library raise
        raise ProtocolError("the kernel sent a message that cannot be read") from error


def parent(message: dict[str, Any]) -> object:
    """Return the id of the message that this one answers."""
    header = message.get("parent_header")
    if not isinstance(header, dict):
        raise ProtocolError("the kernel sent a message that answers no message")
    return header.get("msg_id")


def take(message: dict[str, Any], taken: Outputs) -> bool:
    """Keep what a cell says on the output channel; return whether that was its last word."""
    kind, content = message.get("msg_type"), message.get("content")
    if not isinstance(kind, str) or not isinstance(content, dict):
        return False
    if kind == "status" and content.get("execution_state") == "idle":
        return True
    taken.add(kind, content)
    return False


def student_error(error: Any) -> StudentError:
    """Read what the student's code raised, as the agent describes it."""
    if not isinstance(error, dict):
        raise ProtocolError("an error that is not one")
    name, message, line = (clean(error.get(key), 2000) for key in ("type", "message", "line"))
    return StudentError(name, message, line)
