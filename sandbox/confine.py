"""Runs one short program in a box: `python -m sandbox.confine SPEC_FD REPORT_FD`, for `sandbox.process`.

A process of its own, because a hub with threads must neither fork nor enter a mount namespace. It hands its standard
streams to the box and reports on REPORT_FD how it went, so that the program's output and our words never mix.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from sandbox import limits as levels
from sandbox import roots, syscalls
from sandbox.bwrap import Bind, program_box
from sandbox.errors import SandboxError, error_as_json
from sandbox.launch import Handover, Identity, start_box
from sandbox.runtime import find_runtime
from sandbox.seccomp import Profile, filter_bytes
from sandbox.spec import Limits


def main() -> NoReturn:
    spec_fd, report_fd = (int(word) for word in sys.argv[1:3])
    with os.fdopen(spec_fd, "rb") as reader:
        said = json.loads(reader.read())
    syscalls.die_with_parent(said["parent"])
    try:
        report: dict[str, object] = {"status": _run(said)}
    except SandboxError as error:
        report = {"error": error_as_json(error)}
    os.write(report_fd, json.dumps(report).encode())
    sys.exit(0)


def _run(said: dict[str, object]) -> int:
    limits = Limits(**said["limits"])  # type: ignore[arg-type]
    identity = Identity(uid=said["uid"], gid=said["uid"])  # type: ignore[arg-type]
    asked: list[list[str]] = said["read_only"]  # type: ignore[assignment]
    binds = tuple(Bind(source=Path(source), target=target) for source, target in asked)
    runtime = find_runtime()
    if identity.uid is not None:
        staging = roots.Staging()
        copies = Path(said["copies"])  # type: ignore[arg-type]
        binds = tuple(
            bind if bind.source.is_dir() else replace(bind, source=roots.readable_copy(bind.source, copies=copies))
            for bind in binds
        )
    else:
        for bind in binds:
            if not bind.source.is_dir():
                roots.require_regular_file(bind.source)
    kept: list[str] | None = said["folder"]  # type: ignore[assignment]
    writable = () if kept is None else (Bind(source=Path(kept[0]), target=kept[1], writable=True),)
    argv: list[str] = said["argv"]  # type: ignore[assignment]
    command = tuple(runtime.python if word == "{python}" else word for word in argv)
    box = program_box(command, runtime=runtime, binds=(*binds, *writable), limits=limits)
    box = replace(box, environment={**said["environment"], **box.environment})  # type: ignore[dict-item]
    if identity.uid is not None:
        box = replace(box, binds=staging.stage(box.binds))
    level = levels.choose_level()
    group = levels.open_group(level, f"run-{os.getpid()}", limits)
    # Killed by whoever started us: the box dies with us, the group is removed by the next to come or by us here.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        pid = start_box(
            box,
            seccomp=filter_bytes(Profile.KERNEL),
            identity=identity,
            handover=Handover(stdin=0, stdout=1, stderr=2),
            rlimits=levels.resource_limits(level, limits, own_uid=identity.uid is None),
            adopt=group.adopt,
        )
        _, status = os.waitpid(pid, 0)
    finally:
        group.remove()
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
