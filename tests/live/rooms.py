"""Real workspaces for tests: both boxes, started once a module, spoken to as a browser does."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from sandbox.client import KernelClient, Ran, ServerClient, connect
from sandbox.spec import MIB, Limits, ReadOnlyMount, WorkspaceSpec
from sandbox.workspace import Workspace

TOKEN = "a-token-of-the-tests"
LIMITS = Limits(
    memory_bytes=768 * MIB, processes=128, file_bytes=64 * MIB, scratch_bytes=32 * MIB, output_bytes=64 * MIB
)
Answer = TypeVar("Answer")


class Loop:
    """An event loop in a thread, so that a workspace may outlive one test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Answer], *, seconds: float = 180) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass(frozen=True, slots=True)
class Room:
    """A workspace that runs."""

    loop: Loop
    workspace: Workspace
    socket: Path

    @property
    def spec(self) -> WorkspaceSpec:
        return self.workspace.spec

    @property
    def outbox(self) -> Path:
        return self.workspace.outbox_dir

    def request(self, method: str, path: str, *, body: object = None, token: str = TOKEN) -> tuple[int, bytes]:
        async def ask() -> tuple[int, bytes]:
            async with connect(self.socket, token=token) as client:
                return await client.request(method, path, body=body)

        return self.loop.run(ask())

    @asynccontextmanager
    async def kernel(self) -> AsyncIterator[tuple[ServerClient, KernelClient]]:
        """A new kernel, gone afterwards."""
        async with connect(self.socket, token=TOKEN) as client, client.kernel() as kernel:
            try:
                yield client, kernel
            finally:
                await client.request("DELETE", f"/api/kernels/{kernel.kernel_id}")

    def execute(self, *cells: str) -> Ran:
        """Run cells in one new kernel; the answer to the last."""

        async def run() -> Ran:
            async with self.kernel() as (_, kernel):
                for cell in cells[:-1]:
                    await kernel.execute(cell)
                return await kernel.execute(cells[-1])

        return self.loop.run(run())


def spec_for(folder: Path, *, number: int = 0, limits: Limits = LIMITS, language: str = "zh") -> WorkspaceSpec:
    """A spec with one small extract that only its owner may read."""
    extract = folder / f"extract-{number}.parquet"
    pl.DataFrame({"district": ["A", "B", "C"], "count": [12, 15, 11]}).write_parquet(extract)
    extract.chmod(0o600)
    uid = 64_900 + 2 * number if os.geteuid() == 0 else None
    return WorkspaceSpec(
        workspace_id=f"test-{os.getpid()}-{number}",
        state_dir=folder / f"w{number}",
        uid=uid,
        gid=uid,
        extracts=(ReadOnlyMount(name="elders", source=extract),),
        limits=limits,
        server_env={"ZHAKOU_TOKEN": TOKEN},
        language="en" if language == "en" else "zh",
    )


@contextmanager
def open_room(spec: WorkspaceSpec) -> Iterator[Room]:
    """Started, and stopped whatever happens."""
    loop, workspace = Loop(), Workspace(spec)
    try:
        yield Room(loop, workspace, loop.run(workspace.start()))
    finally:
        loop.run(workspace.stop())
        loop.close()
