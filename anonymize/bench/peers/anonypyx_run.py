"""anonypyx's Mondrian: TABLE K OUT NUMBER_COLUMNS COLUMN...; numbers become intervals, others value sets."""

import json
import sys
import time

import anonypyx
import pandas as pd

table, k, out, numbers, *columns = sys.argv[1:]
data = pd.read_csv(table, sep=";", dtype=str)[columns]
for name in columns:
    data[name] = pd.to_numeric(data[name]) if name in numbers.split(",") else data[name].astype("category")
began = time.process_time()
maker = anonypyx.Anonymiser(data, feature_columns=columns, k=int(k), generalisation_strategy="human-readable")
rows = maker.anonymise()
spent = time.process_time() - began
if "count" in rows.columns:
    rows = rows.loc[rows.index.repeat(rows["count"])]
rows[columns].to_csv(out, sep=";", index=False)
print(json.dumps({"search_cpu_s": spent}))
