"""What a workspace is made of, as values that are checked when built.

A spec that exists is a spec that can be run: whoever holds one needs no second check. Units are bytes and per cent of
one core. Nothing here touches the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType

from sandbox.errors import Language, SpecRefused, Words

KIB = 2**10
MIB = 2**20
GIB = 2**30

FIRST_UID = 61_000
"""Uids below belong to people and services of the host (Debian policy 9.2.2: 60000-64999 are allotted on request)."""

NOBODY = frozenset({65_534, 65_535})

MAX_SOCKET_PATH = 107
"""sun_path holds 108 bytes with its final NUL: unix(7)."""

# Where things are inside. A path of the host never appears in a box.
RUNGS = "ZHAKOU_RUNGS"
"""Variable of the kernels' box: JSON, name of an extract → its rung, for the kit's words. Decides nothing."""
HOME = "/home/analyst"
DATA = "/data"
OUTBOX = "/outbox"
IPC = "/run/zhakou/ipc"
HUB_SOCKET_DIR = "/run/zhakou/hub"
SERVER_HOME = "/home/server"

LEVELS = frozenset({"", "metadata", "synthetic", "sampled", "full"})

_WORKSPACE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_CODE_LOADING_PREFIXES = ("LD_", "PYTHON", "JUPYTER_", "GCONV_", "GLIBC_")
_OURS = frozenset({"PATH", "HOME", "LANG", "LOCPATH", "BASH_ENV", "IFS", "ZHAKOU_SERVER", "ZHAKOU_LANGUAGE"})


def _refuse(rule: str, *, en: str, zh: str, next_en: str, next_zh: str) -> SpecRefused:
    return SpecRefused(f"sandbox.spec.{rule}", Words(en=en, zh=zh), Words(en=next_en, zh=next_zh))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the box of the kernels may use. The level that enforces it is chosen by `sandbox.limits`."""

    memory_bytes: int = 2 * GIB
    processes: int = 256
    cpu_percent: int = 100
    file_bytes: int = 1 * GIB
    scratch_bytes: int = 512 * MIB
    home_bytes: int = 2 * GIB
    output_bytes: int = 64 * MIB
    """Of everything the browser is shown in one session; counted by `sandbox.server.meter`."""

    def __post_init__(self) -> None:
        smallest = {
            "memory_bytes": 128 * MIB,
            "processes": 8,
            "cpu_percent": 1,
            "file_bytes": 1 * MIB,
            "scratch_bytes": 1 * MIB,
            "home_bytes": 16 * MIB,
            "output_bytes": 64 * KIB,
        }
        for name, least in smallest.items():
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise _refuse(
                    "limits",
                    en=f"Limit {name} is refused: it must be a whole number of at least {least}.",
                    zh=f"限额 {name} 被拒绝：须为不小于 {least} 的整数。",
                    next_en=f"Set {name} to {least} or more.",
                    next_zh=f"请把 {name} 设为 {least} 或更大。",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOnlyMount:
    """One extract: the file `source` of the host is `/data/<name>.parquet` inside, read-only."""

    name: str
    source: Path
    level: str = ""
    """The rung of the ladder it is, for the kit's words: metadata, synthetic, sampled or full."""

    def __post_init__(self) -> None:
        fits = (
            unicodedata.is_normalized("NFC", self.name)
            and re.fullmatch(r"[^\W_][\w-]*", self.name) is not None
            and len(self.name.encode()) <= 120
        )
        if not fits:
            raise _refuse(
                "mount_name",
                en="The name of an extract is refused: letters, digits, _ and - only, at most 120 bytes.",
                zh="脱敏数据包的名称被拒绝：只能用文字、数字、_ 和 -，不超过 120 字节。",
                next_en="Give the extract a plain name.",
                next_zh="请改用简单的名称。",
            )
        _absolute("mount_source", self.source)
        if self.level not in LEVELS:
            raise _refuse(
                "mount_level",
                en="The rung of an extract is refused: metadata, synthetic, sampled or full.",
                zh="脱敏数据包的级被拒绝：只能是 metadata、synthetic、sampled、full 之一。",
                next_en="Name the rung as the hub does.",
                next_zh="请按系统的写法注明。",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSpec:
    """Everything a workspace needs to start.

    `uid`: even, at least 61000; the server runs as `uid`, the kernels as `uid + 1`, both with group `gid`. None when
    this process is not root: then everything runs as the caller, and `Workspace.weaknesses` says so.
    `hub_socket`: the gateway's socket. Its *folder* is bound into the server's box, so that the hub may restart and
    bind it anew; keep nothing else in that folder (see `Workspace.gateway_dir`). It is asked before each kernel starts.
    None: a server that stands alone. One whose `server_env` has "ZHAKOU_TOKEN" lets its visitors in by that token
    instead of by the hub.
    `unconfirmed_seconds`: the supervisor ends the workspace when nobody has called `Workspace.confirm` for so long, as
    when the hub is gone for good. 0: it goes on.
    """

    workspace_id: str
    state_dir: Path
    uid: int | None = None
    gid: int | None = None
    extracts: tuple[ReadOnlyMount, ...] = ()
    limits: Limits = field(default_factory=Limits)
    unconfirmed_seconds: int = 0
    server_argv_extra: tuple[str, ...] = ()
    server_env: Mapping[str, str] = field(default_factory=dict, repr=False)
    hub_socket: Path | None = None
    language: Language = "zh"
    display_name: str = ""

    def __post_init__(self) -> None:
        if _WORKSPACE_ID.fullmatch(self.workspace_id) is None:
            raise _refuse(
                "workspace_id",
                en="The workspace id is refused: a-z, 0-9 and - only, at most 40 characters.",
                zh="工作空间编号被拒绝：只能用 a-z、0-9 和 -，不超过 40 个字符。",
                next_en="Use the id the hub allotted.",
                next_zh="请使用系统分配的编号。",
            )
        _absolute("state_dir", self.state_dir)
        if len(os.fsencode(self.socket_path)) > MAX_SOCKET_PATH:
            raise _refuse(
                "socket_path",
                en=f"The folder of the workspace is refused: its socket would be longer than {MAX_SOCKET_PATH} bytes.",
                zh=f"工作空间目录被拒绝：套接字路径会超过 {MAX_SOCKET_PATH} 字节。",
                next_en="Choose a state folder with a shorter path.",
                next_zh="请选择路径更短的状态目录。",
            )
        _check_uids(self.uid, self.gid)
        if self.hub_socket is not None:
            _absolute("hub_socket", self.hub_socket)
        if self.language not in ("zh", "en"):
            raise _refuse(
                "language",
                en="The language is refused: zh or en.",
                zh="语言被拒绝：只支持 zh 或 en。",
                next_en="Choose one of the two.",
                next_zh="请选择其中之一。",
            )
        names = [mount.name for mount in self.extracts]
        if len(names) != len(set(names)):
            raise _refuse(
                "mount_twice",
                en="Two extracts of this workspace have the same name.",
                zh="此工作空间有两个同名的数据集。",
                next_en="Give each extract its own name.",
                next_zh="请给每个数据集不同的名称。",
            )
        object.__setattr__(self, "server_env", MappingProxyType(_checked_env(self.server_env)))
        if any("\0" in word for word in self.server_argv_extra):
            raise _refuse(
                "argv",
                en="An argument of the server holds a NUL character.",
                zh="服务器参数含有 NUL 字符。",
                next_en="Remove it.",
                next_zh="请去掉。",
            )

    @property
    def server_uid(self) -> int | None:
        return self.uid

    @property
    def kernel_uid(self) -> int | None:
        return None if self.uid is None else self.uid + 1

    @property
    def group_stem(self) -> str:
        """What the names of its limit groups begin with. Two sites on one machine may both have a `w-0001`."""
        place = hashlib.sha256(bytes(self.state_dir)).hexdigest()[:10]
        return f"{self.workspace_id}-{place}"

    @property
    def socket_path(self) -> Path:
        """The socket the proxy connects to."""
        return self.state_dir / "run" / "server.sock"


def _absolute(rule: str, path: Path) -> None:
    text = str(path)
    if not path.is_absolute() or ".." in path.parts or any(ord(sign) < 32 for sign in text):
        raise _refuse(
            rule,
            en=f"The path given as {rule} is refused: it must be absolute, without .. and without control characters.",
            zh=f"作为 {rule} 的路径被拒绝：须为绝对路径，不含 .. 与控制字符。",
            next_en="Give a plain absolute path.",
            next_zh="请给出普通的绝对路径。",
        )


def _check_uids(uid: int | None, gid: int | None) -> None:
    if uid is None and gid is None:
        return
    fits = (
        type(uid) is int
        and type(gid) is int
        and uid >= FIRST_UID
        and uid % 2 == 0
        and gid >= FIRST_UID
        and not {uid, uid + 1, gid} & NOBODY
    )
    if not fits:
        raise _refuse(
            "uid",
            en=f"The uid is refused: uid (even) and gid must both be given and be at least {FIRST_UID}.",
            zh=f"uid 被拒绝：uid（偶数）与 gid 须同时给出，且不小于 {FIRST_UID}。",
            next_en="Take a pair from sandbox.uids.allot_uid.",
            next_zh="请用 sandbox.uids.allot_uid 分配。",
        )


def _checked_env(env: Mapping[str, str]) -> dict[str, str]:
    for name, value in env.items():
        reserved = name.startswith(_CODE_LOADING_PREFIXES) or name in _OURS
        if _ENV_NAME.fullmatch(name) is None or reserved or "\0" in value:
            raise _refuse(
                "env",
                en="A variable of the server's environment is refused: no plain name, or it decides what code loads.",
                zh="服务器环境变量被拒绝：名称不规范，或会影响加载的代码。",
                next_en="Pass JUPYTERHUB_… and ZHAKOU_… variables only.",
                next_zh="请只传 JUPYTERHUB_… 与 ZHAKOU_… 变量。",
            )
    return dict(env)


def said_rungs(extracts: Iterable[ReadOnlyMount]) -> str:
    """The rung of each extract, as the kit reads it."""
    return json.dumps({one.name: one.level for one in extracts if one.level}, ensure_ascii=False)


def as_json(spec: WorkspaceSpec) -> str:
    """The spec for the supervisor, which is another process. Holds the server's secrets: goes through a pipe only."""
    return json.dumps(
        {
            "workspace_id": spec.workspace_id,
            "state_dir": str(spec.state_dir),
            "uid": spec.uid,
            "gid": spec.gid,
            "extracts": [[mount.name, str(mount.source), mount.level] for mount in spec.extracts],
            "limits": asdict(spec.limits),
            "unconfirmed_seconds": spec.unconfirmed_seconds,
            "server_argv_extra": list(spec.server_argv_extra),
            "server_env": dict(spec.server_env),
            "hub_socket": None if spec.hub_socket is None else str(spec.hub_socket),
            "language": spec.language,
            "display_name": spec.display_name,
        }
    )


def from_json(text: str) -> WorkspaceSpec:
    """The spec again; checked again."""
    said = json.loads(text)
    said["state_dir"] = Path(said["state_dir"])
    said["extracts"] = tuple(
        ReadOnlyMount(name=name, source=Path(source), level=level) for name, source, level in said["extracts"]
    )
    said["limits"] = Limits(**said["limits"])
    said["server_argv_extra"] = tuple(said["server_argv_extra"])
    said["hub_socket"] = None if said["hub_socket"] is None else Path(said["hub_socket"])
    return WorkspaceSpec(**said)
