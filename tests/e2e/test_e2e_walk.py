"""The whole walk and the walks that must fail: real hub, real proxy, real confined kernel, real browser.

The tests of this file are stations of one walk and run in their order; each names what must be true there.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e import steps
from tests.e2e.people import PORTAL, Person, Town

pytestmark = pytest.mark.e2e


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A licence with an issued extract and a workspace whose outbox holds one result."""

    town: Town
    licence: str
    extract: str

    def submitted(self) -> str:
        """A fresh request in review."""
        return steps.submit(self.town, self.licence)

    def frozen_file(self) -> Path:
        """The newest frozen file of the site."""
        files = [path for path in (self.town.site.state / "frozen").rglob("*") if path.is_file()]
        return max(files, key=lambda path: path.stat().st_mtime_ns)


@pytest.fixture(scope="module")
def begun(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Begun:
    steps.register_table(town, tmp_path_factory.mktemp("file"))
    licence = steps.grant_licence(town)
    extract = steps.build_extract(town, licence)
    steps.open_workspace(town, licence)
    steps.fill_outbox(town)
    return Begun(town=town, licence=licence, extract=extract)


@pytest.fixture
def in_review(begun: Begun) -> str:
    return begun.submitted()


@pytest.fixture
def approved(begun: Begun, in_review: str) -> str:
    steps.vote(begun.town, "tj-reviewer", in_review)
    steps.vote(begun.town, "centre-reviewer", in_review)
    return in_review


@pytest.fixture(autouse=True)
def no_page_is_blocked_by_its_own_policy(town: Town) -> Iterator[None]:
    yield
    assert town.complaints == []


def test_whole_walk_ends_with_a_product_that_verifies_offline(begun: Begun, tmp_path: Path) -> None:
    town = begun.town
    request = begun.submitted()
    steps.vote(town, "tj-reviewer", request)
    steps.picture(town, "centre-reviewer", f"requests/{request}", "walk.png")
    steps.vote(town, "centre-reviewer", request)
    steps.deliver(town, request)
    bundle = tmp_path / "bundle.zip"
    steps.download(town, request, bundle)
    steps.verify(town, bundle)
    with zipfile.ZipFile(bundle) as inside:
        names = [name for name in inside.namelist() if name.startswith("files/")]
        assert len(names) == 1
        assert b"answers" in inside.read(names[0])
    auditor = town.person("auditor")
    auditor.goto("ledger")
    auditor.press("验证全部存证")
    auditor.sees("存证验证通过")


def test_download_by_typed_address_before_release_is_refused(begun: Begun, approved: str) -> None:
    analyst = begun.town.person("ky-analyst")
    answer = analyst.goto(f"products/{approved}/bundle")
    assert answer.status == 403
    analyst.sees("release.not_released")
    analyst.sees("尚未放行")
    sent = analyst.send(f"products/{approved}/bundle")
    assert sent.status == 403
    analyst.sees("release.not_released")


def test_vote_by_the_author_is_refused(begun: Begun, in_review: str) -> None:
    author = begun.town.person("ky-analyst")
    author.goto(f"requests/{in_review}")
    expect(author.page.get_by_role("button", name="提交表决")).to_be_disabled()
    author.sees("vote.author")
    digest = author.page.locator(".whole-digest").first.inner_text()
    answer = author.send(f"requests/{in_review}/votes", digest=digest, decision="approve", reason=steps.VOTE)
    assert answer.status == 403
    author.sees("申请人不得对自己的申请表决")


def test_vote_by_a_colleague_of_the_author_is_refused(begun: Begun, in_review: str) -> None:
    colleague = begun.town.person("ky-expert")
    colleague.goto(f"requests/{in_review}")
    expect(colleague.page.get_by_role("button", name="提交表决")).to_be_disabled()
    digest = colleague.page.locator(".whole-digest").first.inner_text()
    answer = colleague.send(f"requests/{in_review}/votes", digest=digest, decision="approve", reason=steps.VOTE)
    assert answer.status == 403
    colleague.sees("vote.colleague")


def test_file_changed_after_the_first_vote_stops_everything(begun: Begun, in_review: str) -> None:
    steps.vote(begun.town, "tj-reviewer", in_review)
    file = begun.frozen_file()
    original = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(original + b"one more row,99\n")
    second = begun.town.person("centre-reviewer")
    try:
        second.goto(f"requests/{in_review}")
        expect(second.page.get_by_role("button", name="提交表决")).to_be_disabled()
        second.sees("file.changed")
        digest = second.page.locator(".whole-digest").first.inner_text()
        answer = second.send(f"requests/{in_review}/votes", digest=digest, decision="approve", reason=steps.VOTE)
        assert answer.status == 422
        second.sees("与提交并经机审时的内容不一致")
    finally:
        file.write_bytes(original)


def test_expired_licence_is_refused_at_submission_release_and_spawn(begun: Begun, approved: str) -> None:
    town = begun.town
    analyst, officer = town.person("ky-analyst"), town.person("release-officer")
    with town.site.later(days=7):
        analyst.goto("workspaces")
        analyst.sees("licence.expired")
        analyst.page.get_by_role("link", name="出口箱与提交").last.click()
        workspace = analyst.last_part()
        answer = analyst.send(
            f"workspaces/{workspace}/submit",
            item=analyst.page.locator('[name="item"]').first.get_attribute("value") or "",
            title=steps.TITLE,
            reason=steps.REASON,
            form="INDEX",
        )
        assert answer.status == 403
        analyst.sees("licence.expired")
        officer.goto(f"requests/{approved}")
        expect(officer.page.get_by_role("button", name="放行", exact=True)).to_be_disabled()
        answer = officer.send(f"products/{approved}/deliver", recipient="ky-analyst")
        assert answer.status == 403
        officer.sees("已于")
        officer.sees("licence.expired")
        refused_spawn(analyst, begun.licence)
    steps.deliver(town, approved)


def refused_spawn(person: Person, licence: str) -> None:
    """The hub refuses to start the workspace; one that still runs is stopped by itself within a minute before."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        person.page.goto(f"{person.address}/hub/spawn/{person.name}/{licence}")
        if "licence.expired" in person.page.locator("body").inner_text():
            return
        time.sleep(1)
    raise AssertionError("the workspace still opens")


def test_licence_that_is_over_opens_no_workspace(town: Town) -> None:
    analyst = town.person("ps-analyst")
    analyst.goto("workspaces")
    for button in analyst.page.get_by_role("button", name="打开工作空间").all():
        expect(button).to_be_disabled()
    analyst.sees("licence.expired")
    refused_spawn(analyst, "l-0001")


def test_chinese_is_written_with_a_font_that_has_it(town: Town) -> None:
    page = town.person("auditor").page
    page.goto(f"{town.site.address}{PORTAL}")
    widths = page.evaluate(
        """() => ["闸", "口", "\\uE123"].map((sign) => {
            const canvas = document.createElement("canvas").getContext("2d");
            canvas.font = getComputedStyle(document.body).font;
            canvas.canvas.width = canvas.canvas.height = 40;
            canvas.fillText(sign, 5, 30);
            return Array.from(canvas.getImageData(0, 0, 40, 40).data).join();
        })"""
    )
    assert len(set(widths)) == 3


def test_pages_fit_a_narrow_screen(town: Town, begun: Begun, in_review: str) -> None:
    page = town.person("auditor").page
    page.set_viewport_size({"width": 390, "height": 844})
    try:
        for path in ("", "catalog", "licences", f"licences/{begun.licence}", f"requests/{in_review}", "ledger"):
            page.goto(f"{town.site.address}{PORTAL}{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    finally:
        page.set_viewport_size({"width": 1280, "height": 900})


def test_logging_out_of_the_portal_logs_out_of_the_hub(town: Town) -> None:
    person = town.person("mz-reviewer")
    person.goto("")
    person.press("退出登录")
    answer = person.page.goto(f"{town.site.address}{PORTAL}")
    assert answer is not None
    expect(person.page.locator('[name="password"]')).to_be_visible()
    del town.people["mz-reviewer"]
