"""A whole site for tests: `zhakou serve` on free ports with state of its own, and a visitor without scripts."""

import http.cookiejar
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.context import open_hub
from hub.demo.codes import code_for
from hub.errors import InvalidState
from hub.jupyter.bench import free_ports
from hub.people.totp import STEP_SECONDS
from hub.settings import Settings


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        time.sleep(0.1)
    return happened()


def process_table() -> dict[int, tuple[int, str]]:
    """pid -> (parent, command line), without zombies."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
                words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            except OSError:
                continue
            if state != "Z":
                found[int(folder.name)] = (int(parent), " ".join(words))
    return found


def below(pid: int) -> dict[int, str]:
    """Command lines of everything that descends from `pid`."""
    table = process_table()
    found: dict[int, str] = {}
    grew = True
    while grew:
        fresh = {one: line for one, (up, line) in table.items() if (up == pid or up in found) and one not in found}
        found |= fresh
        grew = bool(fresh)
    return found


@dataclass(slots=True)
class Site:
    """A running `zhakou serve`."""

    folder: Path
    ports: list[int] = field(default_factory=lambda: free_ports(4))
    process: subprocess.Popen[str] | None = None
    said: str = ""

    @property
    def state(self) -> Path:
        return self.folder / "State of site"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def environment(self) -> dict[str, str]:
        names = ("PUBLIC_PORT", "HUB_PORT", "PROXY_API_PORT", "PORTAL_PORT")
        values = {f"ZHAKOU_{name}": str(port) for name, port in zip(names, self.ports, strict=True)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHAKOU_")}
        return {**kept, **values, "ZHAKOU_STATE_DIR": str(self.state), "LC_ALL": "C.UTF-8"}

    def command(self, *argv: str) -> list[str]:
        return [sys.executable, "-m", "hub.cli", *argv]

    def start(self) -> None:
        """Serve, and read what is said until the address stands there."""
        self.process = subprocess.Popen(
            self.command("serve"), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if "Ctrl-C" in line:
                return
        raise AssertionError(f"it ended without serving:\n{self.said}")

    @property
    def hub_pid(self) -> int:
        assert self.process is not None
        mine = [pid for pid, line in below(self.process.pid).items() if "jupyterhub_config.py" in line]
        assert len(mine) == 1, mine
        return mine[0]

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(timeout=60)
        finally:
            process.kill()
            if process.stdout is not None:
                process.stdout.close()

    @property
    def password(self) -> str:
        return str(json.loads((self.state / "demo-accounts.json").read_text())["password"])

    def code(self, name: str) -> str:
        """A one-time code of a demonstration account that was not used yet; three are to be had in half a minute."""
        hub = open_hub(Settings(state_dir=self.state))
        try:
            while True:
                # The code of the step before would be too old in a moment when the present one is about to end.
                before = time.time() % STEP_SECONDS < STEP_SECONDS - 5
                try:
                    return code_for(hub, name, before=before)
                except InvalidState:
                    time.sleep(1)
        finally:
            hub.database.engine.dispose()


@dataclass(slots=True)
class Page:
    """What a visit ended at."""

    status: int
    address: str
    text: str


class Visitor:
    """Cookies, redirects, the log-in form; no scripts."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def get(self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Page:
        return self._visit(path, method=method, headers=dict(headers or {}))

    def _visit(self, path: str, **of_request: Any) -> Page:
        request = urllib.request.Request(self._site.address + path, **of_request)  # noqa: S310 - loopback
        try:
            answer = self._opener.open(request, timeout=90)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Page(answer.status, answer.url, answer.read().decode("utf-8", "replace"))

    def sign_in(self, name: str, password: str, code: str | None = None) -> Page:
        """With a code of this moment that was not used yet, unless given one."""
        form = self.get("/hub/login").text
        token = re.search(r'name="_xsrf" value="([^"]+)"', form)
        assert token is not None
        typed = self._site.code(name) if code is None else code
        fields = urllib.parse.urlencode({"username": name, "password": password, "otp": typed, "_xsrf": token[1]})
        return self._visit("/hub/login", data=fields.encode(), headers={"Sec-Fetch-Mode": "navigate"})

    def open_workspace(self, name: str, licence: str) -> Page:
        """Start it and wait until JupyterLab's page comes."""
        first = self.get(f"/hub/spawn/{name}/{licence}")
        if first.status != 200:
            return first
        lab = f"/user/{name}/{licence}/lab"
        within(90, lambda: "/hub/" not in self.get(lab).address)
        return self.get(lab)

    def stop_workspace(self, name: str, licence: str) -> Page:
        """As the button on the home page does."""
        home = self.get("/hub/home").text
        token = re.search(r'_xsrf=" \+ "([^"]+)"', home)
        assert token is not None
        path = f"/hub/api/users/{name}/servers/{licence}?_xsrf={token[1]}"
        return self.get(path, method="DELETE", headers={"Referer": self._site.address + "/hub/home"})
