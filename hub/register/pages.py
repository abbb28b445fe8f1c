"""Pages of the register: products, registration, price, use, the public view, the yearly disclosure."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from hub.errors import HubError, InvalidInput, NotAllowed, NotFound, Refusal, unknown
from hub.gate.actions import find_request
from hub.gate.model import ExportRequest
from hub.licensing.actions import find_licence, find_scenario
from hub.licensing.model import Lane
from hub.message import msg
from hub.people.model import Organisation
from hub.people.rules import Verb, refusals_to_act
from hub.products.actions import find_release
from hub.register.actions import (
    apply_registration,
    caps_of,
    deadline_of,
    deadline_of_release,
    decide_registration,
    enter_cap,
    facts_of,
    find_product,
    list_products,
    meter_usage,
    meters_in_force,
    price_of,
    propose_product,
    renew_registration,
    set_price,
    usage_of,
)
from hub.register.disclosure import public_register, releases_without_product, yearly_disclosure
from hub.register.model import REGISTRATION_MOVES, ChargeUnit, DataProduct, RegistrationField, RegistrationStatus
from hub.register.pricing import yuan
from hub.register.rules import refusals_to_renew
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.web.history import history
from hub.web.visit import Visit, Visited

router = APIRouter()

FIRST_YEAR = 2025
"""The year in which the rules on registration and disclosure came into force."""

LINES = frozenset({RegistrationField.CONTACT, RegistrationField.RISK_LEVEL, RegistrationField.RISK_DATE})


@router.get("/register")
def listing(visit: Visited) -> Response:
    """Products the reader may see in full, and releases that wait to be entered."""
    today = district_day(visit.hub.clock())
    return visit.page(
        "register/list.html",
        products=[
            (product, due, due.timing(today) if due else None)
            for product in list_products(visit.hub, visit.actor)
            for due in (deadline_of(visit.hub, product),)
        ],
        waiting=[
            (request, release, due, due.timing(today) if due else None)
            for request, release in releases_without_product(visit.hub, visit.actor)
            for due in (deadline_of_release(visit.hub, release.delivered_at),)
        ],
        may_describe=not refusals_to_act(visit.actor, Verb.DESCRIBE_PRODUCT),
    )


@router.get("/register/public")
def public(visit: Visited) -> Response:
    """What everyone may read of the register: subject, type, name, description."""
    return visit.page("register/public.html", entries=public_register(visit.hub))


@router.get("/register/disclosure")
def disclosure(visit: Visited, year: int | None = None) -> Response:
    """The yearly disclosure."""
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
    return JSONResponse(
        yearly_disclosure(visit.hub, year=shown),
        headers={"content-disposition": f'attachment; filename="disclosure-{shown}.json"'},
    )


@router.get("/register/new/{request_id}")
def new(visit: Visited, request_id: str) -> Response:
    """The form that enters a released request as a product."""
    refusals = refusals_to_act(visit.actor, Verb.DESCRIBE_PRODUCT)
    if refusals:
        raise NotAllowed(*refusals)
    return _new(visit, find_request(visit.hub, visit.actor, request_id))


@router.post("/register/new/{request_id}")
def propose(visit: Visited, request_id: str) -> Response:
    """Enter a released request as a product."""
    request = find_request(visit.hub, visit.actor, request_id)
    try:
        product = propose_product(
            visit.hub,
            visit.actor,
            request_id=request_id,
            name=visit.form.optional("name"),
            description=visit.form.optional("description"),
        )
    except NotFound:
        raise
    except HubError as error:
        return _new(visit, request, error)
    notice = msg("{product} is in the register; apply for its registration next.", product=product.id)
    return visit.redirect("register/products", product.id, notice=notice)


def _new(visit: Visit, request: ExportRequest, error: HubError | None = None) -> Response:
    if find_release(visit.hub, visit.actor, request.id) is None:
        raise NotFound(unknown(request.id))
    return visit.page(
        "register/new.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        request=request,
    )


@router.get("/register/products/{product_id}")
def detail(visit: Visited, product_id: str) -> Response:
    """One product: statements, registration, price, use, history."""
    return _page(visit, find_product(visit.hub, visit.actor, product_id))


@router.post("/register/products/{product_id}/{step}")
def act(visit: Visited, product_id: str, step: str) -> Response:
    """One step on a product: apply, decide, renew, cap, price or meter."""
    product = find_product(visit.hub, visit.actor, product_id)
    try:
        _act(visit, product_id, step)
    except NotFound:
        raise
    except HubError as error:
        return _page(visit, product, error)
    return visit.redirect("register/products", product_id, notice=msg("The entry is made."))


def _act(visit: Visit, product_id: str, step: str) -> None:
    hub, actor, form = visit.hub, visit.actor, visit.form
    match step:
        case "apply":
            stated = {field: form.optional(f"stated.{field}") for field in RegistrationField}
            apply_registration(hub, actor, product_id=product_id, stated=stated)
        case "decide":
            decide_registration(
                hub,
                actor,
                product_id=product_id,
                to=form.one_of("to", RegistrationStatus),
                reason=form.optional("reason"),
                code=form.optional("code"),
            )
        case "renew":
            renew_registration(hub, actor, product_id=product_id)
        case "cap":
            enter_cap(
                hub,
                actor,
                product_id=product_id,
                unit=form.one_of("unit", ChargeUnit),
                yuan=form.optional("yuan"),
                document_ref=form.optional("document"),
            )
        case "price":
            set_price(
                hub, actor, product_id=product_id, unit=form.one_of("unit", ChargeUnit), yuan=form.optional("yuan")
            )
        case "meter":
            meter_usage(
                hub,
                actor,
                product_id=product_id,
                unit=form.one_of("unit", ChargeUnit),
                amount=form.number("amount"),
                first=form.day("first"),
                last=form.day("last"),
                corrects=form.number("corrects") if form.optional("corrects") else None,
            )
        case _:
            raise NotFound(unknown(step))


def _page(visit: Visit, product: DataProduct, error: HubError | None = None) -> Response:
    licence = find_licence(visit.hub, visit.actor, product.licence_id)
    today, pack = district_day(visit.hub.clock()), pack_in_force(visit.hub.clock())
    due = deadline_of(visit.hub, product)
    with visit.hub.reading() as session:
        facts = facts_of(session, product)
        uscc = session.get_one(Organisation, product.operator_org).uscc
    own = visit.actor.org_id == product.operator_org
    moves = [to for to in RegistrationStatus if to in REGISTRATION_MOVES[product.status]]
    charged = product.lane is Lane.INDUSTRY
    units = [(unit.value, unit) for unit in ChargeUnit]
    return visit.page(
        "register/product.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        product=product,
        licence=licence,
        scenario=find_scenario(visit.hub, visit.actor, licence.scenario_id),
        uscc=uscc,
        due=due,
        timing=due.timing(today) if due else None,
        fields=[(field, field in LINES) for field in RegistrationField],
        moves=[(to.value, to) for to in moves if to is not RegistrationStatus.APPLIED],
        may_apply=own and RegistrationStatus.APPLIED in moves and _may(visit, Verb.DESCRIBE_PRODUCT),
        may_decide=_may(visit, Verb.DECIDE_REGISTRATION),
        is_coded=product.status is RegistrationStatus.CODED,
        renew_refusals=refusals_to_renew(facts, visit.actor, today=today, pack=pack),
        charged=charged,
        units=units,
        caps=[(cap, yuan(cap.fen)) for cap in product.caps],
        capped=caps_of(product),
        price=price_of(product),
        yuan=yuan,
        may_cap=charged and _may(visit, Verb.ENTER_CAP),
        may_price=charged and own and _may(visit, Verb.SET_PRICE),
        may_meter=own and _may(visit, Verb.METER_USAGE),
        meters=product.meters,
        in_force={row.id for row in meters_in_force(product)},
        usage=usage_of(product),
        today=today,
        events=history(visit.hub, visit.actor, product.id),
    )


def _may(visit: Visit, verb: Verb) -> bool:
    return not refusals_to_act(visit.actor, verb)


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
            basis="实施规范 第十八条至第十九条",
        )
    )
