"""Every sentence of the hub has its Chinese, and a catalog with a fault does not pass the check."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from hub.web import catalogs


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A copy of the committed catalog that a test may spoil."""
    shutil.copytree(catalogs.LOCALES, tmp_path / "locales")
    monkeypatch.setattr(catalogs, "LOCALES", tmp_path / "locales")
    return catalogs.read_catalog()


def spoilt(catalog: Catalog) -> list[str]:
    catalogs.write_catalog(catalog)
    return catalogs.faults()


def test_chinese_of_the_hub_is_complete() -> None:
    assert catalogs.faults() == []


def test_sentence_without_chinese_is_found(catalog: Catalog) -> None:
    catalog["Data catalog"].string = ""
    assert spoilt(catalog) == ["no Chinese: 'Data catalog'"]


def test_doubtful_sentence_is_found(catalog: Catalog) -> None:
    catalog["Data catalog"].flags.add("fuzzy")
    assert spoilt(catalog) == ["fuzzy: 'Data catalog'"]


def test_sentence_that_nobody_says_any_more_is_found(catalog: Catalog) -> None:
    catalog.add("Nobody says this.", "无人再说。")
    assert spoilt(catalog) == ["no longer said: 'Nobody says this.'"]


def test_new_sentence_is_found(catalog: Catalog) -> None:
    del catalog["Data catalog"]
    assert spoilt(catalog) == ["no entry: 'Data catalog'"]


@pytest.mark.parametrize(
    ("source", "chinese"),
    [
        ("Licence {licence} is suspended.", "授权运营协议已暂停。"),
        ("Licence {licence} is suspended.", "授权运营协议 {license} 已暂停。"),
        ("Licence {licence} is suspended.", "授权运营协议 {licence 已暂停。"),
        ("%(first)s to %(last)s of %(total)s", "共 %(total)s 条"),
    ],
)
def test_sentence_with_other_placeholders_is_found(catalog: Catalog, source: str, chinese: str) -> None:
    catalog[source].string = chinese
    assert spoilt(catalog) == [f"other placeholders: {source!r}"]


def test_extracting_again_changes_no_byte(catalog: Catalog) -> None:
    del catalog
    catalogs.extract()
    first = catalogs.po_path().read_bytes()
    catalogs.extract()
    assert catalogs.po_path().read_bytes() == first


def test_extracting_keeps_the_chinese_and_drops_what_nobody_says(catalog: Catalog) -> None:
    catalog.add("Nobody says this.", "无人再说。")
    catalogs.write_catalog(catalog)
    assert catalogs.extract() == 0
    assert "Nobody says this." not in catalogs.po_path().read_text(encoding="utf-8")


def test_missing_or_old_compiled_catalog_is_replaced_by_its_source(catalog: Catalog) -> None:
    catalogs.mo_path().unlink(missing_ok=True)
    assert catalogs.load().gettext("Data catalog") == "数据目录"
    catalogs.compile_catalog()
    catalog["Data catalog"].string = "改过的目录"
    catalogs.write_catalog(catalog)
    assert catalogs.load().gettext("Data catalog") == "改过的目录"


def test_no_sentence_calls_an_extract_anonymized() -> None:
    for message in catalogs.read_catalog():
        for text in (message.id, message.string):
            assert "匿名" not in str(text)
            assert "anonymiz" not in str(text).lower()
