"""Let people in: password and one-time code, or the word of another sign-in service; and end what they opened.

What must hold:
1. Everything wrong gets one answer after the same work: name unknown, password, code, code used before, closed, locked.
2. A code is accepted once: the last accepted step is kept in the transaction of the sign-in.
3. Wrong codes after the right password are counted on the account, so that no restart and no second door forgets them.
4. A session is known by the digest of its id; what ends the access of its person ends it at the next look.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hub.context import CHANGE_SIGN_IN, ENROL, SIGN_IN, SIGN_OUT, Hub, Transaction
from hub.errors import NotAllowed, NotFound, unknown
from hub.ledger.events import EventKind
from hub.people.actor import SYSTEM, Actor
from hub.people.model import Credential, Factor, Person, RecoveryCode, SignedIn
from hub.people.names import is_name
from hub.people.sealed import seal, unseal
from hub.people.sign_in_rules import (
    MOST_PASSWORD,
    Access,
    Proof,
    Tried,
    is_live,
    is_over,
    judged,
    refusals_of_new_code,
    refusals_of_password,
    refusals_to_begin_enrolment,
    refusals_to_change_sign_in,
    refusals_to_enrol,
    refusals_to_sign_in,
    refusals_to_vouched,
)
from hub.people.totp import NEVER, fresh_words, matching_step

HASHER = PasswordHasher()
_NOBODY = HASHER.hash("the same work for a name that does not exist")
_NO_SECRET = "A" * 32
"""A secret to compute codes with where there is none."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a session was last used."""
RECOVERY_CODES = 10

Standing = Callable[[Person, datetime], Mapping[str, str]]
"""What is to be written beside a sign-in about the organisation's licences, by organisation and time."""


def _no_standing(_person: Person, _now: datetime) -> Mapping[str, str]:
    return {}


def digest_of(secret: str) -> str:
    """What a session's id or a recovery code is filed under."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def sign_in(
    hub: Hub, *, username: str, password: str, code: str, session: str, standing: Standing = _no_standing
) -> Person:
    """The person behind name, password and code, with a session opened.

    Args:
        code: Six digits of the authenticator, or a recovery code.
        session: The digest of the new session's id.

    Raises:
        NotAllowed: One answer for everything that is wrong (1).
    """
    with hub.reading() as reading:
        person = reading.get(Person, username) if is_name(username) else None
        credential = reading.get(Credential, person.id) if person else None
    seen = credential.password_hash if credential else _NOBODY
    password_right = matches(seen, password)
    known = person.id if person is not None else "-"
    with hub.transaction(SYSTEM, SIGN_IN, known) as tx:
        tried, factor = _weigh(hub, tx, known, seen=seen, password_right=password_right, code=code)
        if tried is Tried.ACCEPTED:
            person = tx.session.get_one(Person, known)
            open_session(hub, tx, person, session=session, factor=factor, standing=standing)
        else:
            _write_refusal(tx, known, tried)
    refusals = refusals_to_sign_in(tried)
    if refusals or person is None:
        raise NotAllowed(*refusals)
    return person


def sign_in_vouched(
    hub: Hub, *, username: str, session: str, is_strong: bool, standing: Standing = _no_standing
) -> Person:
    """The person whom another sign-in service names, if the directory knows them and they may come in.

    Args:
        is_strong: Whether that service says that it asked for a second factor.

    Raises:
        NotAllowed: Unknown, closed or lapsed here, or no second factor there: one answer.
    """
    known = username if is_name(username) else "-"
    with hub.transaction(SYSTEM, SIGN_IN, known) as tx:
        person = tx.session.get(Person, known)
        tx.refuse(
            refusals_to_vouched(
                is_known=person is not None,
                has_access=person is not None and person.has_access(tx.now),
                is_strong=is_strong,
            ),
            NotAllowed,
        )
        person = tx.session.get_one(Person, known)
        open_session(hub, tx, person, session=session, factor=Factor.OIDC, standing=standing)
        return person


def open_session(
    hub: Hub, tx: Transaction, person: Person, *, session: str, factor: Factor, standing: Standing = _no_standing
) -> None:
    """Keep that the person is signed in; the oldest sessions beyond the site's number end."""
    tx.actor = person.actor
    live = [one for one in _sessions_in(tx.session, person.id) if _goes_on(one, person, tx.now, tx.wall)]
    for oldest in live[: max(0, len(live) + 1 - hub.settings.max_sessions)]:
        oldest.ended_at = tx.wall
    tx.session.add(
        SignedIn(id=session, person_id=person.id, factor=factor, opened_at=tx.wall, seen_at=tx.wall, ended_at=None)
    )
    tx.record(
        EventKind.PERSON_SIGNED_IN,
        "person",
        person.id,
        details={"factor": factor.value, **standing(person, tx.now)},
    )


def session_goes_on(hub: Hub, *, session: str, person_id: str) -> bool:
    """Whether this session is of this person and has not ended; being asked about keeps it from being idle (4)."""
    wall = hub.wall_clock()
    with hub.reading() as reading:
        found = reading.get(SignedIn, session)
        person = reading.get(Person, person_id)
    if (
        found is None
        or person is None
        or found.person_id != person_id
        or not _goes_on(found, person, hub.clock(), wall)
    ):
        return False
    if wall - found.seen_at >= SEEN_EVERY:
        with hub.database.writing() as writing:  # when it was last used is no step of the walk: no event
            writing.get_one(SignedIn, session).seen_at = wall
    return True


def end_session(hub: Hub, *, session: str) -> None:
    """Sign out one browser."""
    with hub.database.writing() as writing:
        found = writing.get(SignedIn, session)
        if found is not None and found.ended_at is None:
            found.ended_at = hub.wall_clock()


def has_ended(hub: Hub, person_id: str, *, opened_at: datetime) -> bool:
    """Whether what this person opened at that time, such as a workspace, has to end now."""
    with hub.reading() as reading:
        person = reading.get(Person, person_id)
    # A workspace is opened after its session: within the same second the sign-out came later.
    return person is None or is_over(_access(person, hub.clock()), opened_at - timedelta(seconds=1), hub.clock())


def live_sessions(hub: Hub, person_id: str) -> Sequence[SignedIn]:
    """The sessions of a person that go on, oldest first."""
    with hub.reading() as reading:
        person = reading.get(Person, person_id)
        if person is None:
            raise NotFound(unknown(person_id))
        return [one for one in _sessions_in(reading, person_id) if _goes_on(one, person, hub.clock(), hub.wall_clock())]


def sign_out_in(tx: Transaction, person: Person) -> int:
    """End everything this person has open, inside a transaction that says why; how many sessions that were."""
    open_ones = [one for one in _sessions_in(tx.session, person.id) if one.ended_at is None]
    for one in open_ones:
        one.ended_at = tx.wall
    person.signed_out_at = tx.wall
    return len(open_ones)


def issue_first_password(tx: Transaction, person_id: str, *, hours: int) -> str:
    """A new first password in place of whatever the person signed in with; it is returned and kept nowhere else."""
    first = fresh_words()
    credential = _credential(tx, person_id)
    credential.password_hash, credential.first_until = HASHER.hash(first), tx.now + timedelta(hours=hours)
    credential.sealed_secret, credential.wrong_codes = "", 0
    tx.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    tx.session.flush()
    return first


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An enrolment that was begun with a valid first password. `mark` recognises that password."""

    person_id: str
    mark: str


def begin_enrolment(hub: Hub, *, username: str, first_password: str) -> Begun:
    """Check a first password; it opens enrolment and nothing else.

    Raises:
        NotAllowed: Name or password is wrong, used or too old: one answer after the same work.
    """
    with hub.reading() as reading:
        person = reading.get(Person, username) if is_name(username) else None
        credential = reading.get(Credential, person.id) if person else None
    seen = credential.password_hash if credential else _NOBODY
    password_right = matches(seen, first_password)
    known = person.id if person is not None else "-"
    with hub.transaction(SYSTEM, ENROL, known) as tx:
        tx.refuse(
            refusals_to_begin_enrolment(
                password_right=password_right and credential is not None,
                has_access=person is not None and person.has_access(tx.now),
                until=credential.first_until if credential else None,
                now=tx.now,
            ),
            NotAllowed,
        )
    return Begun(person_id=known, mark=digest_of(seen))


def finish_enrolment(hub: Hub, begun: Begun, *, password: str, secret: str, code: str) -> tuple[str, ...]:
    """Keep the person's own password and the secret of their codes; the recovery codes, which are shown once.

    Raises:
        NotAllowed: The first password was used or replaced meanwhile, the code does not fit, or the password is one
            that is guessed first.
    """
    with hub.transaction(SYSTEM, ENROL, begun.person_id) as tx:
        person = tx.session.get_one(Person, begun.person_id)
        credential = tx.session.get(Credential, begun.person_id)
        is_same = credential is not None and hmac.compare_digest(digest_of(credential.password_hash), begun.mark)
        step = matching_step(secret, code.strip(), tx.wall)
        tx.refuse(
            refusals_to_enrol(
                is_same=is_same,
                has_access=person.has_access(tx.now),
                until=credential.first_until if credential else None,
                now=tx.now,
                step=step,
            ),
            NotAllowed,
        )
        credential = tx.session.get_one(Credential, begun.person_id)
        old = matches(credential.password_hash, password)
        tx.refuse(refusals_of_password(password, personal=_personal(person), is_old=old), NotAllowed)
        credential.password_hash, credential.first_until = HASHER.hash(password), None
        credential.sealed_secret = seal(hub.keys.sign_in(), person.id, secret)
        credential.last_step, credential.wrong_codes = step if step is not None else credential.last_step, 0
        tx.actor = person.actor
        tx.record(EventKind.SIGN_IN_ENROLLED, "person", person.id)
        return _fresh_recovery_codes(tx, person.id)


def change_password(hub: Hub, actor: Actor, *, password: str, code: str, new: str) -> None:
    """Put another password in place; everything the person has open ends with it.

    Raises:
        NotAllowed: The present password or the code is wrong, or the new password cannot be used.
    """

    def change(tx: Transaction, person: Person, credential: Credential) -> tuple[str, ...]:
        is_old = hmac.compare_digest(new.encode("utf-8", "replace"), password.encode("utf-8", "replace"))
        tx.refuse(refusals_of_password(new, personal=_personal(person), is_old=is_old), NotAllowed)
        credential.password_hash = HASHER.hash(new)
        sign_out_in(tx, person)
        tx.record(EventKind.SIGN_IN_CHANGED, "person", person.id, details={"what": "password"})
        return ()

    _with_both_factors(hub, actor, password=password, code=code, change=change)


def renew_recovery_codes(hub: Hub, actor: Actor, *, password: str, code: str) -> tuple[str, ...]:
    """Ten new recovery codes in place of the old ones.

    Raises:
        NotAllowed: The present password or the code is wrong.
    """

    def change(tx: Transaction, person: Person, _credential: Credential) -> tuple[str, ...]:
        tx.record(EventKind.SIGN_IN_CHANGED, "person", person.id, details={"what": "recovery_codes"})
        return _fresh_recovery_codes(tx, person.id)

    return _with_both_factors(hub, actor, password=password, code=code, change=change)


def move_authenticator(
    hub: Hub, actor: Actor, *, password: str, code: str, secret: str, new_code: str
) -> tuple[str, ...]:
    """Let codes come from another secret, on another telephone; new recovery codes.

    Raises:
        NotAllowed: The present password or code is wrong, or the new code does not fit the new secret.
    """

    def change(tx: Transaction, person: Person, credential: Credential) -> tuple[str, ...]:
        step = matching_step(secret, new_code.strip(), tx.wall)
        tx.refuse(refusals_of_new_code(step), NotAllowed)
        credential.sealed_secret = seal(hub.keys.sign_in(), person.id, secret)
        credential.last_step = step if step is not None else credential.last_step
        tx.record(EventKind.SIGN_IN_CHANGED, "person", person.id, details={"what": "authenticator"})
        return _fresh_recovery_codes(tx, person.id)

    return _with_both_factors(hub, actor, password=password, code=code, change=change)


def sign_out_everywhere(hub: Hub, actor: Actor) -> int:
    """End all of one's own sessions and workspaces; how many sessions that were."""
    with hub.transaction(actor, SIGN_OUT, actor.person_id) as tx:
        ended = sign_out_in(tx, tx.session.get_one(Person, actor.person_id))
        tx.record(EventKind.PERSON_SIGNED_OUT, "person", actor.person_id, counters={"sessions": ended})
        return ended


def matches(password_hash: str, password: str) -> bool:
    """Whether this is the password behind the hash; as much work for a wrong one."""
    try:
        return HASHER.verify(password_hash, password[: MOST_PASSWORD + 1])
    except (VerificationError, InvalidHashError, UnicodeEncodeError):  # the last: half a character is no password
        return False


def recovery_left(hub: Hub, person_id: str) -> int:
    """How many recovery codes were not used yet."""
    with hub.reading() as reading:
        codes = reading.scalars(select(RecoveryCode).where(RecoveryCode.person_id == person_id))
        return sum(1 for code in codes if code.used_at is None)


def unsafe_enrol(hub: Hub, secrets_of: Mapping[str, str], *, password: str) -> None:
    """Give demonstration accounts a known password and known secrets, past every rule of enrolment."""
    password_hash = HASHER.hash(password)
    with hub.transaction(SYSTEM, ENROL) as tx:
        for person_id, secret in secrets_of.items():
            credential = _credential(tx, person_id)
            credential.password_hash, credential.first_until = password_hash, None
            credential.sealed_secret = seal(hub.keys.sign_in(), person_id, secret)
            tx.record(EventKind.SIGN_IN_ENROLLED, "person", person_id, details={"how": "demonstration"})


def _with_both_factors(
    hub: Hub,
    actor: Actor,
    *,
    password: str,
    code: str,
    change: Callable[[Transaction, Person, Credential], tuple[str, ...]],
) -> tuple[str, ...]:
    """Ask for password and code again and then do `change` with it, all in one transaction."""
    with hub.reading() as reading:
        kept = reading.get(Credential, actor.person_id)
    seen = kept.password_hash if kept else _NOBODY
    password_right = matches(seen, password)
    given: tuple[str, ...] = ()
    with hub.transaction(actor, CHANGE_SIGN_IN, actor.person_id) as tx:
        tried, _ = _weigh(hub, tx, actor.person_id, seen=seen, password_right=password_right, code=code)
        if tried is Tried.ACCEPTED:
            person = tx.session.get_one(Person, actor.person_id)
            given = change(tx, person, tx.session.get_one(Credential, actor.person_id))
        else:
            _write_refusal(tx, actor.person_id, tried, verb=CHANGE_SIGN_IN, rule="sign_in.again")
    refusals = refusals_to_change_sign_in(tried)
    if refusals:
        raise NotAllowed(*refusals)
    return given


def _weigh(
    hub: Hub, tx: Transaction, person_id: str, *, seen: str, password_right: bool, code: str
) -> tuple[Tried, Factor]:
    """What the proof is worth and by which factor; an accepted code is used up, a wrong one counted (2, 3)."""
    person = tx.session.get(Person, person_id)
    credential = tx.session.get(Credential, person_id)
    sealed = credential.sealed_secret if credential else ""
    secret = unseal(hub.keys.sign_in(), person_id, sealed) if sealed else None
    typed = code.strip()
    step = matching_step(secret or _NO_SECRET, typed, tx.wall)
    recovery = tx.session.get(RecoveryCode, digest_of(typed.lower()))
    recovery_right = recovery is not None and recovery.person_id == person_id and recovery.used_at is None
    tried = judged(
        Proof(
            is_known=person is not None and credential is not None,
            # The password was compared before this transaction: it must still be the one that was compared.
            password_right=password_right and credential is not None and credential.password_hash == seen,
            has_access=person is not None and person.has_access(tx.now),
            is_enrolled=credential is not None and credential.first_until is None and secret is not None,
            wrong_codes=credential.wrong_codes if credential else 0,
            step=step,
            last_step=credential.last_step if credential else NEVER,
            recovery_right=recovery_right,
        )
    )
    if credential is not None and tried in (Tried.CODE, Tried.REPLAYED):
        credential.wrong_codes += 1
    if credential is not None and tried is Tried.ACCEPTED:
        credential.wrong_codes = 0
        if recovery is not None and recovery_right:
            recovery.used_at = tx.now
        elif step is not None:
            credential.last_step = step
    return tried, Factor.RECOVERY if recovery_right else Factor.TOTP


def _credential(tx: Transaction, person_id: str) -> Credential:
    """What the person proves themselves with, empty if there was nothing."""
    credential = tx.session.get(Credential, person_id)
    if credential is None:
        credential = Credential(
            person_id=person_id, password_hash="", first_until=None, sealed_secret="", last_step=NEVER, wrong_codes=0
        )
        tx.session.add(credential)
    return credential


def _write_refusal(
    tx: Transaction, person_id: str, tried: Tried, *, verb: str = SIGN_IN, rule: str = "sign_in.wrong"
) -> None:
    tx.record(
        EventKind.ACTION_REFUSED,
        "verb",
        person_id,
        decision="refused",
        reason_codes=[rule],
        details={"verb": verb, "found": tried.value},
    )


def _fresh_recovery_codes(tx: Transaction, person_id: str) -> tuple[str, ...]:
    tx.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = tuple(fresh_words() for _ in range(RECOVERY_CODES))
    tx.session.add_all(RecoveryCode(digest=digest_of(code), person_id=person_id, used_at=None) for code in codes)
    return codes


def _personal(person: Person) -> Sequence[str]:
    return (person.id, person.name_zh, person.name_en, person.org_id, person.organisation.name_en)


def _sessions_in(session: Session, person_id: str) -> Sequence[SignedIn]:
    query = select(SignedIn).where(SignedIn.person_id == person_id, SignedIn.ended_at.is_(None))
    return list(session.scalars(query.order_by(SignedIn.opened_at, SignedIn.id)))


def _access(person: Person, now: datetime) -> Access:
    return Access(
        has_access=person.has_access(now),
        signed_out_at=person.signed_out_at,
        trained_until=person.trained_until,
        confidentiality_until=person.confidentiality_until,
    )


def _goes_on(one: SignedIn, person: Person, now: datetime, wall: datetime) -> bool:
    if is_over(_access(person, now), one.opened_at, now):
        return False
    return is_live(opened_at=one.opened_at, seen_at=one.seen_at, ended_at=one.ended_at, now=wall)
