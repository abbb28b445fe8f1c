"""Finds what a Python in a box needs of this machine: the interpreter, its libraries, the packages, our own code.

Nothing is bound because it happens to be there. The packages arrive by PYTHONPATH, where `.pth` files do not count, so
an editable install cannot lead back to the project's folder; no path of the host shows up inside.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from sandbox.bwrap import CODE, SITE, Bind, Runtime
from sandbox.errors import HostUnfit, Words

_PACKAGE = Path(__file__).resolve().parent
_PYTHON = "/opt/python"
_SYSTEM_PREFIX = Path("/usr")
LAB = "/opt/jupyter/lab"


def find_runtime() -> Runtime:
    """The runtime of the interpreter that runs this.

    Raises:
        HostUnfit: the interpreter lies where a box could not show it.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = Path(sys.base_prefix).resolve()
    executable = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    if not executable.is_relative_to(base):
        raise HostUnfit(
            "sandbox.python_place",
            Words(en="The Python interpreter lies outside of its own prefix.", zh="Python 解释器不在其自身的目录中。"),
            Words(en="Use a Python installed in one folder.", zh="请使用安装在单一目录中的 Python。"),
        )
    if base == _SYSTEM_PREFIX:
        python = str(executable)
        interpreter: tuple[Bind, ...] = (_same(executable), _same(base / "lib" / version))
        hidden: tuple[str, ...] = ()
    else:
        python = f"{_PYTHON}/{executable.relative_to(base)}"
        interpreter = (Bind(source=base, target=_PYTHON),)
        packages = base / "lib" / version / "site-packages"
        hidden = (f"{_PYTHON}/lib/{version}/site-packages",) if packages.is_dir() else ()
    sites = tuple(_sites())
    return Runtime(
        python=python,
        binds=(*interpreter, *sites, *_libraries(), *_own_etc(), *_optional("/etc/localtime", "/usr/share/zoneinfo")),
        symlinks=tuple(_library_links()),
        hidden=hidden,
        environment=_environment(sites),
        server_binds=tuple(_server_binds()),
        kernel_binds=tuple(_kernel_binds()),
    )


def _same(path: Path) -> Bind:
    return Bind(source=path, target=str(path))


def _optional(*paths: str) -> Iterator[Bind]:
    return (_same(Path(path)) for path in paths if os.path.exists(path))


def _sites() -> Iterator[Bind]:
    places = dict.fromkeys(Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib"))
    for number, place in enumerate(places):
        yield Bind(source=place, target=SITE if number == 0 else f"{SITE}{number}")


def _libraries() -> Iterator[Bind]:
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{os.uname().machine}-linux-gnu"
    yield from _optional(f"/usr/lib/{multiarch}", "/usr/lib64", "/etc/ld.so.cache")
    for name in ("/lib", "/lib64"):
        if not os.path.islink(name):
            yield from _optional(f"{name}/{multiarch}" if name == "/lib" else name)
    yield from _optional("/etc/ssl/certs", "/usr/share/ca-certificates")  # read at import by some libraries


def _library_links() -> Iterator[tuple[str, str]]:
    for name in ("/lib", "/lib64"):
        if os.path.islink(name):
            yield os.readlink(name), name


def _own_etc() -> Iterator[Bind]:
    for name in ("passwd", "group", "hosts", "nsswitch.conf", "matplotlibrc"):
        yield Bind(source=_PACKAGE / "etc" / name, target=f"/etc/{name}")


def _environment(sites: tuple[Bind, ...]) -> dict[str, str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join((CODE, *(site.target for site in sites))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "MATPLOTLIBRC": "/etc/matplotlibrc",
    }
    if sysconfig.get_config_var("Py_ENABLE_SHARED") and Path(sys.base_prefix).resolve() != _SYSTEM_PREFIX:
        environment["LD_LIBRARY_PATH"] = f"{_PYTHON}/lib"
    return environment


def _server_binds() -> Iterator[Bind]:
    for name in ("__init__.py", "beneath.py", "server"):
        yield Bind(source=_PACKAGE / name, target=f"{CODE}/sandbox/{name}")
    yield Bind(source=Path(sys.prefix) / "share" / "jupyter" / "lab", target=LAB)


def _kernel_binds() -> Iterator[Bind]:
    yield Bind(source=_PACKAGE / "kernel" / "agent.py", target=f"{CODE}/agent.py")
    yield Bind(source=_PACKAGE / "kernel" / "sealed.py", target=f"{CODE}/sealed.py")
    yield Bind(source=_PACKAGE / "kernel" / "kit" / "zhakou", target=f"{CODE}/zhakou")
    yield Bind(source=_PACKAGE.parent / "anonymize", target=f"{CODE}/anonymize")
    yield from _optional("/usr/share/fonts")
