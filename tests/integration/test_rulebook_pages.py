"""The rulebook in the portal and in the terminal, and what a refusal says of its basis."""

import json
import re
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from hub.cli import exit_code_of
from hub.errors import InvalidState
from hub.rulebook.cli import rules
from hub.rulebook.model import Unit
from hub.rulebook.packs import all_packs
from tests.integration.web_house import House, build_hub, open_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(build_hub(tmp_path_factory.mktemp("rulebook"))) as opened:
        yield opened


@pytest.mark.parametrize("person", ["analyst", "officer", "auditor"])
def test_everyone_reads_the_thresholds_and_bases_in_force(house: House, person: str) -> None:
    answer = house.browser_of(person).get("rulebook")
    assert answer.status_code == 200
    for value in all_packs()[-1].values.values():
        assert value.meaning.parameter.value in answer.text
    assert "上海市数据条例 第四十五条" in answer.text
    assert "国办发明电〔2025〕7号" in answer.text
    assert all_packs()[-1].digest in answer.text


def test_older_version_is_shown_as_such(house: House) -> None:
    page = house.browser_of("auditor").get("rulebook?version=2025.1&at=2025-06-01").text
    assert all_packs()[0].digest in page
    assert "其他版本" in page
    assert "disclosure.annual" not in page


def test_unknown_version_and_impossible_day_are_refused_in_words(house: House) -> None:
    browser = house.browser_of("auditor")
    assert browser.get("rulebook?version=1999.1").status_code == 404
    assert "web.malformed" in browser.get("rulebook?at=yesterday").text


def test_rulebook_is_reached_from_every_page(house: House) -> None:
    page = house.browser_of("analyst").get("").text
    assert re.search(r'href="/services/portal/rulebook"', page)
    own = house.browser_of("analyst").get("rulebook").text
    assert re.search(r'href="/services/portal/rulebook" aria-current="page"', own)


@pytest.mark.parametrize(("language", "content"), [("zh", "区数据局主管"), ("en", "The bureau supervises")])
def test_refusal_says_what_its_basis_contains(house: House, language: str, content: str) -> None:
    browser = house.browser_of("analyst")
    browser.get(f"language/{language}")
    refused = browser.get("ledger").text
    assert "普陀区公共数据管理办法 第六条" in refused
    assert content in refused


def test_command_lists_what_was_in_force_on_a_day() -> None:
    answer = CliRunner().invoke(rules, ["--at", "2025-06-01", "--json"])
    report = json.loads(answer.output)
    assert report["pack"]["version"] == "2025.1"
    assert report["pack"]["values"]["licence.max_term"]["value"] == "5"
    assert [version["version"] for version in report["versions"]] == ["2025.1", "2026.1"]
    cites = {basis["cite"] for basis in report["bases"]}
    assert "网络安全法（2016年） 第二十一条" in cites
    assert "网络安全法 第二十三条" not in cites
    assert not any(cite.startswith("普陀区公共数据管理办法") for cite in cites)


def test_command_says_today_s_rules_to_people() -> None:
    answer = CliRunner().invoke(rules, [])
    assert answer.exit_code == 0
    assert "extract.min_k " in answer.output


def test_command_refuses_a_day_before_the_first_version() -> None:
    answer = CliRunner().invoke(rules, ["--at", "2020-01-01"])
    assert isinstance(answer.exception, InvalidState)
    assert exit_code_of(answer.exception) == 22


def test_units_are_said_in_words_on_the_page(house: House) -> None:
    page = house.browser_of("analyst").get("rulebook").text
    assert "个工作日" in page
    assert Unit.WORKING_DAYS.value not in page
