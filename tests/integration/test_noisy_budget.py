"""The budget ledger under everything that happens to files: rivals, crashes, meddling, full disks. And its commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from anonymize.cli import main
from anonymize.errors import AnonymizeError, BadInput, NotFound, TargetNotMet
from anonymize.privacy.dp.account import Charge
from anonymize.privacy.dp.ledger import BudgetLedger
from anonymize.privacy.dp.loss import Composition, Loss
from anonymize.privacy.dp.noisy import ask
from tests.noisy_cases import COUNT, PEOPLE, SUM, granted, request_of, request_text

PROJECT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    PEOPLE.write_parquet(tmp_path / "people.parquet")
    return tmp_path / "people.parquet"


@pytest.fixture
def budget(tmp_path: Path) -> Path:
    granted(tmp_path / "budget.jsonl")
    return tmp_path / "budget.jsonl"


def _ask(source: Path, budget: Path, *queries: dict[str, Any], licence: str = "L-1", **changes: Any) -> dict[str, Any]:
    request = request_of(*(queries or (COUNT,)), **changes)
    return ask(source=source, request=request, licence=licence, budget=budget, now=NOW)


def _left(budget: Path) -> Decimal:
    (account,) = BudgetLedger(budget).accounts()
    return account.left.amount


def _charge(amount: str = "1", **changes: Any) -> Charge:
    content: dict[str, Any] = {
        "table": "people",
        "licence": "L-1",
        "unit": "id",
        "composition": Composition.PURE,
        "source": "a" * 64,
        "request": "b" * 64,
        "loss": Loss(amount=Decimal(amount)),
    }
    return Charge(**{**content, **changes})


def _child(code: str, *arguments: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], cwd=PROJECT)


def test_answer_says_what_it_cost_and_how_it_was_made(table: Path, budget: Path) -> None:
    given = _ask(table, budget, COUNT, {**SUM, "epsilon": 0.5})
    assert given["spent"] == {"epsilon": "1.5", "delta": "0"}
    assert _left(budget) == Decimal("3.5")
    count, total = given["results"]
    assert count["mechanism"]["privacy_map"]["epsilon"] <= 1
    assert total["mechanism"]["name"] == "discrete Laplace"
    assert count["accuracy"]["confidence"] == 0.95
    assert count["columns"] == {"value": "Int64", "low": "Int64", "high": "Int64"}


def test_neither_ledger_nor_answer_tell_more_than_they_should(table: Path, budget: Path) -> None:
    """No answer in the ledger; in the answer no digest of the raw table, by which a guess of it could be confirmed."""
    given = json.dumps(_ask(table, budget))
    entries = [json.loads(line) for line in budget.read_text().splitlines()]
    assert set(entries[1]) == {
        "n", "previous", "kind", "at", "table", "licence", "source", "request", "amount", "delta",
    }  # fmt: skip
    assert set(entries[2]) == {"n", "previous", "kind", "at", "spent", "answer"}
    assert entries[1]["source"] not in given


def test_same_request_gets_the_same_answer_free_of_charge(table: Path, budget: Path) -> None:
    first, second = _ask(table, budget), _ask(table, budget)
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert {**first, "repeated": True} == second
    assert _left(budget) == 4


def test_new_delivery_is_a_new_question_out_of_the_old_budget(table: Path, budget: Path) -> None:
    _ask(table, budget)
    pl.concat([PEOPLE, PEOPLE.head(1)]).write_parquet(table)
    assert _ask(table, budget)["repeated"] is False
    assert _left(budget) == 3


def test_other_licence_has_a_budget_of_its_own_or_none(table: Path, budget: Path) -> None:
    with pytest.raises(BadInput) as refused:
        _ask(table, budget, licence="L-2")
    assert refused.value.code == "budget.not_granted"
    granted(budget, licence="L-2", amount="1")
    _ask(table, budget, licence="L-2")
    assert [account.left.amount for account in BudgetLedger(budget).accounts()] == [5, 0]


def test_spent_budget_refuses_and_says_what_is_left(table: Path, budget: Path) -> None:
    _ask(table, budget, {**COUNT, "epsilon": 4.9})
    with pytest.raises(TargetNotMet) as refused:
        _ask(table, budget, {**COUNT, "epsilon": 0.2})
    assert refused.value.code == "budget.spent"
    assert "left is epsilon 0.1" in refused.value.sentence("en")
    assert "只剩 epsilon 0.1" in refused.value.sentence("zh")
    _ask(table, budget, {**COUNT, "epsilon": 0.1})
    assert _left(budget) == 0


@pytest.mark.parametrize(
    "changes", [{"unit": "town"}, {"unit": None, "max_rows": None}, {"composition": "zcdp"}], ids=str
)
def test_unit_and_composition_are_the_granted_ones(table: Path, budget: Path, changes: dict[str, Any]) -> None:
    query = {"kind": "count", "rho": 0.1} if "composition" in changes else COUNT
    with pytest.raises(BadInput) as refused:
        _ask(table, budget, query, **changes)
    assert refused.value.code == "budget.terms"
    assert _left(budget) == 5


def test_delivery_is_not_asked_about_under_two_names(table: Path, budget: Path) -> None:
    granted(budget, table="alias")
    _ask(table, budget)
    with pytest.raises(BadInput) as refused:
        _ask(table, budget, table="alias")
    assert refused.value.code == "budget.same_source"


def test_refused_column_costs_nothing(table: Path, budget: Path) -> None:
    with pytest.raises(BadInput):
        _ask(table, budget, COUNT, {**SUM, "column": "outcome"})
    assert _left(budget) == 5


def test_rhos_add_up_under_zcdp(table: Path, tmp_path: Path) -> None:
    granted(tmp_path / "z.jsonl", amount="0.3", composition=Composition.ZCDP)
    for number in range(3):
        _ask(table, tmp_path / "z.jsonl", {"kind": "count", "rho": 0.1, "name": f"n{number}"}, composition="zcdp")
    assert _left(tmp_path / "z.jsonl") == 0


def test_grants_add_up_to_the_limit_and_no_further(budget: Path) -> None:
    granted(budget, amount="5", delta="0")
    for amount, delta in (("0.1", "0"), ("0", "0"), ("-1", "0"), ("0.1", "0.000001")):
        with pytest.raises(BadInput) as refused:
            granted(budget, amount=amount, delta=delta)
        assert refused.value.code == "budget.limit"
    with pytest.raises(BadInput) as refused:
        granted(budget, unit="town")
    assert refused.value.code == "budget.terms"
    assert _left(budget) == 10


def test_two_processes_never_spend_the_same_money(budget: Path) -> None:
    """Three processes want 20 times 0.1 each; 5 pays for 50 of the 60."""
    code = (
        "import sys, time; from decimal import Decimal; from pathlib import Path\n"
        "from anonymize.errors import TargetNotMet\n"
        "from anonymize.privacy.dp.account import Charge\n"
        "from anonymize.privacy.dp.ledger import BudgetLedger\n"
        "from anonymize.privacy.dp.loss import Composition, Loss\n"
        "charge = Charge(table='people', licence='L-1', unit='id', composition=Composition.PURE, source='a' * 64,"
        " request='b' * 64, loss=Loss(amount=Decimal('0.1')))\n"
        "ledger = Path(sys.argv[1]); paid = 0\n"
        "(ledger.parent / f'ready{sys.argv[2]}').touch()\n"
        "while not (ledger.parent / 'go').exists(): time.sleep(0.001)\n"
        "for _ in range(20):\n"
        "    try: BudgetLedger(ledger).spend(charge); paid += 1\n"
        "    except TargetNotMet: pass\n"
        "sys.exit(paid)"
    )
    children = [_child(code, budget, Path(str(number))) for number in range(3)]
    while len(list(budget.parent.glob("ready*"))) < 3 and all(child.poll() is None for child in children):
        time.sleep(0.01)
    (budget.parent / "go").touch()
    assert sum(child.wait(timeout=120) for child in children) == 50
    assert _left(budget) == 0
    assert len(budget.read_bytes().splitlines()) == 51


def test_kill_between_spending_and_answer_costs_the_money(table: Path, budget: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from anonymize.privacy.dp import noisy\n"
        "from tests.integration.test_noisy_budget import _ask\n"
        "noisy.answer = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "_ask(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    assert _child(code, table, budget).wait(timeout=120) == -signal.SIGKILL
    assert _left(budget) == 4
    assert list(budget.parent.glob("budget.jsonl.answers/*")) == []
    assert _ask(table, budget)["repeated"] is False
    assert _left(budget) == 3


def test_torn_last_line_counts_for_nothing_and_is_replaced(budget: Path) -> None:
    """Its writer died before the line was whole, and so before any noise was drawn."""
    with budget.open("ab") as file:
        file.write(b'{"n":2,"previous":"00')
    assert _left(budget) == 5
    BudgetLedger(budget).spend(_charge())
    assert _left(budget) == 4
    assert [json.loads(line)["n"] for line in budget.read_text().splitlines()] == [1, 2]


def test_no_noise_is_drawn_when_the_disk_does_not_take_the_entry(
    table: Path, budget: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(BadInput) as refused:
        BudgetLedger(budget).spend(_charge())
    assert refused.value.code == "output.not_written"
    with pytest.raises(BadInput):
        _ask(table, budget)
    assert list(budget.parent.glob("budget.jsonl.answers/*")) == []


def _meddled(lines: list[bytes], how: str) -> list[bytes]:
    match how:
        case "changed":
            return [lines[0].replace(b'"5"', b'"9"'), *lines[1:]]
        case "removed":
            return [lines[0], lines[2]]
        case "reordered":
            return [lines[0], lines[2], lines[1]]
        case "garbage":
            return [*lines, b"{}\n"]
        case "unknown kind":
            return [lines[0].replace(b"granted", b"granden"), *lines[1:]]
    return [lines[0].replace(b'"5"', b'"-5"'), *lines[1:]]


@pytest.mark.parametrize("how", ["changed", "removed", "reordered", "garbage", "unknown kind", "negative"])
def test_meddled_ledger_answers_nothing(table: Path, budget: Path, how: str) -> None:
    BudgetLedger(budget).spend(_charge())
    BudgetLedger(budget).spend(_charge())
    budget.write_bytes(b"".join(_meddled(budget.read_bytes().splitlines(keepends=True), how)))
    for act in (
        lambda: _ask(table, budget),
        lambda: BudgetLedger(budget).spend(_charge()),
        lambda: granted(budget, licence="L-3"),
    ):
        with pytest.raises(BadInput) as refused:
            act()
        assert refused.value.code == "budget.damaged"


def test_ledger_that_is_missing_or_a_link_is_refused(table: Path, budget: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as refused:
        _ask(table, tmp_path / "none.jsonl")
    assert refused.value.code == "budget.no_ledger"
    (tmp_path / "link.jsonl").symlink_to(budget)
    (tmp_path / "folder.jsonl").mkdir()
    for name in ("link.jsonl", "folder.jsonl"):
        with pytest.raises(AnonymizeError):
            _ask(table, tmp_path / name)
        with pytest.raises(AnonymizeError):
            granted(tmp_path / name)


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_lost_answer_is_refused_and_not_drawn_again(table: Path, budget: Path, how: str) -> None:
    _ask(table, budget)
    (kept,) = budget.parent.glob("budget.jsonl.answers/*.json")
    if how == "gone":
        kept.unlink()
    else:
        kept.write_text("{}")
    with pytest.raises(BadInput) as refused:
        _ask(table, budget)
    assert refused.value.code == "budget.answer_lost"
    assert _left(budget) == 4


# -- commands ----------------------------------------------------------------------------------------------------------


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def _granting(ledger: Path, *more: str) -> Result:
    return _run("budget", ledger, "--grant", "people", "--licence", "L-1", "--basis", "decision 17", *more)


def test_commands_grant_ask_and_show(table: Path, tmp_path: Path) -> None:
    ledger, request, out = tmp_path / "b.jsonl", tmp_path / "r.toml", tmp_path / "answer.json"
    request.write_text(request_text(COUNT), encoding="utf-8")
    assert _granting(ledger, "--unit", "id", "--epsilon", "1.5").exit_code == 0
    call = ["noisy", table, "--request", request, "--budget", ledger, "--licence", "L-1"]
    asked = _run(*call, "--out", out, "--json")
    assert asked.exit_code == 0
    assert json.loads(asked.output) == json.loads(out.read_text(encoding="utf-8"))
    words = _run(*call, "--language", "en")
    assert "spent epsilon 1; answered before, free this time" in words.output
    assert "已消耗 epsilon 1；此前已答复，本次不计费" in _run(*call).output
    shown = json.loads(_run("budget", ledger, "--json").output)["accounts"]
    assert [(one["granted"], one["left"]) for one in shown] == [
        ({"epsilon": "1.5", "delta": "0"}, {"epsilon": "0.5", "delta": "0"})
    ]
    assert (
        "people / L-1：批准 epsilon 1.5；已用 epsilon 1；剩余 epsilon 0.5；请求 1 次" in _run("budget", ledger).output
    )


def test_refusal_of_a_spent_budget_leaves_with_its_code_and_no_file(table: Path, tmp_path: Path) -> None:
    ledger, request = tmp_path / "b.jsonl", tmp_path / "r.toml"
    request.write_text(request_text({**COUNT, "epsilon": 2}), encoding="utf-8")
    _granting(ledger, "--row-is-unit", "--epsilon", "1")
    call = ["noisy", table, "--request", request, "--budget", ledger, "--licence", "L-1", "--json"]
    assert json.loads(_run(*call).output.splitlines()[0])["refused"]["code"] == "budget.terms"
    request.write_text(request_text({**COUNT, "epsilon": 2}, unit=None, max_rows=None), encoding="utf-8")
    refused = _run(*call, "--out", tmp_path / "answer.json")
    assert refused.exit_code == 24
    assert not (tmp_path / "answer.json").exists()


@pytest.mark.parametrize(
    "more",
    [
        ["--epsilon", "1"],
        ["--unit", "id"],
        ["--unit", "id", "--epsilon", "1", "--rho", "1"],
        ["--unit", "id", "--row-is-unit", "--epsilon", "1"],
        ["--unit", "id", "--epsilon", "nan"],
        ["--unit", "id", "--epsilon", "one"],
    ],
    ids=" ".join,
)
def test_half_a_grant_is_bad_usage(tmp_path: Path, more: list[str]) -> None:
    assert _granting(tmp_path / "b.jsonl", *more).exit_code == 2
    assert not (tmp_path / "b.jsonl").exists()


def test_rho_is_also_said_as_an_epsilon(tmp_path: Path) -> None:
    shown = _granting(tmp_path / "b.jsonl", "--unit", "id", "--rho", "0.5", "--language", "en").output
    assert "granted rho 0.5 (that is epsilon 5.7566 at delta 1e-06)" in shown


def test_opendp_is_loaded_by_noisy_queries_alone() -> None:
    code = "import anonymize.cli, sys; sys.exit('opendp' in sys.modules)"
    assert _child(code).wait(timeout=60) == 0
