"""What a box may see, word for word: a change here is a change of what analysts' code can reach."""

from __future__ import annotations

from pathlib import Path

from sandbox.bwrap import Bind, Layout, Runtime, kernel_box, program_box, server_box
from sandbox.spec import MIB, Limits, ReadOnlyMount, WorkspaceSpec

RUNTIME = Runtime(
    python="/opt/python/bin/python3.11",
    binds=(Bind(source=Path("/h/python"), target="/opt/python"),),
    symlinks=(("usr/lib", "/lib"),),
    hidden=("/opt/python/lib/python3.11/site-packages",),
    environment={"PATH": "/usr/bin:/bin"},
    server_binds=(Bind(source=Path("/h/sandbox/server"), target="/opt/zhakou/sandbox/server"),),
    kernel_binds=(Bind(source=Path("/h/kit"), target="/opt/zhakou/zhakou"),),
)
LAYOUT = Layout(
    home=Path("/s/home"),
    outbox=Path("/s/outbox"),
    ipc=Path("/s/ipc"),
    server_home=Path("/s/server"),
    gateway=Path("/s/gateway"),
)
SPEC = WorkspaceSpec(
    workspace_id="w",
    state_dir=Path("/s"),
    extracts=(ReadOnlyMount(name="fair", source=Path("/x/fair.parquet"), level="sampled"),),
    limits=Limits(scratch_bytes=16 * MIB),
    server_env={"JUPYTERHUB_API_TOKEN": "t", "HOME_": "kept"},
    hub_socket=Path("/s/gateway/hub.sock"),
    language="zh",
)
COMMON = (
    "--unshare-all --unshare-user --disable-userns --die-with-parent --new-session --cap-drop ALL --clearenv "
    "--uid 1000 --gid 1000 --hostname zhakou --seccomp 7 --proc /proc --dev /dev "
    "--size 16777216 --tmpfs /dev/shm --size 16777216 --perms 1777 --tmpfs /tmp --ro-bind /h/python /opt/python "
)
LAST = "--remount-ro /dev --remount-ro /"
HIDDEN = (
    "--tmpfs /opt/python/lib/python3.11/site-packages --remount-ro /opt/python/lib/python3.11/site-packages "
    "--symlink usr/lib /lib "
)


def test_box_of_the_server_holds_no_data_and_no_outbox() -> None:
    box = server_box(SPEC, runtime=RUNTIME, layout=LAYOUT, settings="{}", limits=Limits(scratch_bytes=16 * MIB))
    assert " ".join(box.options(seccomp_fd=7)) == (
        COMMON + "--ro-bind /h/sandbox/server /opt/zhakou/sandbox/server "
        "--bind /s/home /home/analyst --bind /s/server /home/server "
        "--ro-bind /s/ipc /run/zhakou/ipc --ro-bind /s/gateway /run/zhakou/hub "
        + HIDDEN
        + "--setenv JUPYTERHUB_API_TOKEN t --setenv HOME_ kept --setenv PATH /usr/bin:/bin "
        "--setenv LANG C.UTF-8 --setenv ZHAKOU_LANGUAGE zh --setenv HOME /home/server --setenv ZHAKOU_SERVER {} "
        "--chdir / " + LAST
    )
    assert box.command == ("/opt/python/bin/python3.11", "-P", "-s", "-m", "sandbox.server")


def test_box_of_the_kernels_holds_no_token_and_no_gateway() -> None:
    box = kernel_box(SPEC, runtime=RUNTIME, layout=LAYOUT, agent_fd=9)
    assert " ".join(box.options(seccomp_fd=7)) == (
        COMMON + "--ro-bind /h/kit /opt/zhakou/zhakou "
        "--bind /s/home /home/analyst --bind /s/outbox /outbox --bind /s/ipc /run/zhakou/ipc "
        "--ro-bind /x/fair.parquet /data/fair.parquet "
        + HIDDEN
        + "--setenv PATH /usr/bin:/bin --setenv LANG C.UTF-8 --setenv ZHAKOU_LANGUAGE zh "
        '--setenv ZHAKOU_RUNGS {"fair": "sampled"} --setenv HOME /home/analyst '
        "--chdir /home/analyst " + LAST
    )
    assert box.command == ("/opt/python/bin/python3.11", "-I", "-S", "/opt/zhakou/agent.py", "9")


def test_box_of_a_program_sees_only_what_it_was_given() -> None:
    given = (Bind(source=Path("/x/a.csv"), target="/in/a.csv"),)
    box = program_box(("true",), runtime=RUNTIME, binds=given, limits=Limits(scratch_bytes=16 * MIB))
    assert " ".join(box.options(seccomp_fd=7)) == (
        COMMON
        + "--ro-bind /h/kit /opt/zhakou/zhakou --ro-bind /x/a.csv /in/a.csv "
        + HIDDEN
        + "--setenv PATH /usr/bin:/bin --setenv HOME /tmp --setenv LANG C.UTF-8 --chdir /tmp "
        + LAST
    )


def test_secrets_of_a_box_are_not_in_its_representation() -> None:
    box = server_box(SPEC, runtime=RUNTIME, layout=LAYOUT, settings="{}", limits=Limits())
    assert "JUPYTERHUB_API_TOKEN" not in repr(box)


def test_without_a_hub_there_is_no_gateway() -> None:
    alone = Layout(home=LAYOUT.home, outbox=LAYOUT.outbox, ipc=LAYOUT.ipc, server_home=LAYOUT.server_home, gateway=None)
    box = server_box(SPEC, runtime=RUNTIME, layout=alone, settings="{}", limits=Limits())
    assert "/run/zhakou/hub" not in box.options(seccomp_fd=7)
