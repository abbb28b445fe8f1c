"""Trap: an address is typed before the approval. No spelling of it, no method and no guessed id yields a byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.context import Hub
from hub.gate.model import ExportRequest
from hub.products.actions import bundle_path
from tests import factories
from tests.integration.web_house import PREFIX, House, open_house
from tests.matrix_house import Scene, open_scene

Place = tuple[House, Scene]
SECRET = factories.SAFE.splitlines()[1]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    hub, scene = open_scene("everyday", tmp_path / "state")
    with open_house(hub) as house:
        yield house, scene


def digest_of(hub: Hub, request: str) -> str:
    with hub.reading() as session:
        return session.get_one(ExportRequest, request).files[0].sha256


SPELLINGS = (
    "products/{it}/bundle",
    "products/{it}/bundle/",
    "products/{it}/bundle.zip",
    "products/{it}/bundle.",
    "products/{it}/bundle%2e",
    "products/{it}/bundle%00",
    "products/{it}/bundle?download=1&force=1&admin=true&released=true",
    "products/{it}//bundle",
    "products//{it}/bundle",
    "//products/{it}/bundle",
    "products/{it}%2fbundle",
    "products/{it}/%62undle",
    "products/{it}/../{it}/bundle",
    "products/./{it}/bundle",
    "products/{it};/bundle",
    "products/{it}/BUNDLE",
    "PRODUCTS/{it}/bundle",
    "products/{it}/bundle/files/counts.csv",
    "releases/{it}/bundle.zip",
    "requests/{it}/files/0",
    "requests/{it}/files/0/picture",
    "requests/{it}/files/-1/picture",
    "requests/{it}/bundle",
    "frozen/{digest}",
    "static/../frozen/{digest}",
    "static/%2e%2e/%2e%2e/%2e%2e/frozen/{digest}",
    "static/..%2f..%2f..%2fkeys/ledger.ed25519.pem",
    "static/....//....//zhakou.sqlite",
)
STATES = ("approved", "in_review", "withdrawn")
PEOPLE = ("ky-analyst", "ps-admin")
METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS", "PROPFIND")


@pytest.mark.parametrize("state", STATES)
def test_no_spelling_of_an_address_fetches_what_was_not_released(place: Place, state: str) -> None:
    house, scene = place
    request = scene.things["request"][state]
    values = {"it": request, "digest": digest_of(house.hub, request)}
    tried = [("GET", spelling) for spelling in SPELLINGS] + [(method, SPELLINGS[0]) for method in METHODS]
    for person in PEOPLE:
        browser = house.browser_of(person)
        browser.get("account")
        for method, spelling in tried:
            raw = f"{house.address}{PREFIX}{spelling.format(**values)}"
            sent = {"csrf_token": browser.csrf} if method == "POST" else None
            answer = browser.client.request(method, raw, data=sent, headers={"sec-fetch-site": "same-origin"})
            here = f"{method} {spelling} by {person}: {answer.status_code}"
            assert 400 <= answer.status_code < 500, here
            assert SECRET not in answer.content, here
            assert not answer.content.startswith(b"PK"), here
    assert not bundle_path(house.hub, request).exists()


@pytest.mark.parametrize("guess", ["r-0001", "r-0002", "r-9999", "r-0014", "r-0020", "g-0001", "d-0001", "l-0001", "-"])
def test_guessed_ids_give_a_stranger_to_the_data_one_answer(place: Place, guess: str) -> None:
    house, _ = place
    rival = house.browser_of("ps-analyst")
    rival.get("account")
    answers = {
        (rival.get(f"{room}/{guess}{tail}").status_code)
        for room, tail in (("requests", ""), ("products", ""), ("products", "/bundle"), ("workspaces", ""))
    }
    assert answers <= {404}
    assert rival.post(f"products/{guess}/bundle").status_code == 404


def test_grant_is_used_by_a_form_and_never_by_a_link(place: Place) -> None:
    house, scene = place
    request = scene.things["grant"]["fresh"]
    analyst = house.browser_of("ky-analyst")
    analyst.get(f"products/{request}")
    for method in ("GET", "HEAD"):
        answer = analyst.client.request(method, f"{PREFIX}products/{request}/bundle")
        assert not answer.content.startswith(b"PK")
    without_token = analyst.client.post(f"{PREFIX}products/{request}/bundle", headers={"sec-fetch-site": "same-origin"})
    assert without_token.status_code == 403
    assert analyst.post(f"products/{request}/bundle").content.startswith(b"PK")
    assert analyst.post(f"products/{request}/bundle").status_code == 403


def test_report_of_an_extract_is_for_the_government_side(place: Place) -> None:
    house, scene = place
    extract = scene.things["extract"]["issued"]
    for person in ("ky-analyst", "ky-admin", "ps-analyst"):
        for tail in ("report", "report/", "report.html", "extract.parquet", "../../keys"):
            assert house.browser_of(person).get(f"extracts/{extract}/{tail}").status_code == 404, (person, tail)


def test_stranger_is_sent_to_log_in_from_every_spelling(place: Place) -> None:
    house, scene = place
    stranger = httpx.Client(base_url=house.address, trust_env=False, timeout=60)
    for spelling in SPELLINGS[:6]:
        path = f"{PREFIX}{spelling.format(it=scene.things['grant']['fresh'], digest='0' * 64)}"
        answer = stranger.get(path)
        assert answer.status_code in (303, 404), spelling
        assert SECRET not in answer.content
