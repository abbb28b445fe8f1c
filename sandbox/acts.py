"""The forbidden acts, each as a few lines that succeed where nothing forbids them: `python -I -S acts.py < targets`.

The same file runs outside (the control: it must succeed there) and inside a box (it must not). Targets come as JSON;
answers go as JSON: {act: ["allowed" | "blocked", why]}. Every act has its own child process: some end in a signal.
Nothing here harms the machine when it succeeds: files are made and removed, settings are opened and not written.
Standard library only.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import errno
import json
import mmap
import os
import platform
import signal
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

Targets = Mapping[str, Any]
Act = Callable[[Targets], object]

_SECONDS = 20.0
_libc = ctypes.CDLL(None, use_errno=True)
_NUMBERS = {
    "x86_64": {
        "ptrace": 101, "personality": 135, "setns": 308, "unshare": 272, "clone": 56, "mount": 165, "chroot": 161,
        "add_key": 248, "keyctl": 250, "init_module": 175, "finit_module": 313, "syslog": 103, "bpf": 321,
        "userfaultfd": 323, "perf_event_open": 298, "process_vm_readv": 310, "open_by_handle_at": 304,
        "sethostname": 170, "kcmp": 312, "quotactl": 179, "swapoff": 168, "acct": 163, "modify_ldt": 154,
        "name_to_handle_at": 303, "fanotify_init": 300,
    },
    "aarch64": {
        "ptrace": 117, "personality": 92, "setns": 268, "unshare": 97, "clone": 220, "mount": 40, "chroot": 51,
        "add_key": 217, "keyctl": 219, "init_module": 105, "finit_module": 273, "syslog": 116, "bpf": 280,
        "userfaultfd": 282, "perf_event_open": 241, "process_vm_readv": 270, "open_by_handle_at": 265,
        "sethostname": 161, "kcmp": 272, "quotactl": 60, "swapoff": 225, "acct": 89,
        "name_to_handle_at": 264, "fanotify_init": 262,
    },
}  # fmt: skip
_COMMON = {"io_uring_setup": 425, "clone3": 435, "open_tree": 428, "fsopen": 430, "pidfd_getfd": 438, "move_mount": 429}
_PAST_PERMISSION = (errno.EBADF, errno.ENOEXEC, errno.EFAULT, errno.EINVAL, errno.ENOENT, errno.ESTALE, errno.ENODEV)
"""Errors that come only after the kernel would have allowed it: the call was made with nonsense on purpose."""


class Blocked(Exception):
    """The act did not succeed."""


def call(name: str, *arguments: object, reaches: tuple[int, ...] = ()) -> int:
    """One system call. An error in `reaches` counts as success: see `_PAST_PERMISSION`."""
    number = {**_NUMBERS.get(platform.machine(), {}), **_COMMON}.get(name)
    if number is None:
        raise Blocked(name)
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result = _libc.syscall(ctypes.c_long(number), *words)
    if result < 0 and ctypes.get_errno() not in reaches:
        raise OSError(ctypes.get_errno(), name)
    return int(result)


# --- network ----------------------------------------------------------------------------------------------------------


def tcp_to_host(targets: Targets) -> None:
    socket.create_connection(("127.0.0.1", targets["tcp_port"]), 2).close()


def tcp6_to_host(targets: Targets) -> None:
    socket.create_connection(("::1", targets["tcp6_port"]), 2).close()


def _asks(targets: Targets, message: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(2)
        asking.sendto(message, ("127.0.0.1", targets["udp_port"]))
        asking.recv(512)


def udp_to_host(targets: Targets) -> None:
    _asks(targets, b"hello")


def dns_query(targets: Targets) -> None:
    _asks(targets, struct.pack("!6H", 1, 0x100, 1, 0, 0, 0) + b"\x07example\x03com\x00" + struct.pack("!2H", 1, 1))


def abstract_socket_of_host(targets: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect("\0" + targets["abstract"])


def socket_file_of_host(targets: Targets) -> None:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(targets["socket_file"])


def route_to_outside(targets: Targets) -> None:
    """A link that is up and is not the loopback."""
    with open("/proc/net/dev") as lines:
        names = [line.split(":")[0].strip() for line in lines if ":" in line]
    if set(names) <= {"lo"}:
        raise Blocked


def _opens_socket(family: int, kind: int, protocol: int = 0) -> Act:
    def act(targets: Targets) -> None:
        socket.socket(family, kind, protocol).close()

    return act


# --- other processes --------------------------------------------------------------------------------------------------


def signal_to_host_process(targets: Targets) -> None:
    os.kill(targets["sibling"], 0)


def ptrace_host_process(targets: Targets) -> None:
    call("ptrace", 16, targets["sibling"], 0, 0)  # PTRACE_ATTACH; detached when this child ends


def ptrace_own_child(targets: Targets) -> None:
    call("ptrace", 0, 0, 0, 0)  # PTRACE_TRACEME


def memory_of_host_process(targets: Targets) -> None:
    _reads_memory(targets["sibling"])


def memory_of_server(targets: Targets) -> None:
    _reads_memory(targets["server"])


def _reads_memory(pid: int) -> None:
    with open(f"/proc/{pid}/maps") as maps:
        start = next(int(line.split("-")[0], 16) for line in maps if " r" in line)
    with open(f"/proc/{pid}/mem", "rb") as memory:
        memory.seek(start)
        if len(memory.read(8)) != 8:
            raise Blocked


def memory_by_process_vm_readv(targets: Targets) -> None:
    room = ctypes.create_string_buffer(8)
    vector = array.array("Q", [ctypes.addressof(room), 8])
    at = ctypes.c_void_p(vector.buffer_info()[0])
    call("process_vm_readv", targets["sibling"], at, 1, at, 1, 0, reaches=(errno.EFAULT,))


def token_in_an_environment(targets: Targets) -> None:
    for pid in (name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as environment:
            if targets["token_part"].encode() + targets["token_rest"].encode() in environment.read():
                return
    raise Blocked


def environment_of_init(targets: Targets) -> None:
    with open("/proc/1/environ", "rb") as environment:
        if not environment.read(1):
            raise Blocked


def more_processes_than_the_box(targets: Targets) -> None:
    """Sees a process that was started before any box."""
    os.stat(f"/proc/{targets['sibling']}")


def shared_memory_of_host(targets: Targets) -> None:
    if _libc.shmget(ctypes.c_int(targets["shm_key"]), ctypes.c_size_t(0), 0) < 0:
        raise OSError(ctypes.get_errno(), "shmget")


def fd_of_host_process(targets: Targets) -> None:
    os.close(call("pidfd_getfd", os.pidfd_open(targets["sibling"]), 0, 0))


# --- files ------------------------------------------------------------------------------------------------------------


def _reads(key: str) -> Act:
    def act(targets: Targets) -> None:
        with open(targets[key], "rb") as file:
            file.read(1)

    return act


def _makes_file_in(folder: str) -> Act:
    def act(targets: Targets) -> None:
        path = os.path.join(folder, f".zhakou-probe-{os.getpid()}")
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.unlink(path)

    return act


def _opens_for_writing(path: str) -> Act:
    def act(targets: Targets) -> None:
        os.close(os.open(path, os.O_WRONLY))

    return act


def write_to_extract(targets: Targets) -> None:
    os.close(os.open(targets["extract"], os.O_WRONLY))


def remove_extract(targets: Targets) -> None:
    os.rename(targets["extract"], targets["extract"] + ".gone")
    os.rename(targets["extract"] + ".gone", targets["extract"])


def make_set_id_file(targets: Targets) -> None:
    with tempfile.TemporaryDirectory(dir=targets["scratch"]) as folder:
        path = os.path.join(folder, "program")
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o700))
        os.chmod(path, 0o4755)  # noqa: S103 - that is the act


def make_set_id_file_at_once(targets: Targets) -> None:
    with tempfile.TemporaryDirectory(dir=targets["scratch"]) as folder:
        os.umask(0)
        path = os.path.join(folder, "program")
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o4755))
        if not os.stat(path).st_mode & 0o4000:
            raise Blocked


def start_set_id_program(targets: Targets) -> None:
    """A set-id program is there, and its bit would count."""
    places = ("/usr/bin", "/bin", "/usr/sbin", "/usr/lib/openssh", "/usr/local/bin", "/opt/python/bin")
    for folder in places:
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                if entry.stat(follow_symlinks=False).st_mode & 0o6000 and _libc.prctl(39, 0, 0, 0, 0) == 0:
                    return  # PR_GET_NO_NEW_PRIVS
    raise Blocked


def make_device(targets: Targets) -> None:
    with tempfile.TemporaryDirectory(dir=targets["scratch"]) as folder:
        os.mknod(os.path.join(folder, "disk"), 0o60600, os.makedev(259, 0))


# --- privileges and the machine ---------------------------------------------------------------------------------------


def become_root(targets: Targets) -> None:
    os.setuid(0)


def mount_something(targets: Targets) -> None:
    call("unshare", 0x20000)  # CLONE_NEWNS, so that the control mounts for itself alone
    call("mount", b"none", b"/", 0, 0x44000, 0)  # private, recursively
    call("mount", b"none", targets["scratch"].encode(), b"tmpfs", 0, 0)


def open_mount_tree(targets: Targets) -> None:
    os.close(call("open_tree", -100, b"/", 1))  # OPEN_TREE_CLONE


def open_filesystem(targets: Targets) -> None:
    os.close(call("fsopen", b"tmpfs", 0))


def _unshares(flag: int) -> Act:
    def act(targets: Targets) -> None:
        call("unshare", flag)

    return act


def enter_namespace(targets: Targets) -> None:
    with open("/proc/self/ns/uts") as namespace:
        call("setns", namespace.fileno(), 0)


def clone_user_namespace(targets: Targets) -> None:
    if call("clone", 0x1000_0000 | signal.SIGCHLD, 0, 0, 0, 0) == 0:  # CLONE_NEWUSER
        os._exit(0)


def clone3_user_namespace(targets: Targets) -> None:
    words = array.array("Q", [0x1000_0000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0])
    if call("clone3", ctypes.c_void_p(words.buffer_info()[0]), 64) == 0:
        os._exit(0)


def change_root(targets: Targets) -> None:
    os.chroot("/")


def set_host_name(targets: Targets) -> None:
    name = os.uname().nodename.encode()
    call("sethostname", name, len(name))


def load_module(targets: Targets) -> None:
    call("finit_module", -1, b"", 0, reaches=_PAST_PERMISSION)


def load_module_from_memory(targets: Targets) -> None:
    call("init_module", 0, 0, b"", reaches=_PAST_PERMISSION)


def read_kernel_log(targets: Targets) -> None:
    room = ctypes.create_string_buffer(64)
    call("syslog", 3, room, 64)


def load_bpf(targets: Targets) -> None:
    room = array.array("I", [2, 4, 4, 1, 0] + [0] * 27)  # an array map of one entry
    os.close(call("bpf", 0, ctypes.c_void_p(room.buffer_info()[0]), len(room) * 4))


def open_file_by_handle(targets: Targets) -> None:
    handle = struct.pack("II8s", 8, 1, b"")
    call("open_by_handle_at", -100, handle, 0, reaches=_PAST_PERMISSION)


def watch_all_files(targets: Targets) -> None:
    os.close(call("fanotify_init", 0, 0))


def keep_accounts(targets: Targets) -> None:
    call("acct", b"/nonexistent/zhakou", reaches=(errno.ENOENT,))


def stop_swapping(targets: Targets) -> None:
    call("swapoff", b"/nonexistent/zhakou", reaches=(errno.ENOENT,))


# --- doors of the kernel that no namespace closes ---------------------------------------------------------------------


def io_uring(targets: Targets) -> None:
    os.close(call("io_uring_setup", 1, ctypes.create_string_buffer(120)))


def add_key(targets: Targets) -> None:
    call("add_key", b"user", b"zhakou-probe", b"x", 1, -2)  # KEY_SPEC_PROCESS_KEYRING: ends with this child


def keyring(targets: Targets) -> None:
    call("keyctl", 0, -2, 1)  # KEYCTL_GET_KEYRING_ID, make it if needed


def userfaultfd(targets: Targets) -> None:
    os.close(call("userfaultfd", os.O_CLOEXEC))


def perf_event(targets: Targets) -> None:
    attributes = struct.pack("IIQ", 1, 64, 1) + bytes(48)  # a software clock
    os.close(call("perf_event_open", attributes, 0, -1, -1, 0))


def change_personality(targets: Targets) -> None:
    call("personality", 0xFFFF_FFFF)  # asks only; refused all the same


def compare_processes(targets: Targets) -> None:
    call("kcmp", os.getpid(), os.getpid(), 1, 0, 0)


def change_descriptor_table(targets: Targets) -> None:
    call("modify_ldt", 0, ctypes.create_string_buffer(16), 16)


def name_a_handle(targets: Targets) -> None:
    room = ctypes.create_string_buffer(struct.pack("II", 128, 0), 256)
    call("name_to_handle_at", -100, b"/", room, ctypes.byref(ctypes.c_int()), 0)


def type_into_terminal(targets: Targets) -> None:
    import fcntl
    import termios

    _, slave = os.openpty()
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    fcntl.ioctl(slave, 0x5412, b"x")  # TIOCSTI


def type_into_terminal_high_bits(targets: Targets) -> None:
    import fcntl
    import termios

    _, slave = os.openpty()
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    if _libc.syscall(
        ctypes.c_long(16 if platform.machine() == "x86_64" else 29), slave, ctypes.c_ulong(0x1_0000_5412), b"x"
    ):
        raise OSError(ctypes.get_errno(), "ioctl")


def foreign_system_call_table(targets: Targets) -> None:
    """getpid by the i386 table: mov eax, 20; int 0x80; ret."""
    if platform.machine() != "x86_64":
        raise Blocked
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    if ctypes.CFUNCTYPE(ctypes.c_int)(address)() != os.getpid():
        raise Blocked


def x32_system_call_table(targets: Targets) -> None:
    if platform.machine() != "x86_64" or _libc.syscall(ctypes.c_long(0x4000_0000 + 39)) != os.getpid():
        raise Blocked


# --- limits -----------------------------------------------------------------------------------------------------------


def _fills(folder: str) -> Act:
    def act(targets: Targets) -> None:
        with tempfile.TemporaryFile(dir=folder) as file:
            piece = bytes(1 << 20)
            for _ in range(targets["scratch_mib"] + 8):
                file.write(piece)
            file.flush()

    return act


def write_large_file(targets: Targets) -> None:
    with tempfile.TemporaryFile(dir=targets["roomy"]) as file:
        os.pwrite(file.fileno(), b"x", targets["file_bytes"] + 1)


def take_memory(targets: Targets) -> None:
    piece = bytearray(targets["memory_bytes"] + (64 << 20))
    for at in range(0, len(piece), 4096):
        piece[at] = 1


def start_many_processes(targets: Targets) -> None:
    started = []
    try:
        for _ in range(targets["processes"] + 8):
            pid = os.fork()
            if pid == 0:
                time.sleep(_SECONDS)
                os._exit(0)
            started.append(pid)
    finally:
        for pid in started:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


ACTS: dict[str, Act] = {
    "network.tcp": tcp_to_host,
    "network.tcp6": tcp6_to_host,
    "network.udp": udp_to_host,
    "network.dns": dns_query,
    "network.other_link": route_to_outside,
    "network.abstract_socket": abstract_socket_of_host,
    "network.socket_file": socket_file_of_host,
    "network.vsock": _opens_socket(40, socket.SOCK_STREAM),
    "network.packet": _opens_socket(17, socket.SOCK_RAW),
    "network.raw_icmp": _opens_socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "network.netlink_audit": _opens_socket(16, socket.SOCK_RAW, 9),
    "network.netlink_generic": _opens_socket(16, socket.SOCK_RAW, 16),
    "network.kernel_crypto": _opens_socket(38, socket.SOCK_SEQPACKET),
    "network.mptcp": _opens_socket(socket.AF_INET, socket.SOCK_STREAM, 262),
    "process.see_host": more_processes_than_the_box,
    "process.signal_host": signal_to_host_process,
    "process.ptrace_host": ptrace_host_process,
    "process.ptrace_own": ptrace_own_child,
    "process.memory_host": memory_of_host_process,
    "process.memory_server": memory_of_server,
    "process.vm_readv": memory_by_process_vm_readv,
    "process.take_fd": fd_of_host_process,
    "process.token_in_environment": token_in_an_environment,
    "process.environment_of_init": environment_of_init,
    "process.shared_memory_host": shared_memory_of_host,
    "process.compare": compare_processes,
    "file.hub_database": _reads("hub_database"),
    "file.other_workspace": _reads("other_workspace"),
    "file.server_settings": _reads("server_settings"),
    "file.shadow": _reads("shadow"),
    "file.write_root": _makes_file_in("/"),
    "file.write_etc": _makes_file_in("/etc"),
    "file.write_dev": _makes_file_in("/dev"),
    "file.write_usr": _makes_file_in("/usr/lib"),
    "file.write_extract": write_to_extract,
    "file.rename_extract": remove_extract,
    "file.core_pattern": _opens_for_writing("/proc/sys/kernel/core_pattern"),
    "file.sysrq": _opens_for_writing("/proc/sysrq-trigger"),
    "file.kernel_memory": lambda targets: open("/proc/kcore", "rb").read(1),  # noqa: SIM115 - the child ends
    "file.sys": lambda targets: os.listdir("/sys/kernel"),
    "file.set_id": make_set_id_file,
    "file.set_id_at_once": make_set_id_file_at_once,
    "file.device": make_device,
    "privilege.set_id_program": start_set_id_program,
    "privilege.root": become_root,
    "privilege.mount": mount_something,
    "privilege.open_tree": open_mount_tree,
    "privilege.fsopen": open_filesystem,
    "privilege.user_namespace": _unshares(0x1000_0000),
    "privilege.net_namespace": _unshares(0x4000_0000),
    "privilege.clone_user_namespace": clone_user_namespace,
    "privilege.clone3_user_namespace": clone3_user_namespace,
    "privilege.setns": enter_namespace,
    "privilege.chroot": change_root,
    "privilege.host_name": set_host_name,
    "privilege.module": load_module,
    "privilege.module_memory": load_module_from_memory,
    "privilege.kernel_log": read_kernel_log,
    "privilege.bpf": load_bpf,
    "privilege.file_handle": open_file_by_handle,
    "privilege.fanotify": watch_all_files,
    "privilege.acct": keep_accounts,
    "privilege.swapoff": stop_swapping,
    "kernel.io_uring": io_uring,
    "kernel.add_key": add_key,
    "kernel.keyring": keyring,
    "kernel.userfaultfd": userfaultfd,
    "kernel.perf_event": perf_event,
    "kernel.personality": change_personality,
    "kernel.modify_ldt": change_descriptor_table,
    "kernel.name_to_handle": name_a_handle,
    "kernel.tiocsti": type_into_terminal,
    "kernel.tiocsti_high_bits": type_into_terminal_high_bits,
    "kernel.i386_table": foreign_system_call_table,
    "kernel.x32_table": x32_system_call_table,
    "limit.tmp": _fills(tempfile.gettempdir()),
    "limit.shm": _fills("/dev/shm"),  # noqa: S108 - that it is sized is the question
    "limit.file": write_large_file,
    "limit.memory": take_memory,
    "limit.processes": start_many_processes,
}


def _own_loopback(targets: Targets) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname(), 2).close()


def _some_memory(targets: Targets) -> None:
    piece = bytearray(16 << 20)
    for at in range(0, len(piece), 4096):
        piece[at] = 1


def _some_processes(targets: Targets) -> None:
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)


def _own_file(targets: Targets) -> None:
    with tempfile.TemporaryFile(dir=targets["roomy"]) as file:
        file.write(bytes(1 << 20))


def _own_terminal(targets: Targets) -> None:
    _, slave = os.openpty()
    os.set_blocking(slave, False)


CONTROLS: dict[str, Act] = {
    "loopback": _own_loopback,
    "memory": _some_memory,
    "processes": _some_processes,
    "file": _own_file,
    "terminal": _own_terminal,
    "extract": _reads("extract"),
    "route": _opens_socket(16, socket.SOCK_RAW, 0),
    "unix": _opens_socket(socket.AF_UNIX, socket.SOCK_STREAM),
}
"""Ordinary acts that must succeed on both sides, or else what is blocked inside is the probe and not the act."""


def attempt(act: Act, targets: Targets) -> tuple[str, str]:
    """Whether it succeeds in a child process: "allowed", or "blocked" with the name of the error or signal."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(int(_SECONDS))
            act(targets)
            os.write(writer, b"allowed")
        except OSError as error:
            os.write(writer, errno.errorcode.get(error.errno or 0, type(error).__name__).encode())
        except BaseException as error:  # noqa: BLE001 - the child must never go on with the parent's code
            os.write(writer, type(error).__name__.encode())
        finally:
            os._exit(0)
    os.close(writer)
    _, status = os.waitpid(pid, 0)
    said = os.read(reader, 64).decode()
    os.close(reader)
    if said == "allowed" and status == 0:
        return "allowed", ""
    return "blocked", said or signal.Signals(os.WTERMSIG(status)).name


def main() -> None:
    targets = json.load(sys.stdin)
    tried = {name: attempt(act, targets) for name, act in ACTS.items()}
    controls = {name: attempt(act, targets) for name, act in CONTROLS.items()}
    json.dump({"acts": tried, "controls": controls}, sys.stdout)


if __name__ == "__main__":
    main()
