"""Starts, signals and reaps kernels inside box B, as told by the server in box A: `agent.py FD`.

One connected socket that was handed in is the only way to speak to it, so there is no path that a kernel could take
over. One line of JSON in, one line out, in order. Standard library only; it shares its uid with hostile code, so
nothing outside of this box believes it: the server checks every answer.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from typing import Any

LINE_BYTES = 64 * 1024
KERNELS = 16
KERNEL_ID = re.compile(r"[0-9a-f-]{1,64}")
CONNECTION_KEYS = frozenset(
    {
        *("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"),
        *("ip", "key", "transport", "signature_scheme", "kernel_name", "jupyter_session"),
    }
)
SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGKILL})
OUT_OF_MEMORY_SCORE = "900"
"""A kernel, not the agent, is what the machine ends when the box is out of memory: proc(5), oom_score_adj."""


class Refused(Exception):
    """The request is not one that is answered."""


class Agent:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._kernels: dict[str, subprocess.Popen[bytes]] = {}

    def answer(self, line: bytes) -> bytes:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise Refused("not an object")
            act = {"start": self._start, "signal": self._signal, "poll": self._poll}.get(str(request.get("act")))
            if act is None:
                raise Refused("no such act")
            kernel = request.get("kernel")
            if not isinstance(kernel, str) or KERNEL_ID.fullmatch(kernel) is None:
                raise Refused("no such kernel id")
            said = act(kernel, request)
        except Refused as refused:
            said = {"error": str(refused)}
        except (ValueError, OSError, subprocess.SubprocessError) as error:
            said = {"error": type(error).__name__}
        return json.dumps(said).encode() + b"\n"

    def _start(self, kernel: str, request: dict[str, Any]) -> dict[str, object]:
        running = self._kernels.get(kernel)
        if running is not None and running.poll() is None:
            raise Refused("runs already")
        if sum(1 for one in self._kernels.values() if one.poll() is None) >= KERNELS:
            raise Refused("too many kernels")
        connection = request.get("connection")
        if not isinstance(connection, dict) or not set(connection) <= CONNECTION_KEYS:
            raise Refused("not a connection")
        path = os.path.join(self._folder, kernel + ".json")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(connection, file)
        self._kernels[kernel] = subprocess.Popen(
            # -s: no packages from the home; history and its database stay off: they would outlive the session
            (sys.executable, "-s", "-m", "ipykernel_launcher", "-f", path, "--HistoryManager.enabled=False"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with contextlib.suppress(OSError), open(f"/proc/{self._kernels[kernel].pid}/oom_score_adj", "w") as score:
            score.write(OUT_OF_MEMORY_SCORE)
        return {"pid": self._kernels[kernel].pid}

    def _signal(self, kernel: str, request: dict[str, Any]) -> dict[str, object]:
        number = request.get("signal")
        if type(number) is not int or number not in SIGNALS:
            raise Refused("no such signal")
        running = self._kernels.get(kernel)
        if running is not None and running.poll() is None:
            os.killpg(running.pid, number)
        return {}

    def _poll(self, kernel: str, request: dict[str, Any]) -> dict[str, object]:
        running = self._kernels.get(kernel)
        return {"status": 0 if running is None else running.poll(), "known": running is not None}


def serve(connection: socket.socket) -> None:
    """Answer until the server is gone; then this box has nothing left to do."""
    agent = Agent(tempfile.mkdtemp(prefix="kernels-"))
    with connection, connection.makefile("rb") as lines:
        while line := lines.readline(LINE_BYTES):
            if not line.endswith(b"\n"):
                return  # cut off or too long: whoever speaks like that is not our server
            connection.sendall(agent.answer(line))


def main() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    os.set_inheritable(int(sys.argv[1]), False)
    serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
