"""The pages of people and posts: the bureau appoints and enters trainings; everyone reads the matrix that decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.people.actor import Role
from hub.people.rules import MAY, Verb
from tests import factories
from tests.factories import actor
from tests.integration.web_house import House, open_house
from tests.integration.web_html import faults_of


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("people")
    with open_house(factories.district(folder / "state")) as house:
        yield house


def test_bureau_appoints_and_ends_through_the_form_and_the_page_names_the_empty_post(house: House) -> None:
    officer = house.browser_of("bureau-officer")
    officer.get("language/en")
    fields: dict[str, object] = {
        "org": "tj",
        "post": "chief_data_officer",
        "person": "tj-cdo",
        "from": "2026-11-24",
        "until": "2027-11-24",
        "letter": "演示〔2026〕任命9号",
    }
    assert "nobody" not in officer.get("people").text
    assert officer.post("people/appointments", fields).status_code == 303
    page = officer.get("people").text
    assert "演示〔2026〕任命9号" in page
    assert officer.post("people/appointments/a-0007/end").status_code == 303
    assert "nobody" in officer.get("people").text
    assert officer.post("people/appointments/a-0007/end").status_code == 403
    assert officer.post("people/appointments", fields).status_code == 303


def test_refused_appointment_comes_back_filled_in(house: House) -> None:
    officer = house.browser_of("bureau-officer")
    officer.get("people")
    answer = officer.post(
        "people/appointments",
        {"org": "tj", "post": "data_steward", "person": "mz-steward", "from": "2026-11-24", "until": "2027-11-24",
         "letter": "演示〔2026〕任命10号"},
    )  # fmt: skip
    assert answer.status_code == 403
    assert "appointment.person" in answer.text
    assert "任命10号" in answer.text


def test_bureau_enters_a_training_and_nobody_their_own(house: House) -> None:
    dates: dict[str, object] = {"trained_until": "2027-01-31", "confidentiality_until": "2027-02-28"}
    lapsed = "people/centre-reviewer-2/training"
    officer = house.browser_of("bureau-officer")
    assert officer.get(lapsed).status_code == 200
    assert officer.post(lapsed, dates).status_code == 303
    assert "2027-02-01" in officer.get(lapsed).text
    own = officer.post("people/bureau-officer/training", dates)
    assert own.status_code == 403
    assert "training.self" in own.text


def test_others_see_their_own_body_and_cannot_write(house: House) -> None:
    steward = house.browser_of("mz-steward")
    page = steward.get("people").text
    assert "mz-cdo" in page
    assert "tj-cdo" not in page
    assert "ky-analyst" not in page
    assert steward.get("people/tj-cdo/training").status_code == 404
    assert steward.post("people/appointments/a-0001/end").status_code == 403
    answer = steward.post(
        "people/mz-cdo/training", {"trained_until": "2027-01-31", "confidentiality_until": "2027-01-31"}
    )
    assert answer.status_code == 403
    assert "role.missing" in answer.text


def test_matrix_shows_each_pair_of_the_table_that_decides_and_no_other(house: House) -> None:
    page = house.browser_of("auditor").get("people/matrix").text
    assert page.count("✓") == sum(len(roles) for roles in MAY.values())
    for verb in Verb:
        row = page[page.index(f"<code>{verb.value}</code>") :].split("</tr>", 1)[0].split("<td>")[1:]
        assert {role for role, cell in zip(Role, row, strict=True) if "✓" in cell} == MAY[verb]


def test_pages_have_labels_nothing_inline_and_both_languages(house: House) -> None:
    officer = house.browser_of("bureau-officer")
    for code in ("zh", "en"):
        officer.get(f"language/{code}")
        for path in ("people", "people/matrix", "people/mz-cdo/training"):
            answer = officer.get(path)
            assert answer.status_code == 200
            assert faults_of(answer.text) == [], path
    assert actor(house.hub, "mz-cdo").has(Role.DEPT_CDO)


def test_people_are_found_by_name_account_or_organisation_and_shown_page_by_page(house: House) -> None:
    officer = house.browser_of("bureau-officer")
    officer.get("language/en")
    account = re.compile(r'people/([a-z0-9-]+)/account"')

    def shown(address: str) -> list[str]:
        page = officer.get(address)
        assert page.status_code == 200
        return account.findall(page.text.partition('id="people"')[2])

    everybody = shown("people")
    assert set(shown("people?q=KY-")) == {name for name in everybody if name.startswith("ky-")}
    assert set(shown("people?q=区民政局")) == {name for name in everybody if name.startswith("mz-")}
    assert shown("people?q=%3Cscript%3E") == []
    assert [*shown("people?q=&offset=0")[:10], *shown("people?offset=10")] == everybody
    assert shown("people?offset=100000") == shown("people?q=nobody-of-this-name") == []
