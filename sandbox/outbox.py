"""The host's look at an outbox, and the copy that is kept.

The folder belongs to hostile code that may be changing it now. What must hold for each file that is frozen:
  1. it is reached beneath the outbox and through no link;
  2. it is a regular file with one name, so that it is not someone else's file under a second name;
  3. it is read once, through one descriptor, and no more of it than allowed;
  4. the digest is that of the copy, which is on the disk before anyone is told of it;
  5. the copy's name is its digest, and it can no longer be written;
  6. all of the selection is frozen, or none of it counts.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.beneath import open_beneath
from sandbox.errors import FreezeRefused, Words
from sandbox.spec import MIB

ABOUT = "about.json"
MAX_ABOUT_BYTES = 16 * 1024
MAX_ITEMS = 200
MAX_NAME_BYTES = 120
MAX_TITLE, MAX_REASON = 200, 2000
_CHUNK = 1 << 20
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SAME_TIME_FIELDS = ("st_ino", "st_dev", "st_size", "st_mtime_ns", "st_ctime_ns")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """One result as the analyst described it. `refused`: why it can't be frozen, in both languages, or None."""

    slug: str
    title: str
    reason: str
    payload: str
    size: int
    written: float
    """When the file was last written, by its own time (seconds since the epoch); the analyst can set it."""
    refused: Words | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenFile:
    """A copy that can't change. `name`: as the analyst called it; `path`: where the copy lies in the store."""

    name: str
    size: int
    sha256: str
    path: Path


def list_items(outbox_dir: Path) -> list[OutboxItem]:
    """What lies in the outbox, by slug. What is no item is left out; a broken item says what is wrong with it."""
    with open_folder(outbox_dir) as root:
        with os.scandir(root) as entries:
            slugs = sorted(entry.name for entry in entries if _SLUG.fullmatch(entry.name))
        return [_item(root, slug) for slug in slugs[:MAX_ITEMS]]


def freeze(
    outbox_dir: Path,
    slugs: Sequence[str],
    store: Path,
    *,
    max_files: int = 20,
    max_bytes: int = 20 * MIB,
) -> tuple[FrozenFile, ...]:
    """Copy the payloads of these items into the store, named by their digest, in the order asked for.

    `max_bytes` is for all of them together.
    Raises:
        FreezeRefused: nothing selected, too many or too large, an unknown or broken item, two of the same name.
    """
    if not slugs:
        raise _refuse(
            "empty", en="No item is selected.", zh="没有选择任何项目。", next_en="Select one.", next_zh="请选择。"
        )
    if len(slugs) > max_files or len(set(slugs)) != len(slugs):
        raise _refuse(
            "too_many",
            en=f"More than {max_files} items are selected, or one of them twice.",
            zh=f"选择的项目超过 {max_files} 个，或有重复。",
            next_en="Submit fewer at a time.",
            next_zh="请分次提交。",
        )
    frozen: list[FrozenFile] = []
    with open_folder(outbox_dir) as root:
        for slug in slugs:
            left = max_bytes - sum(one.size for one in frozen)
            frozen.append(_freeze_one(root, slug, store, max_bytes=left))
    names = [one.name.casefold() for one in frozen]
    if len(set(names)) != len(names):  # 6
        raise _refuse(
            "same_name",
            en="Two of the selected items have files of the same name.",
            zh="所选项目中有两个文件同名。",
            next_en="Put one of them again under another name.",
            next_zh="请用另一名称重新写入其中一个。",
        )
    return tuple(frozen)


def checked_name(name: str) -> str:
    """The name of a file that may leave, as it is.

    Raises:
        FreezeRefused: it is not in normal form NFC, too long, hidden, or holds signs that can't be seen or mean paths.
    """
    fits = (
        bool(name)
        and unicodedata.is_normalized("NFC", name)
        and len(name.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES
        and not name.startswith((".", "-"))
        and name == name.strip()
        and not any(sign in '/\\:*?"<>|' or unicodedata.category(sign)[0] == "C" for sign in name)
        and name != ABOUT
    )
    if not fits:
        raise _refuse(
            "name",
            en=f"A file name is refused: no control or path signs, not hidden, at most {MAX_NAME_BYTES} bytes.",
            zh=f"文件名被拒绝：不能含控制字符或路径符号、不能隐藏，不超过 {MAX_NAME_BYTES} 字节。",
            next_en="Put the result again under a plain name.",
            next_zh="请用简单的名称重新写入。",
        )
    return name


# --- one item ---------------------------------------------------------------------------------------------------------


def _item(root: int, slug: str) -> OutboxItem:
    title = reason = payload = ""
    size, written = 0, 0.0
    refused = None
    try:
        about = _about(root, slug)
        title, reason = about["title"], about["reason"]
        payload = checked_name(about["payload"])
        with _payload(root, slug, payload) as fd:
            state = os.fstat(fd)
            size, written = state.st_size, state.st_mtime
    except FreezeRefused as error:
        refused = error.text
    return OutboxItem(
        slug=slug, title=title, reason=reason, payload=payload, size=size, written=written, refused=refused
    )


def _about(root: int, slug: str) -> dict[str, str]:
    """What the analyst wrote about the item: text of limited length, or a refusal."""
    if _SLUG.fullmatch(slug) is None:
        raise _broken("slug")
    with _payload(root, slug, ABOUT) as fd:
        said = _parsed(_read_at_most(fd, MAX_ABOUT_BYTES))
    about = {}
    for field, limit in (("title", MAX_TITLE), ("reason", MAX_REASON), ("payload", MAX_NAME_BYTES)):
        value = said.get(field)
        if not isinstance(value, str) or not value.strip() or len(value) > limit:
            raise _broken(field)
        about[field] = value if field == "payload" else _visible(value)
    return about


def _parsed(text: bytes) -> dict[str, object]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise _broken("about") from None
    if not isinstance(said, dict):
        raise _broken("about")
    return said


def _visible(text: str) -> str:
    """The same words without signs that reorder or hide text; line breaks and tabs become spaces."""
    return "".join(
        " " if sign in "\n\r\t" else sign for sign in text if unicodedata.category(sign)[0] != "C" or sign in "\n\r\t"
    ).strip()


def _freeze_one(root: int, slug: str, store: Path, *, max_bytes: int) -> FrozenFile:
    name = checked_name(_about(root, slug)["payload"])
    with _payload(root, slug, name) as fd:
        before = os.fstat(fd)
        if before.st_size > max_bytes:
            raise _too_large()
        digest, size, path = keep(fd, store, max_bytes=max_bytes)
        after = os.fstat(fd)
    if any(getattr(before, field) != getattr(after, field) for field in _SAME_TIME_FIELDS):
        # The copy is whole all the same; refused because what was chosen is still being written.
        raise _refuse(
            "changing",
            en="A file changed while it was being frozen.",
            zh="文件在冻结过程中被修改。",
            next_en="Wait until the cell has finished, then submit again.",
            next_zh="请等单元格运行结束后重新提交。",
        )
    return FrozenFile(name=name, size=size, sha256=digest, path=path)


def keep(fd: int, store: Path, *, max_bytes: int) -> tuple[str, int, Path]:
    """Copy, hash what was copied, make it durable, then give it its name."""
    store.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = store / f".new-{secrets.token_hex(8)}"
    digest, size = hashlib.sha256(), 0
    copy = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o400)
    try:
        with os.fdopen(copy, "wb") as writer:
            while chunk := os.read(fd, _CHUNK):
                size += len(chunk)
                if size > max_bytes:  # 3: it grows while we read
                    raise _too_large()
                digest.update(chunk)  # 4
                writer.write(chunk)
            writer.flush()
            os.fchmod(writer.fileno(), 0o444)  # 5
            os.fsync(writer.fileno())
        hexadecimal = digest.hexdigest()
        shelf = store / hexadecimal[:2]
        shelf.mkdir(exist_ok=True, mode=0o700)
        path = shelf / hexadecimal
        os.replace(new, path)  # same name, same bytes
        _sync_folder(shelf)
        return hexadecimal, size, path
    finally:
        new.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


# --- reaching ---------------------------------------------------------------------------------------------------------


@contextmanager
def open_folder(folder: Path) -> Iterator[int]:
    """A descriptor of a folder of hostile code, not through a link."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _payload(root: int, slug: str, name: str) -> Iterator[int]:
    """A descriptor of a regular file of an item."""
    with plain_file(root, f"{slug}/{name}") as fd:
        yield fd


@contextmanager
def plain_file(root: int, path: str) -> Iterator[int]:
    """A descriptor of a regular file below an open folder; O_NONBLOCK, so that a pipe can't hold us up.

    Raises:
        FreezeRefused: it is missing, reached through a link, no regular file, or has a second name.
    """
    try:
        fd = open_beneath(root, path, os.O_RDONLY | os.O_NONBLOCK)  # 1
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise _broken("missing") from None
        raise _not_plain() from None
    try:
        state = os.fstat(fd)
        if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1:  # 2
            raise _not_plain()
        yield fd
    finally:
        os.close(fd)


def _read_at_most(fd: int, limit: int) -> bytes:
    text = os.read(fd, limit + 1)
    if len(text) > limit:
        raise _broken("about")
    return text


# --- refusing ---------------------------------------------------------------------------------------------------------


def _refuse(rule: str, *, en: str, zh: str, next_en: str, next_zh: str) -> FreezeRefused:
    return FreezeRefused(f"sandbox.freeze.{rule}", Words(en=en, zh=zh), Words(en=next_en, zh=next_zh))


def _broken(part: str) -> FreezeRefused:
    return _refuse(
        f"broken_{part}",
        en="An item of the outbox is incomplete or its description can't be read.",
        zh="出口箱中的一个项目不完整，或其说明无法读取。",
        next_en="Put it again with outbox.put.",
        next_zh="请用 outbox.put 重新写入。",
    )


def _not_plain() -> FreezeRefused:
    return _refuse(
        "not_plain",
        en="An item holds a link, a second name of another file, a device or a folder; only plain files may leave.",
        zh="项目中含有链接、硬链接、设备或目录；只有普通文件可以提交。",
        next_en="Put the result again with outbox.put.",
        next_zh="请用 outbox.put 重新写入结果。",
    )


def _too_large() -> FreezeRefused:
    return _refuse(
        "too_large",
        en="The selected items are too large together.",
        zh="所选项目合计过大。",
        next_en="Aggregate further, or submit fewer at a time.",
        next_zh="请进一步汇总，或分次提交。",
    )
