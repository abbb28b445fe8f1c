"""Pages of noisy statistics: budgets by table and licence, what was asked, what is left. No page says a figure."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from anonymize.privacy.dp.loss import Composition
from hub.errors import HubError
from hub.licensing.actions import find_licence, list_licences, refusals_to_work
from hub.licensing.model import Licence
from hub.message import msg
from hub.noisy.actions import ask_noisy, budgets, grant_budget, list_answers
from hub.noisy.model import AnswerStatus
from hub.people.rules import Verb, refusals_to_act
from hub.web.history import history
from hub.web.visit import Visit, Visited

router = APIRouter()

COMPOSITIONS = [
    (Composition.PURE.value, msg("pure: epsilons add up")),
    (Composition.ZCDP.value, msg("zcdp: rhos add up")),
]


@router.get("/noisy")
def listing(visit: Visited) -> Response:
    """The budgets under every licence the reader may see."""
    licences = list_licences(visit.hub, visit.actor)
    return visit.page(
        "noisy/list.html",
        licences=[(one, budgets(visit.hub, visit.actor, licence_id=one.id)) for one in licences],
    )


@router.get("/noisy/licences/{licence_id}")
def detail(visit: Visited, licence_id: str) -> Response:
    """The budgets of one licence, its requests, and the forms that grant and ask."""
    return _page(visit, find_licence(visit.hub, visit.actor, licence_id))


@router.post("/noisy/licences/{licence_id}/grant")
def grant(visit: Visited, licence_id: str) -> Response:
    """The bureau grants a budget on one table, or adds to it."""
    licence = find_licence(visit.hub, visit.actor, licence_id)
    try:
        grant_budget(
            visit.hub,
            visit.actor,
            licence_id=licence_id,
            table_id=visit.form.text("table"),
            composition=visit.form.one_of("composition", Composition),
            unit=visit.form.optional("privacy_unit"),
            amount=visit.form.text("amount"),
            delta=visit.form.optional("delta"),
            document_ref=visit.form.optional("document"),
        )
    except HubError as error:
        return _page(visit, licence, error)
    return visit.redirect("noisy/licences", licence_id, notice=msg("The budget is granted."))


@router.post("/noisy/licences/{licence_id}/ask")
def ask(visit: Visited, licence_id: str) -> Response:
    """An analyst asks; the answer lies in the workspace from its next opening on."""
    licence = find_licence(visit.hub, visit.actor, licence_id)
    try:
        answer = ask_noisy(visit.hub, visit.actor, licence_id=licence_id, text=visit.form.text("question"))
    except HubError as error:
        return _page(visit, licence, error)
    notice = (
        msg("Answer {answer} lies in the workspace from its next opening on.", answer=answer.id)
        if answer.status is AnswerStatus.ANSWERED
        else msg("Request {answer} was not answered; below is why.", answer=answer.id)
    )
    return visit.redirect("noisy/licences", licence_id, notice=notice)


def _page(visit: Visit, licence: Licence, error: HubError | None = None) -> Response:
    answers = list_answers(visit.hub, visit.actor, licence_id=licence.id)
    is_chinese = visit.language.code == "zh"
    return visit.page(
        "noisy/detail.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        licence=licence,
        budgets=budgets(visit.hub, visit.actor, licence_id=licence.id),
        answers=[(one, one.refusal_zh if is_chinese else one.refusal_en) for one in answers],
        compositions=COMPOSITIONS,
        grant_refusals=refusals_to_act(visit.actor, Verb.GRANT_BUDGET),
        ask_refusals=(
            *refusals_to_act(visit.actor, Verb.ASK_NOISY),
            *refusals_to_work(licence, visit.actor, visit.hub.clock()),
        ),
        events=history(visit.hub, visit.actor, *(one.id for one in answers)),
    )
