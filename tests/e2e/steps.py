"""The steps of the walk as people do them, each through pages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from hub.demo.catalog import FAIR, policy_of
from hub.demo.tables import write_fair
from tests.e2e.people import CELL_MS, SCREENSHOTS, SPAWN_MS, Town, open_notebook, run_cell

TABLE = "fair_e2e"
TITLE = "各年龄段问卷回答数"
REASON = "按年龄段汇总的回答数，供社区家庭服务设计使用；不含任何个人的数据行。"
VOTE = "已逐格核对，最小的单元格也有一千余份回答，同意出域。"
PUT = """
import polars as pl
from zhakou import outbox
answers = pl.read_parquet("/data/fair_e2e.parquet").group_by("age").agg(pl.len().alias("answers")).sort("age")
item = outbox.put(answers, title="各年龄段回答数", name="by-age", reason="供家庭服务设计使用")
print("in the outbox:", item.slug)
"""


def register_table(town: Town, folder: Path) -> None:
    """A steward hands in the survey and describes it; the bureau publishes it."""
    steward = town.person("tj-steward")
    steward.goto("catalog")
    steward.follow("登记数据表")
    file = folder / "fair.csv"
    write_fair(file)
    steward.page.locator('[name="table"]').set_input_files(file)
    steward.page.locator('[name="no_state_secret"]').check()
    steward.press("归集并扫描数据项")
    steward.fill(
        id=TABLE,
        title_zh=FAIR.title_zh,
        title_en=FAIR.title_en,
        description=FAIR.description,
        share_type=FAIR.share_type.value,
        share_basis=FAIR.share_basis,
        open_type=FAIR.open_type.value,
        open_basis=FAIR.open_basis,
        update_cycle=FAIR.update_cycle.value,
    )
    steward.page.locator('[name="no_state_secret"]').check()
    for position, column in enumerate(FAIR.columns):
        steward.fill(
            **{
                f"name.{position}": column.name_zh,
                f"class.{position}": column.column_class.value,
                f"grade.{position}": column.grade.value,
            }
        )
    steward.press("登记")
    steward.sees("草稿")
    officer = town.person("bureau-officer")
    officer.goto("")
    officer.sees("发布数据表")
    officer.goto(f"catalog/tables/{TABLE}")
    officer.press("发布到数据目录")
    officer.sees("已发布")


def grant_licence(town: Town) -> str:
    """A scenario is filed and approved; the agreement is drafted, decided, signed, filed and put into force."""
    admin = town.person("ky-admin")
    admin.goto("licences")
    admin.follow("申报场景")
    admin.fill(title="社区家庭服务设计", purpose="按年龄段统计问卷回答，供社区家庭服务设计使用。", lane="LANE_PUBLIC")
    admin.page.locator(f'[name="table"][value="{TABLE}"]').check()
    admin.press("提交申报")
    scenario = admin.last_part()
    for name in ("bureau-assessor", "cac-supervisor", "data-expert"):
        body = town.person(name)
        body.goto(f"licences/scenarios/{scenario}")
        body.page.locator('[name="stance"][value="support"]').check()
        body.fill(compliance="用途与法定职责相符，范围必需。", security="在隔离环境内使用，风险可控。")
        body.press("签署意见")
        body.sees("支持")
    officer = town.person("bureau-officer")
    officer.goto(f"licences/scenarios/{scenario}")
    officer.page.locator('[name="decision"][value="approved"]').check()
    officer.fill(reason="用途明确，风险可控。")
    officer.press("提交决定")
    officer.follow("草拟授权运营协议")
    officer.fill(**{"header.document_ref": "演示〔2026〕9号", "reviewers": "2", "other.exports_per_week": "50"})
    officer.fill(ends=(datetime.now(UTC) + timedelta(days=5)).date().isoformat())  # over before an approval is
    for box in officer.page.locator(f'[name="columns.{TABLE}"]').all():
        box.check()
    officer.page.locator(f'[name="full_in_workspace.{TABLE}"]').check()
    officer.fill(**{f"full_reason.{TABLE}": "合成与抽样数据不足以按年龄段统计。", f"policy.{TABLE}": policy_of("fair")})
    officer.press("保存草案")
    licence = officer.last_part()
    assessor = town.person("bureau-assessor")
    assessor.goto(f"licences/{licence}")
    assessor.fill(meeting="局党组会", attendees="局长\n分管副局长", minutes_digest="a" * 64)
    assessor.press("登记集体决策")
    for signer in (assessor, admin):
        signer.goto(f"licences/{licence}")
        signer.press("签署协议")
    assessor.goto(f"licences/{licence}")
    assessor.fill(filing_no="演示备〔2026〕9号")
    assessor.press("登记备案")
    officer.goto(f"licences/{licence}")
    officer.press("启用")
    officer.sees("生效中")
    return licence


def build_extract(town: Town, licence: str) -> str:
    """The analyst asks for the full rung, department and compliance approve, the centre builds it. Returns its id."""
    analyst = town.person("ky-analyst")
    analyst.goto(f"extracts/licences/{licence}")
    rung = analyst.page.locator("li.rung").filter(has=analyst.page.locator('[name="level"][value="full"]'))
    rung.locator("summary").click()
    rung.locator("textarea").fill("按年龄段统计需要真实的行，合成样例得不出可用的数字。")
    rung.locator("button").click()
    request = analyst.last_part()
    for name in ("tj-steward", "centre-reviewer"):
        decider = town.person(name)
        decider.goto(f"extracts/requests/{request}")
        decider.page.locator('[name="decision"][value="approve"]').check()
        decider.fill(reason="范围与协议一致，用途明确，批准。")
        decider.press("提交决定")
        decider.sees("同意")
    maker = town.person("centre-operator")
    maker.goto(f"extracts/requests/{request}")
    maker.press("制作脱敏数据包")
    extract = maker.last_part()
    expect(maker.page.locator("h1 .badge")).to_have_text("已签发", timeout=120_000)
    report = maker.page.frame_locator(".report-frame")
    expect(report.locator("body")).to_contain_text("去标识化")
    return extract


def open_workspace(town: Town, licence: str) -> None:
    """The analyst opens the workspace from the portal and lands in JupyterLab."""
    analyst = town.person("ky-analyst")
    analyst.goto("workspaces")
    card = analyst.page.locator("section.card").filter(has=analyst.page.locator(f'a[href$="/licences/{licence}"]'))
    card.locator("a.button.primary").click()
    analyst.page.wait_for_url(re.compile(rf"/user/ky-analyst/{licence}/lab"), timeout=SPAWN_MS)


def fill_outbox(town: Town) -> None:
    """A cell is really run in the confined kernel; the outbox is really filled."""
    analyst = town.person("ky-analyst")
    open_notebook(analyst)
    run_cell(analyst.page, PUT, wait_for="in the outbox: ")
    run_cell(analyst.page, 'outbox.rehearse()\nprint("rehearsed")', wait_for="rehearsed")


def submit(town: Town, licence: str) -> str:
    """The analyst submits the newest item of the outbox. Returns the id of the request."""
    analyst = town.person("ky-analyst")
    analyst.goto("workspaces")
    card = analyst.page.locator("section.card").filter(has=analyst.page.locator(f'a[href$="/licences/{licence}"]'))
    with analyst.page.expect_navigation():
        card.get_by_role("link", name="出口箱与提交").click()
    analyst.page.locator('[name="item"]').first.check()
    analyst.fill(title=TITLE, reason=REASON, form="INDEX")
    analyst.press("冻结并提交")
    return analyst.last_part()


def vote(town: Town, name: str, request: str, *, decision: str = "approve") -> None:
    """A reviewer reads the frozen files and votes."""
    reviewer = town.person(name)
    reviewer.goto(f"requests/{request}")
    reviewer.page.locator(f'[name="decision"][value="{decision}"]').check()
    reviewer.fill(reason=VOTE)
    reviewer.press("提交表决")
    reviewer.sees(VOTE)


def deliver(town: Town, request: str) -> None:
    """The release officer delivers to the analyst."""
    officer = town.person("release-officer")
    officer.goto(f"requests/{request}")
    officer.fill(recipient="ky-analyst")
    officer.press("放行")
    officer.sees("下载凭证")


def download(town: Town, request: str, target: Path) -> None:
    """The person named fetches the bundle, once."""
    analyst = town.person("ky-analyst")
    analyst.goto(f"products/{request}")
    with analyst.page.expect_download(timeout=CELL_MS) as fetched:
        analyst.page.get_by_role("button", name="下载放行包").click()
    fetched.value.save_as(target)


def verify(town: Town, bundle: Path) -> dict[str, object]:
    """What `zhakou verify` says of the bundle, in a process that knows no site."""
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli", "verify", str(bundle), "--json"],
        env={name: value for name, value in os.environ.items() if not name.startswith("ZHAKOU_")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said: dict[str, object] = json.loads(done.stdout)
    return said


def picture(town: Town, name: str, path: str, file: str) -> None:
    """Keep a picture for the readme, when asked to by ZHAKOU_SCREENSHOTS."""
    if not os.environ.get("ZHAKOU_SCREENSHOTS"):
        return
    person = town.person(name)
    person.goto(path)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    person.page.screenshot(path=str(SCREENSHOTS / file), clip={"x": 0, "y": 0, "width": 1280, "height": 900})
