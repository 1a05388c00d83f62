"""A small endpoint for hand-ins over HTTP: a JupyterHub says who somebody is, the queue takes the rest.

It runs in a thread of ``proctor watch`` as a service of the hub. What it refuses costs it a bounded time
and memory; what it answers with 202 is on the disk.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from proctor.checks import Lab
from proctor.classroom.hand_in_sources import identify, stamp
from proctor.classroom.waiting_queue import Spool
from proctor.course import Course
from proctor.errors import CourseError, RejectedError
from proctor.intake.exchange_files import FILES
from proctor.intake.lms_file_names import safe_id
from proctor.intake.submissions import read_bytes
from proctor.tell.page_delivery import WAITING, Outlet

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.datastructures import UploadFile
    from starlette.formparsers import MultiPartException
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
    from starlette.routing import Route
    from starlette.types import Message

    from proctor.classroom.hub import Hub, Refused
except ImportError as missing:
    raise CourseError(
        "--listen needs Starlette, uvicorn and JupyterHub. Install them with: "
        "pip install 'digits-lab[watch]'"
    ) from missing

MAX_POST = 20 * 2**20
"""Largest hand-in, in bytes."""
AT_ONCE = 4
"""Most hand-ins that are received at the same time; each is held in memory."""
ACTIVE = 48
"""Most requests that are answered at the same time; a further one is told to come again."""
CONNECTIONS = 256
"""Most connections; a further one is turned away by the server itself."""
PAUSE = 2.0
"""Seconds between two hand-ins of one student."""
MOST_WAITING = 5
"""Most hand-ins of one student in the queue."""
ROSTER_SECONDS = 60.0
"""How long the roster is remembered."""
RECEIVE_SECONDS = 60.0
"""Longest time that a hand-in may take to arrive."""
MB = 2**20

Handler = Callable[[Request], Awaitable[Response]]


class Endpoint:
    """The endpoint of one lab.

    Parameters
    ----------
    hub : Hub
        Says who somebody is.
    """

    where = "the endpoint"

    def __init__(self, course: Course, lab: Lab, spool: Spool, outlet: Outlet, hub: Hub) -> None:
        self._course, self._lab, self._spool, self._outlet = course, lab, spool, outlet
        self._hub = hub
        self._names = set(lab.several.names) if lab.several else {lab.name}
        self._active = self._receiving = 0
        self._last: dict[str, float] = {}
        self._ids: dict[str, tuple[str, float]] = {}
        prefix = hub.prefix
        self.app = Starlette(
            routes=[
                Route(prefix, self.answered(self.show), methods=["GET"]),
                Route(prefix, self.answered(self.hand_in), methods=["POST"]),
                Route(f"{prefix}page", self.answered(self.page), methods=["GET"]),
                Route(f"{prefix}oauth_callback", self.answered(hub.callback), methods=["GET"]),
            ]
        )

    def look(self, spool: Spool) -> bool:
        """What is posted is in the queue already."""
        return True

    def answered(self, handle: Handler) -> Handler:
        """Make a sentence of what is refused."""

        async def answer(request: Request) -> Response:
            self._active += 1
            try:
                if self._active > ACTIVE:
                    raise Refused(503, "Too many ask at this moment. Try again in a few seconds.")
                return await handle(request)
            except Refused as error:
                if error.login and "text/html" in request.headers.get("accept", ""):
                    return self._hub.login()
                headers = {"Retry-After": "5"} if error.status in (429, 503) else None
                return JSONResponse({"message": str(error)}, error.status, headers)
            finally:
                self._active -= 1

        return answer

    async def hand_in(self, request: Request) -> Response:
        """Put a notebook into the queue."""
        user = await self._hub.user(request, posting=True)
        student = await run_in_threadpool(self._student, user, request.query_params)
        self._not_too_often(student)
        if self._receiving >= AT_ONCE:
            raise Refused(503, "Many hand in at this moment. Try again in a few seconds.")
        self._receiving += 1
        try:
            files = await self._files(request)
            at = time.time()
            files[FILES[0]] = stamp(at)
            one = await run_in_threadpool(
                self._spool.take, student, files, f"posted {at:.6f} {os.urandom(4).hex()}", at
            )
        except OSError as error:
            raise Refused(
                507, f"It could not be kept ({error.strerror}), so it is not handed in. Try later."
            ) from error
        finally:
            self._receiving -= 1
        self._last[student] = time.monotonic()
        told = self._spool.expect(one)
        if "multipart" in request.headers.get("content-type", ""):
            return RedirectResponse(self._hub.prefix, 303)
        message = f"Handed in as {student}: {told}."
        return JSONResponse({"message": message, "place": self._spool.place(one) + 1}, 202)

    async def show(self, request: Request) -> Response:
        """Tell what place a student's work has, and offer the form."""
        user = await self._hub.user(request)
        student = await run_in_threadpool(self._student, user, request.query_params)
        waiting = [self._spool.expect(one) for one in self._spool.of(student)]
        page = self._outlet.path(student).is_file()
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"student": student, "waiting": waiting, "page": page})
        return HTMLResponse(self._hub.form(request, self._lab.title, student, waiting, page))

    async def page(self, request: Request) -> Response:
        """Return the student's page."""
        user = await self._hub.user(request)
        student = await run_in_threadpool(self._student, user, request.query_params)
        name = request.query_params.get("notebook", "")
        path = self._outlet.path(student, name if name in self._names else "")
        if not path.is_file():
            path = self._outlet.path(student, WAITING)
        if not path.is_file():
            raise Refused(404, "There is no page yet: nothing of yours has been marked.")
        policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
        return HTMLResponse(path.read_bytes(), headers={"Content-Security-Policy": policy})

    def _student(self, user: Mapping[str, object], query: Mapping[str, str]) -> str:
        """Return under which id somebody hands in: a user under the own name, a service for another."""
        name, wanted = str(user["name"]), query.get("student", "")
        if user.get("kind") == "service":
            if not wanted:
                raise Refused(400, "Nobody is named. A service says for whom it is: ?student=NAME")
            name = wanted
        elif wanted not in ("", name):
            raise Refused(403, f"You are {name}, and can hand in and look as nobody else.")
        known, until = self._ids.get(name, ("", 0.0))
        student = known if until > time.monotonic() else identify(self._course, name)
        self._ids[name] = student, time.monotonic() + ROSTER_SECONDS
        if safe_id(student) != student:
            raise Refused(400, "The name cannot be an id, since it names a folder.")
        return student

    def _not_too_often(self, student: str) -> None:
        now = time.monotonic()
        if len(self._last) > 10_000:
            self._last = {name: at for name, at in self._last.items() if now - at < PAUSE}
        if now - self._last.get(student, -PAUSE) < PAUSE:
            raise Refused(429, f"You handed in less than {PAUSE:g} s ago. Try again in a moment.")
        if len(self._spool.of(student)) >= MOST_WAITING:
            raise Refused(
                429, f"{MOST_WAITING} of your notebooks wait already. Wait for their pages."
            )
        self._last[student] = now

    async def _files(self, request: Request) -> dict[str, bytes]:
        """Receive what is handed in, and see that it can be read."""
        try:
            length = int(request.headers.get("content-length", "0"))
        except ValueError:
            raise Refused(400, "The length of what is handed in is no number.") from None
        if length > MAX_POST:
            raise _too_large()
        try:
            async with asyncio.timeout(RECEIVE_SECONDS):
                found = await self._received(request)
        except TimeoutError:
            raise Refused(408, f"It took more than {RECEIVE_SECONDS:g} s to arrive.") from None
        if not found:
            raise Refused(400, "There is no notebook in what was handed in.")
        for name, data in found.items():
            try:
                await run_in_threadpool(read_bytes, data, "", name)
            except RejectedError as error:
                raise Refused(422, f"{error.message} It was not handed in.") from None
        return {f"{name}.ipynb": data for name, data in found.items()}

    async def _received(self, request: Request) -> dict[str, bytes]:
        size = 0
        receive = request.receive

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_POST:
                raise _too_large()
            return message

        request = Request(request.scope, bounded)
        if "multipart/form-data" not in request.headers.get("content-type", ""):
            name = request.query_params.get("notebook", self._lab.name)
            return {self._known(name): await request.body()}
        most = len(self._names)
        try:
            async with request.form(max_files=most, max_fields=2) as form:
                self._hub.require_form(request, str(form.get("_xsrf", "")))
                found = {}
                for _, one in form.multi_items():
                    if isinstance(one, UploadFile) and one.size:
                        name = str(one.filename) if most > 1 else self._lab.name
                        found[self._known(name)] = await one.read()
                return found
        except MultiPartException as error:
            raise Refused(400, f"The form cannot be read: {error.message}") from None

    def _known(self, name: str) -> str:
        name = name.removesuffix(".ipynb")
        if name not in self._names:
            wanted = ", ".join(f"{one}.ipynb" for one in sorted(self._names))
            raise Refused(422, f"The notebook is not one of this assignment's: {wanted}.")
        return name


def _too_large() -> Refused:
    return Refused(
        413,
        f"It is larger than {MAX_POST // MB} MB. Clear the outputs (Edit > Clear Outputs of All Cells), "
        "save, and hand it in again.",
    )


@contextmanager
def serving(
    listen: str, course: Course, lab: Lab, spool: Spool, outlet: Outlet
) -> Iterator[Endpoint]:
    """Serve the endpoint from a thread until the context ends.

    Parameters
    ----------
    listen : str
        ``HOST:PORT``, or ``hub`` for the address in JUPYTERHUB_SERVICE_URL.

    Raises
    ------
    CourseError
        If the address cannot be had, or no hub has started this as its service.
    """
    if listen == "hub":
        listen = urlsplit(os.environ.get("JUPYTERHUB_SERVICE_URL", "")).netloc
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise CourseError(f"--listen takes HOST:PORT or 'hub', not '{listen}'.")
    endpoint = Endpoint(course, lab, spool, outlet, Hub())
    try:
        listener = socket.create_server((host, int(port)), backlog=CONNECTIONS)
    except OSError as error:
        raise CourseError(f"Nothing can listen at {listen}: {error.strerror}.") from error
    endpoint.where = f"http://{host}:{listener.getsockname()[1]}{endpoint._hub.prefix}"
    server = uvicorn.Server(
        uvicorn.Config(
            endpoint.app,
            log_level="error",
            access_log=False,
            lifespan="off",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield endpoint
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
