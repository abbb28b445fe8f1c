"""Enter, admit, merge and dissolve the organisations that take part."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.context import Hub
from hub.errors import InvalidInput, NotAllowed, NotFound, unknown
from hub.ledger.events import EventKind
from hub.people.account_rules import refusals_to_found_organisation, refusals_to_move_organisation
from hub.people.accounts import require_may_set_up
from hub.people.actor import SYSTEM, Actor, OrgKind
from hub.people.model import Organisation, OrganisationStatus, Person
from hub.people.names import refuse_bad_name, refuse_taken_name
from hub.people.rules import Verb
from hub.people.sign_in import sign_out_in
from hub.wording import refusals_of_words


def found_organisation(
    hub: Hub,
    actor: Actor,
    *,
    org_id: str,
    name_zh: str,
    name_en: str,
    kind: OrgKind,
    uscc: str = "",
    attached_to: str = "",
) -> Organisation:
    """Enter an organisation as proposed. What the service itself enters while a site is set up is in use at once.

    Raises:
        NotAllowed: Not the bureau, no right credit code of an operator, or a developer without an operator.
        InvalidInput: The id is not of the form `[a-z0-9-]`.
    """
    with hub.transaction(actor, Verb.FOUND_ORGANISATION, org_id) as tx:
        require_may_set_up(tx.session, actor, Verb.FOUND_ORGANISATION)
        tx.refuse(refusals_of_words("-", lines=[name_zh, name_en]), InvalidInput)
        refuse_bad_name(org_id)
        refuse_taken_name(org_id, is_taken=tx.session.get(Organisation, org_id) is not None)
        attached = tx.session.get(Organisation, attached_to) if attached_to else None
        tx.refuse(
            refusals_to_found_organisation(
                actor=actor,
                org_id=org_id,
                kind=kind,
                uscc=uscc,
                attached_kind=attached.kind if attached else None,
            ),
            NotAllowed,
        )
        organisation = Organisation(
            id=org_id,
            name_zh=name_zh,
            name_en=name_en,
            kind=kind,
            uscc=uscc,
            attached_to=attached_to,
            status=OrganisationStatus.ACTIVE if actor == SYSTEM else OrganisationStatus.PROPOSED,
        )
        tx.session.add(organisation)
        tx.session.flush()
        tx.record(EventKind.ORGANISATION_FOUNDED, "organisation", org_id, details={"kind": kind.value})
        return organisation


def move_organisation(
    hub: Hub,
    actor: Actor,
    *,
    org_id: str,
    to: OrganisationStatus,
    entity_check: str = "",
    confidentiality_ref: str = "",
    merged_into: str = "",
) -> Organisation:
    """Admit a proposed organisation, or let one end. With its end nobody of it can come in any more.

    Raises:
        NotFound: No such organisation.
        NotAllowed: Not the bureau, or the move is against a rule.
    """
    with hub.transaction(actor, Verb.MOVE_ORGANISATION, org_id) as tx:
        tx.refuse(refusals_of_words("-", lines=[entity_check, confidentiality_ref]), InvalidInput)
        organisation = tx.session.get(Organisation, org_id)
        if organisation is None:
            raise NotFound(unknown(org_id))
        successor = tx.session.get(Organisation, merged_into) if merged_into not in ("", org_id) else None
        tx.refuse(
            refusals_to_move_organisation(
                actor=actor,
                org_id=org_id,
                kind=organisation.kind,
                status=organisation.status,
                to=to,
                entity_check=entity_check,
                confidentiality_ref=confidentiality_ref,
                has_successor=successor is not None and successor.status is OrganisationStatus.ACTIVE,
            ),
            NotAllowed,
        )
        before, organisation.status = organisation.status, to
        ended = 0
        if to is OrganisationStatus.ACTIVE:
            organisation.entity_check = entity_check.strip()
            organisation.confidentiality_ref = confidentiality_ref.strip()
        else:
            organisation.merged_into = merged_into if to is OrganisationStatus.MERGED else ""
            people = tx.session.scalars(select(Person).where(Person.org_id == org_id))
            ended = sum(sign_out_in(tx, person) for person in people)
        tx.record(
            EventKind.ORGANISATION_MOVED,
            "organisation",
            org_id,
            decision=to.value,
            counters={"sessions": ended},
            details={"before": before.value, "merged_into": organisation.merged_into},
        )
        return organisation


def list_organisations(hub: Hub, actor: Actor) -> Sequence[Organisation]:
    """Organisations that the actor may see: the bureau and the audit all, others their own."""
    query = select(Organisation).order_by(Organisation.kind, Organisation.id)
    if actor.org_kind not in (OrgKind.BUREAU, OrgKind.AUDIT):
        query = query.where(Organisation.id == actor.org_id)
    with hub.reading() as session:
        return list(session.scalars(query))


def departments(hub: Hub) -> list[Organisation]:
    """Every department in use, by id."""
    with hub.reading() as session:
        return _departments(session)


def departments_in(session: Session) -> list[str]:
    """Ids of the district's departments in use."""
    return [one.id for one in _departments(session)]


def _departments(session: Session) -> list[Organisation]:
    query = select(Organisation).where(
        Organisation.kind == OrgKind.DEPARTMENT, Organisation.status == OrganisationStatus.ACTIVE
    )
    return list(session.scalars(query.order_by(Organisation.id)))
