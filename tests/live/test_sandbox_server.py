"""Box A over real HTTP on its unix socket: what is answered, what is refused, what leaves by messages."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from sandbox.client import Ran, connect
from sandbox.spec import MIB
from tests.live.rooms import LIMITS, TOKEN, Room, open_room, spec_for

pytestmark = pytest.mark.live
_TEXT_FILE = {"type": "file", "format": "text", "content": "x"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/files/a.ipynb"),
        ("GET", "/nbconvert/html/a.ipynb"),
        ("GET", "/view/a.ipynb"),
        ("GET", "/api/terminals"),
        ("POST", "/api/terminals"),
        ("GET", "/terminals/websocket/1"),
        ("GET", "/lsp/status"),
        ("GET", "/metrics"),
        ("GET", "/api/metrics/v1"),
        ("GET", "/api/contents/a.ipynb?download=1"),
        ("POST", "/api/contents/a.ipynb/checkpoints"),
        ("GET", "/api/contents/a.ipynb/checkpoints/0"),
        ("GET", "/nbconvert"),
        ("POST", "/api/events"),
        ("GET", "/api/contents/..%2f..%2fetc/passwd"),
        ("GET", "/api/nbconvert/html"),
        ("POST", "/lab/api/build"),
        ("GET", "/lab/api/extensions"),
        ("POST", "/api/shutdown"),
    ],
)
def test_closed_address_is_refused_in_words(room: Room, method: str, path: str) -> None:
    status, body = room.request(method, path)
    said = json.loads(body)
    assert (status, said["reason"]) == (403, "zhakou.path_refused")
    assert "outbox.put" in said["message"]
    assert "出口箱" in said["message"]


def test_what_lab_asks_for_in_vain_is_answered_with_nothing(room: Room) -> None:
    assert room.request("GET", "/api/contents/a.ipynb/checkpoints") == (200, b"[]")
    assert room.request("GET", "/api/nbconvert?1795524958764") == (200, b"{}")
    assert json.loads(room.request("GET", "/lab/api/build")[1])["status"] == "stable"


def test_channel_of_events_stays_open_and_silent_for_whoever_may_enter(room: Room) -> None:
    async def listen(token: str) -> bool:
        async with (
            connect(room.socket, token=token) as client,
            client.http.ws_connect("http://workspace/api/events/subscribe") as channel,
        ):
            await channel.send_str('{"a": 1}')
            assert (await client.request("PUT", "/api/contents/seen.txt", body=_TEXT_FILE))[0] == 201
            with pytest.raises(TimeoutError):
                await channel.receive(timeout=2)
            return not channel.closed

    assert room.loop.run(listen(TOKEN))
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        room.loop.run(listen("wrong"))
    assert refused.value.status == 403


def test_open_addresses_answer(room: Room) -> None:
    assert room.request("GET", "/api/status")[0] == 200
    assert room.request("GET", "/api/contents")[0] == 200
    status, page = room.request("GET", "/lab")
    assert (status, b"jupyter-config-data" in page) == (200, True)


def test_nobody_is_served_without_the_token(room: Room) -> None:
    assert room.request("GET", "/api/contents", token="wrong")[0] == 403
    assert room.request("GET", "/lab", token="wrong")[0] == 302


def test_lab_is_in_chinese_and_its_closed_doors_are_not_offered(room: Room) -> None:
    _, page = room.request("GET", "/lab")
    config = json.loads(page.split(b'type="application/json">')[1].split(b"</script>")[0])
    assert "@jupyterlab/docmanager-extension:download" in config["disabledExtensions"]
    assert config["terminalsAvailable"] is False
    assert config["notebookVersion"]
    _, settings = room.request("GET", "/lab/api/settings/@jupyterlab/translation-extension:plugin")
    assert json.loads(settings)["schema"]["properties"]["locale"]["default"] == "zh_CN"


def test_browser_is_told_to_run_nothing_inline_and_to_load_nothing_from_elsewhere(room: Room) -> None:
    async def ask() -> str:
        async with connect(room.socket, token=TOKEN) as client, client.http.get("http://workspace/lab") as response:
            return response.headers["Content-Security-Policy"]

    policy = dict(part.strip().split(" ", 1) for part in room.loop.run(ask()).split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "'unsafe-inline'" not in policy["script-src"]
    assert policy["script-src"].count("'sha256-") == 1


def test_kernel_can_be_interrupted_and_goes_on(room: Room) -> None:
    async def act() -> Ran:
        async with room.kernel() as (client, kernel):
            running = asyncio.ensure_future(kernel.execute("import time\ntime.sleep(60)"))
            await asyncio.sleep(1)
            assert (await client.request("POST", f"/api/kernels/{kernel.kernel_id}/interrupt"))[0] == 204
            assert (await running).error == "KeyboardInterrupt: "
            return await kernel.execute("print('on')")

    assert room.loop.run(act()).stdout == "on\n"


def test_kernel_can_be_restarted_and_forgets(room: Room) -> None:
    async def act() -> Ran:
        async with room.kernel() as (client, kernel):
            await kernel.execute("x = 1")
            assert (await client.request("POST", f"/api/kernels/{kernel.kernel_id}/restart"))[0] == 200
            async with client.kernel(kernel.kernel_id) as again:
                return await again.execute("print('x' in globals())")

    assert room.loop.run(act()).stdout == "False\n"


def test_kernel_that_dies_is_started_again_by_itself(room: Room) -> None:
    async def act() -> Ran:
        async with room.kernel() as (client, kernel):
            await kernel.send("execute_request", {"code": "import os; os.kill(os.getpid(), 9)", "silent": False})
            async with asyncio.timeout(30):
                while True:
                    message = await kernel.receive()
                    if message["content"].get("execution_state") == "restarting":
                        break
            async with client.kernel(kernel.kernel_id) as again:
                return await again.execute("print('back')")

    assert room.loop.run(act()).stdout == "back\n"


def test_cell_says_why_its_kernel_is_gone(room: Room) -> None:
    async def act(code: str) -> str:
        said = ""
        async with room.kernel() as (client, kernel):
            asked = await kernel.send("execute_request", {"code": code, "silent": False})
            async with asyncio.timeout(30):
                while (message := await kernel.receive())["content"].get("execution_state") != "restarting":
                    if message["msg_type"] == "stream" and message["parent_header"]["msg_id"] == asked:
                        said += str(message["content"]["text"])
            async with client.kernel(kernel.kernel_id) as again:
                await again.execute("pass")
        return said

    killed = room.loop.run(act("import os; os.kill(os.getpid(), 9)"))
    assert "内存" in killed
    assert "0.75 GiB" in killed
    died = room.loop.run(act("import os; os._exit(3)"))
    assert "内核意外退出" in died
    assert "内存" not in died


def test_kernel_holds_no_token_no_server_and_no_host_path(room: Room) -> None:
    cell = (
        "import os, json\npids = [p for p in os.listdir('/proc') if p.isdigit()]\n"
        "print(json.dumps([sorted(os.environ), pids, *map(os.listdir, ('/opt', '/opt/zhakou', '/run/zhakou'))]))"
    )
    names, pids, opt, code, run = json.loads(room.execute(cell).stdout)
    assert not {name for name in names if name.startswith(("JUPYTERHUB", "ZHAKOU_TOKEN", "ZHAKOU_SERVER"))}
    assert len(pids) == 3  # bwrap's init, the agent, this kernel
    assert set(opt) == {"python", "site", "zhakou"} or set(opt) == {"site", "zhakou"}
    assert set(code) == {"agent.py", "anonymize", "sealed.py", "zhakou"}
    assert run == ["ipc"]


def test_no_history_outlives_a_cell(room: Room) -> None:
    cell = "import os; print([f for d, _, fs in os.walk('/home/analyst') for f in fs if 'hist' in f])"
    assert room.execute("secret = 1", cell).stdout == "[]\n"


def test_large_output_becomes_a_notice_and_small_output_goes_on(room: Room) -> None:
    ran = room.execute("print('x' * 3_000_000)")
    assert "过大" in ran.stderr
    assert ran.received_bytes < 10_000
    assert room.execute("print(1)").stdout == "1\n"


def test_script_and_widgets_do_not_reach_the_browser(room: Room) -> None:
    cell = (
        "from IPython.display import display, HTML, Javascript\n"
        "display(Javascript('MARK'), HTML('<b onclick=MARK>b</b><script>MARK</script>'))\n"
        "from comm import create_comm\ncreate_comm(target_name='MARK', data={'MARK': 1})\n"
        "get_ipython().kernel.session.send(get_ipython().kernel.iopub_socket, 'MARK', {'MARK': 1})\nNone"
    )
    ran = room.execute(cell)
    # The source of the cell itself comes back as execute_input; nothing else may carry the mark.
    shown = [message for message in ran.messages if message["msg_type"] != "execute_input"]
    assert "MARK" not in json.dumps([message["content"] for message in shown if "data" in message["content"]][1:])
    assert {message["msg_type"] for message in shown} <= {"status", "display_data", "execute_reply", "stream"}


HOSTILE = """
import zmq, json, random
kernel = get_ipython().kernel
socket, session = kernel.iopub_socket, kernel.session
def raw(*parts):
    message = [b'kernel.x', b'<IDS|MSG>', session.sign(list(parts)), *parts]
    kernel.iopub_thread.send_multipart(message)
head = json.dumps({'msg_id': 'a', 'msg_type': 'status', 'session': 's', 'username': 'u', 'date': '2026-01-01T00:00:00Z',
                   'version': '5.3'}).encode()
for content in (b'{', b'[]', b'null', b'{"execution_state": ["busy"]}', b'{"execution_state": {}}', b'[' * 50000,
                b'{"execution_state": NaN}', b'\\xff\\xfe', b'"' + b'x' * 100000 + b'"'):
    raw(head, b'{}', b'{}', content)
    raw(content, content, content, content)
    raw(head, content, b'{}', b'{"execution_state": "busy"}')
raw(head)
raw()
kernel.iopub_thread.send_multipart([b'no delimiter'])
kernel.iopub_thread.send_multipart([b'kernel.x', b'<IDS|MSG>'])
raw(head.replace(b'status', b'stream'), b'{}', b'{}', b'{"name": "stdout", "text": "still here"}', b'buffer' * 1000)
import time; time.sleep(0.5)
print('done')
"""


def test_hostile_messages_crash_nothing_and_carry_nothing(room: Room) -> None:
    ran = room.execute(HOSTILE)
    assert ran.error is None
    assert ran.stdout == "done\n"
    assert ran.received_bytes < 20_000  # of 2.3 MB sent
    assert room.request("GET", "/api/status")[0] == 200
    assert room.execute("print('on')").stdout == "on\n"


def test_two_connections_draw_on_one_budget_and_then_both_fall_silent(folder: Path) -> None:
    budget = 1 * MIB
    limits = replace(LIMITS, output_bytes=budget)
    with open_room(spec_for(folder, number=20, limits=limits)) as room:
        received, last = room.loop.run(_flood(room))
        assert budget / 2 < received < budget + 64 * 1024
        assert last.stdout == ""
        assert "额度" in last.stderr
        large = {"type": "file", "format": "text", "content": "x" * 900_000}
        assert room.request("PUT", "/api/contents/a.txt", body=large)[0] == 201
        status, body = room.request("GET", "/api/contents/a.txt")
        assert (status, "额度" in json.loads(body)["message"]) == (403, True)


async def _flood(room: Room) -> tuple[int, Ran]:
    """Bytes received on two connections to one kernel that prints five times the budget, and the last cell's answer."""
    async with (
        connect(room.socket, token=TOKEN) as client,
        client.kernel() as one,
        client.kernel(one.kernel_id) as two,
    ):
        other = Ran()

        async def listen() -> None:
            while True:
                await two.receive(other)

        listening = asyncio.ensure_future(listen())
        received = 0
        for _ in range(10):
            last = await one.execute("print('x' * 500_000)", seconds=30)
            received += last.received_bytes
        await asyncio.sleep(0.5)
        listening.cancel()
        return received + other.received_bytes, last
