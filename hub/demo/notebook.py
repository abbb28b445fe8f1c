"""The analyst's code of the terminal walk: one result that may leave, one that may not, and two sealed runs."""

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

SEALED_CELLS = (
    """
import polars as pl
from zhakou import data, outbox

elders = data.load("mz_elder_care")
""",
    """
levels = (
    elders.group_by("street_code", "disability_level")
    .len(name="n")
    .filter(pl.col("n") >= 10)
    .with_columns((pl.col("n") / 5).round().cast(pl.Int64) * 5)
    .sort("street_code", "disability_level")
)
print(levels)
outbox.put(levels, title="各街道失能等级分布", reason="每格至少十人,取整到五", name="disability")
""",
)
"""A notebook for a sealed run: what it prints is shown to nobody."""

LEAKING_CELLS = (
    """
from zhakou import data

first = data.load("mz_elder_care").row(0)
print(first)
""",
    """
raise ValueError(f"the first row is {first}")
""",
)
"""A notebook that tries to carry a row out in the text of an error."""
