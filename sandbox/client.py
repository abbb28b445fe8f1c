"""Speaks to a workspace's server as a browser does, over its unix socket. For the probe and for tests, on the host."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

_HOST = "http://workspace"


@dataclass(slots=True)
class Ran:
    """What came back for one cell: every message, and the plain parts of them."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    received_bytes: int = 0

    @property
    def stdout(self) -> str:
        return "".join(
            message["content"]["text"]
            for message in self.messages
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout"
        )

    @property
    def stderr(self) -> str:
        return "".join(
            message["content"]["text"]
            for message in self.messages
            if message["msg_type"] == "stream" and message["content"]["name"] == "stderr"
        )

    @property
    def error(self) -> str | None:
        for message in self.messages:
            if message["msg_type"] == "error":
                return f"{message['content']['ename']}: {message['content']['evalue']}"
        return None


@dataclass(slots=True)
class ServerClient:
    """One authenticated session with a server that stands alone (token)."""

    http: aiohttp.ClientSession
    base_url: str = "/"

    async def request(
        self, method: str, path: str, *, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of one request; nothing is raised for a refusal."""
        url = f"{_HOST}{self.base_url.rstrip('/')}{path}"
        async with self.http.request(
            method, URL(url, encoded=True), json=body, headers=headers, allow_redirects=False
        ) as response:
            return response.status, await response.read()

    async def start_kernel(self) -> str:
        status, body = await self.request("POST", "/api/kernels", body={"name": "python3"})
        if status != 201:
            raise RuntimeError(f"no kernel: HTTP {status}")
        return str(json.loads(body)["id"])

    @asynccontextmanager
    async def kernel(self, kernel_id: str | None = None) -> AsyncIterator[KernelClient]:
        """A connection to this kernel, or to a new one."""
        kernel_id = kernel_id or await self.start_kernel()
        session = uuid.uuid4().hex
        url = f"{_HOST}{self.base_url.rstrip('/')}/api/kernels/{kernel_id}/channels?session_id={session}"
        async with self.http.ws_connect(url, max_msg_size=0) as socket:
            yield KernelClient(socket=socket, kernel_id=kernel_id, session=session)


@dataclass(slots=True)
class KernelClient:
    """One WebSocket to one kernel."""

    socket: aiohttp.ClientWebSocketResponse
    kernel_id: str
    session: str

    async def send(self, kind: str, content: Mapping[str, object], *, channel: str = "shell") -> str:
        message_id = uuid.uuid4().hex
        header = {
            "msg_id": message_id,
            "msg_type": kind,
            "session": self.session,
            "username": "probe",
            "date": "2026-01-01T00:00:00Z",
            "version": "5.3",
        }
        await self.socket.send_json(
            {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": channel}
        )
        return message_id

    async def execute(self, code: str, *, seconds: float = 60.0) -> Ran:
        """Run one cell until its reply and its idle status are here.

        Raises:
            TimeoutError: they did not come.
        """
        asked = await self.send(
            "execute_request",
            {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False},
        )
        ran, waiting = Ran(), {"reply", "idle"}
        async with asyncio.timeout(seconds):
            while waiting:
                message = await self.receive(ran)
                if message["parent_header"].get("msg_id") != asked:
                    continue
                ran.messages.append(message)
                if message["msg_type"] == "execute_reply":
                    waiting.discard("reply")
                if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                    waiting.discard("idle")
        return ran

    async def receive(self, ran: Ran | None = None) -> dict[str, Any]:
        frame = await self.socket.receive()
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError("the server closed the connection")
        if ran is not None:
            ran.received_bytes += len(frame.data.encode())
        return dict(json.loads(frame.data))


@asynccontextmanager
async def connect(socket: Path, *, token: str, base_url: str = "/") -> AsyncIterator[ServerClient]:
    """A client of the server behind this socket."""
    connector = aiohttp.UnixConnector(path=str(socket))
    headers = {"Authorization": f"token {token}"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as http:
        yield ServerClient(http=http, base_url=base_url)
