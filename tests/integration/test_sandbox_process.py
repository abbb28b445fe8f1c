"""One short program in a box: what the gate's machine checks run in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import host, launch
from sandbox.errors import HostUnfit, StartFailed
from sandbox.process import PYTHON, Completed, run_confined
from sandbox.spec import MIB, Limits

LIMITS = Limits(memory_bytes=256 * MIB, processes=32, scratch_bytes=8 * MIB)


def run(
    code: str, *, read_only: tuple[tuple[Path, str], ...] = (), timeout: float = 30, stdin: bytes = b""
) -> Completed:
    return run_confined([PYTHON, "-c", code], read_only=read_only, limits=LIMITS, timeout=timeout, stdin=stdin)


def test_program_reads_what_it_was_given_and_answers(tmp_path: Path) -> None:
    given = tmp_path / "a.txt"
    given.write_text("given", "utf-8")
    given.chmod(0o600)
    code = "import sys; print(open('/in/a.txt').read(), sys.stdin.read()); sys.exit(3)"
    ran = run(code, read_only=((given, "/in/a.txt"),), stdin=b"x")
    assert (ran.returncode, ran.stdout, ran.stderr, ran.timed_out) == (3, b"given x\n", b"", False)


def test_program_has_the_product_s_packages_and_the_checks() -> None:
    assert run("import polars, anonymize; print('here')").stdout == b"here\n"


def test_program_sees_neither_host_nor_network(tmp_path: Path) -> None:
    code = f"import os, socket; print(os.path.exists({str(tmp_path)!r}), [name for _, name in socket.if_nameindex()])"
    assert run(code).stdout == b"False ['lo']\n"


def test_given_file_cannot_be_changed(tmp_path: Path) -> None:
    given = tmp_path / "a.txt"
    given.write_text("given", "utf-8")
    given.chmod(0o666)
    assert b"Read-only file system" in run("open('/in/a.txt', 'w')", read_only=((given, "/in/a.txt"),)).stderr


def test_time_is_up() -> None:
    ran = run("import time; time.sleep(60)", timeout=1)
    assert (ran.timed_out, ran.returncode) == (True, -1)


def test_memory_is_limited() -> None:
    assert run("x = bytearray(10**9)").returncode != 0


def test_endless_output_ends_the_program() -> None:
    ran = run("while True: print('x' * 10**6)")
    assert ran.timed_out
    assert len(ran.stdout) == 16 * MIB


def test_missing_source_is_refused_by_its_name_alone(tmp_path: Path) -> None:
    with pytest.raises(StartFailed) as refused:
        run("1", read_only=((tmp_path / "gone.csv", "/in/a"),))
    assert refused.value.code == "sandbox.source_missing"
    assert str(tmp_path) not in str(refused.value)


def test_link_given_as_a_source_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        tmp_path.chmod(0o700)
    (tmp_path / "link").symlink_to("/etc/shadow")
    with pytest.raises(StartFailed):
        run("print(open('/in/a').read())", read_only=((tmp_path / "link", "/in/a"),))


def test_missing_bubblewrap_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_BWRAP_PATH", "/nonexistent")
    with pytest.raises(HostUnfit) as refused:
        run("1")
    assert refused.value.code == "sandbox.no_bwrap"
    assert "apt-get install bubblewrap" in refused.value.next_step


@pytest.mark.parametrize(
    ("said", "code"), [("bwrap: No permissions", "no_userns"), ("Unknown option --disable-userns", "old_bwrap")]
)
def test_forbidden_namespaces_and_old_bubblewrap_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, code: str
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n", "utf-8")
    fake.chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    monkeypatch.setattr(launch, "_BWRAP_PATH", str(tmp_path))
    with pytest.raises(HostUnfit) as refused:
        host.check_host()
    assert refused.value.code == f"sandbox.{code}"


def child(act: str) -> int:
    """Exit status of a fresh process that runs this with the launcher's functions."""
    setup = "import os, socket, sys\nfrom sandbox.launch import close_all_but, refuse_foreign_sockets\n"
    root = Path(launch.__file__).parents[1]
    return subprocess.run((sys.executable, "-c", setup + act), cwd=root, check=False).returncode


def test_network_socket_of_the_host_is_refused_at_the_door() -> None:
    assert child("a = socket.socketpair(); refuse_foreign_sockets()") == 0
    for kind in ("socket.AF_INET", "socket.AF_INET6"):
        assert child(f"a = socket.socket({kind}); refuse_foreign_sockets()") == 1


def test_descriptor_that_was_not_named_is_closed() -> None:
    assert child("a, b = os.pipe(); close_all_but([a]); os.fstat(a); os.fstat(b)") == 1
    assert child("a, b = os.pipe(); close_all_but([a]); os.fstat(a); sys.exit(not os.get_inheritable(a))") == 0
