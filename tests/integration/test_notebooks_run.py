"""The notebooks for analysts, each run from top to bottom by a kernel in a real box on the demonstration extract."""

import asyncio
import json
import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from anonymize.ladder import build_rung
from anonymize.pipeline import build_extract
from anonymize.policy import load_policy
from anonymize.rung import Rung
from hub.demo.tables import write_elder_care
from hub.runs.notebook import Notebook, read_notebook
from sandbox.client import Ran, connect
from sandbox.outbox import list_items
from sandbox.sealed import Ending, run_sealed
from sandbox.spec import Limits, ReadOnlyMount, WorkspaceSpec
from sandbox.uids import allot_uid
from sandbox.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
HEADER = "演示数据,与真实个人和企业无关"


def cells(path: Path, kind: str) -> list[str]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == kind]


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extract")
    write_elder_care(folder / "mz_elder_care.csv")
    return build_extract(
        source=folder / "mz_elder_care.csv",
        policy=load_policy(ROOT / "hub/demo/policies/mz_elder_care.toml"),
        key=secrets.token_bytes(32),
        out_dir=folder / "out",
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
    ).extract_path


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic")
    write_elder_care(folder / "mz_elder_care.csv", rows=3000)
    return build_rung(
        rung=Rung.SYNTHETIC,
        source=folder / "mz_elder_care.csv",
        policy=load_policy(ROOT / "hub/demo/policies/mz_elder_care.toml"),
        key=secrets.token_bytes(32),
        out_dir=folder / "out",
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
    ).extract_path


async def run_in_a_box(
    codes: list[str], *, state: Path, extract: Path, level: str = "full"
) -> tuple[list[Ran], Workspace]:
    """Every cell in a kernel of a workspace that is started for it and stopped after; stops at the first error."""
    uid = allot_uid(state / "uids", "w-notebooks") if os.geteuid() == 0 else None
    token = secrets.token_hex(16)
    workspace = Workspace(
        WorkspaceSpec(
            workspace_id="w-notebooks",
            state_dir=state / "w",
            uid=uid,
            gid=uid,
            extracts=(ReadOnlyMount(name="mz_elder_care", source=extract, level=level),),
            server_env={"ZHAKOU_TOKEN": token},
            language="zh",
        )
    )
    socket = await workspace.start()
    ran = []
    try:
        async with connect(socket, token=token) as client, client.kernel() as kernel:
            for code in codes:
                ran.append(await kernel.execute(code, seconds=120))
                if ran[-1].error:
                    break
    finally:
        await workspace.stop()
    return ran, workspace


def run(path: Path, tmp_path: Path, extract: Path, *more: str) -> tuple[list[Ran], Workspace]:
    return asyncio.run(run_in_a_box([*cells(path, "code"), *more], state=tmp_path, extract=extract))


def shown(ran: Ran) -> str:
    """All text a cell showed, of whatever kind."""
    return json.dumps([message["content"] for message in ran.messages], ensure_ascii=False)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_stored_without_outputs_and_says_that_its_data_are_invented(notebook: Path) -> None:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    assert HEADER in cells(notebook, "markdown")[0]
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert len(code) >= 4
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []


def test_first_look_runs_in_a_box_and_finds_the_repeated_records(tmp_path: Path, extract: Path) -> None:
    ran, workspace = run(ROOT / "notebooks/01-first-look.zh.ipynb", tmp_path, extract)
    assert [one.error for one in ran if one.error] == []
    assert re.search(r"重复 (5[89]|60)\b", "".join(one.stdout for one in ran))
    assert "image/png" in shown(ran[-1])
    assert list_items(workspace.outbox_dir) == []


def test_elder_demand_ends_with_a_result_that_may_be_submitted(tmp_path: Path, extract: Path) -> None:
    ran, workspace = run(ROOT / "notebooks/02-elder-demand.ipynb", tmp_path, extract, "print(rehearsal.verdict)")
    assert [one.error for one in ran if one.error] == []
    (item,) = list_items(workspace.outbox_dir)
    assert (item.payload, item.refused) == ("elder-demand.csv", None)
    result = pl.read_csv(workspace.outbox_dir / item.slug / item.payload)
    assert result.columns == ["street_code", "group", "people"]
    assert result.height == 20
    assert result["people"].min() >= 10
    assert (result["people"] % 5).sum() == 0
    assert ran[-1].stdout == "pass\n"


def test_ladder_notebook_runs_unchanged_on_the_synthetic_sample_and_sealed_on_the_full_extract(
    tmp_path: Path, extract: Path, synthetic: Path
) -> None:
    path = ROOT / "notebooks/03-ladder.ipynb"
    state = tmp_path / "a"
    state.mkdir()
    ran, workspace = asyncio.run(run_in_a_box(cells(path, "code"), state=state, extract=synthetic, level="synthetic"))
    assert [one.error for one in ran if one.error] == []
    assert "synthetic" in ran[1].stdout
    assert "编造" in shown(ran[0])
    assert [item.payload for item in list_items(workspace.outbox_dir)] == ["care-levels.csv"]
    content = path.read_bytes()
    read = read_notebook(content, "w-0001")
    assert isinstance(read, Notebook)
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    mount = ReadOnlyMount(name="mz_elder_care", source=extract, level="full")
    ended = run_sealed(content, extracts=[mount], outbox=outbox, limits=Limits(), seconds=120, cells=len(read.cells))
    assert ended.ending is Ending.FINISHED
    (item,) = list_items(outbox)
    result = pl.read_csv(outbox / item.slug / item.payload)
    assert (item.payload, result.columns) == ("care-levels.csv", ["street_code", "care_level", "people"])
    assert result["people"].min() >= 10


def test_the_cells_in_both_readmes_run_and_pass_the_rehearsal(tmp_path: Path, extract: Path) -> None:
    codes = []
    for readme in ("README.md", "README.zh-CN.md"):
        text = (ROOT / readme).read_text(encoding="utf-8")
        codes += re.findall(r"```python\n(.+?)```", text, flags=re.DOTALL)
    assert len(codes) == 2
    codes.append("print(outbox.rehearse().verdict)")
    ran, workspace = asyncio.run(run_in_a_box(codes, state=tmp_path, extract=extract))
    assert [one.error for one in ran] == [None, None, None]
    assert ran[-1].stdout == "pass\n"
    assert len(list_items(workspace.outbox_dir)) == 2
