"""The first sign-in in a real browser: the bureau opens an account, the person enrols, signs in, and is signed out."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from hub.clock import system_clock
from hub.people.totp import code_of, in_groups, step_of
from tests.e2e.people import PORTAL, Town

OWN = "lantern otter maple river"
NAME = "mz-newcomer"


def test_newcomer_is_handed_a_first_password_enrols_and_signs_in_with_two_factors(town: Town) -> None:
    first = hand_over(town)
    page = town.browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{town.site.address}/")
    page.locator("#enrol").click()
    page.locator('[name="name"]').fill(NAME)
    page.locator('[name="first"]').fill(first)
    page.get_by_role("button", name="继续", exact=True).click()
    expect(page.locator(".qr svg")).to_be_visible()
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    assert page.locator("code.secret").inner_text() == in_groups(secret)
    step = step_of(system_clock())
    page.locator('[name="password"]').fill(OWN)
    page.locator('[name="repeat"]').fill(OWN)
    page.locator('[name="code"]').fill(code_of(secret, step))
    page.get_by_role("button", name="设置", exact=True).click()
    expect(page.locator(".codes li")).to_have_count(10)
    recovery = page.locator(".codes code").first.inner_text()

    page.get_by_role("link", name="继续", exact=True).click()
    sign_in(page, code_of(secret, step))  # the code that was the proof opens nothing
    expect(page.locator(".login_error")).to_be_visible()
    sign_in(page, code_of(secret, step + 1))
    page.wait_for_url(re.compile(re.escape(PORTAL)))
    page.goto(f"{town.site.address}{PORTAL}account")
    expect(page.locator("main")).to_contain_text("本浏览器")
    expect(page.locator("main")).to_contain_text("已拒绝")

    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="全部退出", exact=True).click()
    expect(page.locator('[name="otp"]')).to_be_visible()
    page.goto(f"{town.site.address}{PORTAL}account")
    sign_in(page, recovery)  # the telephone is lost
    page.wait_for_url(re.compile(re.escape(PORTAL)))
    expect(page.locator("main")).to_contain_text("还剩 9 个恢复码")
    assert town.complaints == []


def hand_over(town: Town) -> str:
    """The bureau opens the account and issues a first password."""
    officer = town.person("bureau-officer")
    officer.goto("people")
    officer.follow("开立账号")
    officer.fill(id=NAME, name_zh="康养服务新人", name_en="Newcomer", org="kangyang")
    officer.page.locator('[name="roles"][value="analyst"]').check()
    officer.press("开立")
    officer.page.on("dialog", lambda dialog: dialog.accept())
    officer.press("重置，或发放初始口令")
    return officer.page.locator("#first-password").inner_text()


def sign_in(page: Page, code: str) -> None:
    """Through the form of the hub."""
    page.locator('[name="username"]').fill(NAME)
    page.locator('[name="password"]').fill(OWN)
    page.locator('[name="otp"]').fill(code)
    page.locator("#login_submit").click()


def test_demonstration_page_fills_in_a_code_and_says_what_it_is(town: Town) -> None:
    page = town.browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{town.site.address}/")
    expect(page.locator(".demo")).to_contain_text("演示")
    page.locator("#demo_account").select_option("auditor")
    expect(page.locator("#otp_input")).to_have_value(re.compile(r"[0-9]{6}"))
    expect(page.locator("#username_input")).to_have_value("auditor")
    page.locator("#password_input").fill(town.site.password)
    page.locator("#login_submit").click()
    page.wait_for_url(re.compile(re.escape(PORTAL)))
