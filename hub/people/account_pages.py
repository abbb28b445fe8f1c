"""Pages of accounts and organisations: the bureau opens, changes and closes them, and confirms what takes two."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from hub.errors import HubError, NotFound, unknown
from hub.message import msg
from hub.people.account_rules import refusals_to_decide_change
from hub.people.accounts import (
    Changed,
    appoint_person,
    change_roles,
    close_account,
    confirm_change,
    declare_interests,
    decline_change,
    list_changes,
    reset_sign_in,
    sign_in_state,
    sign_out_person,
)
from hub.people.actions import list_people
from hub.people.actor import OrgKind, Role
from hub.people.model import ORGANISATION_MOVES, ChangeStatus, Organisation, OrganisationStatus, Person
from hub.people.organisations import found_organisation, list_organisations, move_organisation
from hub.people.rules import HOME, Verb, refusals_to_act
from hub.people.sign_in import live_sessions
from hub.web.history import history
from hub.web.language import end_of_day
from hub.web.visit import Visit, Visited

router = APIRouter()

_TOUCHING = (
    Verb.CHANGE_ROLES,
    Verb.DECLARE_INTERESTS,
    Verb.RESET_SIGN_IN,
    Verb.END_SESSIONS,
    Verb.CLOSE_ACCOUNT,
)


@router.get("/people/new")
def new(visit: Visited) -> Response:
    """The form that opens an account."""
    return _new_page(visit)


@router.post("/people/new")
def open_account(visit: Visited) -> Response:
    """Open an account, or propose it where that takes two."""
    form = visit.form
    try:
        opened = appoint_person(
            visit.hub,
            visit.actor,
            person_id=form.text("id"),
            name_zh=form.text("name_zh"),
            name_en=form.text("name_en"),
            org_id=form.text("org"),
            roles=_roles(visit),
            access_until=end_of_day(form.day("last_day")) if form.optional("last_day") else None,
        )
    except HubError as error:
        return _new_page(visit, error)
    return _after(visit, opened, msg("The account {id} is open.", id=opened.person.id))


@router.get("/people/{person_id}/account")
def account(visit: Visited, person_id: str) -> Response:
    """One account: state, roles, sessions, history, and what the bureau may do with it."""
    return _account_page(visit, person_id)


@router.post("/people/{person_id}/roles")
def roles(visit: Visited, person_id: str) -> Response:
    """Other roles, at once or proposed."""
    try:
        changed = change_roles(visit.hub, visit.actor, person_id=person_id, roles=_roles(visit))
    except HubError as error:
        return _account_page(visit, person_id, error)
    return _after(visit, changed, msg("The roles of {id} are changed.", id=person_id))


@router.post("/people/{person_id}/interests")
def interests(visit: Visited, person_id: str) -> Response:
    """Organisations in which the person declared an interest."""
    try:
        given = frozenset(visit.form.many("interests"))
        declare_interests(visit.hub, visit.actor, person_id=person_id, interests=given)
    except HubError as error:
        return _account_page(visit, person_id, error)
    return visit.redirect(
        "people", person_id, "account", notice=msg("The interests of {id} are entered.", id=person_id)
    )


@router.post("/people/{person_id}/reset")
def reset(visit: Visited, person_id: str) -> Response:
    """Void the sign-in; the first password is on this page alone."""
    try:
        changed = reset_sign_in(visit.hub, visit.actor, person_id=person_id)
    except HubError as error:
        return _account_page(visit, person_id, error)
    return _after(visit, changed, msg("The sign-in of {id} is reset.", id=person_id))


@router.post("/people/{person_id}/sign-out")
def sign_out(visit: Visited, person_id: str) -> Response:
    """End everything the person has open."""
    try:
        ended = sign_out_person(visit.hub, visit.actor, person_id=person_id)
    except HubError as error:
        return _account_page(visit, person_id, error)
    return visit.redirect("people", person_id, "account", notice=msg("{count} sessions were ended.", count=ended))


@router.post("/people/{person_id}/close")
def close(visit: Visited, person_id: str) -> Response:
    """Close the account for good."""
    try:
        close_account(visit.hub, visit.actor, person_id=person_id)
    except HubError as error:
        return _account_page(visit, person_id, error)
    return visit.redirect("people", person_id, "account", notice=msg("The account {id} is closed.", id=person_id))


@router.get("/people/changes")
def changes(visit: Visited) -> Response:
    """Changes that take two officers."""
    return _changes_page(visit)


@router.post("/people/changes/{change_id}/confirm")
def confirm(visit: Visited, change_id: str) -> Response:
    """The second officer's word; a first password is on this page alone."""
    try:
        changed = confirm_change(visit.hub, visit.actor, change_id=change_id)
    except HubError as error:
        return _changes_page(visit, error)
    return _after(visit, changed, msg("Change {change} is confirmed.", change=change_id))


@router.post("/people/changes/{change_id}/decline")
def decline(visit: Visited, change_id: str) -> Response:
    """No to a change, or one's own taken back."""
    try:
        decline_change(visit.hub, visit.actor, change_id=change_id)
    except HubError as error:
        return _changes_page(visit, error)
    return visit.redirect("people/changes", notice=msg("Change {change} is declined.", change=change_id))


@router.get("/people/organisations")
def organisations(visit: Visited) -> Response:
    """Organisations that the reader may see, and the form that enters one."""
    return _organisations_page(visit)


@router.post("/people/organisations")
def found(visit: Visited) -> Response:
    """Enter an organisation as proposed."""
    form = visit.form
    try:
        made = found_organisation(
            visit.hub,
            visit.actor,
            org_id=form.text("id"),
            name_zh=form.text("name_zh"),
            name_en=form.text("name_en"),
            kind=form.one_of("kind", OrgKind),
            uscc=form.optional("uscc"),
            attached_to=form.optional("attached_to"),
        )
    except HubError as error:
        return _organisations_page(visit, error)
    return visit.redirect("people/organisations", made.id, notice=msg("Organisation {org} is entered.", org=made.id))


@router.get("/people/organisations/{org_id}")
def organisation(visit: Visited, org_id: str) -> Response:
    """One organisation: state, admission, history."""
    return _organisation_page(visit, org_id)


@router.post("/people/organisations/{org_id}/move")
def move(visit: Visited, org_id: str) -> Response:
    """Admit, merge or dissolve it."""
    form = visit.form
    try:
        move_organisation(
            visit.hub,
            visit.actor,
            org_id=org_id,
            to=form.one_of("to", OrganisationStatus),
            entity_check=form.optional("entity_check"),
            confidentiality_ref=form.optional("confidentiality_ref"),
            merged_into=form.optional("merged_into"),
        )
    except HubError as error:
        return _organisation_page(visit, org_id, error)
    notice = msg("The state of organisation {org} is changed.", org=org_id)
    return visit.redirect("people/organisations", org_id, notice=notice)


def _roles(visit: Visit) -> frozenset[Role]:
    return frozenset(Role(role) for role in visit.form.many("roles") if role in set(Role))


def _after(visit: Visit, changed: Changed, done: object) -> Response:
    """Where a change leads: to the first password if there is one, to the waiting changes, or back to the account."""
    if changed.first_password:
        hours = visit.hub.settings.first_password_hours
        return visit.page("people/handover.html", person=changed.person, first=changed.first_password, hours=hours)
    if changed.proposed is not None:
        notice = msg("Change {change} waits for a second officer.", change=changed.proposed.id)
        return visit.redirect("people/changes", notice=notice)
    return visit.redirect("people", changed.person.id, "account", notice=done)  # type: ignore[arg-type]


def _person(visit: Visit, person_id: str) -> Person:
    person = next((one for one in list_people(visit.hub, visit.actor) if one.id == person_id), None)
    if person is None:
        raise NotFound(unknown(person_id))
    return person


def _new_page(visit: Visit, error: HubError | None = None) -> Response:
    in_use = [one for one in list_organisations(visit.hub, visit.actor) if one.status is OrganisationStatus.ACTIVE]
    return visit.page(
        "people/new.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        ticked=set(visit.form.many("roles")),
        orgs=[(one.id, visit.name_of(one)) for one in in_use],
        all_roles=[(role, sorted(HOME[role])) for role in Role],
        open_refusals=(*visit.lapses, *refusals_to_act(visit.actor, Verb.APPOINT_PERSON)),
    )


def _account_page(visit: Visit, person_id: str, error: HubError | None = None) -> Response:
    person = _person(visit, person_id)
    may = {
        verb.value: (*visit.lapses, *refusals_to_act(visit.actor, verb))
        for verb in (
            Verb.CHANGE_ROLES,
            Verb.DECLARE_INTERESTS,
            Verb.RESET_SIGN_IN,
            Verb.END_SESSIONS,
            Verb.CLOSE_ACCOUNT,
        )
    }
    is_own_or_bureau = visit.actor.org_kind is OrgKind.BUREAU or visit.actor.person_id == person_id
    return visit.page(
        "people/account.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        person=person,
        now=visit.hub.clock(),
        sessions=live_sessions(visit.hub, person_id) if is_own_or_bureau else None,
        state=sign_in_state(visit.hub, person_id) if visit.actor.org_kind is OrgKind.BUREAU else None,
        operators=[one for one in list_organisations(visit.hub, visit.actor) if one.uscc],
        homes=[role for role in Role if person.organisation.kind in HOME[role]],
        may=may,
        events=history(visit.hub, visit.actor, person_id),
    )


def _changes_page(visit: Visit, error: HubError | None = None) -> Response:
    known, now = list_changes(visit.hub, visit.actor), visit.hub.clock()
    able = {person.id for person in list_people(visit.hub, visit.actor) if person.has_access(now)}
    against = {
        change.id: refusals_to_decide_change(
            actor=visit.actor,
            change_id=change.id,
            person_id=change.person_id,
            status=change.status,
            to=ChangeStatus.CONFIRMED,
            proposed_by=change.proposed_by,
            proposer_has_access=change.proposed_by in able,
        )
        for change in known
    }
    return visit.page(
        "people/changes.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        changes=[(change, change.status is ChangeStatus.PROPOSED, against[change.id]) for change in known],
        decline_refusals=(*visit.lapses, *refusals_to_act(visit.actor, Verb.DECIDE_CHANGE)),
        role=Role,
    )


def _organisations_page(visit: Visit, error: HubError | None = None) -> Response:
    known = list_organisations(visit.hub, visit.actor)
    operators = [one for one in known if one.kind is OrgKind.OPERATOR]
    return visit.page(
        "people/organisations.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        organisations=known,
        filled=visit.form.filled,
        kinds=[(kind.value, kind) for kind in OrgKind if kind is not OrgKind.SYSTEM],
        operators=[("", "–"), *((one.id, visit.name_of(one)) for one in operators)],
        found_refusals=(*visit.lapses, *refusals_to_act(visit.actor, Verb.FOUND_ORGANISATION)),
    )


def _organisation_page(visit: Visit, org_id: str, error: HubError | None = None) -> Response:
    known = {one.id: one for one in list_organisations(visit.hub, visit.actor)}
    if org_id not in known:
        raise NotFound(unknown(org_id))
    shown: Organisation = known[org_id]
    moves = [status for status in OrganisationStatus if status in ORGANISATION_MOVES[shown.status]]
    others = [one for one in known.values() if one.status is OrganisationStatus.ACTIVE and one.id != org_id]
    return visit.page(
        "people/organisation.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        organisation=shown,
        filled=visit.form.filled,
        moves=[(status.value, status) for status in moves],
        others=[("", "–"), *((one.id, visit.name_of(one)) for one in others)],
        people=[person for person in list_people(visit.hub, visit.actor) if person.org_id == org_id],
        move_refusals=(*visit.lapses, *refusals_to_act(visit.actor, Verb.MOVE_ORGANISATION)),
        events=history(visit.hub, visit.actor, org_id),
    )
