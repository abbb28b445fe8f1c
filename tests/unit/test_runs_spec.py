"""The tables of `tests/specs/runs.md`, asked of the rules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from hub.errors import Refusal
from hub.people.actor import Actor, OrgKind, Role
from hub.runs.model import RunStatus
from hub.runs.notebook import Notebook, read_notebook
from hub.runs.rules import (
    RunFacts,
    refusals_of_notebook,
    refusals_of_rate,
    refusals_of_waiting,
    refusals_to_decide,
    refusals_to_end,
    refusals_to_request,
    refusals_to_start,
    refusals_to_withdraw,
)
from tests.spec_tables import Row, rows

ANALYST = Actor(
    person_id="分析师甲",
    org_id="开发主体乙",
    org_kind=OrgKind.DEVELOPER,
    roles=frozenset({Role.ANALYST}),
    attached_to="运营机构甲",
)
REVIEWER = Actor(
    person_id="数据局审核员", org_id="区数据局", org_kind=OrgKind.BUREAU, roles=frozenset({Role.COMPLIANCE_REVIEWER})
)
CENTRE = Actor(
    person_id="运营员", org_id="区城运中心", org_kind=OrgKind.CENTRE, roles=frozenset({Role.CENTRE_OPERATOR})
)
DIGESTS = {"这份笔记本": "1" * 64, "另一份笔记本": "2" * 64}


def book(*sources: object, kind: str = "code", **changes: Any) -> dict[str, Any]:
    cells = [{"cell_type": kind, "metadata": {}, "source": source, "outputs": []} for source in sources]
    return {"cells": cells, "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, **changes}


def with_cell(**more: Any) -> dict[str, Any]:
    plain = book("x = 1")
    plain["cells"][0] |= more
    return plain


BOOKS: Final[Mapping[str, object]] = {
    "普通笔记本": book("x = 1"),
    "两兆字节": book("x" * 2**21),
    "不是笔记本": "hello",
    "嵌套极深": b"[" * 100_000,
    "第 3 版": book("x = 1", nbformat=3),
    "没有单元格": {"nbformat": 4},
    "单元格不是文字": book([1, 2]),
    "没有写明内核": book("x = 1", metadata={}),
    "其他内核": book("x = 1", metadata={"kernelspec": {"name": "bash"}}),
    "内核不是名称": book("x = 1", metadata={"kernelspec": ["python3"]}),
    "代码与文本": {**book("x = 1"), "cells": [*book("x = 1")["cells"], *book("# t", kind="markdown")["cells"]]},
    "只有文本": book("# t", kind="markdown"),
    "原始单元格": {**book("x = 1"), "cells": [*book("x = 1")["cells"], *book("r", kind="raw")["cells"]]},
    "四百个单元格": book(*["x = 1"] * 400),
    "六千行": book("x = 1\n" * 6000),
    "含输出": with_cell(outputs=[{"output_type": "stream", "name": "stdout", "text": "1"}]),
    "含附件": with_cell(attachments={"a.png": {}}),
    "取余运算": book(["x = 7\n", "y = x % 2"]),
    "终端命令": book("x = 1\n  !ls"),
    "魔法命令": book("%%bash\nls"),
    "帮助命令": book("?print"),
    "中文注释": book("x = 1  # 按街道汇总\n\ty = 2"),
    "反向符号": book("x = 1  # \u202e"),
    "零宽符号": book("x\u200b = 1"),
    "回车换行": book("x = 1  # 无害\rimport os"),
    "半个字符": book("x = '\ud800'"),
}


def facts(row: Row, state: RunStatus) -> RunFacts:
    return RunFacts(
        id="n-0001",
        status=row.word("state", RunStatus, state),
        digest=DIGESTS["这份笔记本"],
        author_id=ANALYST.person_id,
        author_org=ANALYST.org_id,
        operator_org="运营机构甲",
        builders=frozenset({"制作人"}),
        reviewers=frozenset({REVIEWER.person_id}),
    )


def request(row: Row) -> Sequence[Refusal]:
    return refusals_to_request(
        actor=row.actor(ANALYST),
        owner_id=row.text("owner", ANALYST.person_id),
        workspace_id="w-0001",
        title=row.text("title", "街道需求"),
        purpose=row.text("purpose", "供站点选址使用，每格至少十人"),
        outputs=row.texts("outputs", ["demand.csv"]),
        full_extracts=row.number("full extracts", 1),
    )


def rate(row: Row) -> Sequence[Refusal]:
    return refusals_of_rate("l-0001", started=row.number("started", 0), most=row.number("most", 10))


def waiting(row: Row) -> Sequence[Refusal]:
    return refusals_of_waiting("l-0001", waiting=row.number("waiting", 0), most=row.number("most", 5))


def decide(row: Row) -> Sequence[Refusal]:
    return refusals_to_decide(
        facts(row, RunStatus.IN_REVIEW),
        row.actor(REVIEWER),
        digest=DIGESTS[row.text("shown", "这份笔记本")],
        reason=row.text("reason", "逐行看过，只输出汇总表"),
    )


def start(row: Row) -> Sequence[Refusal]:
    return refusals_to_start(facts(row, RunStatus.APPROVED), row.actor(CENTRE))


def withdraw(row: Row) -> Sequence[Refusal]:
    return refusals_to_withdraw(facts(row, RunStatus.IN_REVIEW), row.actor(ANALYST))


def end(row: Row) -> Sequence[Refusal]:
    return refusals_to_end(facts(row, RunStatus.RUNNING))


def kept(row: Row) -> Sequence[Refusal]:
    found = DIGESTS[row.text("kept", "这份笔记本")]
    return refusals_of_notebook("n-0001", reviewed=DIGESTS["这份笔记本"], found=found)


def notebook(row: Row) -> Sequence[Refusal]:
    said = BOOKS[row.text("notebook", "普通笔记本")]
    read = read_notebook(said if isinstance(said, bytes) else json.dumps(said).encode(), "w-0001")
    return () if isinstance(read, Notebook) else read


@pytest.mark.parametrize("row", rows("runs"), ids=str)
def test_runs_as_their_tables_say(row: Row) -> None:
    asks = {"request": request, "rate": rate, "decide": decide, "start": start, "withdraw": withdraw}
    row.holds(asks | {"end": end, "kept": kept, "notebook": notebook, "waiting": waiting})


def test_reviewer_reads_every_line_that_runs() -> None:
    read = read_notebook(json.dumps(book(["x = 1\n", "y = 2"], "z = 3")).encode(), "w-0001")
    assert isinstance(read, Notebook)
    assert [(cell.number, cell.lines) for cell in read.cells] == [(1, ("x = 1", "y = 2")), (2, ("z = 3",))]


def test_developer_of_the_operator_does_not_review_its_code() -> None:
    colleague = replace(REVIEWER, org_id="另一开发主体", attached_to="运营机构甲", org_kind=OrgKind.DEVELOPER)
    run = RunFacts(
        id="n-0001",
        status=RunStatus.IN_REVIEW,
        digest="1" * 64,
        author_id="分析师甲",
        author_org="运营机构甲",
        operator_org="运营机构甲",
        builders=frozenset(),
    )
    found = {one.rule for one in refusals_to_decide(run, colleague, digest="1" * 64, reason="逐行看过，只输出汇总表")}
    assert "run.own" in found
