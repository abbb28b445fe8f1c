"""The extract worker: the one process that reads a raw table.

Runs `python -m anonymize.cli anonymize` in a process of its own with an empty environment, memory and time limits, so
that a hostile or broken table cannot touch the portal. The pseudonym key travels by file name, never by argument.
"""

from __future__ import annotations

import ctypes
import json
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.licensing.model import ExtractLevel
from hub.settings import PROJECT

TIMEOUT = 3600.0
"""Seconds one build may take."""

MEMORY = 16 * 2**30
"""Address space of the worker in bytes; polars maps more than it uses."""


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The worker wrote an extract below `folder`."""

    folder: Path
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The worker refused and wrote nothing."""

    code: str
    zh: str
    en: str


def run_worker(
    *,
    source: Path,
    policy: str,
    key_file: Path,
    folder: Path,
    level: ExtractLevel,
    title: tuple[str, str],
    rows: int | None = None,
) -> Built | Failed:
    """Build one rung of `source` into the new folder `folder`, by the policy in TOML text.

    Args:
        title: What the table is called in Chinese and English.
        rows: At most so many rows, for a rung that is a part of the table.
    """
    policy_file = folder.with_suffix(".policy.toml")
    policy_file.write_text(policy, encoding="utf-8")
    command = [
        *(sys.executable, "-m", "anonymize.cli", "anonymize", str(source)),
        *("--policy", str(policy_file), "--out", str(folder), "--key-file", str(key_file), "--json"),
        *("--title", *title),
        *("--rung", level.value, *(() if rows is None else ("--rows", str(rows)))),
    ]
    try:
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(PROJECT), "POLARS_MAX_THREADS": "2"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            preexec_fn=limit_worker,  # sets limits only
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Failed(
            code="extract.timeout",
            zh="脱敏处理超时，没有写出任何文件。",
            en="The build took too long; nothing was written.",
        )
    finally:
        policy_file.unlink(missing_ok=True)
    manifest = _manifest(folder) if done.returncode == 0 else None
    return _failure(done.stdout) if manifest is None else Built(folder=folder, manifest=manifest)


def _manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest the worker wrote, if it says what is kept of an extract."""
    try:
        said: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        texts = [said["rung"], *(said["digests"][name] for name in ("source", "policy", "extract"))]
        counts = [said["rows"]["out"], said["rows"]["suppressed"], said["risk"]["after"]["k"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    whole = all(isinstance(text, str) for text in texts) and all(isinstance(count, int) for count in counts)
    return said if whole else None


def _failure(stdout: bytes) -> Failed:
    """The worker's own refusal if it gave one; else a crash. Its standard error is never shown: it may quote data."""
    try:
        said = json.loads(stdout)["refused"]
        return Failed(
            code=str(said["code"]),
            zh="".join((said["i18n"]["zh"]["text"], said["i18n"]["zh"]["next_step"])),
            en=" ".join((said["i18n"]["en"]["text"], said["i18n"]["en"]["next_step"])),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return Failed(
            code="extract.crashed",
            zh="脱敏程序异常退出，没有写出任何文件；请检查源表与规则后重试。",
            en="The worker ended abnormally; nothing was written. Check table and policy, then try again.",
        )


def limit_worker() -> None:
    """What a worker gets before it begins: it ends with the service, dumps no core, and has only so much memory."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # prctl(2): a build does not outlive a killed service
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
