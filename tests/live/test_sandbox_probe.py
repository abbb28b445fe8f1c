"""Isolation, proved: every forbidden act succeeds outside and fails in a real kernel inside a real box."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner

from sandbox import acts, cli, probe
from sandbox.probe import ProbedAct, ProbeReport, run_probe

pytestmark = pytest.mark.live

NO_CONTROL_EVEN_AS_ROOT = {
    # depends on what the kernel of this machine was built with, or on who is pid 1
    "network.kernel_crypto",
    "process.environment_of_init",
    "file.sysrq",
    "file.kernel_memory",
    "privilege.module",
    "privilege.module_memory",
    "kernel.x32_table",
    "kernel.i386_table",
    "kernel.io_uring",
    "kernel.userfaultfd",
    "kernel.tiocsti",
    "kernel.tiocsti_high_bits",
    "network.vsock",
    "network.mptcp",
    "network.netlink_audit",
    "network.tcp6",
}
NEED_ROOT = {
    *("network.packet", "network.raw_icmp", "file.shadow", "file.write_root", "file.write_etc", "file.write_dev"),
    *("file.write_usr", "file.core_pattern", "file.device", "file.sys", "process.ptrace_host", "process.vm_readv"),
    *("process.memory_host", "process.memory_server", "process.take_fd", "kernel.perf_event", "kernel.name_to_handle"),
}


@pytest.fixture(scope="module")
def report() -> ProbeReport:
    return run_probe()


def test_every_forbidden_act_is_blocked_inside(report: ProbeReport) -> None:
    assert [one.act for one in report.acts if one.inside != "blocked"] == []
    assert report.green


def test_acts_succeed_outside_or_are_known_to_have_no_control_here(report: ProbeReport) -> None:
    without = {one.act for one in report.acts if one.outside != "allowed"}
    excused = set(NO_CONTROL_EVEN_AS_ROOT)
    if os.geteuid() != 0:
        excused |= NEED_ROOT | {one.act for one in report.acts if one.act.startswith("privilege.")}
    assert without <= excused


def test_the_whole_battery_was_tried(report: ProbeReport) -> None:
    assert {one.act for one in report.acts} == {
        *acts.ACTS,
        "network.inet_socket_in_a",
        "network.inet_socket_in_b",
    }
    assert len(report.acts) >= 60


def test_block_comes_from_the_kernel_and_not_from_the_probe(report: ProbeReport) -> None:
    """An act that fails inside for an error in its own lines would prove nothing."""
    why = {one.act: one.why for one in report.acts}
    assert not {name for name, reason in why.items() if reason in ("KeyError", "NameError", "TypeError", "ValueError")}
    assert why["network.tcp"] == "ECONNREFUSED"
    assert why["file.write_extract"] == "EROFS"
    assert why["kernel.io_uring"] == "EPERM"
    assert why["limit.tmp"] == "ENOSPC"
    assert why["limit.file"] == "EFBIG"


def test_report_has_the_shape_that_was_promised(report: ProbeReport) -> None:
    said = report.as_json()
    assert said["green"] is True
    assert isinstance(said["acts"], list)
    assert {"act", "outside", "inside", "green"} <= set(said["acts"][0])


def test_report_without_acts_or_without_controls_is_red() -> None:
    unproved = ProbedAct(act="a", outside="unavailable", inside="blocked", why="")
    open_door = ProbedAct(act="a", outside="allowed", inside="allowed", why="")
    closed = ProbedAct(act="a", outside="allowed", inside="blocked", why="")
    for acts_, green in (((), False), ((unproved,), False), ((closed, open_door), False), ((closed, unproved), True)):
        assert ProbeReport(acts=acts_, level="x", weaknesses=()).green is green


def test_probe_that_proves_nothing_is_an_error_and_not_a_pass() -> None:
    with pytest.raises(Exception, match="nothing is proved"):
        probe._answers("")
    with pytest.raises(Exception, match="nothing is proved"):
        probe._answers(json.dumps({"acts": {"a": ["blocked", ""]}, "controls": {"file": ["blocked", "EPERM"]}}))


def test_command_exits_24_and_says_why_when_nothing_can_be_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox import launch

    monkeypatch.setattr(launch, "_BWRAP_PATH", "/nonexistent")
    ran = CliRunner().invoke(cli.probe_command, ["--json"])
    assert ran.exit_code == 24
    said = json.loads(ran.output)
    assert (said["green"], said["error"]["code"]) == (False, "sandbox.no_bwrap")
