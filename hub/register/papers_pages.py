"""Pages of the register beside its products: the public view, objections, incomes, yearly papers."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from hub.errors import HubError, InvalidInput, NotFound, Refusal, unknown
from hub.licensing.actions import find_licence
from hub.licensing.model import Lane
from hub.message import msg
from hub.people.actor import OrgKind
from hub.people.rules import Verb, refusals_to_act
from hub.register.amendments import raise_objection
from hub.register.charging import account_in, deviation_in, enter_account, permit_income, permitted_in, years_of
from hub.register.codes import is_query_code
from hub.register.disclosure import in_notice, public_register, registration_of
from hub.register.model import ChargeUnit, PaperKind
from hub.register.papers import FIRST_YEAR, draft, owed, papers, publish_paper, yearly_disclosure
from hub.register.pricing import yuan
from hub.rulebook.model import district_day
from hub.web.history import history
from hub.web.visit import Visit, Visited

router = APIRouter()


@router.get("/register/public")
def public(visit: Visited, code: str = "") -> Response:
    """What everyone may read of the register: subject, type, name, description; and the look-up of a query code."""
    return _public(visit, code=code.strip()[:40])


@router.post("/register/public/objections")
def objection(visit: Visited) -> Response:
    """Object to what stands in public notice."""
    form = visit.form
    try:
        raised = raise_objection(
            visit.hub,
            visit.actor,
            product_id=form.text("product"),
            objector=form.optional("objector"),
            contact=form.optional("contact"),
            grounds=form.optional("grounds"),
            evidence=form.optional("evidence"),
        )
    except NotFound:
        raise
    except HubError as error:
        return _public(visit, error=error)
    notice = msg("Objection {objection} is entered; the bureau decides on it.", objection=raised.id)
    return visit.redirect("register/public", notice=notice)


def _public(visit: Visit, *, code: str = "", error: HubError | None = None) -> Response:
    return visit.page(
        "register/public.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled if error else {"code": code},
        entries=public_register(visit.hub),
        asked=code,
        is_code=is_query_code(code),
        found=registration_of(visit.hub, code),
        objectable=[(product, entry.name) for product, entry in in_notice(visit.hub)],
        may_object=not refusals_to_act(visit.actor, Verb.RAISE_OBJECTION),
        for_outsiders=not refusals_to_act(visit.actor, Verb.DECIDE_OBJECTION),
    )


@router.get("/register/disclosure")
def disclosure(visit: Visited, year: int | None = None) -> Response:
    """The yearly disclosure as the facts stand now."""
    shown = _year(visit, year)
    latest = district_day(visit.hub.clock()).year
    return visit.page(
        "register/disclosure.html",
        year=shown,
        years=range(latest, FIRST_YEAR - 1, -1),
        disclosed=yearly_disclosure(visit.hub, year=shown),
        units={unit.value: unit for unit in ChargeUnit},
        lanes={lane.value: lane for lane in Lane},
    )


@router.get("/register/disclosure.json")
def disclosure_file(visit: Visited, year: int | None = None) -> Response:
    """The same as JSON."""
    shown = _year(visit, year)
    return _file(yearly_disclosure(visit.hub, year=shown), f"disclosure-{shown}.json")


@router.get("/register/papers")
def yearly_papers(visit: Visited) -> Response:
    """Yearly papers: what is owed, and what was published."""
    return _papers(visit)


@router.post("/register/papers")
def publish(visit: Visited) -> Response:
    """Publish a yearly paper of the reader's organisation."""
    try:
        publish_paper(visit.hub, visit.actor, kind=visit.form.one_of("kind", PaperKind), year=visit.form.number("year"))
    except HubError as error:
        return _papers(visit, error)
    return visit.redirect("register/papers", notice=msg("The paper is published and kept as it is."))


@router.get("/register/papers/draft.json")
def paper_draft(visit: Visited, kind: PaperKind, year: int) -> Response:
    """A paper of the reader's organisation as it would be published now."""
    if (kind is PaperKind.BODY_DISCLOSURE) != (visit.actor.org_kind is OrgKind.BUREAU):
        raise NotFound(unknown(kind))
    with visit.hub.reading() as session:
        content = draft(visit.hub, session, kind=kind, org_id=visit.actor.org_id, year=_year(visit, year))
    return _file(content, f"{kind}-{year}-draft.json")


@router.get("/register/papers/{paper_id}")
def paper_file(visit: Visited, paper_id: int) -> Response:
    """A published paper as it is kept."""
    found = next((paper for paper in papers(visit.hub, visit.actor) if paper.id == paper_id), None)
    if found is None:
        raise NotFound(unknown(str(paper_id)))
    return _file(found.content, f"{found.kind}-{found.year}-{found.id}.json")


def _papers(visit: Visit, error: HubError | None = None) -> Response:
    today = district_day(visit.hub.clock())
    bureau = visit.actor.org_kind is OrgKind.BUREAU
    mine = [kind for kind in PaperKind if (kind is PaperKind.BODY_DISCLOSURE) == bureau]
    return visit.page(
        "register/papers.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        owed=[(paper, paper.due.timing(today)) for paper in owed(visit.hub, visit.actor)],
        published=papers(visit.hub, visit.actor),
        kinds=[(kind.value, kind) for kind in mine],
        years=[(str(year), str(year)) for year in range(today.year - 1, FIRST_YEAR - 1, -1)],
        may_publish=not refusals_to_act(visit.actor, Verb.PUBLISH_PAPER),
    )


@router.get("/register/income/{licence_id}")
def income(visit: Visited, licence_id: str) -> Response:
    """Permitted incomes and accounts of a licence, year by year."""
    return _income(visit, licence_id)


@router.post("/register/income/{licence_id}/{step}")
def enter_income(visit: Visited, licence_id: str, step: str) -> Response:
    """Enter a permitted income, or the account of a year."""
    form = visit.form
    try:
        if step == "permit":
            permit_income(
                visit.hub,
                visit.actor,
                licence_id=licence_id,
                year=form.number("year"),
                yuan=form.optional("yuan"),
                bond_yield=form.optional("bond_yield"),
                profit_rate=form.optional("profit_rate"),
                document_ref=form.optional("document"),
                decided_on=form.day("decided_on"),
                review_by=form.day("review_by"),
            )
        elif step == "account":
            enter_account(
                visit.hub,
                visit.actor,
                licence_id=licence_id,
                year=form.number("year"),
                income=form.optional("income"),
                cost=form.optional("cost"),
                book_ref=form.optional("books"),
            )
        else:
            raise NotFound(unknown(step))
    except NotFound:
        raise
    except HubError as error:
        return _income(visit, licence_id, error)
    return visit.redirect("register/income", licence_id, notice=msg("The entry is made."))


def _income(visit: Visit, licence_id: str, error: HubError | None = None) -> Response:
    licence = find_licence(visit.hub, visit.actor, licence_id)
    years = years_of(licence)
    with visit.hub.reading() as session:
        rows = [
            (
                year,
                permitted_in(session, licence_id, year),
                account_in(session, licence_id, year),
                deviation_in(visit.hub, session, licence_id, year),
            )
            for year in years
        ]
    own = visit.actor.org_id == licence.operator_org
    return visit.page(
        "register/income.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        licence=licence,
        rows=rows,
        years=[(str(year), str(year)) for year in years],
        yuan=yuan,
        charged=licence.lane is Lane.INDUSTRY,
        may_permit=licence.lane is Lane.INDUSTRY and not refusals_to_act(visit.actor, Verb.PERMIT_INCOME),
        may_account=own and not refusals_to_act(visit.actor, Verb.ENTER_ACCOUNT),
        events=history(visit.hub, visit.actor, licence_id),
    )


def _file(content: object, name: str) -> Response:
    return JSONResponse(content, headers={"content-disposition": f'attachment; filename="{name}"'})


def _year(visit: Visit, year: int | None) -> int:
    latest = district_day(visit.hub.clock()).year
    shown = latest if year is None else year
    if FIRST_YEAR <= shown <= latest:
        return shown
    raise InvalidInput(
        Refusal(
            rule="disclosure.year",
            subject="-",
            text=msg("There is a disclosure for the years {first} to {last}.", first=FIRST_YEAR, last=latest),
            next_step=msg("Choose one of these years."),
            basis="公共数据资源授权运营实施规范（试行） 第十八条至第十九条",
        )
    )
