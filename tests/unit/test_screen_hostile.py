"""What tries to get past the screen: hidden content, identifiers, records in odd forms, files that break parsers."""

from __future__ import annotations

import base64
import gzip
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from anonymize.errors import BadInput, NotFound
from anonymize.screen import Level, Outcome, RulePack, Verdict, base_pack, load_pack, screen_files
from anonymize.screen.pack import BASE, parse_pack
from anonymize.screen.verdict import CheckRun
from tests.screen_house import A01, jpeg, people, png, rules_of, screen_text, shown, told

GOOD = "街道,n\n曹杨,120\n长风,130\n"
ID = "990107198001010012"


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("extract") / "people.parquet"
    people().write_parquet(path)
    return path


# --- nothing checked, nothing passed -------------------------------------------------------------------------------


def test_no_file_is_a_block() -> None:
    assert screen_files([]).verdict is Outcome.BLOCK


def test_a_verdict_that_contradicts_its_findings_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="does not follow"):
        Verdict(verdict=Outcome.PASS, findings=(), pack="x", pack_version="1", checks_run=())


@pytest.mark.parametrize("kind", ["missing", "folder", "link", "pipe", "empty"])
def test_what_is_no_regular_file_with_content_is_blocked(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.csv"
    (tmp_path / "real.csv").write_text(GOOD)
    make: dict[str, Callable[[], object]] = {
        "missing": lambda: None,
        "folder": path.mkdir,
        "link": lambda: path.symlink_to(tmp_path / "real.csv"),
        "pipe": lambda: os.mkfifo(path),
        "empty": path.touch,
    }
    make[kind]()
    verdict = screen_files([path])
    assert verdict.verdict is Outcome.BLOCK
    assert told(verdict)[0][0] == "R35"


def test_every_rule_is_listed_as_run_on_every_file(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", GOOD)
    assert verdict.checks_run == (
        CheckRun(
            file="a.csv",
            rules=(
                "R35",
                "R34",
                "R36",
                "R43",
                "R40",
                "R44",
                "R18",
                "R19",
                "R48",
                "R49",
                "R46",
                "R58",
                "R12",
                "R01",
                "R33",
            ),
        ),
    )


@pytest.mark.parametrize("data", [b"not parquet", b""])
def test_an_extract_that_cannot_be_read_is_a_block(tmp_path: Path, data: bytes) -> None:
    broken = tmp_path / "e.parquet"
    broken.write_bytes(data)
    verdict = screen_text(tmp_path, "a.csv", GOOD, extracts=[broken])
    assert ("R46", "block", "CHECK_DID_NOT_RUN") in told(verdict)


def test_a_missing_folder_of_releases_is_a_block(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    verdict = screen_files([tmp_path / "a.csv"], released=tmp_path / "nowhere")
    assert ("R14", "block", "CHECK_DID_NOT_RUN") in told(verdict)


def test_too_many_files_and_too_many_bytes_are_blocked(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.csv" for number in range(21)]
    for path in paths:
        path.write_text(GOOD)
    assert ("R35", "block", "SIZE_LIMIT") in told(screen_files(paths))
    assert screen_files(paths[:20]).verdict is Outcome.PASS


def test_a_file_above_sixteen_megabytes_is_blocked_unread(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", b"x" * (16 * 2**20 + 1))
    assert told(verdict) == [("R35", "block", "SIZE_LIMIT")]


# --- types ---------------------------------------------------------------------------------------------------------

OTHERS = {
    "a.parquet": b"PAR1....PAR1",
    "a.xlsx": b"PK\x03\x04....",
    "a.pdf": b"%PDF-1.7",
    "a.svg": b"<svg xmlns='x'><circle/></svg>",
    "a.html": b"<!doctype html><p>x",
    "a.ipynb": b'{"cells": [], "nbformat": 4}',
    "a.onnx": b"\x08\x07",
    "a.csv.gz": gzip.compress(b"a,b\n"),
    "a": b"a,b\n1,2\n",
}
RENAMED = {
    "svg.png": OTHERS["a.svg"],
    "svg.txt": OTHERS["a.svg"],
    "html.md": OTHERS["a.html"],
    "zip.csv": OTHERS["a.xlsx"],
    "parquet.json": OTHERS["a.parquet"],
    "notebook.json": OTHERS["a.ipynb"],
    "notebook.txt": OTHERS["a.ipynb"],
    "png.jpg": png(),
    "csv.png": GOOD.encode(),
    "json.csv": b'[{"a": 100}]',
    "utf16.csv": GOOD.encode("utf-16"),
    "gbk.csv": GOOD.encode("gb18030"),
    "nul.csv": b"a,b\n1\x00,2\n",
    "pickle.json": pickle.dumps({"a": [1]}),
    "protocol0.txt": pickle.dumps({"a": [1]}, protocol=0),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_type_that_is_not_listed_is_blocked_with_a_way_out(tmp_path: Path, name: str) -> None:
    verdict = screen_text(tmp_path, name, OTHERS[name])
    assert told(verdict) == [("R34", "block", "FILE_TYPE")]
    assert verdict.findings[0].next_step.zh


@pytest.mark.parametrize("name", RENAMED)
def test_a_renamed_file_is_blocked_by_its_content(tmp_path: Path, name: str) -> None:
    verdict = screen_text(tmp_path, name, RENAMED[name])
    assert ("R34", "block", "FILE_TYPE") in told(verdict)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.csv", "\ufeff" + GOOD), ("a.md", "# 结果\n\n全区共 1,200 人。\n"), ("a.txt", "ok\n"), ("a.json", "[]")],
)
def test_plain_files_of_the_listed_types_pass(tmp_path: Path, name: str, text: str) -> None:
    assert told(screen_text(tmp_path, name, text)) == []


# --- parsers -------------------------------------------------------------------------------------------------------

BREAKERS = {
    "deep.json": "[" * 200_000 + "]" * 200_000,
    "deeper.json": '{"a":' * 2_000 + "1" + "}" * 2_000,
    "huge.json": "[" + "9" * 100_000 + "]",
    "nan.json": '{"a": NaN}',
    "infinity.json": '{"a": -Infinity}',
    "broken.json": '{"a": 1',
    "twice.json": '{"a": 100, "a": 200}',
    "scalar.json": "12",
    "quotes.csv": 'a,b\n"x,1\n',
    "longcell.csv": "a,b\n" + "x" * 200_000 + ",1\n",
    "cells.csv": ("a," * 999 + "a\n") * 2_100,
    "wide.json": json.dumps([{str(i): i for i in range(1500)} for _ in range(1500)]),
}


@pytest.mark.parametrize("name", BREAKERS)
def test_a_file_that_breaks_its_parser_is_blocked(tmp_path: Path, name: str) -> None:
    verdict = screen_text(tmp_path, name, BREAKERS[name])
    assert verdict.verdict is Outcome.BLOCK


# --- hidden content --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u202e", "\u2066", "\U000e0041", "\ufe01", "\u00ad", "\x1b", "\u3164", "\ue123", "\u180e"]
)
@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.md"])
def test_an_invisible_character_is_blocked(tmp_path: Path, name: str, hidden: str) -> None:
    verdict = screen_text(tmp_path, name, GOOD.replace("曹杨", f"曹{hidden}杨"))
    assert ("R43", "block", "HIDDEN_CONTENT") in told(verdict)


@pytest.mark.parametrize(
    "place", ['{"a\\u200b": 100}', '{"a": "x\\u202ey"}', '[{"a": "x\\u200b"}]', '{"t": {"k": ["b\\u2060c"]}}']
)
def test_an_invisible_character_in_a_json_escape_is_blocked(tmp_path: Path, place: str) -> None:
    assert ("R43", "block", "HIDDEN_CONTENT") in told(screen_text(tmp_path, "a.json", place))


def test_an_emoji_with_its_selector_is_no_hidden_text(tmp_path: Path) -> None:
    assert told(screen_text(tmp_path, "a.md", "注意 ⚠️ 与 ☀️ 。\n")) == []


def test_patterns_of_blanks_at_line_ends_are_blocked(tmp_path: Path) -> None:
    lines = [f"第{number}行" + " " * (number % 5 + 1) + "\t" * (number % 3) for number in range(20)]
    assert ("R43", "block", "HIDDEN_CONTENT") in told(screen_text(tmp_path, "a.txt", "\n".join(lines)))


def encoded(kind: str) -> str:
    rows = "pid,income\n" + "\n".join(f"a{n},{n * 7919}.5" for n in range(30))
    match kind:
        case "base64 of a table":
            return base64.b64encode(rows.encode()).decode()
        case "base64 without padding, url letters":
            return base64.urlsafe_b64encode(rows.encode()).decode().rstrip("=")
        case "wrapped base64":
            return base64.encodebytes(rows.encode()).decode()
        case "hex":
            return rows.encode().hex()
        case "base32":
            return base64.b32encode(rows.encode()).decode()
        case "base64 of gzip":
            return base64.b64encode(gzip.compress(os.urandom(80) + rows.encode())).decode()
        case "base64 of base64":
            return base64.b64encode(base64.b64encode(rows.encode())).decode()
        case "base64 of a pickle":
            return base64.b64encode(pickle.dumps(rows)).decode()
        case "utf-16":
            return base64.b64encode(rows.encode("utf-16-le")).decode()
        case _:
            return base64.b64encode(png() + rows.encode()).decode()


KINDS = [
    "base64 of a table",
    "base64 without padding, url letters",
    "wrapped base64",
    "hex",
    "base32",
    "base64 of gzip",
    "base64 of base64",
    "base64 of a pickle",
    "utf-16",
    "base64 of a picture with more behind it",
]


@pytest.mark.parametrize("kind", KINDS)
def test_encoded_content_is_blocked_in_markdown(tmp_path: Path, kind: str) -> None:
    assert ("R40", "block", "HIDDEN_CONTENT") in told(screen_text(tmp_path, "a.md", f"# 报告\n\n{encoded(kind)}\n"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "wrapped base64"])
def test_encoded_content_is_blocked_in_json_and_csv(tmp_path: Path, kind: str) -> None:
    assert ("R40", "block", "HIDDEN_CONTENT") in told(
        screen_text(tmp_path, "a.json", json.dumps({"n": 100, "x": {"y": [encoded(kind)]}}))
    )
    assert ("R40", "block", "HIDDEN_CONTENT") in told(
        screen_text(tmp_path, "a.csv", f"街道,n\n曹杨,100\n{encoded(kind)},200\n")
    )


def test_encoded_content_split_over_cells_is_blocked(tmp_path: Path) -> None:
    run = encoded("base64 of a table")
    cells = "\n".join(f"{run[at : at + 40]},{at + 100}" for at in range(0, len(run), 40))
    assert ("R40", "block", "HIDDEN_CONTENT") in told(screen_text(tmp_path, "a.csv", "组,n\n" + cells + "\n"))


def test_a_digest_and_a_clean_picture_in_base64_are_no_hidden_content(tmp_path: Path) -> None:
    text = f"摘要 {'3fa9c1d2' * 8}\n\n![图](data:image/png;base64,{base64.b64encode(png()).decode()})\n"
    assert "R40" not in rules_of(screen_text(tmp_path, "a.md", text))


@pytest.mark.parametrize(
    "line", ["<!-- x -->", "<script>1</script>", "[//]: # (x)", '<span style="display:none">x</span>', "<img src=x>"]
)
def test_what_a_reader_of_markdown_does_not_see_is_blocked(tmp_path: Path, line: str) -> None:
    verdict = screen_text(tmp_path, "a.md", f"# 报告\n\n{line}\n")
    assert [(found.rule, found.where) for found in verdict.findings if found.level is Level.BLOCK] == [
        ("R36", "line 3")
    ]


IMAGES = {
    "bytes behind a jpeg": jpeg() + b"PK\x03\x04hidden",
    "jpeg with a comment": jpeg()[:2] + b"\xff\xfe\x00\x10hidden content" + jpeg()[2:],
    "jpeg with exif": jpeg()[:2] + b"\xff\xe1\x00\x10Exif\x00\x00abcdefgh" + jpeg()[2:],
    "cut jpeg": jpeg()[:-40],
    "cut png": png()[:-8],
    "png without end": png()[:-12],
    "png with a wrong checksum": png()[:-20] + b"\x00" + png()[-19:],
    "png magic only": png()[:8],
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_that_holds_more_or_less_than_its_picture_is_blocked(tmp_path: Path, name: str) -> None:
    ending = "png" if "png" in name else "jpg"
    verdict = screen_text(tmp_path, f"a.{ending}", IMAGES[name])
    assert {"R36", "R37"} & set(rules_of(verdict))
    assert verdict.verdict is Outcome.BLOCK


@pytest.mark.parametrize(("name", "data"), [("a.png", png()), ("a.jpg", jpeg()), ("a.jpeg", jpeg())])
def test_a_clean_image_alone_is_flagged_for_its_missing_table(tmp_path: Path, name: str, data: bytes) -> None:
    assert told(screen_text(tmp_path, name, data)) == [("R33", "flag", "DOC_MISSING")]


# --- identifiers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", f"标签,n\n{ID},120\nb,130\n"),
        ("a.csv", f"{ID},n\na,120\nb,130\n"),
        ("a.csv", "标签,n\n９９０１０７１９８００１０１００１２,120\nb,130\n"),
        ("a.json", json.dumps({"rows": [{"k": ID, "n": 100}]})),
        ("a.json", json.dumps({ID: 100, "b": 200})),
        ("a.json", '{"x": {"y": [' + ID + ", 11]}}"),
        ("a.md", f"# 说明\n\n办理人{ID},已办结。\n"),
        ("a.txt", "统一社会信用代码91990107MA0000001M\n"),
        (f"{ID}.csv", GOOD),
        ("a.csv", f'"表1 {ID}"\n街道,n\na,120\nb,130\n'),
    ],
)
def test_a_checked_identifier_is_blocked_wherever_it_stands(tmp_path: Path, name: str, text: str) -> None:
    verdict = screen_text(tmp_path, name, text)
    assert ("R49", "block", "DIRECT_ID") in told(verdict)
    assert ID not in shown(verdict.findings) + str(verdict.as_json("zh"))
    assert "MA0000001" not in shown(verdict.findings)


@pytest.mark.parametrize(
    "text",
    ["证件990107198001010013办理", "请拨13800138000", "车辆沪A12345", "邮箱a.b@example.com", "卡4111111111111111"],
)
def test_an_identifier_without_a_check_digit_is_flagged(tmp_path: Path, text: str) -> None:
    assert told(screen_text(tmp_path, "a.txt", text + "\n")) == [("R49", "flag", "DIRECT_ID")]


def test_a_column_of_telephones_is_flagged_by_form_and_blocked_by_name(tmp_path: Path) -> None:
    numbers = [13_800_138_000 + 977 * n for n in range(20)]
    unnamed = screen_text(tmp_path, "a.csv", "组,v\n" + "".join(f"g{n},{number}\n" for n, number in enumerate(numbers)))
    named = screen_text(
        tmp_path, "b.csv", "组,联系电话\n" + "".join(f"g{n},{number}\n" for n, number in enumerate(numbers))
    )
    assert ("R49", "flag", "DIRECT_ID") in told(unnamed)
    assert {("R49", "flag", "DIRECT_ID"), ("R19", "block", "LINK_KEY")} <= set(told(named))


@pytest.mark.parametrize(
    "header",
    [
        "身份证号",
        "公民身份号码",
        "姓名",
        "id_no",
        "ID Number",
        "联系电话",
        "phone",
        "patient_id",
        "guardian_phone",
        "车牌号",
    ],
)
def test_a_header_that_names_an_identifier_is_blocked_or_flagged(tmp_path: Path, header: str) -> None:
    verdict = screen_text(tmp_path, "a.csv", f"{header},n\na,120\nb,130\n")
    assert "R19" in rules_of(verdict)


@pytest.mark.parametrize(
    "header", ["身份证数量", "电话接通率(%)", "street_name", "企业数", "姓名重复人数", "phone_count", "法人库占比"]
)
def test_a_header_that_counts_identifiers_is_fine(tmp_path: Path, header: str) -> None:
    verdict = screen_text(tmp_path, "a.csv", f"街道,{header},n\na,120,300\nb,130,300\n")
    assert "R19" not in rules_of(verdict)


def test_a_pseudonym_of_the_extract_is_blocked_in_any_form(tmp_path: Path, extract: Path) -> None:
    code = people()["pid"][4_321]
    for name, text in [
        ("a.csv", f"组,n\n{code},120\nb,130\n"),
        ("a.md", f"典型个案 {code.upper()}。\n"),
        ("a.json", json.dumps({"x": {code: 100}})),
        (f"{code}.csv", GOOD),
    ]:
        verdict = screen_text(tmp_path, name, text, extracts=[extract])
        assert ("R48", "block", "LINK_KEY") in told(verdict), name
        assert code not in str(verdict.as_json("en"))


def test_a_header_equal_to_a_pseudonym_column_of_the_extract_is_blocked(tmp_path: Path) -> None:
    source = tmp_path / "e.parquet"
    people(500).select(pl.col("pid").alias("thing"), "age").write_parquet(source)
    verdict = screen_text(tmp_path, "a.csv", "Thing,n\na,120\nb,130\n", extracts=[source])
    assert told(verdict) == [("R19", "block", "LINK_KEY")]


def test_an_identifier_below_two_layers_of_encoding_is_found(tmp_path: Path) -> None:
    inner = base64.b64encode(f"办理人身份证号码 {ID} 已经办结,请在系统中登记备案,谢谢配合。".encode())
    verdict = screen_text(tmp_path, "a.txt", base64.b64encode(inner).decode() + "\n")
    assert ("R49", "block", "DIRECT_ID") in told(verdict)
    assert "layer 2" in shown(verdict.findings)


# --- records ---------------------------------------------------------------------------------------------------------


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def forms(frame: pl.DataFrame) -> dict[str, tuple[str, str]]:
    rows = [[str(value) for value in row] for row in frame.rows()]
    records = json.loads(frame.write_json())
    names, csv = frame.columns, frame.write_csv()
    ruled = ["| " + " | ".join(line) + " |" for line in [names, ["---"] * len(names), *rows]]
    spoken = [f"居民今年{r[2]}岁,收入为{r[4]}元,补贴{r[5]}元,就诊{r[6]}次。" for r in rows]
    texts = {name: [str(value) for value in frame[name]] for name in names}
    return {
        "semicolon csv": ("a.csv", "\n".join(";".join(row) for row in rows)),
        "csv with a banner": ("a.csv", "结果表\n\n" + csv),
        "csv turned round": ("a.csv", frame.transpose(include_header=True).write_csv(include_header=False)),
        "records": ("a.json", as_json(records)),
        "columns": ("a.json", as_json(texts)),
        "split": ("a.json", as_json({"columns": names, "index": list(range(frame.height)), "data": rows})),
        "index": ("a.json", as_json({str(number): record for number, record in enumerate(records)})),
        "pandas": ("a.json", as_json({name: dict(enumerate(values)) for name, values in texts.items()})),
        "lists": ("a.json", as_json({"deep": {"er": [[rows]]}})),
        "records of records": ("a.json", as_json([{"a": {"b": record}} for record in records])),
        "geojson": ("a.json", as_json({"type": "F", "features": [{"type": "f", "properties": r} for r in records]})),
        "csv inside a string": ("a.json", as_json({"note": csv})),
        "csv inside a cell": ("a.csv", '说明,n\n"' + csv + '",100\n其他,200\n'),
        "markdown": ("a.md", "\n".join(ruled)),
        "tabs": ("a.txt", "\n".join("\t".join(row) for row in rows)),
        "blanks": ("a.txt", "\n".join(" ".join(row) for row in rows)),
        "aligned": ("a.txt", "\n".join("   ".join(row) for row in rows)),
        "sentences": ("a.txt", "\n".join(spoken)),
        "json lines": ("a.txt", "\n".join(as_json(record) for record in records)),
        "repr": ("a.txt", "\n".join(str(tuple(row)) for row in rows)),
    }


RECORDS = people().drop("pid", "street_code").sample(40, seed=11)


@pytest.mark.parametrize("form", list(forms(RECORDS)))
def test_forty_records_are_blocked_in_every_form(tmp_path: Path, extract: Path, form: str) -> None:
    name, text = forms(RECORDS)[form]
    verdict = screen_text(tmp_path, name, text, extracts=[extract])
    assert ("R46", "block", "RAW_ROWS") in told(verdict)


@pytest.mark.parametrize(
    "kept", [["age", "income", "visits"], ["sex", "income"], ["assessed_on", "subsidy", "district"]]
)
def test_few_columns_of_records_are_blocked(tmp_path: Path, extract: Path, kept: list[str]) -> None:
    path = tmp_path / "a.csv"
    people().select(kept).sample(500, seed=3).write_csv(path)
    assert ("R46", "block", "RAW_ROWS") in told(screen_files([path], extracts=[extract]))


def test_records_as_text_with_thousands_and_other_dates_are_blocked(tmp_path: Path, extract: Path) -> None:
    frame = people().sample(300, seed=4)
    path = tmp_path / "a.csv"
    lines = [f'{r["sex"]},"{r["income"]:,.2f}",{r["assessed_on"]:%Y/%m/%d},¥{r["subsidy"]}' for r in frame.to_dicts()]
    path.write_text("a,b,c,d\n" + "\n".join(lines), encoding="utf-8")
    assert ("R46", "block", "RAW_ROWS") in told(screen_files([path], extracts=[extract]))


def test_money_in_another_unit_does_not_hide_records(tmp_path: Path, extract: Path) -> None:
    path = tmp_path / "a.csv"
    people().drop("pid").sample(300, seed=4).with_columns(pl.col("income") * 7.3).write_csv(path)
    assert ("R46", "block", "RAW_ROWS") in told(screen_files([path], extracts=[extract]))


def test_one_record_among_aggregates_is_flagged(tmp_path: Path, extract: Path) -> None:
    row = people().select("age", "income", "subsidy").row(77)
    lines = [f"{50 + n},{4000 + n}.25,{300 + n}.75" for n in range(12)]
    text = "age,mean_income,mean_subsidy\n" + "\n".join(lines) + f"\n{row[0]},{row[1]},{row[2]}\n"
    assert ("R46", "flag", "RAW_ROWS") in told(screen_text(tmp_path, "a.csv", text, extracts=[extract]))


def test_coarse_microdata_without_counts_is_blocked(tmp_path: Path) -> None:
    frame = people().select("sex", "district", "care_level", "visits", band=pl.col("age") // 10)
    tied = frame.with_columns(
        a=pl.col("care_level") * 2 + (pl.col("visits") > 6), b=pl.col("band") + pl.col("care_level")
    )
    source, path = tmp_path / "e.parquet", tmp_path / "a.csv"
    coarse = tied.select("sex", "band", "care_level", "a", "b")
    coarse.write_parquet(source)
    coarse.sample(400, seed=1).write_csv(path)
    assert ("R46", "block", "RAW_ROWS") in told(screen_files([path], extracts=[source]))


def test_few_coarse_columns_of_records_are_flagged_for_repeating(tmp_path: Path, extract: Path) -> None:
    path = tmp_path / "a.csv"
    people().select("sex", "district", level=pl.col("care_level") > 3).sample(300, seed=1).write_csv(path)
    assert ("R58", "flag", "QUASI_K") in told(screen_files([path], extracts=[extract]))


def test_a_folder_of_releases_is_answered_with_a_note_that_nothing_was_compared(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    verdict = screen_files([tmp_path / "a.csv"], released=tmp_path)
    assert (told(verdict), verdict.verdict) == ([("R14", "note", "DIFFERENCING")], Outcome.PASS)


# --- small cells -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("街道,人数\n甲,120\n乙,4\n", "row 3, column 2 (人数)"),
        ("街道,n\n甲,120\n乙,3.0\n", "row 3, column 2 (n)"),
        ('街道,"企业数"\n甲,"1,200"\n乙,"9"\n', "row 3, column 2 (企业数)"),
        ("street,cnt\na,1\nb,20\n", "row 2, column 2 (cnt)"),
        ("街道,规模\n甲,120人\n乙,4人\n", "row 3, column 2 (规模)"),
        ("街道;男;女\n甲;30;20\n乙;25;8\n", "row 3, column 3 (女)"),
        ("标题\n\n街道,人数\n甲,120\n乙,4\n", "row 5, column 2 (人数)"),
        ("age,condition\n21,7 of 190\n22,12 of 180\n", "row 2, column 2 (condition)"),
    ],
)
def test_a_small_cell_is_found_where_it_stands(tmp_path: Path, text: str, where: str) -> None:
    verdict = screen_text(tmp_path, "a.csv", text)
    assert [(found.rule, found.level.value, found.where) for found in verdict.findings] == [("R01", "flag", where)]


@pytest.mark.parametrize(
    "value",
    [
        {"groups": [{"k": "a", "n": 3}, {"k": "b", "n": 30}]},
        {"a": {"男": 3, "女": 30}, "b": {"男": 20, "女": 30}},
        {"男": 3, "女": 30},
    ],
)
def test_a_small_cell_in_json_is_found(tmp_path: Path, value: object) -> None:
    assert "R01" in rules_of(screen_text(tmp_path, "a.json", json.dumps(value)))


def test_a_small_cell_in_a_markdown_table_is_found(tmp_path: Path) -> None:
    text = "# x\n\n| 街道 | 人数 |\n|---|---|\n| 甲 | 120 |\n| 乙 | 4 |\n"
    assert told(screen_text(tmp_path, "a.md", text)) == [("R01", "flag", "SMALL_CELL")]


def test_a_zero_is_flagged_unless_the_pack_allows_it(tmp_path: Path) -> None:
    text = "街道,n\n甲,120\n乙,0\n"
    assert told(screen_text(tmp_path, "a.csv", text)) == [("R03", "flag", "SMALL_CELL")]
    allowing = parse_pack(BASE.read_text(encoding="utf-8").replace('value = "flag"', 'value = "allow"'))
    assert screen_files([tmp_path / "a.csv"], pack=allowing).verdict is Outcome.PASS


def test_a_full_cell_is_flagged(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", "居委,n,患病率\n甲,120,31.5%\n乙,90,100%\n")
    assert [(found.rule, found.where) for found in verdict.findings] == [("R03", "row 3, column 3 (患病率)")]


def test_a_share_that_stands_for_few_units_is_flagged(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", "居委,n,患病率(%)\n甲,120,31.5\n乙,90,4.4\n丙,210,20.0\n")
    assert [(found.rule, found.where) for found in verdict.findings] == [("R11", "row 3, column 3 (患病率(%))")]


def test_means_without_counts_are_flagged(tmp_path: Path) -> None:
    assert told(screen_text(tmp_path, "a.csv", "街道,均值\n甲,4210.5\n乙,4101.2\n")) == [("R01", "flag", "DOC_MISSING")]


def test_means_that_come_out_of_the_extract_are_judged_by_their_counts(tmp_path: Path, extract: Path) -> None:
    means = people().group_by("age").agg(pl.col("income").mean().round(4)).sort("age")
    path = tmp_path / "a.csv"
    means.write_csv(path)
    assert told(screen_files([path], extracts=[extract])) == []


def test_long_tables_with_group_totals_give_suppressed_cells_back(tmp_path: Path) -> None:
    text = "街道,性别,人数\n甲,男,20\n甲,女,*\n甲,合计,24\n乙,男,30\n乙,女,31\n乙,合计,61\n"
    verdict = screen_text(tmp_path, "a.csv", text)
    assert ("R12", "block", "SMALL_CELL") in told(verdict)


def test_cells_that_follow_one_after_the_other_are_all_found(tmp_path: Path) -> None:
    text = ",p,q,r,合计\nx,*,*,30,57\ny,*,21,31,58\nz,22,*,24,69\n合计,28,71,85,184\n"
    verdict = screen_text(tmp_path, "a.csv", text)
    assert [found.rule for found in verdict.findings if found.rule == "R12"] == ["R12"] * 4


def test_a_cell_that_only_the_whole_system_of_totals_determines_is_found(tmp_path: Path) -> None:
    # Two blocks of four suppressed cells, and one more that joins them: no total leaves it alone, yet the two rows
    # less the two columns of the first block give it.
    text = (
        ",p,q,r,s,合计\n甲,*,*,30,31,110\n乙,*,*,*,33,130\n丙,40,41,*,*,140\n丁,42,43,*,*,150\n"
        "合计,130,131,125,144,530\n"
    )
    verdict = screen_text(tmp_path, "a.csv", text)
    assert [found.where for found in verdict.findings if found.rule == "R12"] == ["row 3, column 4 (r)"]


def test_a_first_row_of_numbers_is_data_and_no_header(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", "x,50,3\ny,20,20\n")
    assert [(found.rule, found.where) for found in verdict.findings] == [("R01", "row 1, column 3")]


def test_many_rows_are_flagged(tmp_path: Path) -> None:
    text = "组,n\n" + "".join(f"g{n},{100 + n % 50}\n" for n in range(5_001))
    assert told(screen_text(tmp_path, "a.csv", text)) == [("R18", "flag", "SIZE_LIMIT")]


# --- words -----------------------------------------------------------------------------------------------------------


def test_findings_never_hold_a_cell_value_and_mask_headers(tmp_path: Path) -> None:
    header = "13800138000的得分" + "长" * 100
    verdict = screen_text(tmp_path, "a.csv", f"标签,{header},n\n秘密甲,1.5,4\n秘密乙,2.5,30\n")
    text = shown(verdict.findings)
    assert "R01" in rules_of(verdict)
    assert "秘密" not in text
    assert "13800138000" not in text
    assert all(len(found.where) < 80 for found in verdict.findings)


def test_the_json_shape_is_the_promised_one(tmp_path: Path) -> None:
    document = screen_text(tmp_path, "a.csv", A01).as_json("en")
    assert set(document) == {"verdict", "pack", "pack_version", "checks_run", "findings"}
    finding = document["findings"][0]  # type: ignore[index]
    assert set(finding) == {"rule", "code", "level", "file", "where", "text", "next_step", "i18n"}
    assert finding["i18n"]["zh"]["text"] != finding["i18n"]["en"]["text"] == finding["text"]


# --- rule packs ------------------------------------------------------------------------------------------------------


def test_every_threshold_of_the_base_pack_has_its_source() -> None:
    pack = base_pack()
    thresholds = set(RulePack.__dataclass_fields__) - {"name", "version", "sources"}
    assert set(pack.sources) == thresholds
    assert (pack.min_cell, pack.max_files, pack.max_file_bytes, pack.max_rows) == (10, 20, 16 * 2**20, 5_000)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("format = 1", "format = 2"),
        ("[min_cell]\nvalue = 10", "[min_cell]\nvalue = 0"),
        ("[min_cell]\nvalue = 10", "[min_cell]\nvalue = true"),
        ('[zero_cells]\nvalue = "flag"', '[zero_cells]\nvalue = "maybe"'),
        ("[max_rows]", "[max_rowz]"),
        ("[row_excess]\nvalue = 0.20", "[row_excess]\nvalue = nan"),
        ("format = 1", "format = 1\nextra = 1"),
        ("[max_rows]\nvalue = 5000\nsource", "[max_rows]\nvalue = 5000\nother = 1\nsource"),
    ],
)
def test_a_pack_with_an_unknown_or_impossible_field_is_refused(old: str, new: str) -> None:
    text = BASE.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(BadInput):
        parse_pack(text.replace(old, new, 1))


def test_a_pack_that_is_missing_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_pack(tmp_path / "no.toml")
    (tmp_path / "bad.toml").write_text("[[")
    with pytest.raises(BadInput):
        load_pack(tmp_path / "bad.toml")
