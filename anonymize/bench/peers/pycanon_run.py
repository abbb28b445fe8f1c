"""pyCANON's judgement of one output: OUTPUT SENSITIVE|- COLUMN...; the index is 0..n-1, or its checks mislead."""

import json
import sys
import time

import pandas as pd
from pycanon import anonymity

output, sensitive, *columns = sys.argv[1:]
data = pd.read_csv(output, sep=";", dtype=str, keep_default_na=False).reset_index(drop=True)
began = time.process_time()
found: dict[str, float] = {"k": int(anonymity.k_anonymity(data, columns))}
if sensitive != "-":
    found["l"] = int(anonymity.l_diversity(data, columns, [sensitive]))
    found["t"] = float(anonymity.t_closeness(data, columns, [sensitive]))
print(json.dumps({**found, "search_cpu_s": time.process_time() - began}))
