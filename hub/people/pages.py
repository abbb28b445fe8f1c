"""Pages of the people: who is appointed to what, trained until when, and the access matrix."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from hub.errors import HubError, NotFound, unknown
from hub.message import msg
from hub.people.actions import list_people, record_training
from hub.people.actor import ROLE_OF_POST, Post, Role
from hub.people.appointments import appoint_responsible, end_appointment, is_over, list_appointments
from hub.people.model import Person, PersonStatus
from hub.people.organisations import departments
from hub.people.rules import HOME, MAY, MAY_NEVER, Verb, never_with, refusals_to_act, refusals_to_record_training
from hub.web.history import history
from hub.web.language import DISTRICT_TIME, end_of_day, start_of_day
from hub.web.visit import Visit, Visited

router = APIRouter()

POST_TERM = timedelta(days=3 * 365)
TRAINING_TERM = timedelta(days=365)

PAGE = 50
"""People on one page."""
LONGEST_QUERY = 100


@router.get("/people")
def listing(visit: Visited, q: str = "", offset: int = 0) -> Response:
    """People and posts that the reader may see; `q` is looked for in names, accounts and organisations."""
    return _page(visit, wanted=q.strip()[:LONGEST_QUERY], offset=max(0, offset))


@router.get("/people/matrix")
def matrix(visit: Visited) -> Response:
    """Who may do what: the table that decides it."""
    return visit.page(
        "people/matrix.html",
        all_roles=list(Role),
        may=[(verb, MAY.get(verb, frozenset())) for verb in Verb],
        homes=[(role, sorted(HOME[role]), sorted(never_with(role)), MAY_NEVER[role].words) for role in Role],
    )


@router.get("/people/{person_id}/training")
def training(visit: Visited, person_id: str) -> Response:
    """One person's training, and the form that enters a new date."""
    return _training_page(visit, person_id)


@router.post("/people/{person_id}/training")
def renew(visit: Visited, person_id: str) -> Response:
    """The bureau enters until when a person is trained and bound."""
    form = visit.form
    try:
        record_training(
            visit.hub,
            visit.actor,
            person_id=person_id,
            trained_until=end_of_day(form.day("trained_until")),
            confidentiality_until=end_of_day(form.day("confidentiality_until")),
        )
    except HubError as error:
        return _training_page(visit, person_id, error)
    return visit.redirect("people", notice=msg("The training of {id} is entered.", id=person_id))


@router.post("/people/appointments")
def appoint(visit: Visited) -> Response:
    """The bureau lets someone answer for a department's data."""
    form = visit.form
    try:
        made = appoint_responsible(
            visit.hub,
            visit.actor,
            org_id=form.text("org"),
            post=form.one_of("post", Post),
            person_id=form.text("person"),
            starts_at=start_of_day(form.day("from")),
            ends_at=end_of_day(form.day("until")),
            letter_ref=form.text("letter"),
            letter_digest=form.optional("digest"),
        )
    except HubError as error:
        return _page(visit, error)
    return visit.redirect("people", notice=msg("Appointment {appointment} is entered.", appointment=made.id))


@router.post("/people/appointments/{appointment_id}/end")
def end(visit: Visited, appointment_id: str) -> Response:
    """The bureau ends an appointment before its day."""
    end_appointment(visit.hub, visit.actor, appointment_id=appointment_id)
    return visit.redirect("people", notice=msg("Appointment {appointment} has ended.", appointment=appointment_id))


def _matches(person: Person, wanted: str) -> bool:
    texts = (person.id, person.name_zh, person.name_en, person.organisation.name_zh, person.organisation.name_en)
    return any(wanted.casefold() in text.casefold() for text in texts)


def _page(visit: Visit, error: HubError | None = None, *, wanted: str = "", offset: int = 0) -> Response:
    hub, now = visit.hub, visit.hub.clock()
    people = list_people(hub, visit.actor)
    found = [person for person in people if _matches(person, wanted)]
    appointments = list_appointments(hub, visit.actor)
    current = {(one.org_id, one.post): one for one in appointments if not is_over(one, now) and one.starts_at <= now}
    seen = {person.org_id for person in people}
    bodies = [body for body in departments(hub) if body.id in seen]
    today = now.astimezone(DISTRICT_TIME).date()
    return visit.page(
        "people/list.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        people=found[offset : offset + PAGE],
        wanted=wanted,
        offset=offset,
        limit=PAGE,
        total=len(found),
        now=now,
        bodies=[(body, [(post, current.get((body.id, post))) for post in Post]) for body in bodies],
        appointments=[(one, is_over(one, now)) for one in appointments],
        appoint_refusals=(*visit.lapses, *refusals_to_act(visit.actor, Verb.APPOINT_RESPONSIBLE)),
        end_refusals=(*visit.lapses, *refusals_to_act(visit.actor, Verb.END_APPOINTMENT)),
        orgs=[(body.id, visit.name_of(body)) for body in bodies],
        posts=[(post.value, post) for post in Post],
        holders=[
            (person.id, f"{visit.name_of(person)} · {visit.name_of(person.organisation)}")
            for person in people
            if person.actor.has(*ROLE_OF_POST.values())
        ],
        filled={"from": today.isoformat(), "until": (today + POST_TERM).isoformat(), **visit.form.filled},
    )


def _training_page(visit: Visit, person_id: str, error: HubError | None = None) -> Response:
    person = next((one for one in list_people(visit.hub, visit.actor) if one.id == person_id), None)
    if person is None:
        raise NotFound(unknown(person_id))
    due = (visit.hub.clock().astimezone(DISTRICT_TIME).date() + TRAINING_TERM).isoformat()
    return visit.page(
        "people/training.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        person=person,
        now=visit.hub.clock(),
        record_refusals=(
            *visit.lapses,
            *refusals_to_record_training(
                actor=visit.actor, person_id=person_id, is_closed=person.status is PersonStatus.CLOSED
            ),
        ),
        filled={"trained_until": due, "confidentiality_until": due, **visit.form.filled},
        events=history(visit.hub, visit.actor, person_id),
    )
