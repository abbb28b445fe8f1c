"""Trap: whoever asks chooses who approves, or what is counted. What a request says of itself is never believed."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from hub.context import Hub
from hub.errors import HubError
from hub.extracts.requests import request_extract
from hub.gate.actions import find_request, submit_export
from hub.gate.model import RequestStatus
from hub.intake.actions import receive_file
from hub.licensing.actions import find_licence
from hub.register.actions import meter_usage, propose_product
from hub.runs.actions import request_run
from hub.workspaces.actions import workspace_dir
from tests import factories
from tests.factories import actor
from tests.integration.web_house import House, open_house
from tests.matrix_house import WORDS, Scene, open_scene

Place = tuple[House, Scene]
CLAIMS = {
    "approved": "true",
    "author_id": "ky-admin",
    "author_org": "audit",
    "bytes": "1",
    "check_verdict": "pass",
    "digest": "0" * 64,
    "k": "999",
    "licence_id": "l-9999",
    "needed": "0",
    "provider_orgs": "kangyang",
    "reviewers": "ky-expert",
    "reviewers_required": "0",
    "rows": "1",
    "seat": "provider_reviewer",
    "seats": "compliance_reviewer",
    "status": "approved",
    "votes": "ky-expert",
}
"""What one would like to say of one's own request."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    hub, scene = open_scene("everyday", tmp_path / "state")
    with open_house(hub) as house:
        yield house, scene


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(HubError) as caught:
        act()
    assert code in {refusal.rule for refusal in caught.value.refusals}


@pytest.mark.parametrize("ask", [submit_export, request_extract, request_run, propose_product, meter_usage])
def test_no_request_has_a_word_for_who_decides_on_it_or_by_how_many(ask: Callable[..., object]) -> None:
    named = set(inspect.signature(ask).parameters)
    assert (
        named
        & {*(set(CLAIMS) - {"licence_id"}), "reviewer", "approver", "builder", "price", "fen", "threshold", "verdict"}
        == set()
    )


def test_claims_in_the_form_of_a_request_change_nothing(place: Place) -> None:
    house, scene = place
    hub, workspace = house.hub, scene.things["workspace"]["open"]
    factories.put(hub, factories.room(hub))
    analyst = house.browser_of("ky-analyst")
    analyst.get(f"workspaces/{workspace}")
    fields = {"item": "counts", "title": "就诊人数", "reason": WORDS, "form": "INDEX"}
    answer = analyst.post(f"workspaces/{workspace}/submit", {**CLAIMS, **fields})
    assert answer.status_code == 303, answer.text
    request = find_request(hub, actor(hub, "auditor"), answer.headers["location"].rsplit("/", 1)[1])
    assert request.status is not RequestStatus.APPROVED
    assert (request.author_id, request.author_org, request.licence_id) == ("ky-analyst", "kangyang", "l-0001")
    assert (request.provider_orgs, request.votes) == (["mz"], [])
    assert request.digest != CLAIMS["digest"]
    assert request.files[0].size == len(factories.SAFE)
    assert find_licence(hub, actor(hub, "auditor"), "l-0001").reviewers_required == 2


def test_what_a_notebook_says_of_its_result_is_not_believed(place: Place) -> None:
    house, _ = place
    hub = house.hub
    room = factories.room(hub)
    rows = b"\n".join(factories.clinic_csv().splitlines()[:120])
    slug = factories.put(hub, room, slug="claimed", payload=rows)
    about = workspace_dir(hub, room.workspace_id) / "outbox" / slug / "about.json"
    said: dict[str, Any] = json.loads(about.read_text(encoding="utf-8"))
    about.write_text(json.dumps({**said, "rows": 3, "bytes": 9, "k": 999, "verdict": "pass", "checked": True}))
    try:
        request = factories.submitted(hub, room, slugs=[slug])
    except HubError:
        return  # a description with more in it than the kit writes is refused whole
    assert request.status is RequestStatus.MACHINE_REFUSED
    assert request.files[0].size == len(rows)


def test_rows_and_bytes_of_a_file_are_counted_and_not_asked(place: Place) -> None:
    house, _ = place
    steward = house.browser_of("mz-steward")
    steward.get("catalog/intake")
    content = b"a,b\n1,2\n3,4\n5,6\n"
    claims = {"no_state_secret": "yes", "rows": "1", "size": "1", "columns": "a", "digest": "0" * 64}
    answer = steward.post("catalog/upload", claims, files={"table": ("a.csv", content, "text/csv")})
    assert answer.status_code == 303, answer.text
    raw = receive_file(
        house.hub,
        actor(house.hub, "mz-steward"),
        stream=BytesIO(content),
        name="a.csv",
        no_state_secret=True,
        scan=factories.scan_here,
    )
    assert (raw.rows, raw.size, raw.columns) == (3, len(content), ["a", "b"])
    assert answer.headers["location"].endswith(raw.digest)


def test_k_is_the_policy_s_and_is_measured_again(tmp_path: Path) -> None:
    hub = factories.district(tmp_path / "state")
    strict = factories.POLICY.replace("k = 5", "k = 500")
    extract = factories.extracted(hub, policy=strict)
    assert extract.digest in ("", None)
    lax = tmp_path / "lax"
    other = factories.district(lax)
    with pytest.raises(HubError):
        factories.licensed(other, policy=factories.POLICY.replace("k = 5", "k = 1"))


def test_fewer_reviewers_than_two_are_not_agreed_on(tmp_path: Path) -> None:
    hub = factories.district(tmp_path / "state")
    for reviewers in (1, 0, -1):
        with pytest.raises(HubError):
            factories.agreed(hub, _scenario(hub), reviewers=reviewers)


def _scenario(hub: Hub) -> str:
    from hub.catalog.actions import list_tables

    known = [table.id for table in list_tables(hub, actor(hub, "auditor"))]
    return factories.approved_scenario(hub, table_ids=known)


def test_price_is_held_under_the_cap_that_the_bureau_entered(place: Place) -> None:
    house, scene = place
    product = scene.things["product"]["coded"]
    admin = house.browser_of("ky-admin")
    admin.get(f"register/products/{product}")
    fields = {"unit": "CALLS", "yuan": "99", "cap": "9999", "fen": "1", "caps": "CALLS:999999"}
    assert admin.post(f"register/products/{product}/price", fields).status_code >= 400
