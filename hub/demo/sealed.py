"""The sealed run of the terminal walk: one notebook whose error tells nothing, one whose output is released."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from hub.context import Hub
from hub.demo.notebook import LEAKING_CELLS, SEALED_CELLS
from hub.demo.terminal import Terminal, WalkFailed
from hub.errors import HubError
from hub.gate.actions import find_request, may_preview
from hub.gate.model import ExportRequest
from hub.licensing.model import ProductForm
from hub.message import msg
from hub.people.actions import find_person
from hub.people.actor import Actor
from hub.runs.actions import decide_run, perform_run, request_run, start_run
from hub.runs.model import RunOrder, RunStatus
from hub.workspaces.actions import Room

REASON = "逐行看过：只输出每格不少于十人的汇总，没有逐行数据。"


def sealed_run(
    hub: Hub,
    out: Terminal,
    room: Room,
    *,
    review: Callable[[Hub, Terminal, ExportRequest], None],
    release: Callable[[Hub, Terminal, ExportRequest], Path],
) -> None:
    """Do the two runs; the second one's outputs go through the gate.

    Raises:
        WalkFailed: A run did not end as it must, or its analyst could see what they must not.
    """
    failed = _run(hub, out, room, cells=LEAKING_CELLS, outputs=["leak.csv"])
    if failed.status is not RunStatus.FAILED or failed.failed_class != "ValueError":
        raise WalkFailed("the failing run did not end with its cell and class")
    out.line(
        msg(
            "{run} ended without outputs: cell {cell}, {kind}; what the error said is nowhere",
            run=failed.id,
            cell=failed.failed_cell,
            kind=failed.failed_class,
        )
    )
    done = _run(hub, out, room, cells=SEALED_CELLS, outputs=["disability.csv"])
    if done.status is not RunStatus.SUBMITTED or done.request_id is None:
        raise WalkFailed(f"the sealed run ended as {done.status} {done.outcome}")
    analyst = _actor(hub, room.person_id)
    request = find_request(hub, analyst, done.request_id)
    if may_preview(request, analyst):
        raise WalkFailed("the analyst could read the outputs of a sealed run before their release")
    out.line(
        msg(
            "{run} put its outputs into request {request}; its analyst cannot read them",
            run=done.id,
            request=request.id,
        )
    )
    review(hub, out, request)
    release(hub, out, request)
    if not may_preview(find_request(hub, analyst, request.id), analyst):
        raise WalkFailed("the analyst cannot read what was released")


def _run(hub: Hub, out: Terminal, room: Room, *, cells: tuple[str, ...], outputs: list[str]) -> RunOrder:
    """From the notebook to the end of its run; nobody waits for the minute to be full, because nobody is kept out."""
    name = outputs[0].replace(".csv", ".ipynb")
    (room.state_dir / "home" / name).write_bytes(_notebook(cells))
    run = request_run(
        hub,
        _actor(hub, room.person_id),
        workspace_id=room.workspace_id,
        notebook=name,
        title="各街道失能等级分布",
        purpose="供区民政局安排照护服务使用，只含汇总。",
        outputs=outputs,
        product_form=ProductForm.INDEX,
    )
    out.line(
        msg("{run}: {cells} cells frozen, sha256 {digest}", run=run.id, cells=run.notebook_cells, digest=run.digest)
    )
    for person in ("ky-expert", "bureau-reviewer"):
        try:
            decide_run(hub, _actor(hub, person), run_id=run.id, digest=run.digest, approve=True, reason=REASON)
        except HubError as error:
            out.refusals(error)
    start_run(hub, _actor(hub, "centre-operator"), run_id=run.id)
    return perform_run(hub, run_id=run.id, pause=lambda _: None)


def _notebook(cells: tuple[str, ...]) -> bytes:
    said: list[dict[str, object]] = [
        {"cell_type": "code", "execution_count": None, "id": f"c{n}", "metadata": {}, "outputs": [], "source": cell}
        for n, cell in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": said, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False).encode()


def _actor(hub: Hub, person_id: str) -> Actor:
    return find_person(hub, person_id).actor
