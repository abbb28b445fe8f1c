"""Budgets and noisy answers through the hub: granted, spent before drawn, kept by digest, mounted, destroyed."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anonymize.privacy.dp.loss import Composition
from hub.catalog.actions import mark_state_secret
from hub.closing.actions import close_licence
from hub.context import Hub
from hub.errors import ChecksFailed, InvalidInput, NotAllowed, NotFound
from hub.ledger.actions import read_entries
from hub.ledger.events import EventKind
from hub.licensing.actions import suspend_licence, terminate_licence
from hub.noisy import actions
from hub.noisy.actions import (
    ask_noisy,
    budgets,
    end_cut_off_answers,
    find_answer,
    grant_budget,
    list_answers,
    result_path,
)
from hub.noisy.model import AnswerStatus, NoisyAnswer
from hub.noisy.worker import NotDrawn
from hub.workspaces.actions import close_workspace, mount_extracts, open_workspace
from tests import factories
from tests.factories import actor
from tests.integration.web_house import open_house
from tests.noisy_cases import request_text

LICENCE, TABLE = "l-0001", "clinic_visits"
COUNT: dict[str, Any] = {"kind": "count", "epsilon": 1}
STREETS: dict[str, Any] = {"kind": "histogram", "epsilon": 1, "columns": {"street": {"categories": ["S0", "S1"]}}}


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return factories.working(tmp_path / "site")


def _grant(hub: Hub, amount: str = "3", *, by: str = "bureau-officer", **changes: Any) -> str:
    given: dict[str, Any] = {
        "licence_id": LICENCE,
        "table_id": TABLE,
        "composition": Composition.PURE,
        "unit": "serial",
        "amount": amount,
        "delta": "0.00001",
        "document_ref": "2026-17",
    }
    return grant_budget(hub, actor(hub, by), **{**given, **changes}).id


def _ask(hub: Hub, *queries: dict[str, Any], by: str = "ky-analyst", **changes: Any) -> NoisyAnswer:
    text = request_text(*queries, **{"table": TABLE, "unit": "serial", **changes})
    return ask_noisy(hub, actor(hub, by), licence_id=LICENCE, text=text)


def _left(hub: Hub) -> Decimal:
    budget = budgets(hub, actor(hub, "bureau-officer"), licence_id=LICENCE)[TABLE]
    assert budget is not None
    return budget.left.amount


def _codes(refused: pytest.ExceptionInfo[Any]) -> set[str]:
    return {refusal.rule for refusal in refused.value.refusals}


def test_answer_is_spent_for_kept_by_digest_and_mounted(hub: Hub) -> None:
    _grant(hub)
    answer = _ask(hub, COUNT, STREETS)
    assert (answer.status, _left(hub)) == (AnswerStatus.ANSWERED, 1)
    assert set(answer.digests) == {"q0", "q1"}
    streets = pl.read_parquet(result_path(hub, answer.id, "q1"))
    assert streets["street"].to_list() == ["S0", "S1", None]
    assert all(abs(value - 80) < 60 for value in streets["value"])  # at scale 2 farther with probability 1e-13
    open_workspace(hub, actor(hub, "ky-analyst"), licence_id=LICENCE)
    mounted = mount_extracts(hub, actor(hub, "ky-analyst"), workspace_id="w-0001")
    assert {one.name for one in mounted if one.level == ""} == {f"{answer.id}_q0", f"{answer.id}_q1"}


def test_every_step_is_an_event_and_none_says_a_figure(hub: Hub) -> None:
    budget = _grant(hub)
    answer = _ask(hub, COUNT)
    with hub.reading() as session:
        said = [entry for entry in read_entries(session) if {budget, answer.id} & set(entry.body.split('"'))][::-1]
    assert [entry.kind for entry in said] == [
        EventKind.BUDGET_GRANTED,
        EventKind.BUDGET_SPENT,
        EventKind.NOISY_ANSWERED,
    ]
    figure = str(pl.read_parquet(result_path(hub, answer.id, "q0"))["value"][0])
    assert not any(re.search(rf"\b{figure}\b", entry.body) for entry in said if len(figure) > 2)


def test_nothing_but_results_is_left_on_the_disk(hub: Hub) -> None:
    _grant(hub)
    answer = _ask(hub, COUNT)
    assert [path.name for path in (hub.folders.answers / answer.id).iterdir()] == ["q0.parquet"]


def test_same_request_is_answered_once(hub: Hub) -> None:
    _grant(hub, "1")
    first = _ask(hub, COUNT)
    assert _ask(hub, COUNT).id == first.id
    assert _left(hub) == 0


def test_spent_budget_refuses_and_costs_nothing(hub: Hub) -> None:
    _grant(hub, "1.5")
    _ask(hub, COUNT)
    with pytest.raises(NotAllowed) as refused:
        _ask(hub, STREETS)
    assert _codes(refused) == {"noisy.spent"}
    assert _left(hub) == Decimal("0.5")
    _grant(hub, "0.5", delta="0")
    assert _ask(hub, STREETS).status is AnswerStatus.ANSWERED


@pytest.mark.parametrize(
    ("query", "changes", "code"),
    [
        ({**COUNT, "where": {"serial": ["N00001"]}}, {}, "noisy.column"),
        ({**COUNT, "where": {"nothing": ["x"]}}, {}, "noisy.column"),
        (COUNT, {"unit": "street"}, "noisy.terms"),
        (COUNT, {"unit": None, "max_rows": None}, "noisy.terms"),
        ({**COUNT, "epsilon": 3.1}, {}, "noisy.spent"),
    ],
)
def test_question_that_may_not_be_asked_costs_nothing(
    hub: Hub, query: dict[str, Any], changes: dict[str, Any], code: str
) -> None:
    _grant(hub)
    with pytest.raises(NotAllowed) as refused:
        _ask(hub, query, **changes)
    assert _codes(refused) == {code}
    assert _left(hub) == 3


def test_request_that_is_none_is_refused_in_the_anonymizers_words(hub: Hub) -> None:
    with pytest.raises(InvalidInput) as refused:
        _ask(hub, {**COUNT, "epsilon": 0})
    assert _codes(refused) == {"noisy.request"}


def test_without_a_budget_nothing_is_answered(hub: Hub) -> None:
    with pytest.raises(NotAllowed) as refused:
        _ask(hub, COUNT)
    assert _codes(refused) == {"noisy.no_budget"}


def test_only_the_operators_analysts_ask_and_only_the_bureau_grants(hub: Hub) -> None:
    _grant(hub)
    with pytest.raises(NotFound):
        _ask(hub, COUNT, by="ps-analyst")
    for person in ("centre-operator", "bureau-officer"):
        with pytest.raises(NotAllowed):
            _ask(hub, COUNT, by=person)
    for person in ("ky-admin", "ky-analyst", "mz-steward"):
        with pytest.raises(NotAllowed):
            _grant(hub, by=person)


@pytest.mark.parametrize("amount", ["much", "nan", "1e-30"])
def test_amount_is_a_number(hub: Hub, amount: str) -> None:
    with pytest.raises(InvalidInput):
        _grant(hub, amount)


def test_licence_and_table_are_asked_again(hub: Hub) -> None:
    _grant(hub)
    mark_state_secret(hub, actor(hub, "mz-steward"), table_id=TABLE, reason="演示：事后发现涉密。")
    with pytest.raises(NotAllowed) as refused:
        _ask(hub, COUNT)
    assert _codes(refused) == {"licence.state_secret"}
    suspend_licence(hub, actor(hub, "bureau-officer"), licence_id=LICENCE, reason="演示：暂停使用。")
    with pytest.raises(NotAllowed):
        _ask(hub, COUNT)
    assert _left(hub) == 3


def test_worker_that_draws_nothing_costs_nothing(hub: Hub) -> None:
    """The file behind the table is not what the catalog says: the worker refuses before it spends its voucher."""
    _grant(hub)
    (raw,) = [path for path in hub.folders.raw.iterdir() if path.suffix]
    raw.write_text("id,town\np1,A\n")
    answer = _ask(hub, STREETS)
    assert (answer.status, answer.refusal_code) == (AnswerStatus.REFUSED, "column.not_found")
    assert _left(hub) == 3
    assert not (hub.folders.answers / answer.id).exists()


def test_crash_after_spending_stays_spent(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    _grant(hub)

    def dies(**_: Any) -> NotDrawn:
        raise KeyboardInterrupt

    monkeypatch.setattr(actions, "run_worker", dies)
    with pytest.raises(KeyboardInterrupt):
        _ask(hub, COUNT)
    assert _left(hub) == 2
    end_cut_off_answers(hub)
    (answer,) = list_answers(hub, actor(hub, "ky-analyst"))
    assert (answer.status, answer.refusal_code, _left(hub)) == (AnswerStatus.LOST, "noisy.interrupted", 2)


def test_changed_result_is_not_mounted(hub: Hub) -> None:
    _grant(hub)
    answer = _ask(hub, COUNT)
    result_path(hub, answer.id, "q0").write_bytes(b"other")
    open_workspace(hub, actor(hub, "ky-analyst"), licence_id=LICENCE)
    with pytest.raises(ChecksFailed):
        mount_extracts(hub, actor(hub, "ky-analyst"), workspace_id="w-0001")


def test_answer_of_another_operator_is_unknown(hub: Hub) -> None:
    _grant(hub)
    answer = _ask(hub, COUNT)
    assert find_answer(hub, actor(hub, "auditor"), answer.id).id == answer.id
    with pytest.raises(NotFound):
        find_answer(hub, actor(hub, "ps-analyst"), answer.id)


def test_answers_are_destroyed_with_their_licence(tmp_path: Path) -> None:
    watch = factories.Watch()
    hub = factories.working(tmp_path / "site", clock=watch)
    _grant(hub)
    answer = _ask(hub, COUNT)
    officer = actor(hub, "bureau-officer")
    close_workspace(hub, workspace_id="w-0001", reason="licence")
    terminate_licence(hub, officer, licence_id=LICENCE, reason="演示：协议终止。")
    close_licence(
        hub, officer, licence_id=LICENCE, typed=LICENCE, reason="演示：办理退出手续。", usage_gap="演示：没有产品。"
    )
    assert find_answer(hub, officer, answer.id).status is AnswerStatus.DESTROYED
    assert not (hub.folders.answers / answer.id).exists()


def test_pages_grant_ask_and_show_what_is_left_and_no_figure(hub: Hub) -> None:
    page = f"noisy/licences/{LICENCE}"
    grant = {"table": TABLE, "composition": "pure", "privacy_unit": "serial", "amount": "2", "document": "2026-17"}
    question = {"question": request_text({**COUNT, "name": "people"}, table=TABLE, unit="serial")}
    with open_house(hub) as house:
        officer, analyst = house.browser_of("bureau-officer"), house.browser_of("ky-analyst")
        for person in (officer, analyst):
            assert person.get(page).status_code == 200
        assert "noisy.no_budget" in analyst.post(f"{page}/ask", question).text
        assert officer.post(f"{page}/grant", grant).status_code == 303
        assert officer.post(f"{page}/grant", {**grant, "amount": "9"}).status_code == 403
        assert analyst.post(f"{page}/ask", question).status_code == 303
        assert analyst.post(f"{page}/ask", {"question": "format = "}).status_code == 422
        shown = analyst.get(page).text
        listed = officer.get("noisy").text
    (answer,) = list_answers(hub, actor(hub, "ky-analyst"))
    assert f"{answer.id}_people" in shown
    cells = re.findall(r'<td class="num">([0-9.]+)', listed)
    assert cells == ["2", "1", "1"]
