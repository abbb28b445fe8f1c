"""May a kernel start? The server does not know; it asks over the socket it was given and says what it is told.

The sandbox knows no licences. Whoever holds the other end of the socket answers `POST /zhakou/kernels` with 200, or
with 403 and words in both languages. No answer is a refusal: what cannot be asked does not start.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Final

from tornado.web import HTTPError

from sandbox.server.words import Language, say

REQUEST: Final = b"POST /zhakou/kernels HTTP/1.1\r\nHost: hub\r\nContent-Length: 0\r\n\r\n"
_ANSWER_SECONDS: Final = 25.0
_PATIENCE_SECONDS: Final = 10.0
"""How long a hub that restarts is waited for."""


class KernelRefused(HTTPError):
    """A kernel may not start; its text is what the analyst reads."""

    def __init__(self, words: str) -> None:
        super().__init__(HTTPStatus.FORBIDDEN)
        self.words = words

    def __str__(self) -> str:
        return self.words


class Permission:
    """The one who is asked, at the other end of `socket`; empty: nobody is, as in a probe of the sandbox alone."""

    def __init__(self, socket: str, language: Language) -> None:
        self._socket = socket
        self._language = language

    async def require(self) -> None:
        """Return if a kernel may start now.

        Raises:
            KernelRefused: it may not, or nobody answers.
        """
        if not self._socket:
            return
        refused = await self._ask()
        if refused is not None:
            raise KernelRefused(refused)

    async def _ask(self) -> str | None:
        """None if it may; else why not."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE_SECONDS
        while True:
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    return self._read(await self._exchange())
            except (ConnectionRefusedError, FileNotFoundError):  # nobody listens: the hub restarts, or is gone
                if loop.time() > until:
                    return say("kernel_unasked", self._language)
                await asyncio.sleep(0.5)
            except (OSError, TimeoutError, ValueError, KeyError, TypeError):
                return say("kernel_unasked", self._language)

    async def _exchange(self) -> bytes:
        reader, writer = await asyncio.open_unix_connection(self._socket)
        try:
            writer.write(REQUEST)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()

    def _read(self, answer: bytes) -> str | None:
        head, _, body = answer.partition(b"\r\n\r\n")
        match head.split(b" ", 2)[1:2]:
            case [b"200"] if json.loads(body)["start"] is True:
                return None
            case [b"403"]:
                reasons = [str(reason[self._language]) for reason in json.loads(body)["refusals"]]
                return " ".join([say("kernel_refused", self._language), *reasons])
            case _:
                return say("kernel_unasked", self._language)
