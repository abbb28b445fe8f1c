"""One program in a box without network: what the gate uses to look at files that nobody has looked at yet, and what a
sealed run is run in."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.errors import StartFailed, Words, error_from_json
from sandbox.host import check_host
from sandbox.launch import memory_file
from sandbox.spec import MIB, Limits

PYTHON = "{python}"
"""In an argv: the interpreter as it is called inside the box."""
PROGRAM_UID = 64_999
"""As root: the uid of such programs, behind the range of the workspaces. They write nothing that outlives them."""
MAX_OUTPUT_BYTES = 16 * MIB
_TERM_SECONDS = 3.0
_LOOK_SECONDS = 0.5
_LEAST_FILE = 4096
"""What an empty file counts as: a million of them fill a disk as well."""
_CODE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How it went. `returncode`: of the program, 128 + n if signal n ended it; -1 when it was ended from outside."""

    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool
    """Ended from outside: for time, or for size."""
    overfull: bool = False
    """Ended because its folder held too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The one folder that a program may write to and that outlives it."""

    source: Path
    """Where it lies on the host: an empty folder, made by the caller. As root it is given to the program's uid."""
    target: str
    most_bytes: int
    """What all files below may hold together; looked at while the program runs, which is ended beyond."""


def run_confined(
    argv: Sequence[str],
    *,
    read_only: Sequence[tuple[Path, str]],
    limits: Limits,
    timeout: float,
    stdin: bytes = b"",
    uid: int | None = None,
    folder: Folder | None = None,
    environment: Mapping[str, str] | None = None,
) -> Completed:
    """Run `argv` in a box that sees `read_only` (host path, path inside), the packages and `anonymize`; nothing else.

    With `folder` it may write to that one, too. `environment` is added to the box's own.

    The first word may be `PYTHON`. Links given as sources are not followed for files. Output beyond 16 MiB per stream
    ends the program.
    Units: `timeout` in seconds.
    Raises:
        HostUnfit: this machine cannot confine anything.
        StartFailed: a source is missing, or the box did not come up.
    """
    check_host()
    if os.geteuid() == 0 and uid is None:
        uid = PROGRAM_UID
    with tempfile.TemporaryDirectory(prefix="zhakou-") as copies:
        said = {
            "argv": list(argv),
            "read_only": [[str(source.absolute()), inside] for source, inside in read_only],
            "limits": asdict(limits),
            "uid": uid,
            "copies": copies + "/copies",
            "parent": os.getpid(),
            "folder": None if folder is None else [str(folder.source.absolute()), folder.target],
            "environment": dict(environment or {}),
        }
        if folder is not None and uid is not None:
            os.chown(folder.source, uid, uid, follow_symlinks=False)
        return _supervised(json.dumps(said).encode(), stdin=stdin, timeout=timeout, folder=folder)


def _supervised(said: bytes, *, stdin: bytes, timeout: float, folder: Folder | None) -> Completed:
    spec_fd, stdin_fd = memory_file("spec", said), memory_file("stdin", stdin)
    report_read, report_write = os.pipe2(os.O_CLOEXEC)
    try:
        helper = subprocess.Popen(
            (sys.executable, "-P", "-s", "-m", "sandbox.confine", str(spec_fd), str(report_write)),
            stdin=stdin_fd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(spec_fd, report_write),
            env={"PYTHONPATH": str(_CODE), "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
    finally:
        for fd in (spec_fd, stdin_fd, report_write):
            os.close(fd)
    with helper, os.fdopen(report_read, "rb") as reports:
        stdout, stderr, cut = _collect(helper, deadline=time.monotonic() + timeout, folder=folder)
        if cut:
            return Completed(returncode=-1, stdout=stdout, stderr=stderr, timed_out=True, overfull=_is_overfull(folder))
        helper.wait()
        report = reports.read()
    return _completed(report, stdout=stdout, stderr=stderr)


def _completed(report: bytes, *, stdout: bytes, stderr: bytes) -> Completed:
    answer = json.loads(report) if report else {}
    if "error" in answer:
        raise error_from_json(answer["error"])
    if "status" not in answer:
        raise StartFailed(
            "sandbox.no_answer",
            Words(en="The confined program gave no answer.", zh="隔离程序没有应答。"),
            Words(en="Look at the log of the platform.", zh="请查看平台日志。"),
        )
    status = int(answer["status"])
    return Completed(returncode=status if status >= 0 else 128 - status, stdout=stdout, stderr=stderr, timed_out=False)


def _collect(helper: subprocess.Popen[bytes], *, deadline: float, folder: Folder | None) -> tuple[bytes, bytes, bool]:
    """Both streams until they end; True if the helper had to be ended for time or for size."""
    longest = _LOOK_SECONDS if folder is not None else float("inf")
    kept = {helper.stdout: bytearray(), helper.stderr: bytearray()}
    cut = False
    with selectors.DefaultSelector() as selector:
        for stream in kept:
            selector.register(stream, selectors.EVENT_READ)  # type: ignore[arg-type]
        while selector.get_map():
            left = deadline - time.monotonic()
            too_much = any(len(content) > MAX_OUTPUT_BYTES for content in kept.values())
            if not cut and (left <= 0 or too_much or _is_overfull(folder)):
                cut = True
                _end(helper)
            for key, _ in selector.select(None if cut else max(0.0, min(left, longest))):
                chunk = os.read(key.fd, 65536)
                if chunk:
                    kept[key.fileobj] += chunk  # type: ignore[index]
                else:
                    selector.unregister(key.fileobj)
    out, err = (bytes(content[:MAX_OUTPUT_BYTES]) for content in kept.values())
    return out, err, cut


def _is_overfull(folder: Folder | None) -> bool:
    """Whether the files below hold too much, by the space they take on the disk. Links are not followed."""
    if folder is None:
        return False
    held, waiting = 0, [os.fspath(folder.source)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    held += max(entry.stat(follow_symlinks=False).st_blocks * 512, _LEAST_FILE)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    if held > folder.most_bytes:
                        return True
        except OSError:  # taken away, or closed to everyone, while we looked: root sees it all the same
            continue
    return False


def _end(helper: subprocess.Popen[bytes]) -> None:
    """TERM, so that it removes its group; KILL, should it not."""
    with contextlib.suppress(ProcessLookupError):
        helper.send_signal(signal.SIGTERM)
    try:
        helper.wait(_TERM_SECONDS)
    except subprocess.TimeoutExpired:
        helper.kill()
        helper.wait()
