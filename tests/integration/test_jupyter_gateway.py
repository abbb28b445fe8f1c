"""The gateway over real sockets, in front of a hub that writes down what reaches it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from hub.errors import Refusal
from hub.jupyter.gateway import KERNELS_A_MINUTE, MAX_ANSWER, MAX_BODY, MAX_CONNECTIONS, MAX_HEAD, Caller, Gateway
from hub.message import msg

CALLER = Caller(user="ana", client_id="jupyterhub-user-ana-l-0001")


class Hub:
    """Answers everything, keeps what it got."""

    async def against_kernel(self) -> Sequence[Refusal]:
        self.asked += 1
        return self.against

    def __init__(self) -> None:
        self.asked = 0
        self.against: Sequence[Refusal] = ()
        self.got: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer = web.Response

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((request.method, request.raw_path, headers, body))
        if request.path.endswith("/oauth2/token"):
            raise web.HTTPFound("/hub/login")
        if headers.get("authorization") == "token long":
            return web.Response(body=b"x" * (MAX_ANSWER + 1))
        return web.json_response({"name": "ana"}, headers={"X-JupyterHub-Version": "6.1.1", "Set-Cookie": "a=b"})


@asynccontextmanager
async def gateway(tmp_path: Path) -> AsyncIterator[tuple[Hub, Path, Gateway]]:
    hub = Hub()
    app = web.Application(client_max_size=10 * MAX_BODY)
    app.router.add_route("*", "/{path:.*}", hub.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = runner.addresses[0]
    socket = tmp_path / "hub.sock"
    served = Gateway(
        socket=socket, hub_address=f"http://{address[0]}:{address[1]}", caller=CALLER, against_kernel=hub.against_kernel
    )
    await served.open()
    try:
        yield hub, socket, served
    finally:
        await served.close()
        await runner.cleanup()


async def send(socket: Path, raw: bytes) -> tuple[int, bytes, bytes]:
    """Status, head and body of the answer; the connection must end by itself."""
    reader, writer = await asyncio.open_unix_connection(socket)
    writer.write(raw)
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


def run(tmp_path: Path, act: Callable[[Hub, Path, Gateway], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with gateway(tmp_path) as (hub, socket, served):
            await act(hub, socket, served)

    asyncio.run(inside())


def request(method: str, path: str, body: bytes = b"", *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: hub", *more]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_an_allowed_call_reaches_the_hub_with_nothing_but_what_it_needs(tmp_path: Path) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        raw = request("GET", "/hub/api/user", b"", "Authorization: token t", "Cookie: a=b", "X-Forwarded-For: 10.0.0.1")
        status, head, body = await send(socket, raw)
        assert (status, json.loads(body)) == (200, {"name": "ana"})
        assert b"x-jupyterhub-version: 6.1.1" in head
        assert b"set-cookie" not in head.lower()
        method, path, headers, _ = hub.got[0]
        assert (method, path, headers["authorization"]) == ("GET", "/hub/api/user", "token t")
        assert not {"cookie", "x-forwarded-for"} & headers.keys()
        assert headers["host"].startswith("127.0.0.1")

    run(tmp_path, act)


def test_activity_of_the_own_user_passes_with_its_body(tmp_path: Path) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        status, _, _ = await send(socket, request("POST", "/hub/api/users/ana/activity", b'{"servers": {}}'))
        assert status == 200
        assert hub.got[0][3] == b'{"servers": {}}'

    run(tmp_path, act)


@pytest.mark.parametrize(
    "path",
    [
        "/hub/api/users/ben/activity",
        "/hub/api/user/../users",
        "/hub/api/user%2f..%2fusers",
        "/hub/api/user/%2e%2e/users",
        "/hub/api/users",
        "/hub/login",
        "/hub/metrics",
    ],
)
def test_a_forbidden_call_is_answered_in_words_and_never_reaches_the_hub(tmp_path: Path, path: str) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        status, _, body = await send(socket, request("GET", path))
        assert status == 403
        assert "may not" in json.loads(body)["message"]
        assert hub.got == []

    run(tmp_path, act)


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /hub/api/users/ana/activity HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        b"GET /hub/api/users HTTP/1.1\r\n\r\n",
        b"POST /hub/api/users/ana/activity HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 60\r\n\r\n{}",
        b"GET /hub/api/user HTTP/1.1\r\nContent-Length: 40\r\n\r\nGET /hub/api/users HTTP/1.1\r\nHost: x\r\n\r\n123",
        b"GET /hub/api/user\nGET /hub/api/users HTTP/1.1\r\n\r\n",
    ],
)
def test_smuggled_requests_are_refused_whole(tmp_path: Path, raw: bytes) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        status, _, _ = await send(socket, raw)
        assert status == 400
        assert hub.got == []

    run(tmp_path, act)


def test_a_second_request_on_the_connection_is_not_read(tmp_path: Path) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        status, _, _ = await send(socket, request("GET", "/hub/api/user") + request("GET", "/hub/api/users"))
        assert status == 200
        assert [path for _, path, _, _ in hub.got] == ["/hub/api/user"]

    run(tmp_path, act)


def test_a_redirect_of_the_hub_is_passed_on_and_not_followed(tmp_path: Path) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        body = b"client_id=jupyterhub-user-ana-l-0001&code=x"
        status, head, _ = await send(socket, request("POST", "/hub/api/oauth2/token", body))
        assert status == 302
        assert b"location" not in head.lower()
        assert len(hub.got) == 1

    run(tmp_path, act)


def test_a_head_and_an_answer_have_bounds(tmp_path: Path) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        status, _, _ = await send(socket, request("GET", "/hub/api/user", b"", "X: " + "a" * MAX_HEAD))
        assert status == 400
        status, _, _ = await send(socket, request("GET", "/hub/api/user", b"", "Authorization: token long"))
        assert status == 502

    run(tmp_path, act)


def test_too_many_connections_are_closed_and_the_others_still_served(tmp_path: Path) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        idle = [await asyncio.open_unix_connection(socket) for _ in range(MAX_CONNECTIONS)]
        await asyncio.sleep(0.2)
        reader, writer = await asyncio.open_unix_connection(socket)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        for _, held in idle:
            held.close()
        await asyncio.sleep(0.2)
        status, _, _ = await send(socket, request("GET", "/hub/api/user"))
        assert status == 200

    run(tmp_path, act)


def test_a_closed_gateway_leaves_no_socket_and_opens_again_over_a_stale_one(tmp_path: Path) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        await served.close()
        assert not socket.exists()
        socket.touch()
        await served.open()
        status, _, _ = await send(socket, request("GET", "/hub/api"))
        assert status == 200

    run(tmp_path, act)


def test_a_hub_that_is_down_is_said_in_words(tmp_path: Path) -> None:
    async def inside() -> None:
        socket = tmp_path / "hub.sock"
        served = Gateway(
            socket=socket, hub_address="http://127.0.0.1:9", caller=CALLER, against_kernel=Hub().against_kernel
        )
        await served.open()
        status, _, body = await send(socket, request("GET", "/hub/api/user"))
        await served.close()
        assert (status, json.loads(body)["message"]) == (502, "the hub does not answer")

    asyncio.run(inside())


KERNEL = request("POST", "/zhakou/kernels", b"", "Content-Length: 0")
SUSPENDED = Refusal(
    rule="licence.suspended",
    subject="l-0001",
    text=msg("Licence {licence} is suspended.", licence="l-0001"),
    next_step=msg("Wait until the bureau lets it go on."),
)


def test_a_kernel_that_may_start_is_answered_here_and_never_passed_on(tmp_path: Path) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        status, _, body = await send(socket, KERNEL)
        assert (status, json.loads(body)) == (200, {"start": True})
        assert (hub.asked, hub.got) == (1, [])

    run(tmp_path, act)


def test_a_kernel_that_may_not_is_refused_in_words_of_both_languages(tmp_path: Path) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        hub.against = (SUSPENDED,)
        status, _, body = await send(socket, KERNEL)
        [said] = json.loads(body)["refusals"]
        assert (status, said["code"]) == (403, "licence.suspended")
        assert said["en"].endswith("[licence.suspended]")
        assert said["zh"] != said["en"]

    run(tmp_path, act)


def test_asking_for_kernels_without_end_is_refused_without_asking_on(tmp_path: Path) -> None:
    async def act(hub: Hub, socket: Path, served: Gateway) -> None:
        for _ in range(KERNELS_A_MINUTE):
            assert (await send(socket, KERNEL))[0] == 200
        status, _, body = await send(socket, KERNEL)
        assert (status, json.loads(body)["refusals"][0]["code"]) == (403, "kernel.too_often")
        assert hub.asked == KERNELS_A_MINUTE

    run(tmp_path, act)
