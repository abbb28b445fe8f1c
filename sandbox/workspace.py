"""One workspace from start to stop, as the hub sees it.

The hub holds a `Workspace`; the boxes belong to a supervisor with a session of its own (`sandbox.supervise`), so that a
hub that restarts finds them alive: the same spec and the files below `state_dir` are all it takes.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.spec import WorkspaceSpec


class Workspace:
    """Split sandbox of one analyst: box A serves Jupyter, box B runs the kernels.

    State below `spec.state_dir`: run/ (sockets, pids; the hub's alone), gateway/ (the hub's socket, bound into box A),
    home/ (notebooks, /home/analyst inside), outbox/ (/outbox inside), log/.
    """

    def __init__(self, spec: WorkspaceSpec) -> None:
        self.spec = spec

    @property
    def outbox_dir(self) -> Path:
        return self.spec.state_dir / "outbox"

    @property
    def gateway_dir(self) -> Path:
        """Where the hub binds its gateway socket: a folder with nothing else in it, at /run/zhakou/hub inside box A.

        `prepare()` makes it (0711). The socket itself must be connectable by box A's uid: chmod 0666 after bind; the
        folders above are the hub's alone (0700).
        """
        return self.spec.state_dir / "gateway"

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """What is weaker here than the design, as "code: sentence" (also `.zh`); empty when nothing is."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Make the folders below `state_dir`; idempotent. `start` calls it."""
        raise NotImplementedError

    async def start(self) -> Path:
        """Start both boxes and return the unix socket the proxy connects to, once Jupyter answers on it.

        Raises:
            HostUnfit: bubblewrap is missing (sandbox.no_bwrap) or user namespaces are forbidden (sandbox.no_userns).
            StartFailed: a box did not come up; nothing is left running.
        """
        raise NotImplementedError

    async def poll(self) -> int | None:
        """None while it runs, else the exit status. Works after a restart of the hub."""
        raise NotImplementedError

    async def stop(self) -> None:
        """TERM, then KILL, the whole tree; limits' groups and sockets removed. Idempotent."""
        raise NotImplementedError
