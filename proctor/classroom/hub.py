"""Who somebody is, as a JupyterHub says it: by a token in a header, or by logging in with a browser.

The hub's own library asks the hub (:class:`jupyterhub.services.auth.HubOAuth`); here is only what a
framework has to add to it: a session in a cookie, and a form.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from jupyterhub.services.auth import HubOAuth
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from tornado.web import HTTPError

from proctor.errors import CourseError

User = Mapping[str, object]
COOKIE = "proctor-watch"
SESSION_SECONDS = 8 * 3600.0
MOST_SESSIONS = 20_000
ASKING = 8
"""Most questions to the hub at the same time."""
FORM = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto }}</style>
</head><body><main><h1>{title}</h1><p>You are <strong>{student}</strong>.</p>{told}
<form method="post" enctype="multipart/form-data"><input type="hidden" name="_xsrf" value="{xsrf}">
<p><label>Your notebook <input type="file" name="notebook" accept=".ipynb" required multiple></label></p>
<p><button>Hand in</button></p></form></main></body></html>
"""


class Refused(Exception):
    """What is answered instead: a status and a sentence; a browser may be sent to log in."""

    def __init__(self, status: int, sentence: str, login: bool = False) -> None:
        super().__init__(sentence)
        self.status, self.login = status, login


@dataclass(frozen=True)
class _Session:
    token: str
    xsrf: str
    until: float


class Hub:
    """The hub whose service this is, known by the environment that the hub gives its services.

    Attributes
    ----------
    prefix : str
        Path of the service, with a slash at both ends.

    Raises
    ------
    CourseError
        If no hub has started this.
    """

    def __init__(self) -> None:
        lacking = [
            name
            for name in ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_API_URL", "JUPYTERHUB_CLIENT_ID")
            if not os.environ.get(name)
        ]
        if lacking:
            raise CourseError(
                f"--listen needs a JupyterHub that says who hands in, and {lacking[0]} is not set. Have "
                "the hub start this as its service: docs/jupyterhub.md shows how."
            )
        self._auth = HubOAuth(cache_max_age=60)
        self.prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX") or "/"
        self._sessions: dict[str, _Session] = {}
        self._logins: dict[str, str] = {}  # state -> PKCE's verifier, the oldest first
        self._asking = asyncio.Semaphore(ASKING)

    async def user(self, request: Request, *, posting: bool = False) -> User:
        """Return the hub's description of who asks.

        Raises
        ------
        Refused
            If the hub knows nobody, or does not let them use this service.
        """
        header = re.fullmatch(
            r"(?:token|bearer)\s+(\S+)", request.headers.get("authorization", ""), re.I
        )
        session = self._session(request)
        token = header[1] if header else session.token if session else ""
        if not token:
            raise Refused(401, "The hub knows nobody here. Log in, or send a token.", True)
        if posting and not header and "multipart" not in request.headers.get("content-type", ""):
            raise Refused(403, "A browser hands in with the form.")
        user = await self._ask(token)
        if user is None:
            raise Refused(401, "The hub does not know this token. Log in again.", True)
        if not self._auth.check_scopes(self._auth.access_scopes, user):
            raise Refused(403, "The hub does not let you use this service. Ask your instructor.")
        return user

    def require_form(self, request: Request, xsrf: str) -> None:
        """See that a form is ours: one that another site sends has no word of this session."""
        if "authorization" in request.headers:
            return
        session = self._session(request)
        if session is None or not secrets.compare_digest(session.xsrf, xsrf):
            raise Refused(403, "The form is too old. Open the page again, and hand in from there.")

    def form(
        self, request: Request, title: str, student: str, waiting: Sequence[str], page: bool
    ) -> str:
        """Return the page with the form."""
        session = self._session(request)
        told = "".join(f"<p>In the queue: {html.escape(one)}.</p>" for one in waiting)
        told += '<p><a href="page">Your page</a></p>' if page else ""
        return FORM.format(
            title=html.escape(title),
            student=html.escape(student),
            told=told,
            xsrf=session.xsrf if session else "",
        )

    async def callback(self, request: Request) -> Response:
        """Where the hub sends a browser that has logged in."""
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        known = request.cookies.get(f"{COOKIE}-state", "")
        if not code or not state or not secrets.compare_digest(state, known):
            raise Refused(
                403, "The log-in was not begun here, or too long ago. Open the page again."
            )
        verifier = self._logins.pop(state, "")
        if not verifier:
            raise Refused(403, "The log-in took too long. Open the page again.")
        try:
            token = await self._auth.token_for_code(code, code_verifier=verifier, sync=False)
        except HTTPError as error:
            raise Refused(502, f"The hub did not confirm the log-in ({error.reason}).") from None
        name = secrets.token_urlsafe(24)
        now = time.monotonic()
        if len(self._sessions) >= MOST_SESSIONS:
            self._sessions = {k: one for k, one in self._sessions.items() if one.until > now}
        self._sessions[name] = _Session(token, secrets.token_urlsafe(24), now + SESSION_SECONDS)
        response = RedirectResponse(self.prefix, 303)
        response.set_cookie(COOKIE, name, path=self.prefix, httponly=True, samesite="lax")
        response.delete_cookie(f"{COOKIE}-state", path=self.prefix)
        return response

    def login(self) -> Response:
        """Send a browser to the hub's own log-in."""
        verifier, challenge, method = self._auth.generate_pkce_code_challenge()
        state = secrets.token_urlsafe(16)
        if len(self._logins) >= MOST_SESSIONS:
            del self._logins[next(iter(self._logins))]
        self._logins[state] = verifier
        query = {"state": state, "code_challenge": challenge, "code_challenge_method": method}
        response = RedirectResponse(f"{self._auth.login_url}&{urlencode(query)}", 303)
        name = f"{COOKIE}-state"
        response.set_cookie(
            name, state, path=self.prefix, httponly=True, samesite="lax", max_age=600
        )
        return response

    def _session(self, request: Request) -> _Session | None:
        found = self._sessions.get(request.cookies.get(COOKIE, ""))
        return found if found and found.until > time.monotonic() else None

    async def _ask(self, token: str) -> User | None:
        try:
            async with asyncio.timeout(10), self._asking:
                return await self._auth.user_for_token(token, sync=False)  # type: ignore[no-any-return]
        except (HTTPError, TimeoutError) as error:
            raise Refused(
                503, f"The hub cannot be asked who you are ({error}). Try later."
            ) from None
