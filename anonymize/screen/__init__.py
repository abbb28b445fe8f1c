"""The output side: what leaves is checked by content, file by file, and whatever can't be checked is blocked."""

from anonymize.screen.engine import screen_files
from anonymize.screen.pack import RulePack, base_pack, load_pack
from anonymize.screen.verdict import CheckRun, Code, Finding, Level, Outcome, Verdict

__all__ = [
    "CheckRun",
    "Code",
    "Finding",
    "Level",
    "Outcome",
    "RulePack",
    "Verdict",
    "base_pack",
    "load_pack",
    "screen_files",
]
