"""The locks pin by hash and name no registry, so that they hold behind any mirror and favour none."""

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.architecture.tracked import PROJECT, tracked_files

LOCKS = sorted((PROJECT / "requirements").glob("*.lock"))
# Put together here, so that this file is not its own finding.
HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmmirror", "com"),
        ("npm", "taobao", "org"),
        ("mirrors", "aliyun", "com"),
        ("tuna", "tsinghua", "edu", "cn"),
        ("mirrors", "ustc", "edu", "cn"),
        ("mirrors", "cloud", "tencent", "com"),
        ("repo", "huaweicloud", "com"),
        ("pypi", "doubanio", "com"),
        ("pypi", "douban", "com"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    ]
]


def requirements(lock: str) -> dict[str, list[str]]:
    """Pin -> hashes, of a compiled requirements file."""
    joined = (PROJECT / "requirements" / lock).read_text("utf-8").replace("\\\n", " ")
    entries = [line.strip() for line in joined.splitlines() if line.strip()]
    return {entry.split(" --hash=")[0].strip(): re.findall(r"--hash=(\S+)", entry) for entry in entries}


def pins(lock: str) -> set[str]:
    return set(requirements(lock))


PRODUCT = ["base.lock", "bootstrap.lock", "test.lock"]
PEERS = ["bench-anjana.lock", "bench-anonypy.lock", "bench-presidio.lock"]
"""Tools that the bench measures beside ours: each in an environment of its own."""


def test_these_are_all_locks() -> None:
    assert [path.name for path in LOCKS] == sorted(PRODUCT + PEERS)


@pytest.mark.parametrize("lock", PRODUCT + PEERS)
def test_every_requirement_is_pinned_and_hashed(lock: str) -> None:
    found = requirements(lock)
    assert found
    for pin, hashes in found.items():
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^ ;]+", pin), pin
        assert hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), pin


@pytest.mark.parametrize("lock", PRODUCT + PEERS)
def test_a_lock_holds_nothing_but_pins_and_hashes(lock: str) -> None:
    text = (PROJECT / "requirements" / lock).read_text("utf-8")
    assert "://" not in text
    options = re.findall(r"(?<!\S)--?[a-z][a-z-]*", text)
    assert set(options) == {"--hash"}


def test_the_test_lock_holds_everything_of_the_base_lock() -> None:
    assert pins("base.lock") <= pins("test.lock")


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]

    def canonical(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    locked = {lock: {canonical(pin.split("==")[0]): pin for pin in pins(lock)} for lock in ("base.lock", "test.lock")}
    wanted = {
        "base.lock": project["dependencies"] + extras["build"],
        "test.lock": project["dependencies"] + extras["build"] + extras["test"],
    }
    for lock, texts in wanted.items():
        for text in texts:
            requirement = Requirement(text)
            pin = locked[lock].get(canonical(requirement.name))
            assert pin, f"{requirement.name} is not in {lock}"
            version = pin.split("==")[1].split(";")[0].strip()
            assert requirement.specifier.contains(version), f"{pin} does not fit {text}"


def test_the_proxy_lock_has_hashes_and_no_addresses() -> None:
    """npm writes the packages' funding pages into it when it is made anew: take them out."""
    text = (PROJECT / "hub/jupyter/proxy/package-lock.json").read_text("utf-8")
    assert "://" not in text
    lock = json.loads(text)
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert "resolved" not in entry, name
        assert entry["integrity"].startswith("sha512-"), name


def test_no_tracked_file_names_a_registry_or_a_mirror() -> None:
    found = [
        f"{path.relative_to(PROJECT)}: {host}"
        for path in tracked_files()
        for host in HOSTS
        if host in path.read_bytes().decode("utf-8", "ignore")
    ]
    assert found == []


def test_the_lock_that_records_addresses_is_not_tracked() -> None:
    names = {path.name for path in tracked_files()}
    assert not names & {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"}
