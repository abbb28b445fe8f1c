"""Ordinary results of honest work: none of them is blocked or flagged, with the extract they come from beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from anonymize.screen import Outcome, screen_files
from tests.screen_house import people, png, screen_text, told


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("extract") / "people.parquet"
    people().write_parquet(path)
    return path


TABLES = {
    "official yearbook with title, units, total and note": (
        "表3-2 各街道(镇)养老服务对象情况(2023年)\n\n"
        "街道(镇),户数(户),服务对象(人),其中:80岁以上(人),占比(%)\n"
        "曹杨新村街道,12034,3120,845,27.1\n长风新村街道,9877,2890,712,24.6\n长寿路街道,15002,4011,1302,32.5\n"
        "合计,36913,10021,2859,28.5\n"
        "注:数据来源于区民政局年度统计。\n"
    ),
    "time series with growth": (
        "年份,常住人口(人),同比增长(%),户均人数\n2019,1281234,0.3,2.4\n"
        "2020,1239800,-3.2,2.4\n2021,1240010,0,2.3\n2022,1239120,-0.1,2.3\n"
    ),
    "crosstab of age bands and sex": "年龄组,男,女,合计\n60-69岁,1520,1688,3208\n"
    "70-79岁,1102,1301,2403\n80岁及以上,410,655,1065\n合计,3032,3644,6676\n",
    "crosstab with years as columns": "类别,2021,2022,2023\n咨询,3021,3340,3555\n"
    "投诉,1220,1180,1099\n求助,877,905,960\n",
    "codes and months beside counts": "street_code,month,n\n310107005,1,120\n310107005,2,98\n"
    "310107014,1,77\n310107014,2,85\n",
    "suppressed small cells without totals": "居委,独居老人数\n甲,25\n乙,<10\n丙,31\n丁,*\n",
    "occupancy by hour": "hour,sessions_count,occupancy_rate\n"
    + "".join(f"{hour},{200 + 31 * hour % 97},{0.31 + hour / 100:.2f}\n" for hour in range(24)),
    "likert answers": "满意度,人数,占比\n1,35,1.8%\n2,88,4.4%\n3,410,20.6%\n4,902,45.4%\n5,552,27.8%\n",
    "ages in single years": "年龄,人数\n" + "".join(f"{age},{400 - 3 * age}\n" for age in range(3, 90)),
    "quantiles with n": "街道,n,均值,中位数,标准差\n曹杨,3120,4210.5,3988.0,1200.4\n长风,2890,4101.2,3900.5,1180.9\n",
    "English with thousands separators": 'District,Households,"Mean income (yuan)"\nNorth,"12,034","5,120.4"\n'
    'South,"9,870","5,230.1"\n',
    "tab separated": "街道\t企业数\t产值(万元)\n曹杨\t120\t33012.5\n长风\t98\t28990.1\n",
    "service gap index": "居委,老年人口,床位数,缺口指数\n甲,1200,45,0.82\n乙,980,30,1.04\n丙,1410,62,0.66\n",
    "ticket categories": "一级分类,二级分类,工单量\n"
    + "".join(f"{a},{b},{n}\n" for a, b, n in [("城管", "占道", 320), ("城管", "噪音", 210), ("物业", "电梯", 190)]),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_legitimate_table_passes(tmp_path: Path, extract: Path, name: str) -> None:
    verdict = screen_text(tmp_path, "结果.csv", TABLES[name], extracts=[extract])
    assert (told(verdict), verdict.verdict) == ([], Outcome.PASS)


def aggregates() -> dict[str, pl.DataFrame]:
    frame = people()
    grouped = {
        "by street and sex": ["street_code", "sex"],
        "by district, street and level": ["district", "street_code", "care_level"],
        "by age": ["age"],
        "by month": ["month"],
    }
    frame = frame.with_columns(month=pl.col("assessed_on").dt.strftime("%Y-%m"), rich=pl.col("income") > 5_000)
    return {
        name: frame.group_by(keys)
        .agg(
            pl.len().alias("n"),
            pl.col("income").mean().round(1).alias("mean_income"),
            pl.col("subsidy").sum().round(0).alias("subsidy_amount"),
            pl.col("rich").mean().round(3).alias("rich_rate"),
        )
        .filter(pl.col("n") >= 40)
        .sort(keys)
        for name, keys in grouped.items()
    }


@pytest.mark.parametrize("name", list(aggregates()))
@pytest.mark.parametrize("form", ["csv", "json", "md"])
def test_an_aggregate_of_the_extract_passes_in_every_form(tmp_path: Path, extract: Path, name: str, form: str) -> None:
    frame = aggregates()[name]
    path = tmp_path / f"aggregate.{form}"
    match form:
        case "csv":
            frame.write_csv(path)
        case "json":
            path.write_text(json.dumps(frame.to_dicts(), ensure_ascii=False), encoding="utf-8")
        case _:
            rows = [" | ".join(map(str, row)) for row in frame.rows()]
            head = " | ".join(frame.columns) + "\n" + " | ".join("---" for _ in frame.columns)
            path.write_text("# 结果\n\n| " + head + "\n| " + "\n| ".join(rows) + "\n", encoding="utf-8")
    verdict = screen_files([path], extracts=[extract])
    assert (told(verdict), verdict.verdict) == ([], Outcome.PASS)


def test_a_wide_crosstab_of_the_extract_passes(tmp_path: Path, extract: Path) -> None:
    path = tmp_path / "wide.csv"
    people().pivot("sex", index="street_code", values="age", aggregate_function="len").sort("street_code").write_csv(
        path
    )
    assert told(screen_files([path], extracts=[extract])) == []


def test_a_report_in_prose_passes(tmp_path: Path, extract: Path) -> None:
    text = (
        "# 养老服务需求评估报告\n\n2023年,全区共有服务对象 10,021 人,其中80岁以上 2,859 人,占 28.5%。\n"
        "较上年增长 3.2 个百分点。数据截至 2023-12-31,统计口径见附表1-2。\n\n"
        "1. 曹杨新村街道需求最大;\n2. 长风新村街道次之;\n3. 建议新增站点 2 处。\n\n"
        "| 街道 | 人数 | 占比 |\n| --- | --- | --- |\n"
        "| 曹杨 | 3120 | 31.1% |\n| 长风 | 2890 | 28.8% |\n| 长寿 | 4011 | 40.0% |\n"
    )
    verdict = screen_text(tmp_path, "报告.md", text, extracts=[extract])
    assert told(verdict) == []


def test_model_coefficients_as_json_pass(tmp_path: Path, extract: Path) -> None:
    model = {
        "model": "logit",
        "n": 6366,
        "terms": [
            {"term": "age", "coef": -0.061, "std_err": 0.01},
            {"term": "yrs_married", "coef": 0.108, "std_err": 0.011},
        ],
        "quality": {"auc": 0.742, "ks": 0.37},
    }
    verdict = screen_text(tmp_path, "model.json", json.dumps(model), extracts=[extract])
    assert told(verdict) == []


def test_a_chart_with_its_table_passes(tmp_path: Path) -> None:
    chart, table = tmp_path / "chart.png", tmp_path / "chart.csv"
    chart.write_bytes(png())
    table.write_text(TABLES["likert answers"], encoding="utf-8")
    verdict = screen_files([chart, table])
    assert verdict.verdict is Outcome.PASS
    assert [(found.rule, found.level.value) for found in verdict.findings] == [("R33", "note")]


def test_a_chart_of_matplotlib_is_clean(tmp_path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    axes.bar(["A", "B"], [12, 30])
    figure.savefig(tmp_path / "chart.png")
    plt.close(figure)
    table = tmp_path / "chart.csv"
    table.write_text(TABLES["likert answers"], encoding="utf-8")
    assert screen_files([tmp_path / "chart.png", table]).verdict is Outcome.PASS


def test_random_amounts_raise_at_most_one_false_alarm_in_twenty(tmp_path: Path) -> None:
    chance = np.random.default_rng(9)
    alarms = 0
    for _ in range(60):
        amounts = chance.integers(10**9, 10**11, 12)
        text = "街道,企业数,产值(元)\n" + "".join(
            f"街道{i},{chance.integers(10, 900)},{amount}\n" for i, amount in enumerate(amounts)
        )
        alarms += bool(told(screen_text(tmp_path, "a.csv", text)))
    assert alarms <= 3
