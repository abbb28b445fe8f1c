"""Opens files that hostile code may be swapping at the same moment.

openat2(2) resolves a path in one step inside the kernel: beneath the given folder, through no link. A check followed by
an open would race. Runs on the host (freezing an outbox) and inside box A (the contents manager), hence no imports.
"""

from __future__ import annotations

import ctypes
import errno
import os

_OPENAT2 = 437
_RESOLVE_NO_XDEV = 0x01
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_AGAIN = 16
"""The kernel answers EAGAIN when a rename ran beside a resolution through `..`; we refuse `..`, so this is plenty."""

_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(folder: int, path: str, flags: int, *, mode: int = 0, cross_mounts: bool = False) -> int:
    """A file descriptor for `path` below the open folder.

    Raises:
        OSError: ELOOP for a link anywhere in the path, EXDEV for a way out, ENOSYS on a Linux before 5.6 (there is no
            weaker way instead), and whatever open(2) says.
    """
    if "\0" in path or ".." in path.split("/"):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    resolve = _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS
    if not cross_mounts:
        resolve |= _RESOLVE_NO_XDEV
    how = _OpenHow(flags=flags | os.O_CLOEXEC | os.O_NOFOLLOW, mode=mode, resolve=resolve)
    for _ in range(_AGAIN):
        fd = _libc.syscall(
            ctypes.c_long(_OPENAT2),
            ctypes.c_int(folder),
            ctypes.c_char_p(os.fsencode(path or ".")),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
        if fd >= 0:
            return int(fd)
        number = ctypes.get_errno()
        if number not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(number, os.strerror(number))
