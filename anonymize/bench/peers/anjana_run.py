"""anjana's k-anonymity on one table: TABLE HIERARCHY_PREFIX K PERCENT OUT COLUMN..."""

import json
import sys
import time

import pandas as pd
from anjana.anonymity import k_anonymity

table, prefix, k, percent, out, *columns = sys.argv[1:]
data = pd.read_csv(table, sep=";", dtype=str)
hierarchies = {}
for name in columns:
    levels = pd.read_csv(f"{prefix}{name}.csv", sep=";", header=None, dtype=str)
    hierarchies[name] = {level: levels[level].values for level in levels.columns}
began = time.process_time()
result = k_anonymity(data, [], columns, int(k), float(percent), hierarchies)
spent = time.process_time() - began
result[columns].to_csv(out, sep=";", index=False)
print(json.dumps({"search_cpu_s": spent}))
