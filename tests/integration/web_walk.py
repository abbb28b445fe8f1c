"""The walk through the portal's forms, as browsers send them; only the notebook is played by the test.

Each step is one function over browsers, so that a test can stop where it wants to see a refusal.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from hub.demo.catalog import FAIR, policy_of
from hub.demo.tables import write_fair
from hub.extracts.actions import list_extracts
from hub.extracts.model import ExtractStatus
from hub.people.actions import find_person
from hub.workspaces.actions import open_workspace, workspace_dir
from tests.integration.web_house import Browser, House
from tests.integration.web_html import fields_of

PURPOSE = "Statistics on survey answers for the design of family services."
REASON = "Totals by age band for the design of services; no row of a person inside."
VOTE = "Looked at every cell; the smallest holds sixty answers."
RESULT = "age_band,answers\nunder 25,1960\n25-34,2744\n35 and over,1662\n"


@dataclass(slots=True, kw_only=True)
class Walk:
    """How far the walk went, and the ids that came of it."""

    house: House
    digest: str = ""
    scenario: str = ""
    licence: str = ""
    extract: str = ""
    workspace: str = ""

    def as_(self, user: str) -> Browser:
        return self.house.browser_of(user)

    def intake(self, folder: Path) -> httpx.Response:
        """Hand in the survey; the page that describes it."""
        file = folder / "fair.csv"
        write_fair(file)
        steward = self.as_("steward")
        steward.get("catalog/intake")
        with file.open("rb") as stream:
            answer = steward.post(
                "catalog/upload", {"no_state_secret": "yes"}, files={"table": ("fair.csv", stream, "text/csv")}
            )
        assert answer.status_code == 303, answer.text
        self.digest = answer.headers["location"].rsplit("/", 1)[1]
        return steward.get(f"catalog/register/{self.digest}")

    def register(self, **changes: str) -> httpx.Response:
        """Describe the survey as the demonstration district does, with `changes` of single fields."""
        fields: dict[str, object] = {
            "id": FAIR.id,
            "title_zh": FAIR.title_zh,
            "title_en": FAIR.title_en,
            "description": FAIR.description,
            "origin": "collected",
            "share_type": FAIR.share_type.value,
            "share_basis": FAIR.share_basis,
            "open_type": FAIR.open_type.value,
            "open_basis": FAIR.open_basis,
            "update_cycle": FAIR.update_cycle.value,
            "no_state_secret": "yes",
        }
        for position, column in enumerate(FAIR.columns):
            fields[f"name.{position}"] = column.name_zh
            fields[f"class.{position}"] = column.column_class.value
            fields[f"grade.{position}"] = column.grade.value
        steward = self.as_("steward")
        steward.get(f"catalog/register/{self.digest}")
        return steward.post(f"catalog/register/{self.digest}", fields | changes)

    def publish(self, user: str = "officer") -> httpx.Response:
        browser = self.as_(user)
        browser.get("catalog/tables/fair")
        return browser.post("catalog/tables/fair/publish")

    def file_scenario(self) -> httpx.Response:
        admin = self.as_("admin")
        admin.get("licences/scenarios/new")
        fields = {"title": "Family services", "purpose": PURPOSE, "lane": "LANE_PUBLIC", "table": "fair"}
        answer = admin.post("licences/scenarios", fields)
        self.scenario = answer.headers.get("location", "").rsplit("/", 1)[-1]
        return answer

    def opinion(self, user: str, **changes: str) -> httpx.Response:
        browser = self.as_(user)
        browser.get(f"licences/scenarios/{self.scenario}")
        fields = {"stance": "support", "compliance": "Within the duties.", "security": "Isolated, small risk."}
        return browser.post(f"licences/scenarios/{self.scenario}/opinion", fields | changes)

    def opinions(self) -> httpx.Response:
        """The three bodies sign; the answer to the last of them."""
        for user in ("assessor", "supervisor"):
            self.opinion(user)
        return self.opinion("expert")

    def decide(self, decision: str = "approved", reason: str = "The purpose is clear.") -> httpx.Response:
        officer = self.as_("officer")
        officer.get(f"licences/scenarios/{self.scenario}")
        return officer.post(f"licences/scenarios/{self.scenario}/decide", {"decision": decision, "reason": reason})

    def draft(self, **changes: object) -> httpx.Response:
        """Send the form as it is proposed, with the survey's policy, all columns and `changes` of single fields."""
        officer = self.as_("officer")
        fields = fields_of(officer.get(f"licences/draft/{self.scenario}").text, f"licences/draft/{self.scenario}")
        fields |= {
            "header.document_ref": "Test 2026-1",
            "columns.fair": [column.name for column in FAIR.columns],
            "policy.fair": policy_of("fair"),
            "full_in_workspace.fair": "yes",
            "full_reason.fair": "Prototypes on samples are not enough for this survey.",
            "other.exports_per_week": "50",
        }
        answer = officer.post(f"licences/draft/{self.scenario}", fields | changes)
        self.licence = answer.headers.get("location", "").rsplit("/", 1)[-1]
        return answer

    def step(self, user: str, name: str, **fields: object) -> httpx.Response:
        """One step of the agreement by its form on the licence's page; hidden fields as the page has them."""
        browser = self.as_(user)
        address = f"licences/{self.licence}"
        shown = fields_of(browser.get(address).text, f"{address}/{name}")
        return browser.post(f"{address}/{name}", shown | fields)

    def grant(self, **changes: object) -> httpx.Response:
        """Draft the agreement and take it into force; the answer to the last step, or to the first that is refused."""
        answer = self.draft(**changes)
        minutes = {"meeting": "Bureau board", "attendees": "Head\nDeputy head", "minutes_digest": "a" * 64}
        for user, name, fields in (
            ("assessor", "deliberate", minutes),
            ("assessor", "sign", {}),
            ("admin", "sign", {}),
            ("assessor", "file", {"filing_no": "Filing 2026-1"}),
            ("officer", "grant", {}),
        ):
            if answer.status_code == 303:
                answer = self.step(user, name, **fields)
        return answer

    def ask(self, level: str = "full", *, purpose: str = REASON) -> httpx.Response:
        """Ask for a rung on the ladder's page."""
        analyst = self.as_("analyst")
        analyst.get(f"extracts/licences/{self.licence}")
        fields = {"licence": self.licence, "table": "fair", "level": level, "purpose": purpose}
        return analyst.post("extracts/requests", fields)

    def rule(self, user: str, request: str, **changes: str) -> httpx.Response:
        """Decide on a request for a rung."""
        browser = self.as_(user)
        page = browser.get(f"extracts/requests/{request}").text
        found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
        fields = {"digest": found.group(1) if found else "0" * 64, "decision": "approve", "reason": VOTE}
        return browser.post(f"extracts/requests/{request}/decide", fields | changes)

    def prepared(self) -> None:
        """Wait until the platform has built the rungs that the licence grants by rule."""
        auditor = find_person(self.house.hub, "auditor").actor
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            made = [one.status for one in list_extracts(self.house.hub, auditor, licence_id=self.licence)]
            if len(made) >= 2 and ExtractStatus.BUILDING not in made:
                return
            time.sleep(0.2)
        raise TimeoutError("the platform did not build the lower rungs")

    def build(self) -> httpx.Response:
        """Ask for the full rung, have it approved and built, and follow its page until the build has ended."""
        self.prepared()
        request = request_of(self.ask())
        for user in ("steward", "compliance"):
            answer = self.rule(user, request)
            assert answer.status_code == 303, answer.text
        maker = self.as_("maker")
        maker.get(f"extracts/requests/{request}")
        answer = maker.post(f"extracts/requests/{request}/build")
        assert answer.status_code == 303, answer.text
        self.extract = answer.headers["location"].rsplit("/", 1)[1]
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            page = maker.get(f"extracts/{self.extract}")
            if 'http-equiv="refresh"' not in page.text:
                return page
            time.sleep(0.5)
        raise TimeoutError("the extract was not built")

    def work(self, content: str = RESULT, *, slug: str = "by-age") -> None:
        """What the spawner and the notebook do: open the workspace, put a result into its outbox."""
        analyst = find_person(self.house.hub, "analyst").actor
        self.workspace = open_workspace(self.house.hub, analyst, licence_id=self.licence).workspace_id
        item = workspace_dir(self.house.hub, self.workspace) / "outbox" / slug
        item.mkdir(parents=True)
        (item / "by-age.csv").write_text(content, encoding="utf-8")
        about = {
            "title": "Answers by age",
            "reason": "for planning",
            "created_at": "2026-11-24T00:00:00Z",
            "payload": "by-age.csv",
        }
        (item / "about.json").write_text(json.dumps(about), encoding="utf-8")

    def submit(self, *, slug: str = "by-age") -> httpx.Response:
        analyst = self.as_("analyst")
        analyst.get(f"workspaces/{self.workspace}")
        fields = {"item": slug, "title": "Answers by age", "reason": REASON, "form": "INDEX"}
        return analyst.post(f"workspaces/{self.workspace}/submit", fields)

    def vote(self, user: str, request: str, **changes: str) -> httpx.Response:
        browser = self.as_(user)
        page = browser.get(f"requests/{request}").text
        found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
        fields = {"digest": found.group(1) if found else "0" * 64, "decision": "approve", "reason": VOTE}
        return browser.post(f"requests/{request}/votes", fields | changes)

    def deliver(self, request: str, *, recipient: str = "analyst") -> httpx.Response:
        releaser = self.as_("releaser")
        releaser.get(f"requests/{request}")
        return releaser.post(f"products/{request}/deliver", {"recipient": recipient})

    def download(self, request: str, user: str = "analyst") -> httpx.Response:
        browser = self.as_(user)
        browser.get(f"products/{request}")
        return browser.post(f"products/{request}/bundle")


def begun(house: House, folder: Path) -> Walk:
    """A walk with an extract issued and a workspace with one result in its outbox."""
    walk = Walk(house=house)
    walk.intake(folder)
    for step in (walk.register, walk.publish, walk.file_scenario, walk.opinions, walk.decide, walk.grant):
        answer = step()
        assert answer.status_code == 303, answer.text
    walk.build()
    walk.work()
    return walk


def request_of(answer: httpx.Response) -> str:
    """The id of the request that a submission led to."""
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rsplit("/", 1)[1]
