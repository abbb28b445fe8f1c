"""The whole walk through the portal's forms, and what each page shows and refuses on the way."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.gate.actions import stored
from hub.gate.model import ExportRequest
from hub.products.verify import verify_bundle
from tests.integration.web_house import House, build_hub, open_house
from tests.integration.web_html import faults_of
from tests.integration.web_walk import RESULT, VOTE, Walk, begun, request_of


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(build_hub(tmp_path_factory.mktemp("walk"))) as house:
        yield house


@pytest.fixture(scope="module")
def walk(house: House, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    return begun(house, tmp_path_factory.mktemp("files"))


@pytest.fixture
def request_id(walk: Walk) -> str:
    """A fresh request in review."""
    return request_of(walk.submit())


@pytest.fixture
def approved(walk: Walk, request_id: str) -> str:
    for user in ("provider", "compliance"):
        assert walk.vote(user, request_id).status_code == 303
    return request_id


def test_walk_ends_with_a_bundle_that_verifies_offline(walk: Walk, approved: str, tmp_path: Path) -> None:
    assert walk.deliver(approved).status_code == 303
    answer = walk.download(approved)
    assert answer.headers["content-type"] == "application/zip"
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(answer.content)
    assert verify_bundle(bundle).holds
    with zipfile.ZipFile(bundle) as inside:
        assert inside.read("files/by-age.csv").decode() == RESULT


def test_download_grant_works_once(walk: Walk, approved: str) -> None:
    walk.deliver(approved)
    assert walk.download(approved).status_code == 200
    again = walk.download(approved)
    assert again.status_code == 403
    assert "grant.redeemed" in again.text


def test_only_the_person_named_in_the_grant_downloads(walk: Walk, approved: str) -> None:
    walk.deliver(approved, recipient="analyst")
    answer = walk.download(approved, "admin")
    assert answer.status_code == 403
    assert "grant.recipient" in answer.text


@pytest.mark.parametrize("user", ["analyst", "admin"])
def test_download_by_typed_address_before_release_is_refused_and_on_record(
    walk: Walk, approved: str, user: str
) -> None:
    answer = walk.as_(user).get(f"products/{approved}/bundle")
    assert answer.status_code == 403
    assert "release.not_released" in answer.text
    assert walk.download(approved, user).status_code == 403
    assert "release.not_released" in walk.as_("auditor").get("ledger").text


def test_typed_address_after_release_fetches_nothing_and_keeps_the_grant(walk: Walk, approved: str) -> None:
    walk.deliver(approved)
    typed = walk.as_("analyst").get(f"products/{approved}/bundle")
    assert typed.status_code == 303
    assert walk.download(approved).status_code == 200


@pytest.mark.parametrize(("user", "rule"), [("analyst", "vote.author"), ("colleague", "vote.colleague")])
def test_author_and_colleague_see_a_grey_button_and_are_refused(
    walk: Walk, request_id: str, user: str, rule: str
) -> None:
    page = walk.as_(user).get(f"requests/{request_id}").text
    assert rule in page
    answer = walk.vote(user, request_id)
    assert answer.status_code == 403
    assert rule in answer.text


def test_vote_without_a_reason_is_refused_and_the_form_keeps_what_was_filled_in(walk: Walk, request_id: str) -> None:
    answer = walk.vote("provider", request_id, reason="fine", decision="object")
    assert answer.status_code == 403
    assert "vote.reason_missing" in answer.text
    assert ">fine</textarea>" in answer.text
    assert 'value="object" required checked' in answer.text


def test_vote_on_another_digest_is_refused(walk: Walk, request_id: str) -> None:
    answer = walk.vote("provider", request_id, digest="0" * 64)
    assert answer.status_code == 403
    assert "vote.digest" in answer.text


def test_one_objection_ends_the_request(walk: Walk, request_id: str) -> None:
    assert walk.vote("provider", request_id, decision="object").status_code == 303
    page = walk.as_("compliance").get(f"requests/{request_id}").text
    assert "人审未通过" in page
    assert walk.vote("compliance", request_id).status_code == 403


def test_file_changed_after_the_first_vote_stops_the_second(walk: Walk, request_id: str) -> None:
    assert walk.vote("provider", request_id).status_code == 303
    with walk.house.hub.reading() as session:
        file = session.get_one(ExportRequest, request_id).files[0]
    path = stored(walk.house.hub, file.sha256)
    original = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(original.replace(b"1960", b"1961"))
    try:
        page = walk.as_("compliance").get(f"requests/{request_id}").text
        assert "file.changed" in page
        assert "1961" not in page
        answer = walk.vote("compliance", request_id)
    finally:
        path.write_bytes(original)
    assert answer.status_code == 422
    assert "file.changed" in answer.text


def test_reviewer_sees_the_first_rows_as_escaped_text(walk: Walk) -> None:
    walk.work("label,count\n<script>alert(1)</script>,60\n", slug="escaped")
    request = request_of(walk.submit(slug="escaped"))
    page = walk.as_("compliance").get(f"requests/{request}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_colleague_of_the_author_does_not_see_the_contents(walk: Walk, request_id: str) -> None:
    assert "1960" in walk.as_("compliance").get(f"requests/{request_id}").text
    for user in ("colleague", "admin", "officer"):
        page = walk.as_(user).get(f"requests/{request_id}")
        assert page.status_code == 200
        assert "1960" not in page.text


def test_written_reason_is_shown_with_its_digest(walk: Walk, approved: str) -> None:
    assert VOTE in walk.as_("analyst").get(f"requests/{approved}").text


def test_blocked_result_shows_why_and_never_reaches_reviewers(walk: Walk) -> None:
    walk.work("label,holder\na,990107198001010012\nb,990107198001010012\n", slug="identifier")
    request = request_of(walk.submit(slug="identifier"))
    page = walk.as_("analyst").get(f"requests/{request}").text
    assert "机审未通过" in page
    assert "DIRECT_ID" in page
    answer = walk.vote("provider", request)
    assert answer.status_code == 403
    assert "export.status" in answer.text


def test_flagged_cell_is_shown_to_the_reviewers_with_what_to_do(walk: Walk) -> None:
    walk.work("age_band,answers\nunder 25,3\n25-34,2744\n", slug="small")
    request = request_of(walk.submit(slug="small"))
    page = walk.as_("provider").get(f"requests/{request}").text
    assert "通过，附审核提示" in page
    assert "SMALL_CELL" in page
    assert "第 2 行第 2 列（answers）" in page


def test_nothing_chosen_from_the_outbox_is_refused_and_the_text_is_kept(walk: Walk) -> None:
    answer = walk.submit(slug="")
    assert answer.status_code == 403
    assert "export.empty" in answer.text
    assert "Totals by age band" in answer.text


def test_hidden_and_missing_things_get_the_same_answer(walk: Walk, request_id: str) -> None:
    outsider = walk.as_("civil-steward")
    for room in ("requests", "products"):
        hidden, missing = outsider.get(f"{room}/{request_id}"), outsider.get(f"{room}/r-9999")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text.replace(request_id, "r-9999") == missing.text
    for path in (f"requests/{request_id}/votes", f"products/{request_id}/deliver", f"products/{request_id}/bundle"):
        outsider.get("")
        assert outsider.post(path, {"recipient": "analyst"}).status_code == 404


def test_report_is_shown_without_scripts_and_to_the_government_side_only(walk: Walk) -> None:
    report = walk.as_("officer").get(f"extracts/{walk.extract}/report")
    assert report.status_code == 200
    assert report.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert report.headers["x-frame-options"] == "SAMEORIGIN"
    assert walk.as_("analyst").get(f"extracts/{walk.extract}/report").status_code == 404
    assert walk.as_("analyst").get(f"extracts/{walk.extract}").status_code == 200


def test_suspended_licence_greys_the_next_steps_with_its_reason(walk: Walk, approved: str) -> None:
    officer = walk.as_("officer")
    officer.get(f"licences/{walk.licence}")
    assert (
        officer.post(f"licences/{walk.licence}/suspend", {"reason": "An incident is looked into."}).status_code == 303
    )
    try:
        assert "licence.suspended" in walk.as_("analyst").get("workspaces").text
        assert "licence.suspended" in walk.submit().text
        assert "licence.suspended" in walk.deliver(approved).text
    finally:
        officer.get(f"licences/{walk.licence}")
        officer.post(f"licences/{walk.licence}/resume", {"reason": "The incident is closed."})
    assert walk.deliver(approved).status_code == 303


def test_ledger_is_read_and_verified_by_the_auditor_and_not_by_an_analyst(walk: Walk) -> None:
    auditor = walk.as_("auditor")
    auditor.get("ledger")
    verified = auditor.post("ledger/verify")
    assert "存证验证通过" in verified.text
    assert auditor.get("ledger/checkpoint").text.count("\n") >= 4
    refused = walk.as_("analyst").get("ledger")
    assert refused.status_code == 403
    assert "role.missing" in refused.text


def test_registration_refused_by_a_rule_comes_back_filled_in(walk: Walk) -> None:
    answer = walk.register(id="fair_again", share_basis="")
    assert answer.status_code == 403
    assert "table.basis_missing" in answer.text
    assert 'value="fair_again"' in answer.text


def test_steward_cannot_publish_and_the_refusal_names_the_role_in_words(walk: Walk) -> None:
    answer = walk.publish("steward")
    assert answer.status_code == 403
    assert "role.missing" in answer.text
    assert "区数据局经办人" in answer.text


@pytest.mark.parametrize(
    ("user", "task"),
    [("provider", "审核并表决"), ("releaser", "放行"), ("analyst", "在工作空间开展分析"), ("auditor", "暂无待办事项")],
)
def test_first_page_names_what_waits_for_the_role(walk: Walk, user: str, task: str, approved: str) -> None:
    request_of(walk.submit())
    assert task in walk.as_(user).get("").text


def test_every_page_speaks_both_languages(walk: Walk, request_id: str) -> None:
    analyst, officer = walk.as_("analyst"), walk.as_("officer")
    for browser, paths in (
        (analyst, ("", "workspaces", f"workspaces/{walk.workspace}", f"requests/{request_id}", "requests", "products")),
        (officer, ("catalog", "catalog/tables/fair", "licences", f"licences/{walk.licence}", "extracts", "ledger")),
    ):
        browser.get("language/en")
        for path in paths:
            answer = browser.get(path)
            assert answer.status_code == 200
            assert '<html lang="en">' in answer.text


def test_every_page_has_labels_and_nothing_inline(walk: Walk, request_id: str, approved: str) -> None:
    pages = {
        "steward": ("", "catalog", "catalog/intake", f"catalog/register/{walk.digest}", "catalog/tables/fair"),
        "admin": ("licences", "licences/scenarios/new", f"licences/scenarios/{walk.scenario}"),
        "officer": (
            f"licences/draft/{walk.scenario}",
            f"licences/{walk.licence}",
            f"licences/{walk.licence}/agreement",
            f"extracts/{walk.extract}",
        ),
        "maker": ("extracts",),
        "analyst": ("workspaces", f"workspaces/{walk.workspace}", f"requests/{request_id}", "no-such-page"),
        "provider": (f"requests/{request_id}", "requests"),
        "releaser": (f"requests/{approved}", "products"),
        "auditor": ("ledger",),
    }
    for user, paths in pages.items():
        browser = walk.as_(user)
        for path in paths:
            assert faults_of(browser.get(path).text) == [], path


def test_faults_in_the_source_of_a_page_are_seen() -> None:
    page = '<b id="a" style="x"><i id="a" onclick="x"><input name="n"><img><iframe></iframe><script>x</script>'
    assert len(faults_of(page)) == 7
