"""The ladder and a sealed run through the portal's forms, as browsers send them."""

from __future__ import annotations

import functools
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.people.actions import find_person
from hub.runs import pages
from hub.runs.actions import perform_run
from hub.workspaces.actions import mount_extracts, open_workspace, workspace_dir
from tests.factories import notebook
from tests.integration.web_house import House, build_hub, open_house
from tests.integration.web_html import faults_of
from tests.integration.web_walk import REASON, VOTE, Walk, begun, request_of

CELLS = (
    "from zhakou import data, outbox",
    "ages = data.load('fair').group_by('age').len(name='answers')\n"
    "outbox.put(ages, title='Answers by age', reason='for planning', name='by-age')",
)
SECRET = "a-word-that-no-page-may-show"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(build_hub(tmp_path_factory.mktemp("runs"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def walk(house: House, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    walk = begun(house, tmp_path_factory.mktemp("files"))
    analyst = find_person(house.hub, "analyst").actor
    mount_extracts(house.hub, analyst, workspace_id=walk.workspace)
    return walk


@pytest.fixture(autouse=True)
def nobody_waits_for_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "perform_run", functools.partial(perform_run, pause=lambda _: None))


def ordered(walk: Walk, *cells: str, outputs: str = "by-age.csv") -> str:
    home = workspace_dir(walk.house.hub, walk.workspace) / "home"
    home.mkdir(exist_ok=True)
    (home / "run.ipynb").write_bytes(notebook(*cells))
    analyst = walk.as_("analyst")
    page = analyst.get(f"runs/new/{walk.workspace}")
    assert faults_of(page.text) == []
    fields = {"notebook": "run.ipynb", "title": "Answers by age", "purpose": REASON, "outputs": outputs}
    return request_of(analyst.post(f"runs/new/{walk.workspace}", fields | {"form": "INDEX"}))


def performed(walk: Walk, run: str) -> str:
    """The analyst's page once the run has ended."""
    reviewer = walk.as_("code-reviewer")
    page = reviewer.get(f"runs/{run}").text
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert digest is not None
    fields = {"digest": digest.group(1), "decision": "approve", "reason": VOTE}
    assert reviewer.post(f"runs/{run}/decide", fields).status_code == 303
    maker = walk.as_("maker")
    maker.get(f"runs/{run}")
    assert maker.post(f"runs/{run}/start").status_code == 303
    analyst = walk.as_("analyst")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        page = analyst.get(f"runs/{run}").text
        if 'http-equiv="refresh"' not in page:
            return page
        time.sleep(0.3)
    raise TimeoutError("the run did not end")


def test_ladder_shows_each_rung_with_what_comes_next(walk: Walk) -> None:
    for user in ("analyst", "officer", "steward", "maker", "auditor"):
        for language in ("zh", "en"):
            browser = walk.as_(user)
            browser.get(f"language/{language}")
            for path in ("extracts", f"extracts/licences/{walk.licence}", f"licences/{walk.licence}"):
                page = browser.get(path)
                assert page.status_code == 200
                assert faults_of(page.text) == [], path
    page = walk.as_("analyst").get(f"extracts/licences/{walk.licence}").text
    assert page.count('class="rung ') == 4
    assert "可申请" in page


def test_sample_needs_the_department_s_decision_on_the_digest_shown(walk: Walk) -> None:
    refused = walk.ask("sampled", purpose="short")
    assert (refused.status_code, "extract.purpose_missing" in refused.text) == (403, True)
    request = request_of(walk.ask("sampled"))
    assert walk.rule("compliance", request).status_code == 403
    assert walk.rule("steward", request, digest="0" * 64).status_code == 403
    assert walk.rule("steward", request).status_code == 303
    maker = walk.as_("maker")
    assert faults_of(maker.get(f"extracts/requests/{request}").text) == []
    assert maker.post(f"extracts/requests/{request}/build").status_code == 303
    again = walk.ask("sampled")
    assert (again.status_code, "extract.requested" in again.text) == (403, True)


def test_analyst_chooses_a_lower_rung_on_the_workspace_s_page(walk: Walk) -> None:
    analyst = walk.as_("analyst")
    page = analyst.get(f"workspaces/{walk.workspace}")
    assert faults_of(page.text) == []
    fields = {"table": "fair", "level": "synthetic"}
    assert analyst.post(f"workspaces/{walk.workspace}/rung", fields).status_code == 303
    actor = find_person(walk.house.hub, "analyst").actor
    open_workspace(walk.house.hub, actor, licence_id=walk.licence)
    (inside,) = mount_extracts(walk.house.hub, actor, workspace_id=walk.workspace)
    assert (inside.name, inside.level.value) == ("fair", "synthetic")
    walk.as_("analyst").get(f"workspaces/{walk.workspace}")
    submitted = walk.submit()
    assert (submitted.status_code, "export.made_up" in submitted.text) == (403, True)
    analyst.get(f"workspaces/{walk.workspace}")
    assert analyst.post(f"workspaces/{walk.workspace}/rung", {"table": "fair", "level": ""}).status_code == 303


def test_author_reads_no_output_and_no_digest_of_a_sealed_run_before_its_release(walk: Walk) -> None:
    run = ordered(walk, *CELLS)
    page = performed(walk, run)
    assert faults_of(page) == []
    request = re.search(r"requests/(r-\d+)", page)
    assert request is not None
    hidden = walk.as_("auditor").get(f"requests/{request.group(1)}").text
    digests = {found for found in re.findall(r"[0-9a-f]{64}", hidden)}
    assert digests
    for user in ("analyst", "admin", "colleague"):
        browser = walk.as_(user)
        for path in (f"requests/{request.group(1)}", "requests", f"runs/{run}", "products"):
            shown = browser.get(path).text
            assert "by-age.csv" not in shown.replace("<code>by-age.csv</code>", "")
            of_package = set(re.findall(r"[0-9a-f]{64}", shown)) & digests
            assert of_package <= set(re.findall(r"[0-9a-f]{64}", page)), path
    assert walk.as_("analyst").get(f"requests/{request.group(1)}/files/0/picture").status_code == 404
    reviewer = walk.as_("provider")
    assert "under 25" in reviewer.get(f"requests/{request.group(1)}").text


def test_error_of_a_sealed_run_is_told_by_cell_and_class_only(walk: Walk) -> None:
    run = ordered(walk, "x = 1", f"print('{SECRET}')\nraise KeyError('{SECRET}' * 2)")
    page = performed(walk, run)
    told = re.sub(r"<table class=\"code-lines\">.*?</table>", "", page, flags=re.DOTALL)
    assert "KeyError" in told
    assert SECRET not in told
    assert SECRET in page  # in the code, which is the analyst's own


def test_code_is_shown_as_text_line_by_line(walk: Walk) -> None:
    run = ordered(walk, "x = '<script>alert(1)</script>'\ny = 2")
    page = walk.as_("auditor").get(f"runs/{run}").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert faults_of(page) == []


def test_notebook_with_outputs_is_refused_in_words(walk: Walk) -> None:
    home = workspace_dir(walk.house.hub, walk.workspace) / "home"
    home.mkdir(exist_ok=True)
    said = json.loads(notebook("1"))
    said["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    (Path(home) / "run.ipynb").write_text(json.dumps(said), encoding="utf-8")
    analyst = walk.as_("analyst")
    analyst.get(f"runs/new/{walk.workspace}")
    fields = {"notebook": "run.ipynb", "title": "T", "purpose": REASON, "outputs": "a.csv", "form": "INDEX"}
    answer = analyst.post(f"runs/new/{walk.workspace}", fields)
    assert (answer.status_code, "notebook.outputs" in answer.text) == (422, True)
