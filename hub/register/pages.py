"""Pages of the register: products, their registrations, objections, prices and use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from fastapi import APIRouter
from starlette.responses import Response

from hub.errors import HubError, NotAllowed, NotFound, unknown
from hub.gate.actions import find_request
from hub.gate.model import ExportRequest
from hub.licensing.actions import find_licence
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
    facts_of,
    find_product,
    list_products,
    meter_usage,
    meters_in_force,
    price_of,
    propose_product,
    usage_of,
)
from hub.register.amending import refusals_to_amend
from hub.register.amendments import (
    apply_amendment,
    deadline_of_amendment,
    decide_amendment,
    decide_objection,
    open_amendment,
)
from hub.register.charging import enter_cap, set_price
from hub.register.clock import status_on
from hub.register.disclosure import board, releases_without_product
from hub.register.materials import CHOICES, INPUTS, Input
from hub.register.model import (
    AMENDMENTS,
    REGISTRATION_MOVES,
    AmendmentStatus,
    ChargeUnit,
    DataProduct,
    ObjectionStatus,
    RegistrationField,
    RegistrationStatus,
    RegistrationType,
)
from hub.register.pricing import yuan
from hub.register.rules import BY_OTHERS
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.web.history import history
from hub.web.visit import Visit, Visited

router = APIRouter()

KIND_OF_INPUT: Mapping[Input, str] = {
    Input.LINE: "text",
    Input.TEXT: "area",
    Input.DAY: "date",
    Input.ROWS: "number",
    Input.DIGEST: "text",
}


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
        board=board(visit.hub, visit.actor),
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


def _stated(visit: Visit) -> dict[RegistrationField, str]:
    return {field: visit.form.optional(f"stated.{field}") for field in RegistrationField}


def _act(visit: Visit, product_id: str, step: str) -> None:
    hub, actor, form = visit.hub, visit.actor, visit.form
    match step:
        case "apply":
            apply_registration(hub, actor, product_id=product_id, stated=_stated(visit))
        case "decide":
            decide_registration(
                hub,
                actor,
                product_id=product_id,
                to=form.one_of("to", RegistrationStatus),
                reason=form.optional("reason"),
            )
        case "amend":
            apply_amendment(
                hub,
                actor,
                product_id=product_id,
                kind=form.one_of("kind", RegistrationType),
                grounds=form.optional("grounds"),
                proof=form.optional("proof"),
                name=form.optional("name"),
                description=form.optional("description"),
                stated=_stated(visit),
            )
        case "amendment":
            decide_amendment(
                hub,
                actor,
                product_id=product_id,
                amendment_id=form.text("amendment"),
                to=form.one_of("to", AmendmentStatus),
                reason=form.optional("reason"),
            )
        case "objection":
            decide_objection(
                hub,
                actor,
                product_id=product_id,
                objection_id=form.text("objection"),
                to=form.one_of("to", ObjectionStatus),
                reason=form.optional("reason"),
            )
        case "cap":
            enter_cap(
                hub,
                actor,
                product_id=product_id,
                unit=form.one_of("unit", ChargeUnit),
                yuan=form.optional("yuan"),
                document_ref=form.optional("document"),
                decided_on=form.day("decided_on"),
                review_by=form.day("review_by"),
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


def _fields(product: DataProduct) -> Iterator[tuple[RegistrationField, str, list[tuple[str, StrEnum]], str]]:
    """Each field with the kind of its input, its choices, and what it says now."""
    for field in RegistrationField:
        choices = [(one.value, one) for one in CHOICES.get(field, ())]
        yield field, KIND_OF_INPUT.get(INPUTS[field], ""), choices, product.stated.get(field.value, "")


def _page(visit: Visit, product: DataProduct, error: HubError | None = None) -> Response:
    licence = find_licence(visit.hub, visit.actor, product.licence_id)
    today, pack = district_day(visit.hub.clock()), pack_in_force(visit.hub.clock())
    due = deadline_of(visit.hub, product)
    with visit.hub.reading() as session:
        facts = facts_of(session, product)
        uscc = session.get_one(Organisation, product.operator_org).uscc
    own = visit.actor.org_id == product.operator_org
    now = status_on(product.status, product.valid_until, today)
    backwards = product.status is RegistrationStatus.OBJECTED
    moves = [] if backwards else [to for to in RegistrationStatus if to in REGISTRATION_MOVES[product.status]]
    charged = product.lane is Lane.INDUSTRY
    later = open_amendment(product)
    deadline = None if later is None else deadline_of_amendment(visit.hub, product, later)
    said = {RegistrationField(name): text for name, text in product.stated.items()}

    def against(kind: RegistrationType) -> object:
        return refusals_to_amend(
            facts,
            visit.actor,
            kind=kind,
            grounds="-" * 10,
            proof="0" * 64,
            name="",
            description="",
            changed=said,
            is_open=later is not None,
            today=today,
            pack=pack,
        )

    return visit.page(
        "register/product.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        product=product,
        now=now,
        licence=licence,
        uscc=uscc,
        due=due,
        timing=due.timing(today) if due else None,
        fields=list(_fields(product)),
        moves=[(to.value, to) for to in moves if to not in BY_OTHERS],
        may_apply=own and RegistrationStatus.APPLIED in moves and _may(visit, Verb.DESCRIBE_PRODUCT),
        may_decide=_may(visit, Verb.DECIDE_REGISTRATION),
        may_amend=own and product.code and _may(visit, Verb.DESCRIBE_PRODUCT),
        kinds=[(kind.value, kind, against(kind)) for kind in AMENDMENTS],
        later=later,
        later_due=deadline,
        later_timing=deadline.timing(today) if deadline else None,
        later_moves=[
            (to.value, to)
            for to in AmendmentStatus
            if later
            and later.status is not AmendmentStatus.OBJECTED
            and to in AMENDMENTS[later.type].get(later.status, ())
            if to is not AmendmentStatus.OBJECTED
        ],
        findings=[(to.value, to) for to in (ObjectionStatus.UPHELD, ObjectionStatus.DISMISSED)],
        may_judge=_may(visit, Verb.DECIDE_OBJECTION),
        charged=charged,
        units=[(unit.value, unit) for unit in ChargeUnit],
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
