"""What the anonymizer reaches, beside the tools it replaces, in one table: `make bench ARGS=anonymize`.

Every figure is read from a written file by one scorer (`score.py`), which shares no code with the search or the
measures it judges; every time is the CPU time of a fresh process. Peers run in the same run, each in an environment of
its own; what can't be installed is stated with its source (`anchors.py`) and never shown as measured.
"""
