"""Every address of the portal x every role: `tests/specs/pages.md` lists who is answered, everyone else is refused.

What a page shows is tested in its room. Here each address is opened by one account of each role, by a rival operator
and by a stranger; a form is sent empty, so that it is only carried out where it needs no field at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from hub.context import Hub
from hub.demo.people import ACCOUNTS
from hub.intake.model import RawFile
from hub.web import entrance
from hub.web.app import ROOMS
from tests.integration.web_house import open_house
from tests.matrix_house import Scene, open_scene
from tests.spec_tables import FOLDER

TABLE = FOLDER / "pages.md"
VISITORS = (
    "auditor",
    "bureau-officer",
    "cac-supervisor",
    "centre-operator",
    "centre-reviewer",
    "data-expert",
    "ky-admin",
    "ky-analyst",
    "mz-cdo",
    "mz-chief",
    "mz-reviewer",
    "mz-steward",
    "ps-admin",
    "release-officer",
)
"""One account a role, and a rival operator's."""
NAMES = {account.name_zh: account.id for account in ACCOUNTS}
EVERYBODY, NOBODY = "所有账号", "无"

ROUTES = sorted(
    {
        (method, route.path)
        for room in (entrance.router, *ROOMS)
        for route in room.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
)
OUTSIDE = {
    ("GET", "/login"),
    ("GET", "/oauth_callback"),
    ("POST", "/logout"),
    ("GET", "/language/{code}"),
    ("GET", "/health"),
}
"""The entrance: no account is needed, and nothing is shown (test_web_shell.py)."""


def addresses(hub: Hub, scene: Scene) -> Mapping[str, str]:
    """What stands for each name in an address; a name with a path in front is meant there alone."""
    with hub.reading() as session:
        raw = session.query(RawFile).filter_by(org_id="mz").first().digest
    things = scene.things
    return {
        "appointment_id": things["appointment"]["active"],
        "change_id": things["change"]["proposed"],
        "consent_id": things["consent"]["requested"],
        "digest": raw,
        "extract_id": things["extract"]["issued"],
        "licence_id": "l-0001",
        "org_id": "kangyang",
        "paper_id": "1",
        "person_id": things["person"]["active"],
        "position": "0",
        "product_id": things["product"]["coded"],
        "request_id": things["request"]["in_review"],
        "/extracts/requests request_id": things["extract_request"]["requested"],
        "/products request_id": things["grant"]["fresh"],
        "/register/new request_id": things["grant"]["fresh"],
        "run_id": things["run"]["in_review"],
        "scenario_id": things["scenario"]["heard"],
        "step": "price",
        "table_id": "clinic_visits",
        "version": "1",
        "workspace_id": things["workspace"]["open"],
    }


def address(path: str, known: Mapping[str, str]) -> str:
    """The path with something in the place of every name."""

    def fill(found: re.Match[str]) -> str:
        name = found.group(1).split(":")[0]
        special = [
            value
            for key, value in known.items()
            if " " in key and path.startswith(key.split()[0]) and key.endswith(name)
        ]
        assert special or name in known, f"say in addresses() what stands for {{{name}}} in {path}"
        return special[0] if special else known[name]

    return re.sub(r"\{([^}]*)\}", fill, path).lstrip("/")


def table() -> Mapping[tuple[str, str], frozenset[str]]:
    found = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] in ("GET", "POST"):
            names = [] if cells[2] == NOBODY else cells[2].split("、")
            people = frozenset(VISITORS) if names == [EVERYBODY] else frozenset(NAMES[name] for name in names)
            found[cells[0], cells[1].strip("`")] = people
    return found


def test_no_room_hides_addresses_in_a_router_of_its_own() -> None:
    hidden = [route for room in (entrance.router, *ROOMS) for route in room.routes if not isinstance(route, APIRoute)]
    assert hidden == [], "list the router in ROOMS of hub/web/app.py"


def test_table_lists_every_address_and_no_other() -> None:
    listed = set(table())
    missing = [route for route in ROUTES if route not in listed and route not in OUTSIDE]
    assert missing == [], "add a row to tests/specs/pages.md for each"
    assert listed - set(ROUTES) == set()


ROOM_OF = {route: route[1].split("/")[1] for route in ROUTES if route not in OUTSIDE}


@pytest.mark.parametrize("room", sorted(set(ROOM_OF.values())))
def test_address_answers_whom_the_table_names_and_nobody_else(room: str, tmp_path: Path) -> None:
    allowed, wrong = table(), []
    hub, scene = open_scene("everyday", tmp_path / "state")
    known = addresses(hub, scene)
    with open_house(hub) as house:
        browsers = {person: house.browser_of(person) for person in VISITORS}
        stranger = house.stranger()
        for browser in browsers.values():
            browser.get("account")
        for method, path in (route for route in ROUTES if ROOM_OF.get(route) == room):
            here = address(path, known)
            code = stranger.get(here).status_code if method == "GET" else stranger.post(here, {}).status_code
            if code != (303 if method == "GET" else 401):
                wrong.append(f"{method} {path}: a stranger gets {code}")
            for person, browser in browsers.items():
                if method == "POST" and person in allowed[method, path]:
                    continue
                code = (browser.get(here) if method == "GET" else browser.post(here, {})).status_code
                if (code < 400) is not (person in allowed[method, path]) or code >= 500:
                    wrong.append(f"{method} {path}: {person} gets {code}")
    assert wrong == []


@pytest.mark.parametrize(
    ("path", "person"),
    [(path, person) for (method, path), who in sorted(table().items()) for person in sorted(who) if method == "POST"],
)
def test_form_without_a_field_is_carried_out_for_whom_the_table_names(path: str, person: str, tmp_path: Path) -> None:
    hub, scene = open_scene("everyday", tmp_path / "state")
    with open_house(hub) as house:
        browser = house.browser_of(person)
        browser.get("account")
        assert browser.post(address(path, addresses(hub, scene)), {}).status_code < 400
