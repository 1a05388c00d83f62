"""A real JupyterHub with its proxy, as docs/jupyterhub.md sets it up, for one test.

Everybody has the password "digits"; the servers run as the user who runs the tests.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from proctor.course import Course

ROOT = Path(__file__).parents[2]
PROXY = ROOT / "node_modules" / ".bin" / "configurable-http-proxy"
PASSWORD = "digits"
OWN = """
c = get_config()
c.CourseDirectory.root = {course!r}
"""
NBGRADER = """
c = get_config()
c.Exchange.root = {exchange!r}
c.CourseDirectory.course_id = "tiny"
c.ExchangeCollect.check_owner = False
"""
JOVYAN = """
import pwd

real = pwd.getpwuid
pwd.getpwuid = lambda uid: pwd.struct_passwd(("jovyan", *real(uid)[1:]))
"""
"""What a container's image makes true of a server: its user is called jovyan."""
CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allow_all = True
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{homes}/{{username}}"
c.Spawner.args = ["--allow-root", "--LanguageServerManager.autodetect=False"]
c.Spawner.environment = {environment!r} | dict(PYTHONPATH="{folder}/site")
c.Spawner.http_timeout = c.Spawner.start_timeout = 120
c.JupyterHub.services = [dict(
    name="watch",
    url="http://127.0.0.1:{watch_port}",
    command=[{python!r}, "-m", "proctor", "--course", {course!r}, "watch", "tiny", "--listen", "hub"],
    environment={environment!r},
    oauth_no_confirm=True,
)]
c.JupyterHub.load_roles = [dict(name="user", scopes=["self", "access:services!service=watch"])]
"""


class Hub:
    """A hub that runs.

    Attributes
    ----------
    url : str
        With a slash at the end.
    homes : Path
        Holds each user's home folder.
    environment : dict of str to str
        What is set for all servers.
    """

    def __init__(self, url: str, homes: Path, log: Path, environment: dict[str, str]) -> None:
        self.url, self.homes, self._log, self.environment = url, homes, log, environment

    def said(self) -> str:
        """What the hub, its servers and its services wrote."""
        return self._log.read_text("utf-8", "replace")


class User:
    """Somebody who has logged in and whose server runs: what the buttons of JupyterLab call."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.name, self.hub = name, hub
        self.client = httpx.Client(base_url=hub.url, follow_redirects=True, timeout=120)
        self.client.get("hub/login")
        form = {"username": name, "password": PASSWORD, "_xsrf": self._xsrf("/hub/")}
        self.client.post("hub/login", data=form).raise_for_status()

    def _xsrf(self, path: str) -> str:
        return next(
            c.value or "" for c in self.client.cookies.jar if (c.name, c.path) == ("_xsrf", path)
        )

    def begin(self) -> None:
        """Have the server started, and do not wait for it."""
        self.client.get(f"hub/spawn/{self.name}")

    def start(self) -> None:
        """Wait until the server answers."""
        end = time.monotonic() + 120
        while self.client.get(f"user/{self.name}/api/status").status_code != 200:
            assert time.monotonic() < end, self.hub.said()
            self.client.get(f"hub/spawn/{self.name}")
            time.sleep(0.3)

    def run(self, command: str, folder: Path) -> None:
        """Run a command as this user does in a terminal."""
        environment = {**os.environ, **self.hub.environment, "JUPYTERHUB_USER": self.name}
        done = subprocess.run(
            command.split(),
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def assignments(self, action: str = "", **what: str) -> list[dict[str, object]]:
        """Ask the server extension of nbgrader's Assignment List."""
        path = f"user/{self.name}/assignments"
        if action:
            headers = {"X-XSRFToken": self._xsrf(f"/user/{self.name}/")}
            answer = self.client.post(f"{path}/{action}", data=what, headers=headers)
        else:
            answer = self.client.get(path, params=what)
        answer.raise_for_status()
        said = answer.json()
        assert said["success"], said
        return list(said["value"])


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def hub_of(course: Course, folder: Path, users: tuple[str, ...]) -> Iterator[Hub]:
    """Start a hub for a course whose root is the instructor's home; end all of it afterwards."""
    exchange, config = folder / "exchange", folder / "etc"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    (exchange / "tiny" / "inbound").mkdir(parents=True)
    (exchange / "tiny" / "inbound").chmod(0o733 | 0o044)
    config.mkdir()
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(JOVYAN)
    (config / "nbgrader_config.py").write_text(NBGRADER.format(exchange=str(exchange)))
    homes = course.root.parent
    for user in users:
        (homes / user).mkdir(exist_ok=True)
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {"JUPYTER_CONFIG_PATH": str(config), "PATH": path}
    (course.root / ".jupyter").mkdir()
    own = OWN.format(course=str(course.folder))
    (course.root / ".jupyter" / "nbgrader_config.py").write_text(own)
    port = free_port()
    (folder / "jupyterhub_config.py").write_text(
        CONFIG.format(
            port=port,
            hub_port=free_port(),
            api_port=free_port(),
            watch_port=free_port(),
            folder=folder,
            homes=homes,
            password=PASSWORD,
            proxy=str(PROXY),
            environment=environment,
            python=sys.executable,
            course=str(course.folder),
        )
    )
    log = folder / "hub.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(folder / "jupyterhub_config.py")],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    hub = Hub(f"http://127.0.0.1:{port}/", homes, log, environment)
    try:
        end = time.monotonic() + 120
        while True:
            assert process.poll() is None and time.monotonic() < end, hub.said()
            try:
                if httpx.get(f"{hub.url}hub/api/").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        yield hub
    finally:
        started = psutil.Process(process.pid).children(recursive=True)
        process.terminate()  # the hub ends its servers and its services
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for one in started:  # the proxy hides behind the script that starts node
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
