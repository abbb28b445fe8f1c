"""The end of a licence in the portal: the form asks for the number, the report and certificate are there after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.licensing.model import Licence
from hub.products.verify import verify_bundle
from hub.workspaces.actions import close_workspace
from tests.integration.web_house import House, build_hub, open_house
from tests.integration.web_html import faults_of
from tests.integration.web_walk import Walk, begun


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(build_hub(tmp_path_factory.mktemp("closing"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def walk(house: House, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    walk = begun(house, tmp_path_factory.mktemp("files"))
    close_workspace(house.hub, workspace_id=walk.workspace, reason="licence")
    return walk


def test_licence_in_force_is_not_closed_by_a_typed_form(walk: Walk) -> None:
    officer = walk.as_("officer")
    page = officer.get(f"closing/{walk.licence}")
    assert faults_of(page.text) == []
    answer = officer.post(f"closing/{walk.licence}/seal", {"typed": walk.licence, "reason": "Ended."})
    assert answer.status_code == 403
    assert "closing.usable" in answer.text


def test_closing_asks_for_the_number_and_ends_with_a_certificate(walk: Walk, tmp_path: Path) -> None:
    with walk.house.hub.database.writing() as session:  # years pass: people's training would lapse with the licence
        session.get_one(Licence, walk.licence).ends_at = walk.house.hub.clock()
    officer = walk.as_("officer")
    officer.get(f"closing/{walk.licence}")
    refused = officer.post(f"closing/{walk.licence}/seal", {"typed": "l-9999", "reason": "Ended."})
    assert refused.status_code == 403
    assert "closing.confirm" in refused.text
    assert officer.get(f"closing/{walk.licence}/certificate").status_code == 404
    officer.get(f"closing/{walk.licence}")
    done = officer.post(f"closing/{walk.licence}/seal", {"typed": walk.licence, "reason": "Ended."})
    assert done.status_code == 303, done.text
    for language in ("zh", "en"):
        officer.get(f"language/{language}")
        for path in ("closing", f"closing/{walk.licence}"):
            page = officer.get(path)
            assert page.status_code == 200
            assert faults_of(page.text) == []
    certificate = walk.as_("admin").get(f"closing/{walk.licence}/certificate")
    assert certificate.headers["content-disposition"].startswith("attachment")
    bundle = tmp_path / "certificate.zip"
    bundle.write_bytes(certificate.content)
    assert verify_bundle(bundle).holds
    assert "closing.done" in officer.post(f"closing/{walk.licence}/seal", {"typed": walk.licence, "reason": "x"}).text
