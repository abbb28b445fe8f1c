"""The agreement's form, its steps and its document, through the portal as browsers see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.demo.catalog import FAIR, policy_of
from tests.integration.web_house import Browser, House, build_hub, open_house
from tests.integration.web_html import faults_of, fields_of
from tests.integration.web_walk import Walk

NUMBERS = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(build_hub(tmp_path_factory.mktemp("agreement"))) as house:
        yield house


@pytest.fixture(scope="module")
def walk(house: House, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """An approved scenario."""
    walk = Walk(house=house)
    walk.intake(tmp_path_factory.mktemp("files"))
    for step in (walk.register, walk.publish, walk.file_scenario, walk.opinions, walk.decide):
        answer = step()
        assert answer.status_code == 303, answer.text
    return walk


@pytest.fixture
def drafted(walk: Walk) -> Walk:
    assert walk.draft().status_code == 303
    return walk


def form_of(walk: Walk, officer: Browser | None = None) -> dict[str, object]:
    address = f"licences/draft/{walk.scenario}"
    return fields_of((officer or walk.as_("officer")).get(address).text, address)


def test_form_proposes_all_thirteen_items(walk: Walk) -> None:
    page = walk.as_("officer").get(f"licences/draft/{walk.scenario}").text
    assert [number for number in NUMBERS if f"第十四条（{number}）" not in page] == []
    empty = {
        name for name, values in form_of(walk).items() if values == [""] and not name.startswith(("join.", "plan."))
    }
    assert empty == {
        *("header.authority", "header.document_ref", "header.renews"),
        *("scope.security_opinion", "scope.security_opinion_digest", "full_reason.fair", "term.start_reason"),
    }


def test_only_the_document_and_the_policy_have_to_be_entered(walk: Walk) -> None:
    fields = form_of(walk) | {
        "header.document_ref": "Test 2026-7",
        "policy.fair": policy_of("fair"),
        "columns.fair": [column.name for column in FAIR.columns],
    }
    answer = walk.as_("officer")
    answer.get(f"licences/draft/{walk.scenario}")
    assert answer.post(f"licences/draft/{walk.scenario}", fields).status_code == 303


def test_refused_form_names_every_problem_and_keeps_what_was_typed(walk: Walk) -> None:
    answer = walk.draft(
        **{"security.duties": " ", "other.exports_per_week": "999", "finance.costs": "typed <b>here</b>"}
    )
    assert answer.status_code == 422
    for place in ("items.security.duties", "items.other.exports_per_week"):
        assert place in answer.text
    assert "typed &lt;b&gt;here&lt;/b&gt;" in answer.text
    assert 'value="999"' in answer.text
    assert faults_of(answer.text) == []


def test_rules_that_stand_against_a_draft_are_shown_in_both_languages(walk: Walk) -> None:
    officer = walk.as_("officer")
    for language, words in (("zh", "区级不得自行签署"), ("en", "The district does not sign alone")):
        officer.get(f"language/{language}")
        changed = {"header.grant_source": "city_overall", "policy.fair": policy_of("fair")}
        fields = form_of(walk, officer) | changed
        answer = officer.post(f"licences/draft/{walk.scenario}", fields)
        assert answer.status_code == 403
        assert words in answer.text
        assert "licence.authority" in answer.text


@pytest.mark.parametrize("user", ["admin", "analyst", "steward", "auditor"])
def test_whoever_does_not_draft_is_not_shown_the_form(walk: Walk, user: str) -> None:
    answer = walk.as_(user).get(f"licences/draft/{walk.scenario}")
    assert answer.status_code in (403, 404)


def test_each_step_is_offered_to_those_who_may_take_it(drafted: Walk) -> None:
    def offers(user: str, step: str) -> bool:
        return f"licences/{drafted.licence}/{step}" in drafted.as_(user).get(f"licences/{drafted.licence}").text

    assert offers("assessor", "deliberate")
    assert not offers("officer", "deliberate")  # who drafted it
    assert not offers("admin", "sign")
    minutes = {"meeting": "Board", "attendees": "Head\nDeputy", "minutes_digest": "A" * 64}
    assert drafted.step("assessor", "deliberate", **minutes).status_code == 303
    assert offers("assessor", "sign")
    assert offers("admin", "sign")
    assert not offers("officer", "sign")
    assert "签署协议" in drafted.as_("admin").get("").text


def test_document_can_be_read_with_its_digest_in_both_languages(drafted: Walk) -> None:
    analyst = drafted.as_("analyst")
    for language, title in (("zh", "授权运营协议"), ("en", "Authorized-operation agreement")):
        analyst.get(f"language/{language}")
        page = analyst.get(f"licences/{drafted.licence}/agreement").text
        assert title in page
        assert 'class="whole-digest"' in page
        assert faults_of(page) == []


def test_revision_keeps_the_first_version_readable_and_begins_anew(drafted: Walk) -> None:
    minutes = {"meeting": "Board", "attendees": "Head\nDeputy", "minutes_digest": "a" * 64}
    drafted.step("assessor", "deliberate", **minutes)
    officer, address = drafted.as_("officer"), f"licences/{drafted.licence}/revise"
    fields = fields_of(officer.get(address).text, address) | {"finance.costs": "second thoughts"}
    refused = officer.post(address, fields | {"revision_reason": ""})
    assert refused.status_code == 403
    assert "licence.reason_missing" in refused.text
    assert officer.post(address, fields | {"revision_reason": "Costs were missing."}).status_code == 303
    newest, first = (officer.get(f"licences/{drafted.licence}/agreement{end}").text for end in ("", "/1"))
    assert "second thoughts" in newest
    assert "second thoughts" not in first
    assert officer.get(f"licences/{drafted.licence}/agreement/9").status_code == 404
    assert drafted.step("admin", "sign").status_code == 403


def test_licence_in_force_can_be_suspended_terminated_and_then_closed(walk: Walk) -> None:
    assert walk.grant().status_code == 303
    officer, address = walk.as_("officer"), f"licences/{walk.licence}"
    officer.get(address)
    assert officer.post(f"{address}/suspend", {"reason": "Yearly check."}).status_code == 303
    assert "licence.suspended" in walk.as_("analyst").get("").text
    officer.get(address)
    assert officer.post(f"{address}/terminate", {"reason": "Both sides agree."}).status_code == 303
    page = officer.get(address).text
    assert f"closing/{walk.licence}" in page
    assert "已终止" in page


def test_renewal_is_drafted_from_the_old_agreement(walk: Walk) -> None:
    assert walk.grant(**{"finance.costs": "agreed before"}).status_code == 303
    officer, old = walk.as_("officer"), walk.licence
    address = f"licences/draft/{walk.scenario}"
    fields = fields_of(officer.get(f"{address}?renews={old}").text, address)
    assert (fields["header.renews"], fields["finance.costs"]) == ([old], ["agreed before"])
    answer = officer.post(address, fields)
    assert answer.status_code == 303, answer.text
    assert old in officer.get(f"licences/{answer.headers['location'].rsplit('/', 1)[-1]}").text


def test_barred_table_stops_what_names_it_at_once(walk: Walk, house: House) -> None:
    assert walk.grant().status_code == 303
    civil, steward = walk.as_("civil-steward"), walk.as_("steward")
    assert "catalog/tables/fair/bar" not in civil.get("catalog/tables/fair").text
    steward.get("catalog/tables/fair")
    assert steward.post("catalog/tables/fair/bar", {"reason": "Found by the secrecy review."}).status_code == 303
    assert "licence.state_secret" in walk.as_("analyst").get(f"licences/{walk.licence}").text
    assert walk.draft().status_code == 403
