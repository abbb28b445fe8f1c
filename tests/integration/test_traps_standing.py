"""Trap: a standing way around. No setting, environment variable, parameter, role or service skips a vote or a check."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from hub.errors import HubError
from hub.people.actor import REVIEWERS, SYSTEM, Actor, OrgKind, Role
from hub.people.rules import MAY, Verb
from hub.settings import PROJECT, Settings
from tests.factories import actor
from tests.matrix_house import ACTS, SCENES, Act, open_scene

SOURCES = sorted((PROJECT / "hub").rglob("*.py"))
DOORS = ("bypass", "force", "ignore", "override", "skip", "unsafe", "without", "trusted", "admin")


def test_settings_that_weaken_a_guarantee_are_these_two() -> None:
    assert {field.name for field in fields(Settings) if field.name.startswith("unsafe_")} == {
        "unsafe_clock_file",
        "unsafe_database_tls",
    }
    assert Settings().unsafe == ()


def test_no_setting_is_named_like_a_way_around() -> None:
    named = {field.name for field in fields(Settings) if any(door in field.name for door in DOORS)}
    assert {name for name in named if not name.startswith("unsafe_")} == set()


def test_a_stricter_site_is_possible_and_a_laxer_one_is_not(tmp_path: Path) -> None:
    hub, scene = open_scene("everyday", tmp_path / "state")
    lax = replace(hub.settings, min_reviewers=0, max_licence_days=99_999, grant_hours=99_999)
    hub.settings = lax
    with hub.reading() as session:
        from hub.gate.actions import facts_of
        from hub.gate.model import ExportRequest
        from hub.gate.rules import approved

        facts = facts_of(session, session.get_one(ExportRequest, scene.things["request"]["approved"]))
    assert approved(facts)
    assert not approved(replace(facts, reviewers_required=0, votes=facts.votes[:1]))
    assert not approved(replace(facts, reviewers_required=-9, votes=()))


def environment_reads(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and ast.unparse(node.value) == "os":
            yield str(path.relative_to(PROJECT))


def test_the_environment_is_read_where_settings_are_read_and_where_processes_begin() -> None:
    found = {name for path in SOURCES for name in environment_reads(path)}
    allowed = {
        "hub/db.py",
        "hub/settings.py",
        "hub/serve.py",
        "hub/web/serve.py",
        "hub/doctor.py",
        "hub/demo/__main__.py",
    }
    rooms = {name for name in found if name.split("/")[1] not in ("jupyter", "web", "demo")}
    assert rooms <= allowed, "a rule or action that reads the environment can be changed without a trace"
    assert not [name for name in found if name.endswith(("rules.py", "actions.py", "seals.py", "context.py"))]


def test_no_action_has_a_parameter_that_opens_a_door() -> None:
    found = {
        f"{path.relative_to(PROJECT)}:{node.name}({argument.arg})"
        for path in SOURCES
        if path.parent.name not in ("web", "jupyter", "demo", "hub")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for argument in (*node.args.args, *node.args.kwonlyargs)
        if any(door in argument.arg for door in DOORS)
    }
    assert found == {
        "hub/people/accounts.py:_officers(without)",  # all officers but this one
        "hub/products/verify.py:_trust(trusted)",  # the keys that a receiver trusts
        "hub/products/verify.py:verify_bundle(trusted)",
    }


def test_no_role_may_everything_and_none_may_both_ask_and_approve() -> None:
    asking = {Verb.SUBMIT_EXPORT, Verb.REQUEST_EXTRACT, Verb.FILE_SCENARIO, Verb.DESCRIBE_PRODUCT}
    deciding = {Verb.CAST_VOTE, Verb.DELIVER_RELEASE, Verb.DECIDE_EXTRACT, Verb.DECIDE_SCENARIO, Verb.GRANT_LICENCE}
    for role in Role:
        may = {verb for verb, roles in MAY.items() if role in roles}
        assert may != set(Verb)
        assert not (may & asking and may & deciding), role
    assert not REVIEWERS & MAY[Verb.DELIVER_RELEASE]


BY_RULE = {"request_extract", "build_extract:start", "build_extract:run"}
"""What the service itself may do: ask for and build the rungs that show no row of a person and that nobody approves."""


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_the_service_itself_decides_nothing(act: Act, tmp_path: Path) -> None:
    _try_all(act, SYSTEM, tmp_path)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_somebody_without_an_account_does_nothing_with_any_role(act: Act, tmp_path: Path) -> None:
    ghost = Actor(person_id="admin", org_id="bureau", org_kind=OrgKind.BUREAU, roles=frozenset(Role))
    _try_all(act, ghost, tmp_path)


def _try_all(act: Act, by: Actor, folder: Path) -> None:
    for name in ("everyday", "agreements") if act.entity != "any" else ("everyday",):
        hub, scene = open_scene(name, folder / name)
        for state, thing in scene.things.get(act.entity, {"any": "-"} if act.entity == "any" else {}).items():
            if by == SYSTEM and act.name in BY_RULE:
                continue
            with pytest.raises(HubError):
                act.do(hub, by, thing)
            assert state is not None
        hub.database.engine.dispose()


def test_jupyterhub_has_no_administrators() -> None:
    wiring = (PROJECT / "jupyterhub_config.py").read_text(encoding="utf-8")
    assert "c.Authenticator.admin_users = set()" in wiring
    assert "c.JupyterHub.admin_access = False" in wiring
    assert "admin:" not in wiring, "no service or role of the hub has an admin scope"
    assert '"admin": False' in inspect.getsource(__import__("hub.jupyter.authenticator", fromlist=["x"]))


def test_scenes_are_those_of_the_walk(tmp_path: Path) -> None:
    hub, _ = open_scene(sorted(SCENES)[0], tmp_path / "state")
    assert actor(hub, "auditor").roles == {Role.AUDITOR}
