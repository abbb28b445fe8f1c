"""People with browsers: real Chromium, the hub's own log-in page, the portal's own pages, JupyterLab."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from tests.integration.jupyter_house import Site

CHROMIUM = Path(os.environ.get("ZHAKOU_CHROMIUM", "/usr/bin/chromium"))
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENSHOTS = Path(__file__).resolve().parents[2] / "docs" / "images"
PORTAL = "/services/portal/"
SPAWN_MS = 90_000
CELL_MS = 60_000


class TimedSite(Site):
    """A site whose clock can be moved, by the setting that says it is unsafe."""

    @property
    def clock_file(self) -> Path:
        return self.folder / "clock"

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "ZHAKOU_UNSAFE_CLOCK_FILE": str(self.clock_file)}

    @contextmanager
    def later(self, days: int) -> Iterator[None]:
        """So many days later, until the end of the block."""
        self.clock_file.write_text(str(days * 86_400), encoding="ascii")
        try:
            yield
        finally:
            self.clock_file.write_text("0", encoding="ascii")


@dataclass(slots=True)
class Person:
    """One person, logged in, in a browser of their own."""

    name: str
    page: Page
    address: str

    def goto(self, path: str) -> Response:
        """Open a page of the portal by its address."""
        answer = self.page.goto(f"{self.address}{PORTAL}{path}")
        assert answer is not None
        return answer

    def press(self, label: str) -> None:
        """Press the button of this label and wait for the page that follows."""
        with self.page.expect_navigation(timeout=SPAWN_MS):
            self.page.get_by_role("button", name=label, exact=True).click()

    def follow(self, label: str) -> None:
        """Follow the link of this label."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=label, exact=True).first.click()

    def fill(self, **fields: str) -> None:
        """Fill in fields by name; lists are chosen, texts typed."""
        for name, value in fields.items():
            box = self.page.locator(f'[name="{name}"]')
            if box.evaluate("box => box.tagName") == "SELECT":
                box.select_option(value)
            else:
                box.fill(value)

    def sees(self, text: str) -> None:
        """The text is on the page, where people read it."""
        expect(self.page.locator("main")).to_contain_text(text)

    def last_part(self) -> str:
        """The last part of the address: the id of the thing shown."""
        return self.page.url.rstrip("/").rsplit("/", 1)[1]

    def send(self, path: str, **fields: str) -> Response:
        """Send a form that no page offers, as a person with a console would: same browser, same session, own token."""
        with self.page.expect_navigation(timeout=SPAWN_MS) as navigation:
            self.page.evaluate(
                """([action, fields]) => {
                    const form = document.createElement("form");
                    form.method = "post";
                    form.action = action;
                    const token = document.querySelector('[name="csrf_token"]').value;
                    for (const [name, value] of Object.entries({csrf_token: token, ...fields})) {
                        const box = document.createElement("input");
                        box.name = name;
                        box.value = value;
                        form.append(box);
                    }
                    document.body.append(form);
                    form.submit();
                }""",
                [PORTAL + path, fields],
            )
        return navigation.value


@dataclass(slots=True)
class Town:
    """Everyone who takes part, each in their own browser context; people stay logged in."""

    site: TimedSite
    browser: Browser
    people: dict[str, Person] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    """What the portal's pages wrote to a browser's console as errors: blocked scripts, styles, frames."""

    def person(self, name: str) -> Person:
        """The person of this account, logged in through the hub's page."""
        if name not in self.people:
            self.people[name] = self._log_in(name)
        return self.people[name]

    def _log_in(self, name: str) -> Person:
        context = self.browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: self._note(message.type, message.text, page.url))
        page.goto(f"{self.site.address}/")
        page.locator('[name="username"]').fill(name)
        page.locator('[name="password"]').fill(self.site.password)
        page.locator('[name="otp"]').fill(self.site.code(name))
        with page.expect_navigation(url=re.compile(re.escape(PORTAL))):
            page.locator('[type="submit"]').click()
        return Person(name=name, page=page, address=self.site.address)

    def _note(self, kind: str, text: str, url: str) -> None:
        if kind == "error" and PORTAL in url and "Failed to load resource" not in text:
            self.complaints.append(f"{url}: {text}")


@contextmanager
def open_town(folder: Path) -> Iterator[Town]:
    """The real product on free ports with the demonstration district, and a browser."""
    if not CHROMIUM.exists():
        raise RuntimeError(
            f"no browser at {CHROMIUM}: apt-get install chromium fonts-wqy-microhei, or set ZHAKOU_CHROMIUM"
        )
    site = TimedSite(folder)
    site.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
            try:
                yield Town(site=site, browser=browser)
            finally:
                browser.close()
    finally:
        site.stop()


def run_cell(page: Page, code: str, *, wait_for: str) -> None:
    """Type a cell into the open notebook, run it, wait for its output."""
    cell = page.locator(".jp-Notebook .jp-Cell .cm-content").last
    cell.click()
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output").filter(has_text=wait_for).first).to_be_visible(timeout=CELL_MS)


def open_notebook(person: Person) -> None:
    """From the launcher of JupyterLab to an empty notebook with a kernel that answers."""
    page = person.page
    page.wait_for_url(re.compile(r"/lab"), timeout=SPAWN_MS)
    page.locator(".jp-LauncherCard").filter(has_text="Python 3").first.click(timeout=SPAWN_MS)
    page.locator(".jp-Notebook .jp-Cell .cm-content").first.wait_for(timeout=CELL_MS)
    page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
    page.keyboard.insert_text('print("kernel", "answers")')
    answer = page.locator(".jp-OutputArea-output").filter(has_text="kernel answers").first
    until = time.monotonic() + CELL_MS / 1000
    while answer.count() == 0:
        # JupyterLab drops a cell that is run before the kernel is connected, without a word: run it until it answers.
        assert time.monotonic() < until, "the kernel does not answer"
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(1_000)
    page.keyboard.press("Shift+Enter")
