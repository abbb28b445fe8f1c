"""Hands out uids, one pair to a workspace, and never the same pair to two.

Files of a workspace outlive its processes, so a pair stays with its workspace: a file `<uid>` in the register holds the
workspace's id. systemd takes DynamicUser uids from 61184-65519; a host that uses them sets another range.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sandbox.errors import SandboxError, Words
from sandbox.spec import FIRST_UID, NOBODY

LAST_UID = 64_989
"""The rest up to 64999 is for the probe and for confined programs."""


def allot_uid(register: Path, workspace_id: str, *, first: int = FIRST_UID, last: int = LAST_UID) -> int:
    """The even uid of this workspace: server `uid`, kernels `uid + 1`, group `uid`.

    Raises:
        SandboxError: the range is used up.
    """
    register.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(register, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        taken = {int(entry.name): entry for entry in register.iterdir() if entry.name.isdigit()}
        for uid, entry in taken.items():
            if entry.read_text("utf-8") == workspace_id:
                return uid
        for uid in range(first + first % 2, last + 1, 2):
            if uid not in taken and not {uid, uid + 1} & NOBODY:
                (register / str(uid)).write_text(workspace_id, "utf-8")
                return uid
    finally:
        os.close(lock)
    raise SandboxError(
        "sandbox.no_uid",
        Words(en="No uid is left for a new workspace.", zh="没有可分配给新工作空间的 uid。"),
        Words(en="Widen the reserved range in the settings.", zh="请在设置中扩大预留范围。"),
    )
