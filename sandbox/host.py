"""What this machine can give: refused loudly when confinement is impossible, said plainly when it is weaker."""

from __future__ import annotations

import os
import subprocess

from sandbox.errors import HostUnfit, Words
from sandbox.launch import bwrap_path
from sandbox.limits import Level
from sandbox.spec import WorkspaceSpec

_NOBODY = 65_534


def weaknesses_of(level: Level, *, as_root: bool) -> tuple[Words, ...]:
    """What this machine cannot give, each with its code in front."""
    found = [
        Words(
            en="home.no_quota: the notebook folder has no quota of its own, only a limit per file.",
            zh="home.no_quota：笔记本目录没有独立的磁盘配额，只有单个文件的大小上限。",
        )
    ]
    if not as_root:
        found.append(
            Words(
                en="uid.shared: without root, server and kernels run as the same user as the hub; only namespaces and "
                "the system-call filter stand between them.",
                zh="uid.shared：没有 root 权限，服务端与内核与平台同属一个用户，仅靠命名空间与系统调用过滤隔离。",
            )
        )
    if level is Level.PER_PROCESS:
        found.append(
            Words(
                en="limits.per_process: memory is limited per process, not for the workspace as a whole; CPU is not.",
                zh="limits.per_process：内存只能按单个进程限制，无法限制整个工作空间，CPU 不受限。",
            )
        )
    return tuple(found)


def check_identity(spec: WorkspaceSpec) -> None:
    """Raises HostUnfit unless the uid of the spec fits who we are. Nothing of an analyst ever runs as root."""
    as_root = os.geteuid() == 0
    if as_root == (spec.uid is not None):
        return
    if as_root:
        raise HostUnfit(
            "sandbox.uid_needed",
            Words(en="As root, a workspace needs a uid to drop to.", zh="以 root 运行时，工作空间必须有降权用的 uid。"),
            Words(en="Take one from sandbox.uids.allot_uid.", zh="请用 sandbox.uids.allot_uid 分配。"),
        )
    raise HostUnfit(
        "sandbox.not_root",
        Words(en="Only root can give a workspace a uid of its own.", zh="只有 root 才能给工作空间独立的 uid。"),
        Words(en="Run the hub as root, or leave the uid out.", zh="请以 root 运行，或不指定 uid。"),
    )


def check_host() -> None:
    """Raises HostUnfit unless bubblewrap is here and may make the namespaces a box is made of. Takes about 20 ms."""
    as_root = os.geteuid() == 0
    attempt = subprocess.run(
        (
            *(bwrap_path(), "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"),
            *("--ro-bind", "/", "/", "--proc", "/proc", "/bin/true"),
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={},
        cwd="/",
        timeout=20,
        check=False,
        # Root may always make namespaces; what counts is whether a dropped uid may.
        user=_NOBODY if as_root else None,
        group=_NOBODY if as_root else None,
        extra_groups=() if as_root else None,
    )
    said = attempt.stderr
    if attempt.returncode == 0:
        return
    if b"disable-userns" in said and b"nknown option" in said:
        raise HostUnfit(
            "sandbox.old_bwrap",
            Words(en="bubblewrap is older than 0.8.", zh="bubblewrap 版本低于 0.8。"),
            Words(en="Install bubblewrap 0.8 or newer.", zh="请安装 bubblewrap 0.8 或更新版本。"),
        )
    raise HostUnfit(
        "sandbox.no_userns",
        Words(
            en="This machine forbids user namespaces, so nothing can be confined.",
            zh="本机禁止用户命名空间，无法隔离运行。",
        ),
        Words(
            en="Allow them: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), "
            "user.max_user_namespaces=15000, kernel.unprivileged_userns_clone=1 (older Debian).",
            zh="请放开：sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0（Ubuntu）、"
            "user.max_user_namespaces=15000、kernel.unprivileged_userns_clone=1（旧版 Debian）。",
        ),
    )
