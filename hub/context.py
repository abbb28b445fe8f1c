"""What every action needs: settings, database, clock, keys, folders. Built once a process by `open_hub`.

`Hub.transaction` is the one way to change anything: the change and its ledger event commit together; a refusal rolls
the change back and is itself recorded, in a transaction of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

import hub.seals  # noqa: F401  # rows are sealed as they are written
from hub.clock import Clock, require_not_set_back, system_clock, unsafe_shifted_clock
from hub.db import Database, open_engine
from hub.errors import HubError, NotAllowed, Refusal, Unavailable
from hub.keys import Keyring
from hub.ledger import actions as ledger
from hub.ledger.events import DECIDED_BY_RULES, EventKind
from hub.ledger.kept import keep_newest, require_not_cut
from hub.ledger.model import LedgerEntry, LedgerHead
from hub.people.actor import SYSTEM, Actor
from hub.people.model import Person
from hub.people.rules import refusals_of_lapse
from hub.rulebook.packs import pack_in_force
from hub.settings import Settings, load_settings

_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""What goes into the event of a refusal as the thing it is about; whatever else was typed there is not repeated."""


SIGN_IN, SIGN_OUT, ENROL, CHANGE_SIGN_IN = "sign_in", "sign_out", "enrol", "change_sign_in"
LEFT_TO_THE_LAPSED = frozenset({SIGN_IN, SIGN_OUT, ENROL, CHANGE_SIGN_IN})
"""The verbs left to a person whose training or confidentiality has lapsed: their own door, nothing in the house."""


def lapses_in(session: Session, actor: Actor, now: datetime) -> tuple[Refusal, ...]:
    """What keeps a person from doing anything, by what the directory says in this transaction; the service needs none.

    An actor without an account counts as never trained.
    """
    if actor == SYSTEM:
        return ()
    person = session.get(Person, actor.person_id)
    return refusals_of_lapse(
        actor.person_id,
        has_access=person is None or person.has_access(now),
        trained_until=person.trained_until if person else None,
        confidentiality_until=person.confidentiality_until if person else None,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the hub keeps files: below the state folder, mode 0700; only the way to the workspaces can be passed."""

    state: Path

    @property
    def raw(self) -> Path:
        """Department files by digest. Read by the intake's look and the extract worker alone."""
        return self.state / "raw"

    @property
    def extracts(self) -> Path:
        """One folder an extract."""
        return self.state / "extracts"

    @property
    def answers(self) -> Path:
        """One folder a noisy answer."""
        return self.state / "answers"

    @property
    def workspaces(self) -> Path:
        """One folder a workspace."""
        return self.state / "workspaces"

    @property
    def frozen(self) -> Path:
        """Submitted bytes by digest."""
        return self.state / "frozen"

    @property
    def runs(self) -> Path:
        """One folder a sealed run, while it runs."""
        return self.state / "runs"

    @property
    def releases(self) -> Path:
        """One folder a released request."""
        return self.state / "releases"

    def make(self) -> None:
        """Create what is missing."""
        for folder in (
            self.state,
            self.raw,
            self.extracts,
            self.answers,
            self.workspaces,
            self.frozen,
            self.runs,
            self.releases,
        ):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # It may have been there, open to others. Workspaces run under other uids and must reach their own folder,
            # whose name and rights are the sandbox's work.
            folder.chmod(0o711 if folder in (self.workspaces, self.state) else 0o700)


class Transaction:
    """One change with its events. `now` is the time of the whole transaction."""

    def __init__(self, hub: Hub, session: Session, now: datetime, actor: Actor) -> None:
        self._hub = hub
        self.session = session
        self.now = now
        self.actor = actor

    @property
    def wall(self) -> datetime:
        """The machine's own time, also where the clock is shifted."""
        return self._hub.wall_clock()

    def record(
        self,
        kind: EventKind,
        object_type: str,
        object_id: str,
        *,
        digest: str = "",
        licence_id: str = "",
        decision: str = "",
        reason_codes: Sequence[str] = (),
        cited_basis: Sequence[str] = (),
        counters: Mapping[str, int] | None = None,
        details: Mapping[str, str] | None = None,
    ) -> LedgerEntry:
        """Write the event of this change. A decision by thresholds keeps the version of the rules it was made by."""
        if kind in DECIDED_BY_RULES:
            details = {"rules": pack_in_force(self.now).label, **(details or {})}
        event = ledger.Event(
            kind=kind,
            actor=self.actor.person_id,
            actor_org=self.actor.org_id,
            object_type=object_type,
            object_id=object_id,
            object_digest=digest,
            licence_id=licence_id,
            decision=decision,
            reason_codes=reason_codes,
            cited_basis=cited_basis,
            counters=counters,
            details=details,
        )
        return ledger.append(self.session, event, at=self.now, key=self._hub.ledger_key)

    @staticmethod
    def refuse(refusals: Sequence[Refusal], kind: type[HubError]) -> None:
        """Raise `kind` if there is any refusal."""
        if refusals:
            raise kind(*refusals)


class Hub:
    """Settings, database, clock, keys and folders of one site."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.folders = Folders(settings.state_dir)
        self.folders.make()
        self.keys = Keyring(settings.state_dir / "keys")
        self.ledger_key = self.keys.ledger()
        self.database = Database(
            open_engine(settings.database_url, settings.state_dir, unsafe_tls=settings.unsafe_database_tls),
            key=self.keys.rows(),
        )
        shifted = settings.unsafe_clock_file
        self.clock = clock or (unsafe_shifted_clock(Path(shifted)) if shifted else system_clock)
        self.wall_clock = clock or system_clock
        """What authenticators and sessions go by: a shifted clock moves the terms of licences, not these."""
        self.database.create_tables()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view."""
        with self.database.reading() as session:
            yield session

    @contextmanager
    def transaction(self, actor: Actor, verb: str, object_id: str = "") -> Iterator[Transaction]:
        """Change something: all of it with its events, or nothing but the event of the refusal.

        Whoever is not trained or bound to confidentiality now is refused here, whatever the verb, but for signing in.

        Args:
            verb: What is attempted, for the event of a refusal: `cast_vote`, `deliver_release`, …
            object_id: What it is about, if it has an id yet.
        """
        with self.recording_refusals(actor, verb, object_id), self._writing(actor) as transaction:
            if verb not in LEFT_TO_THE_LAPSED:
                transaction.refuse(lapses_in(transaction.session, actor, transaction.now), NotAllowed)
            yield transaction
        self._keep_checkpoint()

    @contextmanager
    def recording_refusals(self, actor: Actor, verb: str, object_id: str = "") -> Iterator[None]:
        """Write down what is refused here, in or between transactions of one step."""
        try:
            yield
        except Unavailable:
            raise  # where nothing can be written, the refusal cannot be either
        except HubError as error:
            self._record_refusal(actor, verb, object_id, error)
            raise

    @contextmanager
    def _writing(self, actor: Actor) -> Iterator[Transaction]:
        """What must hold before a step: (1) its turn has come, and only then is the time read; (2) the ledger was not
        cut; (3) the clock was not set back, which would let an expired licence live again."""
        with self.database.writing() as session:
            head = ledger.lock_head(session)  # 1
            now = self.clock()
            require_not_cut(self.checkpoint_file, head, self.ledger_key.public_key().public_bytes_raw())  # 2
            if not self.settings.unsafe_clock_file:
                require_not_set_back(ledger.newest_time(session), now)  # 3
            yield Transaction(self, session, now, actor)

    def _record_refusal(self, actor: Actor, verb: str, object_id: str, error: HubError) -> None:
        subject = object_id or error.refusals[0].subject
        with self._writing(actor) as transaction:
            transaction.record(
                EventKind.ACTION_REFUSED,
                "verb",
                subject if _ID.fullmatch(subject) else "-",
                decision="refused",
                reason_codes=[refusal.rule for refusal in error.refusals],
                cited_basis=[refusal.basis for refusal in error.refusals if refusal.basis],
                details={"verb": verb},
            )
        self._keep_checkpoint()

    def _keep_checkpoint(self) -> None:
        def current() -> str:
            with self.reading() as session:
                return ledger.current_note(session)

        with suppress(Unavailable):  # what was done is done; the next step keeps a newer one
            keep_newest(self.checkpoint_file, current)

    @staticmethod
    def is_new(session: Session) -> bool:
        """Whether nothing was ever written down."""
        return session.get(LedgerHead, 1) is None and not ledger.read_entries(session, limit=1)

    @property
    def checkpoint_file(self) -> Path:
        """The newest checkpoint, outside the database."""
        return self.settings.state_dir / "ledger.checkpoint"


def open_hub(settings: Settings | None = None, *, clock: Clock | None = None) -> Hub:
    """The hub of this site; with every room's tables known to the database."""
    import hub.model  # noqa: F401  # every room's entities register themselves

    return Hub(settings or load_settings(), clock=clock)
