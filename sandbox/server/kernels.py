"""Kernels that live in another box: how the server starts, signals and watches them without trusting them.

Control goes over one socket that both boxes were handed at birth; messages go over ZMQ sockets in a folder that this
box can only read. There is no other way to start a process here: the local launcher is never consulted. Before each
start and restart it is asked whether there may be one (`sandbox.server.permission`).
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from datetime import UTC, datetime
from typing import Any

import zmq
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.provisioning import KernelProvisionerBase
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager, ServerKernelManager
from traitlets import Instance, Int, Unicode

from sandbox.server.messages import Passed, rebuild
from sandbox.server.permission import KernelRefused, Permission

IPC = "/run/zhakou/ipc"
KERNEL_NAME = "python3"
MAX_ZMQ_BYTES = 16 * 2**20
"""A message beyond this costs the kernel its connection before it costs us the memory: zmq_setsockopt(3)."""
_LINE_BYTES = 64 * 1024
_ANSWER_SECONDS = 20.0
_GONE = 1
_CONNECTION_KEYS = (
    *("transport", "ip", "shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"),
    *("key", "signature_scheme"),
)


class KernelGone(Exception):
    """The kernel was deleted while it was being started; nothing of it is left running."""


class AgentGone(Exception):
    """Box B does not answer: it is ending, and so will we."""


class Agent:
    """The launch agent of box B. Whatever it says is checked: it shares its box with hostile code."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, act: str, kernel: str, **more: object) -> dict[str, object]:
        """One question, one answer.

        Raises:
            AgentGone: no answer, or one that is none.
        """
        line = json.dumps({"act": act, "kernel": kernel, **more}).encode() + b"\n"
        async with self._turn:
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    if self._streams is None:
                        self._streams = await asyncio.open_unix_connection(
                            sock=socket.socket(fileno=self._fd), limit=_LINE_BYTES
                        )
                    reader, writer = self._streams
                    writer.write(line)
                    await writer.drain()
                    said = json.loads(await reader.readuntil(b"\n"))
            except (OSError, ValueError, EOFError, TimeoutError, asyncio.LimitOverrunError, RecursionError) as error:
                raise AgentGone from error
        if not isinstance(said, dict) or "error" in said:
            raise AgentGone("refused")
        return said


class BoxProvisioner(KernelProvisionerBase):
    """One kernel in box B, as Jupyter's kernel manager wants to handle it."""

    _started = False
    last_status: int | None = None
    """What the agent said last: below zero the signal that ended the kernel, None while it runs."""

    @property
    def _agent(self) -> Agent:
        return self.parent.parent.agent

    @property
    def has_process(self) -> bool:
        return self._started

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        manager = self.parent
        await manager.require_permission()
        manager.transport = "ipc"
        manager.ip = f"{IPC}/{self.kernel_id}"
        manager.cache_ports = False
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        return {"cmd": []}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        known = {name: _plain(self.connection_info[name]) for name in _CONNECTION_KEYS}
        if self.parent.deleted:
            raise KernelGone
        await self._agent.ask("start", self._id, connection=known)
        self._started = True
        if self.parent.deleted:  # meanwhile: whoever deleted it found no process to end
            await self.kill()
            raise KernelGone
        return self.connection_info

    @property
    def _id(self) -> str:
        return str(self.kernel_id)

    async def poll(self) -> int | None:
        if not self._started:
            return 0
        try:
            status = (await self._agent.ask("poll", self._id)).get("status")
        except AgentGone:
            return _GONE
        self.last_status = None if status is None else status if type(status) is int else _GONE
        return self.last_status

    async def wait(self) -> int | None:
        while (status := await self.poll()) is None:  # noqa: ASYNC110 - the agent is asked, it does not call back
            await asyncio.sleep(0.1)
        self._started = False
        return status

    async def send_signal(self, signum: int) -> None:
        if self._started and signum in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            await self._agent.ask("signal", self._id, signal=int(signum))

    async def kill(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:
        return


class BoxKernelManager(ServerKernelManager):
    """A kernel manager whose only provisioner is the box's."""

    provisioner: Any
    kernel_id: Any
    deleted = False
    refused_words = ""
    """Why it was not started again by itself."""
    _permitted = False

    async def require_permission(self) -> None:
        """Ask for the start that follows, unless a restart has asked before it ended the kernel."""
        permitted, self._permitted = self._permitted, False
        if not permitted:
            await self.parent.permission.require()

    async def _async_restart_kernel(self, now: bool = False, newports: bool = False, **kw: Any) -> None:
        """As upstream's, but asked first: a kernel that may not start again is not ended by asking.

        Raises:
            KernelRefused: it may not. A kernel that had died stays dead, and the browsers are told.
        """
        try:
            await self.parent.permission.require()
        except KernelRefused as refused:
            if self._restarter is not None and not await self.is_alive():
                self.refused_words = str(refused)
                self._restarter._fire_callbacks("dead")
                self.stop_restarter()
            raise
        self._permitted = True
        try:
            await super()._async_restart_kernel(now=now, newports=newports, **kw)
        finally:
            self._permitted = False

    async def restart_kernel(self, *args: Any, **kwargs: Any) -> None:
        await self._async_restart_kernel(*args, **kwargs)

    async def _async_pre_start_kernel(self, **kw: Any) -> tuple[list[str], dict[str, Any]]:
        if self.provisioner is None:
            self.kernel_id = self.kernel_id or kw.get("kernel_id")
            self.provisioner = BoxProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        return await super()._async_pre_start_kernel(**kw)

    pre_start_kernel = _async_pre_start_kernel


class BoxKernels(AsyncMappingKernelManager):
    """All kernels of the workspace."""

    agent_fd = Int(config=True)
    agent = Instance(Agent)
    permission_socket = Unicode(config=True)
    language = Unicode(config=True)
    permission = Instance(Permission)
    kernel_manager_class = "sandbox.server.kernels.BoxKernelManager"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.agent = Agent(self.agent_fd)
        self.permission = Permission(self.permission_socket, "en" if self.language == "en" else "zh")
        self.context.setsockopt(zmq.MAXMSGSIZE, MAX_ZMQ_BYTES)  # the default of every socket made from it

    async def _async_shutdown_kernel(self, kernel_id: str, now: bool = False, restart: bool = False) -> None:
        if kernel_id in self:
            self.get_kernel(kernel_id).deleted = True
        await super()._async_shutdown_kernel(kernel_id, now=now, restart=restart)

    shutdown_kernel = _async_shutdown_kernel

    def start_watching_activity(self, kernel_id: str) -> None:
        """As upstream's, but a message that is not what it should be changes nothing and raises nothing."""
        kernel = self._kernels[kernel_id]
        kernel.reason = ""
        kernel.last_activity = datetime.now(UTC)
        kernel._activity_stream = kernel.connect_iopub()

        def record(frames: list[bytes]) -> None:
            message = rebuild("iopub", signed_parts(frames))
            if not isinstance(message, Passed):
                return
            asked = json.loads(message.parts[1]).get("msg_type")
            if self.track_message_type(message.kind) or self.track_message_type(asked):
                self.last_kernel_activity = kernel.last_activity = datetime.now(UTC)
            if message.kind == "status":
                state = json.loads(message.parts[3])["execution_state"]
                if self.track_message_type(asked):
                    kernel.execution_state = state
                elif kernel.execution_state == "starting" and state != "starting":
                    kernel.execution_state = "idle"

        kernel._activity_stream.on_recv(record)


class OneKernelSpec(KernelSpecManager):
    """There is one kernel, and nothing on disk can add another."""

    display_name = Unicode("Python 3", config=True)

    def find_kernel_specs(self) -> dict[str, str]:
        return {KERNEL_NAME: _resources()}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        if kernel_name != KERNEL_NAME:
            raise NoSuchKernel(kernel_name)
        return KernelSpec(
            argv=[],
            display_name=self.display_name,
            language="python",
            interrupt_mode="signal",
            metadata={"debugger": False},
            resource_dir=_resources(),
        )

    def get_all_specs(self) -> dict[str, Any]:
        spec = self.get_kernel_spec(KERNEL_NAME)
        return {KERNEL_NAME: {"resource_dir": spec.resource_dir, "spec": spec.to_dict()}}


def signed_parts(frames: list[bytes]) -> list[bytes]:
    """The parts after the identities and the signature; empty if there is no delimiter."""
    try:
        return frames[frames.index(b"<IDS|MSG>") + 2 :]
    except ValueError:
        return []


def _resources() -> str:
    from ipykernel.kernelspec import RESOURCES  # imports slowly, and only when Lab asks for the logo

    return str(RESOURCES)


def _plain(value: object) -> object:
    return value.decode("ascii") if isinstance(value, bytes) else value
