"""How long a workspace takes to start, against JupyterHub's plain local spawner: `make bench ARGS=workspace`.

Two real hubs run side by side in temporary folders: ours with the demonstration district, and a plain one. Their starts
alternate, so that whatever else the machine does hits both alike; the medians and their ratio are printed. Only the
ratio says something about this code, the seconds are about the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from anonymize.bench.row import Row, Sheet
from hub.context import open_hub
from hub.demo import seed
from hub.jupyter.tied import tied
from hub.settings import PROJECT, Settings
from hub.workspaces.actions import open_refusals

READY_SECONDS: Final = 120.0
SAMPLE_SECONDS: Final = 0.02
SEED_ROWS: Final = 3000
ANALYST: Final = "ky-analyst"

BENCH_SERVICE: Final = """
c.JupyterHub.services = [{{"name": "bench", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    *c.JupyterHub.load_roles[:{kept}],
    {{"name": "bench", "services": ["bench"], "scopes": ["admin:users", "admin:servers", "read:hub"]}},
]
"""

PLAIN_HUB: Final = """
from hub.jupyter.proxy import ZhakouProxy, proxy_command
c.JupyterHub.load_roles = []
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.db_url = "sqlite:///{folder}/plain.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.proxy_class = ZhakouProxy
c.ConfigurableHTTPProxy.command = proxy_command()
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.allow_named_servers = True
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/home"
c.Spawner.cmd = ["{python}", "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchHub:
    """A running hub and how to start a server on it."""

    name: str
    api: str
    token: str
    user: str
    server: str

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One call to the hub's API: status and answer."""
        request = urllib.request.Request(  # noqa: S310 - an address on loopback that was put together here
            f"{self.api}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=READY_SECONDS) as response:  # noqa: S310
                text = response.read()
                return response.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace")

    def is_ready(self) -> bool:
        """Whether the server answers and is routed."""
        _, user = self.call("GET", f"/users/{self.user}")
        return bool(user.get("servers", {}).get(self.server, {}).get("ready"))

    def time_start(self) -> float:
        """Seconds from asking for the server until it is ready and routed; then it is stopped again.

        Raises:
            RuntimeError: it did not start.
        """
        path = f"/users/{self.user}/servers/{self.server}"
        began = time.perf_counter()
        status, answer = self.call("POST", path, {})
        if status not in (201, 202):
            raise RuntimeError(f"{self.name}: the start was answered with {status}: {answer}")
        while not self.is_ready():
            if time.perf_counter() - began > READY_SECONDS:
                raise RuntimeError(f"{self.name}: not ready after {READY_SECONDS:.0f} s")
            time.sleep(SAMPLE_SECONDS)
        seconds = time.perf_counter() - began
        self.call("DELETE", path)
        while self.call("GET", f"/users/{self.user}")[1].get("servers", {}).get(self.server):
            time.sleep(SAMPLE_SECONDS)
        return seconds


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def start_hub(stack: ExitStack, name: str, folder: Path, config: str, env: dict[str, str], hub_port: int) -> None:
    """Run a hub until the stack closes; returns when its API answers."""
    file = folder / f"{name}_config.py"
    file.write_text(config, encoding="utf-8")
    log = stack.enter_context((folder / f"{name}.log").open("w", encoding="utf-8"))
    argv = tied(sys.executable, "-m", "jupyterhub", "-f", str(file))
    process = subprocess.Popen(argv, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True)
    stack.callback(_stop, process)
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{hub_port}/hub/api", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{name} did not start:\n{(folder / f'{name}.log').read_text()[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()


def our_hub(stack: ExitStack, folder: Path) -> BenchHub:
    """The hub of this project with the demonstration district."""
    public, hub_port, api, portal = free_ports(4)
    state = folder / "state"
    values = {
        "state_dir": state,
        "public_port": public,
        "hub_port": hub_port,
        "proxy_api_port": api,
        "portal_port": portal,
    }
    hub = open_hub(Settings(**values))  # type: ignore[arg-type]  # names and types as in the class
    seed.seed(hub, elder_rows=SEED_ROWS)
    licence = _usable_licence(hub)
    token = secrets.token_hex(32)
    config = f"load_subconfig({str(PROJECT / 'jupyterhub_config.py')!r})\n"
    config += "c.JupyterHub.load_roles[0]['scopes'] = c.JupyterHub.load_roles[0]['scopes'][1:]\n"
    config += BENCH_SERVICE.format(token=token, kept=1)
    env = {**os.environ, **{f"ZHAKOU_{name.upper()}": str(value) for name, value in values.items()}}
    start_hub(stack, "zhakou", folder, config, env, hub_port)
    return BenchHub(
        name="zhakou", api=f"http://127.0.0.1:{hub_port}/hub/api", token=token, user=ANALYST, server=licence
    )


def _usable_licence(hub: Any) -> str:
    from sqlalchemy import select

    from hub.licensing.model import Licence
    from hub.people.actions import find_person

    actor = find_person(hub, ANALYST).actor
    with hub.reading() as session:
        ids = list(session.scalars(select(Licence.id)))
    return next(one for one in ids if not open_refusals(hub, actor, one))


def plain_hub(stack: ExitStack, folder: Path) -> BenchHub:
    """JupyterHub as it comes, with its simple local spawner: no confinement at all."""
    public, hub_port, api = free_ports(3)
    token = secrets.token_hex(32)
    config = PLAIN_HUB.format(public=public, hub=hub_port, api=api, folder=folder, python=sys.executable)
    config += BENCH_SERVICE.format(token=token, kept=0)
    (folder / "home").mkdir()
    start_hub(stack, "plain", folder, config, dict(os.environ), hub_port)
    return BenchHub(name="plain", api=f"http://127.0.0.1:{hub_port}/hub/api", token=token, user="bench", server="plain")


def _print_logs(folder: Path) -> bool:
    """The ends of all logs, before the folder goes; the error goes on."""
    for log in sorted(folder.glob("**/*.log")):
        print(
            f"--- {log.relative_to(folder)}",
            *log.read_text(errors="replace").splitlines()[-15:],
            sep="\n",
            file=sys.stderr,
        )
    return False


def _write(medians: dict[str, float], ratio: float, rounds: int) -> None:
    case = f"median of {rounds} starts"
    rows = [
        Row(section="workspace start", case=case, tool=name, figures={"seconds": seconds})
        for name, seconds in medians.items()
    ]
    sheet = Sheet(folder=PROJECT / "build" / "bench", name="workspace", about={"ratio": f"{ratio:.2f}"})
    sheet.add(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Run and print; 0 if both could be measured."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=workspace", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", dest="for_programs")
    options = parser.parse_args(argv)
    seconds: dict[str, list[float]] = {"zhakou": [], "plain": []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zhakou-bench-")))
        stack.push(lambda kind, _error, _trace: _print_logs(folder) if kind is not None else False)
        print("preparing two hubs…", file=sys.stderr)
        hubs = [our_hub(stack, folder), plain_hub(stack, folder)]
        for hub in hubs:
            hub.call("POST", f"/users/{hub.user}", {})
            hub.time_start()  # the first start of all reads everything from disk; it is not counted
        for turn in range(options.rounds):
            for hub in hubs if turn % 2 == 0 else hubs[::-1]:
                taken = hub.time_start()
                seconds[hub.name].append(taken)
                print(f"round {turn + 1}  {hub.name:<7} {taken:6.2f} s", file=sys.stderr)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ratio = medians["zhakou"] / medians["plain"]
    _write(medians, ratio, options.rounds)
    if options.for_programs:
        print(json.dumps({"seconds": seconds, "medians": medians, "ratio": ratio}))
    else:
        print(f"workspace start, median of {options.rounds}: {medians['zhakou']:.2f} s confined, ", end="")
        print(f"{medians['plain']:.2f} s plain local spawner, ratio {ratio:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
