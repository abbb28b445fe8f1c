"""Before a kernel starts or starts again somebody outside is asked; what cannot be asked does not start."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.live.rooms import Room, open_room, spec_for

pytestmark = pytest.mark.live
YES = (200, json.dumps({"start": True}))
NO = (403, json.dumps({"start": False, "refusals": [{"code": "x.y", "zh": "许可已中止。", "en": "Suspended."}]}))


@dataclass
class Outside:
    """Who is asked, over the socket in the gateway's folder."""

    path: Path
    answer: tuple[int, str] = YES
    asked: list[bytes] = field(default_factory=list)
    delay: float = 0
    _server: asyncio.Server | None = None

    async def open(self) -> None:
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._connected, path=self.path)
        self.path.chmod(0o666)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        self.path.unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        await asyncio.sleep(self.delay)
        status, body = self.answer
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: {len(body.encode())}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()


@pytest.fixture(scope="module")
def asking(folder: Path) -> Iterator[tuple[Room, Outside]]:
    spec = spec_for(folder, number=20)
    socket = spec.state_dir / "gateway" / "hub.sock"
    with open_room(replace(spec, hub_socket=socket)) as room:
        outside = Outside(socket)
        room.loop.run(outside.open())
        yield room, outside
        room.loop.run(outside.close())


@pytest.fixture
def room(asking: tuple[Room, Outside]) -> Room:
    return asking[0]


@pytest.fixture
def outside(asking: tuple[Room, Outside]) -> Outside:
    asking[1].answer, asking[1].delay = YES, 0
    asking[1].asked.clear()
    return asking[1]


def test_each_start_and_each_restart_is_asked_for_once(room: Room, outside: Outside) -> None:
    async def act() -> int:
        async with room.kernel() as (client, kernel):
            assert len(outside.asked) == 1
            return (await client.request("POST", f"/api/kernels/{kernel.kernel_id}/restart"))[0]

    assert room.loop.run(act()) == 200
    assert [line.split(b"\r\n")[0] for line in outside.asked] == [b"POST /zhakou/kernels HTTP/1.1"] * 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/kernels", {"name": "python3"}),
        ("/api/sessions", {"path": "a.ipynb", "type": "notebook", "name": "a", "kernel": {"name": "python3"}}),
    ],
)
def test_a_kernel_that_may_not_start_is_refused_in_the_words_that_were_given(
    room: Room, outside: Outside, path: str, body: dict[str, Any]
) -> None:
    outside.answer = NO
    status, said = room.request("POST", path, body=body)
    assert (status, json.loads(said)["reason"]) == (403, "zhakou.kernel_refused")
    assert json.loads(said)["message"] == "内核没有启动。 许可已中止。"
    assert json.loads(room.request("GET", "/api/kernels")[1]) == []


def test_a_restart_that_is_refused_leaves_the_kernel_as_it_is(room: Room, outside: Outside) -> None:
    async def act() -> tuple[int, bytes, str]:
        async with room.kernel() as (client, kernel):
            await kernel.execute("x = 'kept'")
            outside.answer = NO
            status, said = await client.request("POST", f"/api/kernels/{kernel.kernel_id}/restart")
            return status, said, (await kernel.execute("print(x)")).stdout

    status, said, kept = room.loop.run(act())
    assert (status, kept) == (403, "kept\n")
    assert "许可已中止" in json.loads(said)["message"]


def test_a_kernel_that_dies_does_not_start_again_by_itself_once_it_may_not(room: Room, outside: Outside) -> None:
    async def act() -> str:
        said = ""
        async with room.kernel() as (client, kernel):
            await kernel.execute("1")
            outside.answer = NO
            outside.asked.clear()
            await kernel.send("execute_request", {"code": "import os; os._exit(3)", "silent": False})
            async with asyncio.timeout(30):
                while (message := await kernel.receive())["content"].get("execution_state") != "dead":
                    if message["msg_type"] == "stream":
                        said += str(message["content"]["text"])
            await asyncio.sleep(4)  # longer than between two looks of the restarter
            return said + str(len(outside.asked)) + (await client.request("GET", "/api/kernels"))[1].decode()

    said = room.loop.run(act())
    assert "许可已中止" in said
    assert said.endswith("1[]")


@pytest.mark.parametrize(
    "answer",
    [(200, ""), (200, "{}"), (200, '{"start": 1}'), (200, "[]"), (500, '{"start": true}'), (403, "{}"), (302, "")],
    ids=str,
)
def test_any_other_answer_is_a_no(room: Room, outside: Outside, answer: tuple[int, str]) -> None:
    outside.answer = answer
    status, said = room.request("POST", "/api/kernels", body={"name": "python3"})
    assert (status, json.loads(said)["reason"]) == (403, "zhakou.kernel_refused")
    assert "平台没有应答" in json.loads(said)["message"]


def test_a_hub_that_restarts_is_waited_for(room: Room, outside: Outside) -> None:
    async def act() -> str:
        await outside.close()
        starting = asyncio.ensure_future(run())
        await asyncio.sleep(2)
        await outside.open()
        return await starting

    async def run() -> str:
        async with room.kernel() as (_, kernel):
            return (await kernel.execute("print('on')")).stdout

    assert room.loop.run(act()) == "on\n"


def test_a_hub_that_is_gone_refuses_every_kernel(room: Room, outside: Outside) -> None:
    room.loop.run(outside.close())
    try:
        status, said = room.request("POST", "/api/kernels", body={"name": "python3"})
    finally:
        room.loop.run(outside.open())
    assert status == 403
    assert "平台没有应答" in json.loads(said)["message"]


def test_a_kernel_deleted_while_it_starts_again_leaves_no_process(room: Room, outside: Outside) -> None:
    async def act() -> None:
        async with room.kernel() as (client, kernel):
            await kernel.execute("1")
            outside.delay = 2
            outside.asked.clear()
            await kernel.send("execute_request", {"code": "import os; os._exit(3)", "silent": False})
            while not outside.asked:  # it starts again by itself
                await asyncio.sleep(0.1)
            assert (await client.request("DELETE", f"/api/kernels/{kernel.kernel_id}"))[0] == 204
            await asyncio.sleep(3)

    room.loop.run(act())
    outside.delay = 0
    cell = "import os\nprint(len([p for p in os.listdir('/proc') if p.isdigit()]))"
    assert room.execute(cell).stdout == "3\n"  # bwrap's init, the agent, this kernel
