"""The files an analyst may open in Lab: notebooks and small texts below one folder, and nothing that only looks so.

The kernel writes to the same folder and may swap a file between two looks. So there is one look: a file is opened
beneath the root, through no link (openat2), and judged by its descriptor. Special files, hard links, other kinds and
large files are refused; a listing leaves them out instead of failing.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from jupyter_server.services.contents.checkpoints import Checkpoints
from jupyter_server.services.contents.manager import ContentsManager
from tornado.web import HTTPError
from traitlets import Any as AnyTrait
from traitlets import Unicode

from sandbox.beneath import open_beneath
from sandbox.server.meter import Meter, Via
from sandbox.server.notebooks import NotANotebook, read_notebook, write_notebook
from sandbox.server.words import say

KINDS = {
    ".ipynb": ("notebook", None),
    ".py": ("file", "text/x-python"),
    ".md": ("file", "text/markdown"),
    ".txt": ("file", "text/plain"),
    ".csv": ("file", "text/csv"),
}
MAX_FILE_BYTES = 8 * 2**20
MAX_NAME_BYTES = 120
MAX_DEPTH = 8
MAX_LISTED = 1000
_FOLDER_MODE, _FILE_MODE = 0o770, 0o660
"""Server and kernels run as two uids of one group."""


class NoCheckpoints(Checkpoints):
    """Copies of notebooks beside the notebooks are one more place to guard; the path list refuses their addresses."""

    def create_checkpoint(self, contents_mgr: Any, path: str) -> dict[str, Any]:
        raise HTTPError(403)

    def restore_checkpoint(self, contents_mgr: Any, checkpoint_id: str, path: str) -> None:
        raise HTTPError(403)

    def rename_checkpoint(self, checkpoint_id: str, old_path: str, new_path: str) -> None:
        return

    def delete_checkpoint(self, checkpoint_id: str, path: str) -> None:
        raise HTTPError(403)

    def list_checkpoints(self, path: str) -> list[dict[str, Any]]:
        return []

    def rename_all_checkpoints(self, old_path: str, new_path: str) -> None:
        return

    def delete_all_checkpoints(self, path: str) -> None:
        return


class BeneathContents(ContentsManager):
    """Contents of `root_dir`, every byte counted by `meter`."""

    language = Unicode("zh", config=True)
    meter: Meter = AnyTrait()

    checkpoints_class = NoCheckpoints

    def get_extra_handlers(self) -> list[Any]:
        return []  # the base class would add /files

    # --- asking ---

    def is_hidden(self, path: str) -> bool:
        return any(part.startswith(".") for part in _parts(path))

    def dir_exists(self, path: str) -> bool:
        return self._kind_of(path) == stat.S_IFDIR

    def file_exists(self, path: str = "") -> bool:
        return self._kind_of(path) == stat.S_IFREG

    def _kind_of(self, path: str) -> int | None:
        try:
            with self._opened(path, os.O_PATH) as fd:
                return stat.S_IFMT(os.fstat(fd).st_mode)
        except HTTPError:
            return None

    def get(
        self,
        path: str,
        content: bool = True,
        type: str | None = None,
        format: str | None = None,
        require_hash: bool = False,
    ) -> dict[str, Any]:
        if format == "base64":
            raise self._refuse(400, "binary")
        # O_NONBLOCK: a pipe planted by the kernel must not hold the server up
        with self._opened(path, os.O_RDONLY | os.O_NONBLOCK) as fd:
            state = os.fstat(fd)
            if stat.S_ISDIR(state.st_mode):
                if type not in (None, "directory"):
                    raise self._refuse(400, "kind")
                return self._folder(path, fd, state, content=content)
            if type == "directory":
                raise self._refuse(400, "kind")
            self._check_file(path, state)
            text = _read(fd, state.st_size) if content or require_hash else b""
        model = self._model(path, state)
        if require_hash:
            model |= {"hash": hashlib.sha256(text).hexdigest(), "hash_algorithm": "sha256"}
        if content:
            self._fill(model, text, as_text=type == "file")
        return model

    def _fill(self, model: dict[str, Any], text: bytes, *, as_text: bool) -> None:
        self._spend(len(text), Via.CONTENTS)
        try:
            decoded = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise self._refuse(400, "not_text") from None
        if model["type"] == "notebook" and not as_text:
            try:
                model |= {"content": read_notebook(decoded), "format": "json"}
            except NotANotebook:
                raise self._refuse(400, "not_notebook") from None
        else:
            model |= {
                "content": decoded,
                "format": "text",
                "type": "file",
                "mimetype": model["mimetype"] or "text/plain",
            }

    def _folder(self, path: str, fd: int, state: os.stat_result, *, content: bool) -> dict[str, Any]:
        model = self._model(path, state)
        if content:
            listed = list(self._entries(path, fd))
            self._spend(sum(len(one["name"].encode()) + 64 for one in listed), Via.NAMES)
            model |= {"content": listed, "format": "json"}
        return model

    def _entries(self, path: str, fd: int) -> Iterator[dict[str, Any]]:
        """What of a folder may be shown. Anything else is as if it were not there."""
        with os.scandir(fd) as entries:
            names = sorted(entry.name for entry in entries)
        shown = 0
        for name in names:
            if name.startswith(".") or not _is_name(name) or shown >= MAX_LISTED:
                continue
            try:
                state = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if not stat.S_ISDIR(state.st_mode):
                    self._check_file(name, state)
            except (OSError, HTTPError):
                continue
            shown += 1
            yield self._model(f"{path.strip('/')}/{name}".strip("/"), state)

    def _check_file(self, path: str, state: os.stat_result) -> None:
        if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1:
            raise self._refuse(403, "not_plain")
        if os.path.splitext(path)[1].lower() not in KINDS:
            raise self._refuse(403, "kind")
        if state.st_size > MAX_FILE_BYTES:
            raise self._refuse(413, "file_size", limit=f"{MAX_FILE_BYTES >> 20} MiB")

    def _model(self, path: str, state: os.stat_result) -> dict[str, Any]:
        path = path.strip("/")
        kind, mimetype = KINDS.get(os.path.splitext(path)[1].lower(), ("file", "text/plain"))
        folder = stat.S_ISDIR(state.st_mode)
        changed = datetime.fromtimestamp(max(0, int(state.st_mtime)), UTC)
        return {
            "name": path.rsplit("/", 1)[-1],
            "path": path,
            "type": "directory" if folder else kind,
            "writable": True,
            "created": changed,
            "last_modified": changed,
            "mimetype": None if folder else mimetype,
            "size": None if folder else state.st_size,
            "content": None,
            "format": None,
        }

    # --- changing ---

    def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        path = path.strip("/")
        if model.get("type") == "directory":
            self._make_folder(path)
            return self.get(path, content=False)
        self._write(path, self._text_of(model))
        return self.get(path, content=False)

    def _text_of(self, model: dict[str, Any]) -> bytes:
        content = model.get("content")
        if model.get("format") == "base64":
            raise self._refuse(400, "binary")
        if model.get("type") == "notebook":
            try:
                text = write_notebook(content)
            except NotANotebook:
                raise self._refuse(400, "not_notebook") from None
        elif model.get("type") == "file" and isinstance(content, str):
            text = content
        else:
            raise self._refuse(400, "kind")
        try:
            encoded = text.encode("utf-8")
        except UnicodeEncodeError:
            raise self._refuse(400, "not_text") from None
        if len(encoded) > MAX_FILE_BYTES:
            raise self._refuse(413, "file_size", limit=f"{MAX_FILE_BYTES >> 20} MiB")
        return encoded

    def _make_folder(self, path: str) -> None:
        with self._parent_of(path) as (parent, name), self._in_words():
            try:
                os.mkdir(name, _FOLDER_MODE, dir_fd=parent)
            except FileExistsError:
                if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                    raise

    def _write(self, path: str, text: bytes) -> None:
        if os.path.splitext(path)[1].lower() not in KINDS:
            raise self._refuse(403, "kind")
        with self._parent_of(path) as (parent, name), self._in_words():
            new = f".zhakou-{secrets.token_hex(8)}"
            fd = os.open(
                new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _FILE_MODE, dir_fd=parent
            )
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(new, name, src_dir_fd=parent, dst_dir_fd=parent)  # replaces a link, never follows it
            except BaseException:
                os.unlink(new, dir_fd=parent)
                raise

    def delete_file(self, path: str) -> None:
        with self._parent_of(path) as (parent, name), self._in_words():
            if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                os.rmdir(name, dir_fd=parent)
            else:
                os.unlink(name, dir_fd=parent)

    def rename_file(self, old_path: str, new_path: str) -> None:
        with self._opened(old_path, os.O_RDONLY | os.O_NONBLOCK) as fd:
            state = os.fstat(fd)
            if not stat.S_ISDIR(state.st_mode):
                self._check_file(old_path, state)
                self._check_file(new_path, state)
        if self.exists(new_path):
            raise self._refuse(409, "exists")
        with (
            self._parent_of(old_path) as (source, old),
            self._parent_of(new_path) as (target, new),
            self._in_words(),
        ):
            os.rename(old, new, src_dir_fd=source, dst_dir_fd=target)

    # --- reaching ---

    @contextmanager
    def _opened(self, path: str, flags: int) -> Iterator[int]:
        """A descriptor for what `path` names below the root, reached through no link."""
        parts = _parts(path)
        if len(parts) > MAX_DEPTH or any(part.startswith(".") or not _is_name(part) for part in parts):
            raise self._refuse(404, "missing")
        with self._in_words():
            root = os.open(self.root_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fd = open_beneath(root, "/".join(parts), flags)
            finally:
                os.close(root)
        try:
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def _parent_of(self, path: str) -> Iterator[tuple[int, str]]:
        *folders, name = _parts(path) or [""]
        if not name or name.startswith(".") or not _is_name(name):
            raise self._refuse(400, "name")
        with self._opened("/".join(folders), os.O_PATH | os.O_DIRECTORY) as parent:
            yield parent, name

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            match error.errno:
                case errno.ENOENT | errno.ENOTDIR:
                    raise self._refuse(404, "missing") from None
                case errno.EEXIST:
                    raise self._refuse(409, "exists") from None
                case errno.ENOTEMPTY:
                    raise self._refuse(409, "not_empty") from None
                case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
                    raise self._refuse(507, "file_size", limit=f"{MAX_FILE_BYTES >> 20} MiB") from None
                case _:
                    raise self._refuse(403, "not_plain") from None

    def _spend(self, size: int, via: Via) -> None:
        if not self.meter.spend(size, via):
            raise self._refuse(403, "contents_budget")

    def _refuse(self, status: int, code: str, **values: object) -> HTTPError:
        return HTTPError(status, say(code, "en" if self.language == "en" else "zh", **values))


def _parts(path: str) -> list[str]:
    return [part for part in path.strip("/").split("/") if part]


def _is_name(name: str) -> bool:
    try:
        short = len(name.encode("utf-8")) <= MAX_NAME_BYTES
    except UnicodeEncodeError:  # bytes that are no text, as surrogates
        return False
    controls = any(unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in name)
    return short and not controls and name not in ("..", ".", "checkpoints", "trust") and "/" not in name


def _read(fd: int, size: int) -> bytes:
    """At most `size` bytes: the file may be growing."""
    with os.fdopen(os.dup(fd), "rb") as file:
        return file.read(size)
