"""The only way out of a workspace's server: a unix socket; four calls pass it to the hub, one is answered here.

Who calls is known from the socket, one for each workspace; nothing the caller says about itself is believed.

What must hold:
1. The request line is one of five, byte for byte. Nothing is decoded or normalised, so there is no second reading.
2. One request a connection, its body as long as one Content-Length says; no transfer coding, no bytes after it.
3. The hub gets a new request made of the parts that were understood, never the caller's bytes.
4. A call about a user or an OAuth client is about the one this socket was opened for.
5. Head, body, answer, time and number of connections have bounds.
6. Whether a kernel may start (docs/adr/0004-kernels-are-asked-for.md) is answered here, about the workspace of this
   socket, and never passed on. What cannot be answered is refused.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

import aiohttp

from hub.errors import Refusal
from hub.jupyter.words import said_in
from hub.message import msg

MAX_HEAD: Final = 16 * 2**10
MAX_BODY: Final = 64 * 2**10
MAX_ANSWER: Final = 1 * 2**20
MAX_CONNECTIONS: Final = 32
CALL_SECONDS: Final = 20.0
KERNELS: Final = "/zhakou/kernels"
KERNELS_A_MINUTE: Final = 30
"""A kernel that starts takes a second; whoever asks more often fills the ledger."""
FORWARDED: Final = ("authorization", "content-type", "accept")
"""Headers the hub's API needs; every other one stays here."""
ANSWERED: Final = ("content-type", "x-jupyterhub-version")

_REQUEST_LINE = re.compile(rb"(GET|POST) (/[!-~]*) HTTP/1\.[01]")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*")
_LENGTH = re.compile(rb"[0-9]{1,6}")


class Refused(Exception):
    """This call is not let through."""

    def __init__(self, status: HTTPStatus, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose socket it is. `prefix` is the path of the hub's API, `/hub/api`."""

    user: str
    client_id: str
    prefix: str = "/hub/api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that was understood."""

    method: str
    path: str
    headers: Mapping[str, str]
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def read_head(head: bytes) -> Call:
    """The call in a head that ends with an empty line (1, 2).

    Raises:
        Refused: it is not plain HTTP/1.1, or says its length in any other way than once in digits.
    """
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    request = _REQUEST_LINE.fullmatch(lines[0])
    if request is None:
        raise Refused(HTTPStatus.BAD_REQUEST, "this is not a request the gateway can read")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        parsed = _HEADER.fullmatch(line)
        if parsed is None:
            raise Refused(HTTPStatus.BAD_REQUEST, "a header line can't be read")
        name = parsed[1].decode("ascii").lower()
        if name in headers:
            raise Refused(HTTPStatus.BAD_REQUEST, "a header is given twice")
        headers[name] = parsed[2].decode("latin-1")
    if "transfer-encoding" in headers:
        raise Refused(HTTPStatus.BAD_REQUEST, "transfer codings are not accepted; send a Content-Length")
    length = headers.get("content-length", "0")
    if _LENGTH.fullmatch(length.encode("latin-1")) is None:
        raise Refused(HTTPStatus.BAD_REQUEST, "the Content-Length is not a number")
    if int(length) > MAX_BODY:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too long")
    return Call(method=request[1].decode(), path=request[2].decode("ascii"), headers=headers, length=int(length))


def refuse_unless_allowed(call: Call, body: bytes, caller: Caller) -> None:
    """Let exactly five calls pass, each about the caller alone (1, 4).

    Raises:
        Refused: it is none of them.
    """
    allowed = {
        ("GET", caller.prefix),
        ("GET", f"{caller.prefix}/user"),
        ("POST", f"{caller.prefix}/oauth2/token"),
        ("POST", f"{caller.prefix}/users/{caller.user}/activity"),
        ("POST", KERNELS),
    }
    if (call.method, call.path) not in allowed:
        raise Refused(HTTPStatus.FORBIDDEN, "a workspace may not make this call to the hub")
    if call.length and (call.method == "GET" or call.path == KERNELS):
        raise Refused(HTTPStatus.BAD_REQUEST, "this call has no body")
    if call.path.endswith("/oauth2/token"):
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        if [value for name, value in fields if name == "client_id"] != [caller.client_id]:
            raise Refused(HTTPStatus.FORBIDDEN, "this is not the OAuth client of this workspace")


class Gateway:
    """The socket of one workspace, served by the loop of the hub."""

    def __init__(
        self,
        *,
        socket: Path,
        hub_address: str,
        caller: Caller,
        against_kernel: Callable[[], Awaitable[Sequence[Refusal]]],
    ) -> None:
        """`hub_address` is where the hub's own server listens, `http://127.0.0.1:8081`; `against_kernel` asks the rooms
        for everything that stands against a kernel of this workspace now."""
        self.socket = socket
        self._hub_address = hub_address.rstrip("/")
        self._caller = caller
        self._against_kernel = against_kernel
        self._kernels_asked: deque[float] = deque(maxlen=KERNELS_A_MINUTE)
        self._server: asyncio.Server | None = None
        self._session: aiohttp.ClientSession | None = None
        self._open_calls: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen. What an earlier hub left at the path is removed: the folder is the hub's alone."""
        if self._server is not None:
            return
        self.socket.unlink(missing_ok=True)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=CALL_SECONDS), trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        self._server = await asyncio.start_unix_server(self._connected, path=self.socket, limit=MAX_HEAD)
        os.chmod(self.socket, 0o666)  # noqa: S103 - box A has another uid; the folders above are the hub's alone

    async def close(self) -> None:
        """Stop listening and end what is under way."""
        server, self._server = self._server, None
        session, self._session = self._session, None
        if server is not None:
            server.close()
        for task in list(self._open_calls):
            task.cancel()
        if session is not None:
            await session.close()
        self.socket.unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._open_calls) >= MAX_CONNECTIONS:
            writer.close()
            return
        self._open_calls.add(task)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                writer.write(_as_bytes(await self._answer(reader)))
                await writer.drain()
        except (TimeoutError, ConnectionError):
            pass  # the caller went away or kept us waiting; there is nobody to tell
        finally:
            self._open_calls.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        try:
            call = read_head(await reader.readuntil(b"\r\n\r\n"))
            body = await reader.readexactly(call.length)
            refuse_unless_allowed(call, body, self._caller)
            return await (self._about_kernel() if call.path == KERNELS else self._ask_hub(call, body))
        except Refused as refused:
            return _in_words(refused.status, str(refused))
        except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
            return _in_words(HTTPStatus.BAD_REQUEST, "the request is too long, or shorter than it says")
        except aiohttp.ClientError:
            return _in_words(HTTPStatus.BAD_GATEWAY, "the hub does not answer")

    async def _about_kernel(self) -> Answer:
        """May a kernel of this workspace start now (6)."""
        now = asyncio.get_running_loop().time()
        asked = self._kernels_asked
        if len(asked) == KERNELS_A_MINUTE and now - asked[0] < 60:
            refusals: Sequence[Refusal] = (_TOO_OFTEN,)
        else:
            asked.append(now)
            refusals = await self._against_kernel()
        if not refusals:
            return _as_json(HTTPStatus.OK, {"start": True})
        return _as_json(HTTPStatus.FORBIDDEN, {"start": False, "refusals": [said_in(one) for one in refusals]})

    async def _ask_hub(self, call: Call, body: bytes) -> Answer:
        """A new request from understood parts (3); the answer is read whole, up to its bound (5)."""
        if self._session is None:
            return _in_words(HTTPStatus.BAD_GATEWAY, "the gateway is closed")
        headers = {name: call.headers[name] for name in FORWARDED if name in call.headers}
        async with self._session.request(
            call.method, self._hub_address + call.path, headers=headers, data=body or None, allow_redirects=False
        ) as response:
            answer = await response.content.read(MAX_ANSWER + 1)
            while len(answer) <= MAX_ANSWER and (more := await response.content.read(MAX_ANSWER + 1 - len(answer))):
                answer += more
            if len(answer) > MAX_ANSWER:
                return _in_words(HTTPStatus.BAD_GATEWAY, "the hub's answer is too long")
            kept = {name: response.headers[name] for name in ANSWERED if name in response.headers}
            return Answer(status=response.status, headers=kept, body=answer)


_TOO_OFTEN: Final = Refusal(
    rule="kernel.too_often",
    subject="",
    text=msg("More than {count} kernels were asked for within a minute.", count=KERNELS_A_MINUTE),
    next_step=msg("Wait a minute; close notebooks whose kernels end by themselves."),
)


def _in_words(status: HTTPStatus, words: str) -> Answer:
    return _as_json(status, {"status": int(status), "message": words})


def _as_json(status: HTTPStatus, said: Mapping[str, object]) -> Answer:
    body = json.dumps(said, ensure_ascii=False).encode()
    return Answer(status=int(status), headers={"content-type": "application/json"}, body=body)


def _as_bytes(answer: Answer) -> bytes:
    phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else ""
    head = [f"HTTP/1.1 {answer.status} {phrase}"]
    head += [f"{name}: {value}" for name, value in answer.headers.items()]
    head += [f"content-length: {len(answer.body)}", "connection: close"]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + answer.body
