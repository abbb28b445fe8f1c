"""The register in the portal: forms, refusals in words, the public view and the disclosure file."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from hub.people.model import Organisation
from hub.register.model import RegistrationField
from tests.factories import STATED
from tests.integration.web_house import House, build_hub, open_house
from tests.integration.web_html import faults_of
from tests.integration.web_walk import Walk, begun, request_of


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    hub = build_hub(tmp_path_factory.mktemp("register"))
    with hub.database.writing() as session:
        session.get_one(Organisation, "operator").uscc = "91310000MA00000001"
    with open_house(hub) as opened:
        yield opened


@pytest.fixture(scope="module")
def released(house: House, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Request r-0001 is released and entered as product d-0001."""
    walk = begun(house, tmp_path_factory.mktemp("files"))
    request = request_of(walk.submit())
    for user in ("provider", "compliance"):
        walk.vote(user, request)
    walk.deliver(request)
    admin = walk.as_("admin")
    assert "Enter as a product" in _english(admin, "register").text
    admin.get(f"register/new/{request}")
    answer = admin.post(
        f"register/new/{request}", {"name": "Answers by age", "description": "Counts of answers by age band."}
    )
    assert answer.status_code == 303, answer.text
    return walk


def _english(browser: object, path: str) -> object:
    browser.get("language/en")  # type: ignore[attr-defined]
    return browser.get(path)  # type: ignore[attr-defined]


PAGES = [
    "register",
    "register/public",
    "register/disclosure",
    "register/papers",
    "register/income/l-0001",
    "register/products/d-0001",
]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("user", ["admin", "officer", "auditor"])
def test_pages_are_whole_in_both_languages(released: Walk, path: str, language: str, user: str) -> None:
    browser = released.as_(user)
    browser.get(f"language/{language}")
    answer = browser.get(path)
    assert answer.status_code == 200
    assert faults_of(answer.text) == []


def test_application_with_a_missing_field_names_it_and_keeps_what_was_typed(released: Walk) -> None:
    admin = released.as_("admin")
    _english(admin, "register/products/d-0001")
    stated: dict[str, object] = {f"stated.{field.value}": text for field, text in STATED.items()}
    stated["stated.risk_level"] = ""
    answer = admin.post("register/products/d-0001/apply", stated)
    assert answer.status_code == 403
    assert "register.field_missing" in answer.text
    assert "assessed risk" in answer.text
    assert STATED[RegistrationField.CONTACT] in answer.text


def test_public_product_offers_no_price_form_and_refuses_a_typed_one(released: Walk) -> None:
    admin = released.as_("admin")
    page = admin.get("register/products/d-0001").text
    assert "d-0001/price" not in page
    answer = admin.post("register/products/d-0001/price", {"unit": "calls", "yuan": "1"})
    assert answer.status_code == 403
    assert "lane.public_priced" in answer.text


def test_register_goes_from_application_to_public_notice_and_shows_four_things(released: Walk) -> None:
    admin, officer, analyst = (released.as_(user) for user in ("admin", "officer", "analyst"))
    admin.get("register/products/d-0001")
    stated: dict[str, object] = {f"stated.{field.value}": text for field, text in STATED.items()}
    assert admin.post("register/products/d-0001/apply", stated).status_code == 303
    officer.get("register/products/d-0001")
    for to in ("accepted", "form_reviewed", "public_notice"):
        assert officer.post("register/products/d-0001/decide", {"to": to}).status_code == 303
    page = _english(analyst, "register/public").text  # type: ignore[attr-defined]
    assert "Answers by age" in page
    main = re.search(r"<tbody>.*</tbody>", page, re.DOTALL)
    assert main is not None
    for secret in (STATED[RegistrationField.CONTACT], "d-0001", "r-0001", "l-0001", "sha256"):
        assert secret not in main[0]


def test_disclosure_is_handed_out_as_json(released: Walk) -> None:
    answer = released.as_("analyst").get("register/disclosure.json")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.json()["format"] == 1


@pytest.mark.parametrize("year", ["1999", "9999"])
def test_year_without_disclosure_is_refused_in_words(released: Walk, year: str) -> None:
    answer = released.as_("analyst").get(f"register/disclosure?year={year}")
    assert answer.status_code == 422
    assert "disclosure.year" in answer.text


def test_unknown_step_and_unknown_product_get_one_answer(released: Walk) -> None:
    admin = released.as_("admin")
    admin.get("register/products/d-0001")
    assert admin.post("register/products/d-0001/delete").status_code == 404
    assert admin.get("register/products/d-9999").status_code == 404
