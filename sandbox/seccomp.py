"""What code in a box may ask of the kernel of the operating system, as a seccomp filter.

Namespaces alone leave doors: AF_VSOCK reaches the hypervisor from an empty network namespace, io_uring and keyctl have
their own machinery, /proc/<pid>/mem and ptrace reach siblings. The filter is a list of refusals over an allowing
default, because scientific code calls too much to be listed; what the kernel learns *after* this list was written is
refused by number. Foreign system-call tables (i386, x32) kill the caller, as libseccomp does by default.
"""

from __future__ import annotations

import errno
import os
import socket
from enum import StrEnum

import pyseccomp

from sandbox.errors import HostUnfit, Words

_LOW_32 = 0xFFFF_FFFF


class Profile(StrEnum):
    """Box A may call openat2 (its contents are read beneath a root); everyone else gets the stricter filter."""

    SERVER = "server"
    KERNEL = "kernel"


_REFUSED_WORDS = (
    # reading or steering other processes
    "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp move_pages migrate_pages "
    # kernel keyrings are not namespaced
    "keyctl add_key request_key "
    # io_uring acts outside of this very filter
    "io_uring_setup io_uring_enter io_uring_register "
    # widely used as a primitive of kernel exploits, needed by no analysis
    "userfaultfd bpf perf_event_open personality modify_ldt lookup_dcookie "
    # new namespaces and mounts
    "unshare setns mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr "
    "name_to_handle_at open_by_handle_at fanotify_init quotactl quotactl_fd "
    # the machine itself
    "kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff acct syslog iopl ioperm "
    "settimeofday clock_settime clock_adjtime adjtimex vhangup uselib ustat sysfs nfsservctl vmsplice"
)
REFUSED = tuple(_REFUSED_WORDS.split())
"""Answered EPERM. vmsplice: gifts pages to pipes, the root of several privilege bugs."""

ABSENT = ("clone3", "fchmodat2")
"""Answered ENOSYS, so that libc falls back: their arguments lie in memory or are newer than libseccomp."""

FIRST_UNKNOWN, LAST_UNKNOWN = 453, 640
"""Numbers given out after Linux 6.6 (the same on every architecture since 424)."""
KNOWN_HARMLESS = frozenset({453, 454, 455, 456, 462})
"""map_shadow_stack, futex_wake, futex_wait, futex_requeue, mseal."""

NAMESPACE_FLAGS = (0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000)
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: clone(2)."""

FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
PROTOCOLS = (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP)
"""Of INET and INET6, whose only network is the box's own loopback. SCTP, MPTCP, DCCP and raw are attack surface."""

TERMINAL_REQUESTS = (0x5412, 0x541C, 0x5423)
"""TIOCSTI, TIOCLINUX, TIOCSETD: typing into, or re-lining, a terminal that is shared with someone outside."""

_SET_ID_BITS = (0o4000, 0o2000)
_MODE_ARGUMENT = {
    "chmod": 1,
    "fchmod": 1,
    "fchmodat": 2,
    "mknod": 1,
    "mknodat": 2,
    "creat": 1,
    "mkdir": 1,
    "mkdirat": 2,
}
_CREATING = {"open": (1, 2), "openat": (2, 3)}


def filter_bytes(profile: Profile) -> bytes:
    """The filter as classic BPF, ready for `bwrap --seccomp`.

    Raises:
        HostUnfit: libseccomp does not know a call that must be refused; a shorter list would be weaker in silence.
    """
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    _refuse_calls(rules, profile)
    _refuse_namespaces_and_terminals(rules)
    _refuse_sockets(rules)
    _refuse_set_id(rules)
    fd = os.memfd_create("seccomp", os.MFD_CLOEXEC)
    with os.fdopen(fd, "r+b") as memory:
        rules.export_bpf(memory)
        memory.seek(0)
        return memory.read()


def _number(name: str) -> int:
    number = int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name))
    if number == -1:
        raise HostUnfit(
            "sandbox.seccomp_old",
            Words(
                en=f"libseccomp on this machine does not know {name}.",
                zh=f"本机的 libseccomp 不认识 {name}。",
            ),
            Words(en="Install libseccomp 2.5 or newer.", zh="请安装 libseccomp 2.5 或更新版本。"),
        )
    return number


def _refuse_calls(rules: pyseccomp.SyscallFilter, profile: Profile) -> None:
    for name in REFUSED:
        rules.add_rule(pyseccomp.ERRNO(errno.EPERM), _number(name))
    absent = [_number(name) for name in ABSENT]
    if profile is Profile.KERNEL:
        absent.append(_number("openat2"))  # its mode lies in memory: it would get round the set-id rule
    absent += [number for number in range(FIRST_UNKNOWN, LAST_UNKNOWN + 1) if number not in KNOWN_HARMLESS]
    for number in absent:
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), number)


def _refuse_namespaces_and_terminals(rules: pyseccomp.SyscallFilter) -> None:
    for flag in NAMESPACE_FLAGS:
        rules.add_rule(pyseccomp.ERRNO(errno.EPERM), "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    for request in TERMINAL_REQUESTS:
        # The kernel looks at the low 32 bits only; comparing all 64 would be passed by setting a high one.
        rules.add_rule(pyseccomp.ERRNO(errno.EPERM), "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, _LOW_32, request))


def _refuse_sockets(rules: pyseccomp.SyscallFilter) -> None:
    refused = pyseccomp.ERRNO(errno.EAFNOSUPPORT)
    last = max(FAMILIES)
    for family in range(last):
        if family not in FAMILIES:
            rules.add_rule(refused, "socket", pyseccomp.Arg(0, pyseccomp.EQ, family))
    # "Greater" over 64 bits also catches a family hidden below a high bit, which the kernel would cut off.
    rules.add_rule(refused, "socket", pyseccomp.Arg(0, pyseccomp.GT, last))
    rules.add_rule(
        refused,
        "socket",
        pyseccomp.Arg(0, pyseccomp.EQ, socket.AF_NETLINK),
        pyseccomp.Arg(2, pyseccomp.NE, 0),  # NETLINK_ROUTE
    )
    rules.add_rule(refused, "socketpair", pyseccomp.Arg(0, pyseccomp.NE, socket.AF_UNIX))
    for family in (socket.AF_INET, socket.AF_INET6):
        here = pyseccomp.Arg(0, pyseccomp.EQ, family)
        for protocol in range(max(PROTOCOLS)):
            if protocol not in PROTOCOLS:
                rules.add_rule(refused, "socket", here, pyseccomp.Arg(2, pyseccomp.EQ, protocol))
        rules.add_rule(refused, "socket", here, pyseccomp.Arg(2, pyseccomp.GT, max(PROTOCOLS)))


def _refuse_set_id(rules: pyseccomp.SyscallFilter) -> None:
    refused = pyseccomp.ERRNO(errno.EPERM)
    for bit in _SET_ID_BITS:
        for name, argument in _MODE_ARGUMENT.items():
            rules.add_rule(refused, name, pyseccomp.Arg(argument, pyseccomp.MASKED_EQ, bit, bit))
        for name, (flags, mode) in _CREATING.items():
            rules.add_rule(
                refused,
                name,
                pyseccomp.Arg(flags, pyseccomp.MASKED_EQ, os.O_CREAT, os.O_CREAT),  # else the mode is left-over
                pyseccomp.Arg(mode, pyseccomp.MASKED_EQ, bit, bit),
            )
