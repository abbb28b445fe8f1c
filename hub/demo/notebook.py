"""The analyst's two cells of the terminal walk: one result that may leave, one that may not."""

RELEASED_CELL = """
import polars as pl
from zhakou import data, outbox

elders = data.load("mz_elder_care")
demand = (
    elders.group_by("street_code", "birth_date")
    .len(name="n")
    .filter(pl.col("n") >= 10)
    .with_columns((pl.col("n") / 5).round().cast(pl.Int64) * 5)
    .rename({"birth_date": "age_band"})
    .sort("street_code", "age_band")
)
outbox.put(demand, title="各街道养老服务需求", reason="每格至少十人,取整到五", name="demand")
print(demand.height, "cells, smallest", demand["n"].min())
"""

REFUSED_CELL = """
outbox.put(elders.head(500), title="逐行明细", reason="这份文件不应当出域", name="rows")
print(outbox.rehearse())
"""
