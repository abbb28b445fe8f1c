"""anonypy's Mondrian: TABLE K OUT NUMBER_COLUMNS COLUMN...; numbers become intervals, others value sets."""

import json
import sys
import time

import anonypy
import pandas as pd

table, k, out, numbers, *columns = sys.argv[1:]
data = pd.read_csv(table, sep=";", dtype=str)[columns]
for name in columns:
    data[name] = pd.to_numeric(data[name]) if name in numbers.split(",") else data[name].astype("category")
data["one"] = "1"  # it asks for a sensitive column
began = time.process_time()
rows = pd.DataFrame(anonypy.Preserver(data, columns, "one").anonymize_k_anonymity(int(k)))
spent = time.process_time() - began
rows = rows.loc[rows.index.repeat(rows["count"])]
for name in columns:  # its cells are lists that hold one text
    rows[name] = [cell[0] for cell in rows[name]]
rows[columns].to_csv(out, sep=";", index=False)
print(json.dumps({"search_cpu_s": spent}))
