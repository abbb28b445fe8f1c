"""Grant budgets, ask for noisy statistics, keep the answers: spent and written down first, computed afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import select
from sqlalchemy.orm import Session

from anonymize.errors import AnonymizeError
from anonymize.privacy.dp.loss import MAX_AMOUNT, MAX_DELTA, Composition, plain
from anonymize.privacy.dp.queries import NoisyRequest
from anonymize.privacy.dp.request import parse_request
from anonymize.table import file_digest, write_parquet
from hub.catalog.actions import published_table
from hub.context import Hub, Transaction
from hub.errors import InvalidInput, InvalidState, NotAllowed, NotFound, Refusal, unknown
from hub.extracts.actions import raw_path
from hub.intake.model import RawFile
from hub.ledger.events import EventKind
from hub.licensing.actions import (
    licence_in,
    licence_to_work,
    list_licences,
    may_see,
    terms_of,
    usable_licence,
    visible_licence,
)
from hub.licensing.model import Licence
from hub.licensing.rules import refusals_to_use
from hub.message import both, msg
from hub.noisy.model import AnswerStatus, NoisyAnswer, PrivacyBudget
from hub.noisy.rules import (
    SCOPE_BASIS,
    Amount,
    BudgetFacts,
    TableFacts,
    refusals_to_ask,
    refusals_to_end,
    refusals_to_grant,
)
from hub.noisy.worker import Drawn, NotDrawn, run_worker
from hub.numbering import newest_first, next_id
from hub.people.actor import SYSTEM, Actor
from hub.people.rules import Verb
from hub.wording import refusals_of_words


def grant_budget(
    hub: Hub,
    actor: Actor,
    *,
    licence_id: str,
    table_id: str,
    composition: Composition,
    unit: str,
    amount: str,
    delta: str,
    document_ref: str,
) -> PrivacyBudget:
    """Grant a budget on a table, or add to it. `unit` empty: each row is a person.

    Raises:
        NotFound: There is no such licence or table.
        NotAllowed: The licence is not usable now, or a rule stands against it.
        InvalidInput: An amount is no decimal number.
    """
    with hub.transaction(actor, Verb.GRANT_BUDGET, licence_id) as tx:
        visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, lines=[document_ref]), InvalidInput)
        licence = usable_licence(tx.session, licence_id, tx.now)
        wanted = Amount(amount=_decimal(amount, "amount"), delta=_decimal(delta or "0", "delta"))
        tx.refuse(
            refusals_to_grant(
                actor=actor,
                licence_id=licence_id,
                operator_org=licence.operator_org,
                table=_table_facts(tx.session, licence, table_id),
                budget=budget_of(tx.session, licence_id, table_id),
                composition=composition,
                unit=unit.strip(),
                wanted=wanted,
                limit=Amount(amount=MAX_AMOUNT[composition], delta=MAX_DELTA),
                document_ref=document_ref,
            ),
            NotAllowed,
        )
        budget = PrivacyBudget(
            id=next_id(tx.session, "b"),
            licence_id=licence_id,
            table_id=table_id,
            composition=str(composition),
            unit=unit.strip(),
            amount=plain(wanted.amount),
            delta=plain(wanted.delta),
            document_ref=document_ref.strip(),
            granted_by=actor.person_id,
            granted_at=tx.now,
        )
        tx.session.add(budget)
        tx.session.flush()
        tx.record(
            EventKind.BUDGET_GRANTED,
            "privacy_budget",
            budget.id,
            licence_id=licence_id,
            cited_basis=[SCOPE_BASIS],
            details={"table": table_id, "composition": str(composition), **_price(budget.amount, budget.delta)},
        )
        return budget


def ask_noisy(hub: Hub, actor: Actor, *, licence_id: str, text: str) -> NoisyAnswer:
    """Spend for a request (TOML), then let the worker answer it. Runs for seconds.

    The same request about the same delivery is answered by what was answered before, free of charge.

    Raises:
        NotFound: There is no such licence, or it is another operator's; or no such table.
        NotAllowed: The licence is not usable now, or a rule stands against it; nothing was spent.
        InvalidInput: It is no request; nothing was spent.
    """
    try:
        request = parse_request(text)
    except AnonymizeError as refused:
        with hub.recording_refusals(actor, Verb.ASK_NOISY, licence_id):
            raise InvalidInput(_of_request(licence_id, refused)) from refused
    answer, source = _spend(hub, actor, licence_id, text, request)
    if source is None:
        return answer
    folder = hub.folders.answers / answer.id
    try:
        made = run_worker(source=source, text=text, request=request, licence_id=licence_id, folder=folder / "work")
        return _end(hub, answer.id, made, folder)
    finally:
        _discard(hub, answer.id)


def _spend(
    hub: Hub, actor: Actor, licence_id: str, text: str, request: NoisyRequest
) -> tuple[NoisyAnswer, Path | None]:
    """Write the price down before anything is computed. No source: it was answered before."""
    with hub.transaction(actor, Verb.ASK_NOISY, licence_id) as tx:
        visible_licence(tx.session, licence_id, actor)
        licence = licence_to_work(tx.session, licence_id, actor, tx.now)
        table = published_table(tx.session, request.table)
        known = select(NoisyAnswer).where(
            NoisyAnswer.licence_id == licence_id,
            NoisyAnswer.request_digest == request.digest,
            NoisyAnswer.source_digest == table.raw_digest,
            NoisyAnswer.status == AnswerStatus.ANSWERED,
        )
        repeated = tx.session.scalar(known)
        facts = _table_facts(tx.session, licence, table.id)
        free = Amount(amount=Decimal(0), delta=Decimal(0))
        price = Amount(amount=request.loss.amount, delta=request.loss.delta)
        tx.refuse(
            refusals_to_ask(
                actor=actor,
                licence_id=licence_id,
                operator_org=licence.operator_org,
                table=facts,
                budget=budget_of(tx.session, licence_id, table.id),
                composition=str(request.composition),
                unit=request.unit or "",
                columns={column for query in request.queries for column in query.columns},
                price=free if repeated is not None else price,
            ),
            NotAllowed,
        )
        if repeated is not None:
            return repeated, None
        answer = NoisyAnswer(
            id=next_id(tx.session, "y"),
            licence_id=licence_id,
            table_id=table.id,
            request=text,
            request_digest=request.digest,
            source_digest=table.raw_digest,
            amount=plain(price.amount),
            delta=plain(price.delta),
            status=AnswerStatus.COMPUTING,
            asked_by=actor.person_id,
            asked_at=tx.now,
        )
        tx.session.add(answer)
        tx.session.flush()
        tx.record(
            EventKind.BUDGET_SPENT,
            "noisy_answer",
            answer.id,
            digest=request.digest,
            licence_id=licence_id,
            details={
                "table": table.id,
                "source": table.raw_digest,
                "composition": str(request.composition),
                **_price(answer.amount, answer.delta),
            },
        )
        folder = hub.folders.answers / answer.id
        folder.mkdir(mode=0o700)
        return answer, raw_path(hub, tx.session.get_one(RawFile, table.raw_digest))


def _end(hub: Hub, answer_id: str, made: Drawn | NotDrawn, folder: Path) -> NoisyAnswer:
    """Keep the results as files, and write down how it ended. The licence is asked again."""
    digests = {} if isinstance(made, NotDrawn) else _keep(made.answer, folder)
    with hub.transaction(SYSTEM, Verb.ASK_NOISY, answer_id) as tx:
        answer = tx.session.get_one(NoisyAnswer, answer_id)
        tx.refuse(refusals_to_end(answer_id=answer_id, status=answer.status), InvalidState)
        ended = refusals_to_use(terms_of(licence_in(tx.session, answer.licence_id)), tx.now)
        if ended and isinstance(made, Drawn):
            made = NotDrawn(
                code=ended[0].rule,
                zh="计算期间授权运营协议已到期或被暂停，答案不予采用；已消耗的预算不予退还。",
                en="The licence ended or was suspended meanwhile; the answer is not used. What was spent stays spent.",
                is_lost=True,
            )
        if isinstance(made, Drawn):
            answer.status, answer.digests, answer.finished_at = AnswerStatus.ANSWERED, digests, tx.now
            tx.record(
                EventKind.NOISY_ANSWERED,
                "noisy_answer",
                answer_id,
                digest=answer.request_digest,
                licence_id=answer.licence_id,
                counters={"results": len(digests)},
                details={"table": answer.table_id, "files": " ".join(sorted(digests.values()))},
            )
        else:
            end_without_answer(tx, answer, made)
        return answer


def end_without_answer(tx: Transaction, answer: NoisyAnswer, why: NotDrawn) -> None:
    """Write down that a request has no answer, and whether its price stays spent."""
    answer.status = AnswerStatus.LOST if why.is_lost else AnswerStatus.REFUSED
    answer.refusal_code, answer.refusal_zh, answer.refusal_en = why.code, why.zh, why.en
    answer.finished_at = tx.now
    tx.record(
        EventKind.NOISY_REFUSED,
        "noisy_answer",
        answer.id,
        digest=answer.request_digest,
        licence_id=answer.licence_id,
        decision=answer.status,
        reason_codes=[why.code],
    )


def end_cut_off_answers(hub: Hub) -> None:
    """What a crash of the service cut off is lost: noise may have been drawn."""
    with hub.reading() as session:
        query = select(NoisyAnswer.id).where(NoisyAnswer.status == AnswerStatus.COMPUTING)
        cut_off = list(session.scalars(query))
    why = NotDrawn(
        code="noisy.interrupted",
        zh="平台在计算过程中停止，没有给出答案；已消耗的预算不予退还。",
        en="The service stopped while it was computed. What was spent stays spent.",
        is_lost=True,
    )
    for answer_id in cut_off:
        with hub.transaction(SYSTEM, Verb.ASK_NOISY, answer_id) as tx:
            end_without_answer(tx, tx.session.get_one(NoisyAnswer, answer_id), why)
        _discard(hub, answer_id)


def budget_of(session: Session, licence_id: str, table_id: str) -> BudgetFacts | None:
    """What is granted and spent on a table under a licence; None: nothing was granted."""
    mine = (PrivacyBudget.licence_id == licence_id, PrivacyBudget.table_id == table_id)
    grants = list(session.scalars(select(PrivacyBudget).where(*mine).order_by(PrivacyBudget.granted_at)))
    if not grants:
        return None
    paid = select(NoisyAnswer).where(
        NoisyAnswer.licence_id == licence_id,
        NoisyAnswer.table_id == table_id,
        NoisyAnswer.status != AnswerStatus.REFUSED,
    )
    return BudgetFacts(
        composition=grants[0].composition,
        unit=grants[0].unit,
        granted=_sum(grants),
        spent=_sum(list(session.scalars(paid))),
    )


def budgets(hub: Hub, actor: Actor, *, licence_id: str) -> dict[str, BudgetFacts | None]:
    """The budget of every table of a licence that the actor may see."""
    with hub.reading() as session:
        licence = visible_licence(session, licence_id, actor)
        return {row.table_id: budget_of(session, licence_id, row.table_id) for row in licence.tables}


def list_answers(hub: Hub, actor: Actor, *, licence_id: str | None = None) -> list[NoisyAnswer]:
    """Answers under licences that the actor may see, newest first. None of them says a figure."""
    seen = {licence.id for licence in list_licences(hub, actor)}
    with hub.reading() as session:
        found = session.scalars(select(NoisyAnswer).order_by(*newest_first(NoisyAnswer.id)))
        return [one for one in found if one.licence_id in seen and licence_id in (None, one.licence_id)]


def find_answer(hub: Hub, actor: Actor, answer_id: str) -> NoisyAnswer:
    """One answer, if the actor may see its licence.

    Raises:
        NotFound: There is none, or none for this actor.
    """
    with hub.reading() as session:
        answer = session.get(NoisyAnswer, answer_id)
        if answer is None or not may_see(licence_in(session, answer.licence_id).operator_org, actor):
            raise NotFound(unknown(answer_id))
        return answer


def answers_in_use(session: Session, licence_id: str) -> Sequence[NoisyAnswer]:
    """The answers that lie in workspaces of a licence."""
    query = select(NoisyAnswer).where(NoisyAnswer.licence_id == licence_id, NoisyAnswer.status == AnswerStatus.ANSWERED)
    return list(session.scalars(query.order_by(NoisyAnswer.id)))


def result_path(hub: Hub, answer_id: str, name: str) -> Path:
    """Where the file of one result lies."""
    return hub.folders.answers / answer_id / f"{name}.parquet"


def _keep(given: dict[str, Any], folder: Path) -> dict[str, str]:
    """Each result as a typed table of its own; the digests of the files, by the query's name."""
    digests = {}
    for result in given["results"]:
        path = folder / f"{result['name']}.parquet"
        schema = {name: getattr(pl, dtype) for name, dtype in result["columns"].items()}
        write_parquet(pl.DataFrame(result["rows"], schema=schema), path)
        digests[result["name"]] = file_digest(path)
    return digests


def _discard(hub: Hub, answer_id: str) -> None:
    """Leave nothing on the disk but the results of an answer."""
    folder = hub.folders.answers / answer_id
    shutil.rmtree(folder / "work", ignore_errors=True)
    with hub.reading() as session:
        if session.get_one(NoisyAnswer, answer_id).status is not AnswerStatus.ANSWERED:
            shutil.rmtree(folder, ignore_errors=True)


def _table_facts(session: Session, licence: Licence, table_id: str) -> TableFacts:
    table = published_table(session, table_id)
    covered = {row.table_id: frozenset(row.columns) for row in licence.tables}
    return TableFacts(
        id=table.id,
        classes={column.name: column.column_class for column in table.columns},
        licensed=covered.get(table.id),
    )


def _sum(rows: Sequence[PrivacyBudget] | Sequence[NoisyAnswer]) -> Amount:
    return Amount(
        amount=sum((Decimal(row.amount) for row in rows), Decimal(0)),
        delta=sum((Decimal(row.delta) for row in rows), Decimal(0)),
    )


def _price(amount: str, delta: str) -> dict[str, str]:
    return {"amount": amount, "delta": delta}


def _decimal(said: str, field: str) -> Decimal:
    try:
        number = Decimal(said.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or len(f"{number:f}") > 24:
        raise InvalidInput(
            Refusal(
                rule="noisy.number",
                subject=field,
                text=msg("An amount of a budget is a decimal number, such as 0.5."),
                next_step=msg("Enter it in digits."),
                basis=SCOPE_BASIS,
            )
        )
    return number


def _of_request(licence_id: str, refused: AnonymizeError) -> Refusal:
    """The anonymizer's own words on what is no request."""
    return Refusal(
        rule=refused.code,
        subject=licence_id,
        text=both(en=refused.text.en, zh=refused.text.zh),
        next_step=both(en=refused.next_step.en, zh=refused.next_step.zh),
        basis=SCOPE_BASIS,
    )
