"""Running tools: each job in a fresh process, peers in environments of their own made from hash-pinned locks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from anonymize.bench.data import PROJECT

HERE: Final = Path(__file__).resolve().parent
LIMIT_SECONDS: Final = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a job took, and the JSON it printed last; `failed` says in a few words why there is none.

    Units: CPU seconds over all threads from the start of the process to its end; peak memory in MiB.
    """

    cpu_s: float
    peak_mb: float
    answer: dict[str, Any]
    failed: str = ""

    def figures(self) -> dict[str, Any]:
        return {"cpu_s": self.cpu_s, "peak_mb": self.peak_mb}


def run_job(python: Path, *arguments: str | Path) -> Taken:
    """Run `python ARGUMENT...` and measure it from outside."""
    with tempfile.TemporaryDirectory(prefix="zhakou-bench-") as folder:
        told = Path(folder) / "taken.json"
        command = [sys.executable, "-I", "-S", HERE / "launch.py", told, python, *arguments]
        try:
            done = subprocess.run(
                list(map(str, command)), cwd=PROJECT, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return Taken(cpu_s=0.0, peak_mb=0.0, answer={}, failed=f"not done in {LIMIT_SECONDS} s")
        taken = json.loads(told.read_text()) if told.exists() else {"exit": -1, "cpu_s": 0.0, "peak_mb": 0.0}
    answer, failed = {}, ""
    if taken["exit"] == 0:
        answer = json.loads(done.stdout.splitlines()[-1])
    else:
        print(done.stderr[-2000:], file=sys.stderr)
        failed = f"ended with {taken['exit']}"
    return Taken(cpu_s=taken["cpu_s"], peak_mb=taken["peak_mb"], answer=answer, failed=failed)


def run_ours(job: str, *arguments: str | Path) -> Taken:
    """One job of the worker."""
    return run_job(Path(sys.executable), "-m", "anonymize.bench.worker", job, *arguments)


def run_peer(environment: Path, script: str, *arguments: str | Path) -> Taken:
    """One peer's script in its own environment."""
    return run_job(environment / "bin" / "python", HERE / "peers" / f"{script}.py", *arguments)


def peer_environment(name: str, work: Path) -> Path | str:
    """The environment of a peer, made at need from `requirements/bench-<name>.lock`; a text says why there is none."""
    lock = PROJECT / "requirements" / f"bench-{name}.lock"
    environment = work / name
    stamp = environment / "installed.lock"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return environment
    uv = Path(sys.executable).parent / "uv"
    commands: Sequence[Sequence[str | Path]] = (
        (sys.executable, "-m", "venv", "--clear", environment),
        (uv, "pip", "sync", "-q", "--require-hashes", lock)
        if uv.exists()
        else (
            environment / "bin" / "python",
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--require-hashes",
            "-r",
            lock,
        ),
    )
    for command in commands:
        env = {**os.environ, "VIRTUAL_ENV": str(environment)}
        if subprocess.run(list(map(str, command)), cwd=PROJECT, env=env, stdout=sys.stderr, check=False).returncode:
            return f"{lock.name} does not install here"
    stamp.write_bytes(lock.read_bytes())
    return environment


def locked_version(lock: str, package: str) -> str:
    """The version of a package that a lock pins."""
    text = (PROJECT / "requirements" / f"bench-{lock}.lock").read_text("utf-8")
    pins = (line.split()[0] for line in text.splitlines() if line.startswith(f"{package}=="))
    return next(pins).split("==")[1]
