"""Status x role x action over the whole product: `tests/specs/matrix.md` lists what is allowed, all else is tried.

Each pair that is not in the table must be refused in words that name a rule, a basis and a next step, leave one event
of the refusal and change nothing else. Each pair in the table must succeed, so that the table promises nothing empty.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.context import Hub
from hub.demo.people import ACCOUNTS
from hub.errors import HubError
from hub.ledger.actions import read_entries
from hub.ledger.events import EventKind
from hub.ledger.model import LedgerEntry, LedgerHead
from hub.people.rules import MAY, Verb
from hub.reference import tables_of_moves
from tests import factories
from tests.matrix_house import ACTS, ANY, SCENES, WALKERS, Act, open_scene, things_of
from tests.spec_tables import FOLDER, explains

TABLE = FOLDER / "matrix.md"
NAMES = {account.name_zh: account.id for account in ACCOUNTS}
NOT_TRIED = {
    Verb.READ_LEDGER: "pages alone ask it; the walk over all pages is in test_matrix_pages.py",
}
"""Verbs without an action that takes them."""

ENTITIES = {
    "hub/catalog TABLE_MOVES": "table",
    "hub/extracts EXTRACT_MOVES": "extract",
    "hub/extracts EXTRACT_REQUEST_MOVES": "extract_request",
    "hub/gate REQUEST_MOVES": "request",
    "hub/licensing LICENCE_MOVES": "licence",
    "hub/licensing PERSONNEL_MOVES": "personnel",
    "hub/licensing SCENARIO_MOVES": "scenario",
    "hub/people CHANGE_MOVES": "change",
    "hub/people ORGANISATION_MOVES": "organisation",
    "hub/people PERSON_MOVES": "person",
    "hub/register OBJECTION_MOVES": "objection",
    "hub/runs RUN_MOVES": "run",
    "hub/register REGISTRATION_MOVES": "product",
    "hub/sharing CONSENT_MOVES": "consent",
}
"""Tables of moves, and the entity in the table whose states they are."""

NOT_WALKED = {
    "hub/noisy ANSWER_MOVES": "moved by the platform alone while it answers; test_noisy_walk.py walks each",
    "hub/closing CLOSING_MOVES": "moved by `close_licence` alone, from begun to sealed, in one act",
    "hub/register CANCELLATION_MOVES": "one amendment stands for the four kinds; test_register_rules.py walks each",
    "hub/register CHANGE_MOVES": "the same",
    "hub/register CORRECTION_MOVES": "the same",
    "hub/register RENEWAL_MOVES": "the same",
}
"""Tables of moves without an entity here, and why."""

_ACT = re.compile(r".*`(?P<name>[a-z_:]+)`")


def table() -> Mapping[str, Mapping[str, Mapping[str, frozenset[str]]]]:
    """Entity → act → state → ids of the accounts that may."""
    found: dict[str, dict[str, dict[str, frozenset[str]]]] = {}
    entity, states = "", []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            entity, states = line.split("`")[1], []
        elif line.startswith("|") and not line.startswith("| ---"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not states:
                states = [cell.split("<br>")[1] for cell in cells[1:]]
                continue
            act = _ACT.fullmatch(cells[0])
            assert act is not None, line
            allowed = [frozenset(NAMES[name] for name in cell.split("、") if name != "无") for cell in cells[1:]]
            found.setdefault(entity, {})[act["name"]] = dict(zip(states, allowed, strict=True))
    return found


ALLOWED = table()


def test_every_verb_is_tried() -> None:
    missing = sorted(set(Verb) - {act.verb for act in ACTS} - set(NOT_TRIED))
    assert missing == [], "add an Act to tests/matrix_house.py and a row to tests/specs/matrix.md for each"


def test_table_lists_every_act_and_no_other() -> None:
    listed = {(entity, name) for entity, acts in ALLOWED.items() for name in acts}
    assert {(act.entity, act.name) for act in ACTS} == listed, "tests/specs/matrix.md and tests/matrix_house.py differ"


def test_whoever_is_allowed_has_a_role_for_it() -> None:
    roles = {account.id: account.roles for account in ACCOUNTS}
    for acts in ALLOWED.values():
        for name, states in acts.items():
            verb = name.split(":")[0]
            people = frozenset().union(*states.values())
            if verb in set(Verb):
                assert {person for person in people if not roles[person] & MAY[Verb(verb)]} == set(), name


@pytest.mark.parametrize(("room", "name"), [(room, name) for room, name, _ in tables_of_moves()])
def test_every_state_lies_in_a_scene(room: str, name: str) -> None:
    if f"{room} {name}" in NOT_WALKED:
        return
    assert f"{room} {name}" in ENTITIES, "say in ENTITIES which entity it moves, or in NOT_WALKED why none"
    (moves,) = [moves for one, other, moves in tables_of_moves() if (one, other) == (room, name)]
    entity = ENTITIES[f"{room} {name}"]
    lying = {state for row in ALLOWED[entity].values() for state in row}
    missing = sorted(state.value for state in moves if state.value not in lying)
    assert missing == [], f"let a {entity} lie in each of these states in tests/matrix_house.py"


# -- the walk ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def quick() -> Iterator[Path]:
    """A folder in memory where the machine has one: a walk writes thousands of events, each to the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="zhakou-", dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def digest(hub: Hub) -> str:
    """Of all rows of all tables but the ledger's."""
    spared = {LedgerEntry.__tablename__, LedgerHead.__tablename__}
    found = hashlib.sha256()
    with hub.reading() as session:
        for (name,) in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")).all():
            if name not in spared:
                found.update(repr((name, session.execute(text(f'SELECT * FROM "{name}"')).all())).encode())  # noqa: S608
    return found.hexdigest()


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_what_is_not_in_the_table_is_refused_and_what_is_succeeds(act: Act, quick: Path) -> None:
    rows = ALLOWED[act.entity][act.name]
    tried = set()
    for name in SCENES:
        things = {ANY: "-"} if act.entity == ANY and name == "everyday" else things_of(name).get(act.entity, {})
        if not things:
            continue
        hub, _ = open_scene(name, quick / name)
        for state, thing in things.items():
            tried.add(state)
            before = digest(hub)
            for account in WALKERS:
                if account.id not in rows[state]:
                    _refused(hub, act, state, account.id, thing)
            assert digest(hub) == before, f"{act.name} in state {state} was refused and changed something"
            for person in sorted(rows[state]):
                _succeeds(name, act, state, person, thing, quick)
        hub.database.engine.dispose()
    assert tried == set(rows), "the states of tests/specs/matrix.md are not those of the scenes"


def _refused(hub: Hub, act: Act, state: str, person: str, thing: str) -> None:
    here = f"{act.name}, state {state}, {person}"
    by = factories.actor(hub, person)
    with hub.reading() as session:
        size = session.get_one(LedgerHead, 1).size
    try:
        act.do(hub, by, thing)
    except HubError as error:
        for refusal in error.refusals:
            explains(refusal)
    else:
        pytest.fail(f"{here}: was allowed and is not in tests/specs/matrix.md")
    with hub.reading() as session:
        entries = read_entries(session, limit=2)
    if act.verb == "look_at_files":
        return  # what is hidden is hidden without a trace: looking changes nothing
    assert entries[0].seq == size, f"{here}: {entries[0].seq - size + 1} events"
    assert entries[0].kind == EventKind.ACTION_REFUSED, here
    assert f'"actor":"{person}"' in entries[0].body, here


def _succeeds(scene: str, act: Act, state: str, person: str, thing: str, folder: Path) -> None:
    hub, _ = open_scene(scene, folder / "copy")
    try:
        act.do(hub, factories.actor(hub, person), thing)
    except HubError as error:
        pytest.fail(f"{act.name}, state {state}, {person}: is in tests/specs/matrix.md and was refused: {error}")
    finally:
        hub.database.engine.dispose()
        shutil.rmtree(folder / "copy")
