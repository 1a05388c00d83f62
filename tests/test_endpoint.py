"""The endpoint of ``proctor watch``: who may hand in, and what is refused, in bounded time and memory."""

from __future__ import annotations

import io
import json
import re
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import nbformat
import psutil
import pytest
from support.tinycourse import DOUBLE, student

from proctor.classroom import endpoint
from proctor.classroom.endpoint import serving
from proctor.classroom.waiting_queue import Spool
from proctor.course import Course
from proctor.errors import CourseError
from proctor.policy import Policy
from proctor.tell.page_delivery import Outlet

SCOPE = "access:services!service=watch"
USERS = {
    "t-ada": {"kind": "user", "name": "ada", "scopes": [SCOPE]},
    "t-bob": {"kind": "user", "name": "bob", "scopes": [SCOPE]},
    "t-out": {"kind": "user", "name": "out", "scopes": ["self"]},
    "t-lms": {"kind": "service", "name": "lms", "scopes": [SCOPE]},
}


class HubApi(BaseHTTPRequestHandler):
    """What the endpoint asks of a hub: who a token is, and a token for a code."""

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("token ")
        self.answer(USERS.get(token), 200 if token in USERS else 403)

    def do_POST(self) -> None:
        said = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        right = said["code"] == ["c-ada"] and len(said["code_verifier"][0]) > 20
        self.answer({"access_token": "t-ada"}, 200 if right else 403)

    def answer(self, what: object, status: int) -> None:
        data = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        pass


class Served:
    """The endpoint, its queue, and a client for somebody."""

    def __init__(self, course: Course, spool: Spool, outlet: Outlet, url: str) -> None:
        self.course, self.spool, self.outlet, self.url = course, spool, outlet, url

    def post(self, token: str, data: bytes, query: str = "", **headers: str) -> httpx.Response:
        known = {"Authorization": f"token {token}"} if token else {}
        return httpx.post(f"{self.url}{query}", content=data, headers=known | headers, timeout=60)


@pytest.fixture
def served(tiny: Course, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    hub = ThreadingHTTPServer(("127.0.0.1", 0), HubApi)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    for name, value in {
        "API_TOKEN": "secret",
        "API_URL": f"http://127.0.0.1:{hub.server_port}/hub/api",
        "CLIENT_ID": "service-watch",
        "SERVICE_NAME": "watch",
        "SERVICE_PREFIX": "/services/watch/",
    }.items():
        monkeypatch.setenv(f"JUPYTERHUB_{name}", value)
    monkeypatch.setattr(endpoint, "PAUSE", 0.0)
    lab = tiny.lab("tiny")
    spool = Spool(tiny.folder, "tiny", Policy())
    outlet = Outlet("tiny", spool.folder / "pages")
    with serving("127.0.0.1:0", tiny, lab, spool, outlet) as one:
        yield Served(tiny, spool, outlet, one.where)
    hub.shutdown()


@pytest.fixture
def work(tiny: Course) -> bytes:
    return nbformat.writes(student(tiny, double=DOUBLE)).encode()


def test_what_is_posted_is_in_the_queue_with_a_place_and_a_time(
    served: Served, work: bytes
) -> None:
    first = served.post("t-ada", work)
    second = served.post("t-bob", work)
    assert first.status_code == 202 and "Handed in as ada: attempt 1, place 1" in first.text
    assert second.json()["place"] == 2 and "expected at" in second.json()["message"]
    one, two = served.spool.waiting()
    folder = served.spool.path(one) / "ada" / "tiny"
    assert (folder / "tiny.ipynb").read_bytes() == work
    assert re.fullmatch(r"\d{4}-\d\d-\d\d [\d:]{8} UTC", (folder / "timestamp.txt").read_text())
    assert (one.student, two.student) == ("ada", "bob")
    headers = {"Authorization": "token t-ada"}
    assert httpx.get(f"{served.url}page", headers=headers).status_code == 404
    served.outlet.publish("ada", {"tiny": "<p>6 of 10</p>"})
    page = httpx.get(f"{served.url}page", headers=headers)
    assert (
        "6 of 10" in page.text and "default-src 'none'" in page.headers["content-security-policy"]
    )
    assert httpx.get(served.url, headers=headers).json()["page"] is True


@pytest.mark.parametrize(
    ("token", "query", "status", "words"),
    [
        ("", "", 401, "knows nobody here"),
        ("t-nobody", "", 401, "does not know this token"),
        ("t-out", "", 403, "does not let you use this service"),
        ("t-ada", "?student=bob", 403, "You are ada"),
        ("t-lms", "", 400, "Nobody is named"),
        ("t-lms", "?student=..%2F..%2Fetc", 400, "cannot be an id"),
        ("t-ada", "?notebook=other", 422, "tiny.ipynb"),
    ],
)
def test_nobody_hands_in_without_a_name_or_in_anothers(
    served: Served, work: bytes, token: str, query: str, status: int, words: str
) -> None:
    said = served.post(token, work, query)
    assert said.status_code == status and words in said.json()["message"]
    assert served.spool.waiting() == []
    assert served.post("t-lms", work, "?student=bob").status_code == 202  # a service may


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("tiny.ipynb", "{}")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (archive(), "zip"),
        (b"", "empty"),
        (b"%PDF-1.7", "PDF"),
        (b"[" * 1_000_000, "was not handed in"),
        (b'{"cells": 3}', "was not handed in"),
    ],
    ids=["zip", "empty", "pdf", "deep", "no cells"],
)
def test_what_is_no_notebook_is_refused_with_a_sentence(
    served: Served, data: bytes, words: str
) -> None:
    said = served.post("t-ada", data)
    assert said.status_code == 422 and words in said.json()["message"], said.text
    assert served.spool.waiting() == []


def test_500_mb_are_refused_before_they_are_read(served: Served, work: bytes) -> None:
    server = urlsplit(served.url)
    before = psutil.Process().memory_info().rss
    head = f"POST {server.path} HTTP/1.1\r\nHost: x\r\nAuthorization: token t-ada\r\n"
    began = time.monotonic()
    for length in ("Content-Length: 524288000", "Transfer-Encoding: chunked"):
        with socket.create_connection((str(server.hostname), int(server.port or 0))) as line:
            line.sendall(f"{head}{length}\r\n\r\n".encode())
            line.settimeout(20)
            if "chunked" in length:
                chunk = b"100000\r\n" + b" " * 2**20 + b"\r\n"
                try:
                    for _ in range(500):
                        line.sendall(chunk)
                except OSError:
                    pass  # it has hung up
            else:
                assert b"413" in line.recv(4096)
    assert time.monotonic() - began < 20
    assert psutil.Process().memory_info().rss - before < 200 * 2**20
    assert served.post("t-ada", work).status_code == 202
    assert len(served.spool.waiting()) == 1


def test_a_thousand_posts_at_once_are_answered_and_the_queue_lives(
    served: Served, work: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "PAUSE", 2.0)

    def burst(number: int) -> list[int]:
        token = ("t-ada", "", f"t-{number}")[number % 3]
        with httpx.Client(timeout=60) as client:
            headers = {"Authorization": f"token {token}"} if token else {}
            return [
                client.post(served.url, content=work, headers=headers).status_code
                for _ in range(25)
            ]

    before = psutil.Process().memory_info().rss
    began = time.monotonic()
    with ThreadPoolExecutor(40) as many:
        answers = [one for some in many.map(burst, range(40)) for one in some]
    assert len(answers) == 1000 and time.monotonic() - began < 60
    assert psutil.Process().memory_info().rss - before < 200 * 2**20
    assert set(answers) <= {202, 401, 429, 503} and answers.count(429) > 100
    assert 1 <= len(served.spool.waiting()) <= endpoint.MOST_WAITING
    assert served.post("t-bob", work).status_code == 202


def test_many_waiting_hand_ins_of_one_are_refused(served: Served, work: bytes) -> None:
    codes = [served.post("t-ada", work).status_code for _ in range(endpoint.MOST_WAITING + 1)]
    assert codes == [202] * endpoint.MOST_WAITING + [429]


def test_a_full_disk_is_told_and_nothing_counts_as_handed_in(
    served: Served, work: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("proctor.classroom.waiting_queue.write_whole", full)
        said = served.post("t-ada", work)
    assert said.status_code == 507 and "not handed in" in said.json()["message"]
    assert served.spool.waiting() == [] and served.spool.last("ada") == ""
    assert not any((served.spool.folder / "waiting").iterdir())
    assert "attempt 1" in served.post("t-ada", work).text


def test_a_browser_logs_in_and_hands_in_with_the_form(served: Served, work: bytes) -> None:
    html = {"Accept": "text/html"}
    with httpx.Client(headers=html, follow_redirects=False) as browser:
        away = browser.get(served.url)
        assert away.status_code == 303 and "oauth2/authorize" in away.headers["location"]
        asked = parse_qs(urlsplit(away.headers["location"]).query)
        assert asked["code_challenge_method"] == ["S256"]
        stolen = httpx.get(f"{served.url}oauth_callback?code=c-ada&state={asked['state'][0]}")
        assert stolen.status_code == 403  # another browser
        back = browser.get(f"{served.url}oauth_callback?code=c-ada&state={asked['state'][0]}")
        assert back.status_code == 303
        form = browser.get(served.url)
        assert "You are <strong>ada</strong>" in form.text
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', form.text)
        assert xsrf
        file = {"notebook": ("tiny (1).ipynb", work)}
        foreign = browser.post(served.url, files=file, data={"_xsrf": "guessed"})
        assert foreign.status_code == 403 and served.spool.waiting() == []
        done = browser.post(served.url, files=file, data={"_xsrf": xsrf[1]})
        assert done.status_code == 303
        assert "In the queue: attempt 1, place 1" in browser.get(served.url).text


def test_without_a_hub_it_says_what_is_missing(
    tiny: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN", raising=False)
    outlet = Outlet("tiny", tmp_path)
    spool = Spool(tiny.folder, "tiny", Policy())
    with (
        pytest.raises(CourseError, match="JUPYTERHUB_API_TOKEN is not set"),
        serving("127.0.0.1:0", tiny, tiny.lab("tiny"), spool, outlet),
    ):
        pass
