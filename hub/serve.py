"""Serve a site: look at the machine, fill an empty state with the demonstration district, run hub, proxy and portal.

What must hold:
1. Nothing is served where confinement can't work; what is merely weaker here is said before the address is.
2. One server for one state folder.
3. What an earlier run left behind after a crash is ended first; what this run starts ends with it (`hub.jupyter.tied`).
4. The address is printed when a person can really open it.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final, TextIO

from hub import doctor
from hub.clock import system_clock
from hub.closing.retention import Record, kept_until
from hub.context import Hub, open_hub
from hub.errors import ChecksFailed, InvalidState, Refusal
from hub.jupyter.orphans import end_orphan
from hub.jupyter.tied import tied
from hub.message import Message, msg
from hub.recovery import require_ledger, start_site
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.rulebook.start import require_rulebook
from hub.settings import PROJECT, Settings, load_settings
from hub.web.language import translator

READY_SECONDS: Final = 90.0
STOP_SECONDS: Final = 30.0
LOG_LINES_SHOWN: Final = 25
LONGEST_ADDRESS: Final = 300


def serve(*, verbose: bool = False) -> int:
    """Run until told to stop; the exit code.

    Raises:
        ChecksFailed: something confinement needs is missing on this machine (1).
        InvalidInput: a rule file is broken; its place is named.
        InvalidState: another server runs on this state, or a port is taken (2).
        InvalidInput: the settings are not usable.
    """
    os.umask(0o022)
    settings = load_settings()
    require_rulebook(system_clock())
    weaknesses = _look_at_machine(settings)
    with _alone(settings):
        end_orphan(settings.state_dir / "jupyterhub" / "proxy.pid")
        _refuse_taken_ports(settings)
        hub = open_hub(settings)
        require_ledger(hub)
        accounts = _fill_if_empty(hub)
        start_site(hub, weaknesses=weaknesses)
        _announce_unsafe(settings)
        hub.database.engine.dispose()
        return _run(settings, accounts, verbose=verbose)


def _look_at_machine(settings: Settings) -> list[str]:
    """Refuse what can't be confined (1); say what is weaker, and give back its codes."""
    language = doctor.terminal_language()
    findings = doctor.examine(settings.state_dir)
    missing = [finding for finding in findings if finding.level is doctor.Level.MISSING]
    weaker = [finding for finding in findings if finding.level is doctor.Level.WEAKER]
    if missing:
        print(doctor.as_text(missing, language), file=sys.stderr)
        raise ChecksFailed(
            *(
                Refusal(
                    rule=f"machine.{finding.check}",
                    subject=finding.check,
                    text=msg("This machine lacks what workspaces need: {check}.", check=finding.check),
                    next_step=msg("Run the command above as an administrator, then start again."),
                )
                for finding in missing
            )
        )
    if weaker:
        say(msg("Weaker on this machine than by design:"))
        print(doctor.as_text(weaker, language))
    return [finding.check for finding in weaker]


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the state folder for this process; the kernel lets go of it whatever happens (2)."""
    settings.state_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    with (settings.state_dir / "serve.lock").open("a+", encoding="utf-8") as file:
        os.chmod(file.name, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            other = file.read(LONGEST_ADDRESS).strip() or "?"
            raise InvalidState(
                Refusal(
                    rule="serve.twice",
                    subject="state_dir",
                    text=msg("A server already runs on this state folder; it is at {address}.", address=other),
                    next_step=msg("Use that one, stop it first, or set another state_dir."),
                )
            ) from None
        file.seek(0)
        file.truncate()
        file.write(_address(settings))
        file.flush()
        yield


def _refuse_taken_ports(settings: Settings) -> None:
    """Say which port is taken and which setting moves it, before anything starts."""
    taken = []
    for name in ("public_port", "hub_port", "proxy_api_port", "portal_port"):
        port = getattr(settings, name)
        host = settings.public_host if name == "public_port" else "127.0.0.1"
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                taken.append((name, port))
    if taken:
        raise InvalidState(
            *(
                Refusal(
                    rule="serve.port_taken",
                    subject=name,
                    text=msg("Port {port} ({name}) is used by another program.", port=port, name=name),
                    next_step=msg("Stop that program, or set ZHAKOU_{name} to a free port.", name=name.upper()),
                )
                for name, port in taken
            )
        )


def _fill_if_empty(hub: Hub) -> tuple[str, ...]:
    """Seed the demonstration district into an empty state; the lines about its accounts, if they are in force."""
    from hub.demo import people, seed

    if not hub.settings.demo_district:
        return ()
    if seed.is_unfinished(hub):
        say(msg("Preparing the demonstration district, once…"))
        seed.seed(hub)
    return people.account_lines(translator(doctor.terminal_language()), hub.settings.state_dir)


def _announce_unsafe(settings: Settings) -> None:
    for name in settings.unsafe:
        say(msg("UNSAFE setting in force: {name}. It weakens a guarantee.", name=name))


def _run(settings: Settings, accounts: tuple[str, ...], *, verbose: bool) -> int:
    """Start JupyterHub, which starts proxy and portal; pass signals on; wait."""
    private = settings.state_dir / "jupyterhub"
    private.mkdir(mode=0o700, exist_ok=True)
    log_path = private / "hub.log"
    argv = tied(sys.executable, "-m", "jupyterhub", "-f", str(PROJECT / "jupyterhub_config.py"))
    with _log_file(log_path) as log:
        output = None if verbose else log
        child = subprocess.Popen(argv, cwd=private, stdout=output, stderr=output, start_new_session=True)
        told_to_stop = _pass_signals_on(child)
        ready = _wait_until_ready(settings, child)
        if ready and not told_to_stop:
            _print_addresses(settings, accounts, log_path)
        elif child.poll() is None and not told_to_stop:
            child.terminate()
        code = child.wait()
    if told_to_stop:
        return 0
    if not verbose:
        lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        print("\n".join(lines[-LOG_LINES_SHOWN:]), file=sys.stderr)
    say(msg("The hub ended by itself; its log is {path}.", path=str(log_path)))
    return code if code > 0 else 1


@contextlib.contextmanager
def _log_file(path: Path) -> Iterator[TextIO]:
    """A fresh log, for the hub's user alone; earlier ones stay beside it as long as the law asks for network logs."""
    today, pack = district_day(system_clock()), pack_in_force(system_clock())
    with contextlib.suppress(FileNotFoundError):
        ended = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        os.replace(path, path.with_name(f"hub.{ended:%Y%m%dT%H%M%S}.log"))
    for old in path.parent.glob("hub.*.log"):
        made = district_day(datetime.fromtimestamp(old.stat().st_mtime, UTC))
        if today > kept_until(Record.NETWORK_LOG, made, pack=pack):
            old.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        yield file


def _pass_signals_on(child: subprocess.Popen[bytes]) -> list[int]:
    """Make Ctrl-C and SIGTERM stop the hub in order. The list is filled when that was asked for."""
    asked: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) == 1:
            say(msg("Stopping: workspaces first, then portal and proxy…"))
        if child.poll() is None:
            child.send_signal(signal.SIGTERM if len(asked) < 3 else signal.SIGKILL)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    return asked


def _wait_until_ready(settings: Settings, child: subprocess.Popen[bytes]) -> bool:
    """True once the hub answers at its own door, then hub and portal through the proxy (4)."""
    public = _reachable(settings.public_host)
    waiting_for = [
        ("127.0.0.1", settings.hub_port, "/hub/health"),
        (public, settings.public_port, "/hub/health"),
        (public, settings.public_port, "/services/portal/"),
    ]
    until = time.monotonic() + READY_SECONDS
    while waiting_for and time.monotonic() < until and child.poll() is None:
        if _answers(*waiting_for[0]):
            waiting_for.pop(0)
        else:
            time.sleep(0.2)
    return not waiting_for


def _reachable(host: str) -> str:
    """An address at which a server that listens on `host` can be reached from here."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared, not bound
    return everywhere.get(host, host)


def _answers(host: str, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _address(settings: Settings) -> str:
    return f"http://{settings.public_host}:{settings.public_port}/"


def _print_addresses(settings: Settings, accounts: tuple[str, ...], log_path: Path) -> None:
    print()
    say(msg("Portal: {address}", address=_address(settings)))
    for line in accounts:
        print(line)
    say(msg("Log: {path}. Stop with Ctrl-C.", path=str(log_path)))


def say(message: Message) -> None:
    """One sentence to the person at the terminal, in their language."""
    print(message.render(translator(doctor.terminal_language())), flush=True)
