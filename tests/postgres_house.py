"""A real PostgreSQL for tests: a server of our own in a temporary folder, on a unix socket there and on no port.

The programs come from Debian's package (`hub.doctor.TEST_NEEDS`). A cluster of the machine is neither used nor touched.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from hub.doctor import postgresql_programs

PASSWORD = "a-password-of-the-tests"
ROLE = "zhakou"
"""The hub's role: it owns its databases and can do nothing else."""
START_SECONDS = 60.0
OPTIONS = ("fsync=off", "full_page_writes=off", "listen_addresses=", "shared_buffers=32MB", "log_min_messages=fatal")


@dataclass(slots=True)
class Postgres:
    """One server. Its folder holds the socket, so an address of one server reaches no other."""

    folder: Path
    _process: subprocess.Popen[bytes] | None = None
    _made: int = 0
    _there: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def initialise(self) -> None:
        self.folder.chmod(0o711)  # other roles of this machine may come as far as the socket
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(self.folder, _owner())
            shutil.chown(secret, _owner())
        words = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres", "--no-sync")
        argv = (str(postgresql_programs() / "initdb"), "-D", str(self.folder / "data"), *words, f"--pwfile={secret}")
        subprocess.run(_as_owner(*argv), check=True, capture_output=True, cwd="/", env={"PATH": os.defpath})

    def start(self) -> None:
        """Serve; return once it answers."""
        settings = [word for option in (*OPTIONS, f"unix_socket_directories={self.folder}") for word in ("-c", option)]
        argv = _as_owner(str(postgresql_programs() / "postgres"), "-D", str(self.folder / "data"), *settings)
        self._process = subprocess.Popen(
            argv, cwd="/", env={"PATH": os.defpath}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.run("SELECT 1")
                return
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self, by: signal.Signals = signal.SIGINT) -> None:
        """Under its clients, as a server that is restarted (SIGINT), or for good (SIGQUIT): postgres(1)."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(by)
            process.wait(timeout=START_SECONDS)

    def run(self, *statements: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """As the server's administrator, each by itself; the rows of the last."""
        where = {"host": str(self.folder), "user": "postgres", "password": PASSWORD, "dbname": database}
        with psycopg.connect(**where, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def address(self, database: str, *, user: str = ROLE, password: str = PASSWORD) -> str:
        return f"postgresql+psycopg://{user}:{password}@/{database}?host={self.folder}"

    def new_database(self, *, like: str = "template0", encoding: str = "UTF8") -> str:
        """The name of a fresh database that the hub's role owns."""
        if not self._made:
            self.run(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        self._made += 1
        name = f"zhakou_{self._made}"
        self.run(
            f"CREATE DATABASE {name} OWNER {ROLE} TEMPLATE {like} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        self._there.append(name)
        return name

    def drop_all_but(self, kept: Collection[str]) -> None:
        """Each holds some eight megabytes in three hundred files."""
        for name in [one for one in self._there if one not in kept]:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")
            self._there.remove(name)


def _owner() -> str:
    """Who may run a server: initdb(1) refuses root; the package made this account for it."""
    return "postgres" if os.geteuid() == 0 else getpass.getuser()


def _as_owner(*argv: str) -> list[str]:
    """Under the owner's uid, and ended with this process: setpriv(1)."""
    change: tuple[str, ...] = ()
    if os.geteuid() == 0:
        change = (f"--reuid={_owner()}", f"--regid={pwd.getpwnam(_owner()).pw_gid}", "--clear-groups")
    return ["setpriv", *change, "--pdeathsig=INT", *argv]


@contextmanager
def serve_postgres() -> Iterator[Postgres]:
    """A running server; nothing of it is left afterwards."""
    server = Postgres(Path(tempfile.mkdtemp(prefix="zhakou-pg-")))
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.stop(signal.SIGQUIT)
        shutil.rmtree(server.folder, ignore_errors=True)
