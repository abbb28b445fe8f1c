"""Measure a folder and take it away, whatever an analyst put into it.

Links are never followed and special files never opened. The digest of a tree covers the path, kind and content of
everything in it, so that a backup can later be held against the certificate. Removing unlinks; it does not overwrite:
on copy-on-write storage that would promise what it cannot keep. What makes pseudonyms worthless is the key's end.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What a folder held: regular files, their bytes, and the hex SHA-256 over all of it."""

    files: int
    size: int
    sha256: str


def measure(root: Path) -> Tree:
    """Measure a folder; one that is not there holds nothing.

    Raises:
        OSError: Something in it cannot be read.
    """
    digest, files, size = hashlib.sha256(), 0, 0
    for path in _walk(os.fsencode(root)):
        kind = path.lstat()
        name = os.fsencode(path.relative)
        digest.update(len(name).to_bytes(4, "big") + name + stat.S_IFMT(kind.st_mode).to_bytes(4, "big"))
        if stat.S_ISREG(kind.st_mode):
            digest.update(_content(path.whole))
            files, size = files + 1, size + kind.st_size
        elif stat.S_ISLNK(kind.st_mode):
            digest.update(hashlib.sha256(os.readlink(path.whole)).digest())
    return Tree(files=files, size=size, sha256=digest.hexdigest())


def destroy(root: Path) -> None:
    """Take a folder away with everything in it.

    Raises:
        OSError: Something could not be removed.
    """
    if root.is_symlink():
        root.unlink()
        return
    if not root.exists():
        return
    for folder, inside, _files in os.walk(os.fsencode(root), followlinks=False):
        for name in inside:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, 0o700)  # an analyst may have closed it to everyone
    shutil.rmtree(root)
    descriptor = os.open(root.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Found:
    whole: bytes
    relative: bytes

    def lstat(self) -> os.stat_result:
        return os.lstat(self.whole)


def _walk(root: bytes) -> Iterator[_Found]:
    if os.path.islink(root) or not os.path.isdir(root):
        return
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            yield _Found(path, os.path.relpath(path, root))
            if os.path.isdir(path) and not os.path.islink(path):
                waiting.append(path)


def _content(path: bytes) -> bytes:
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
