"""The machine checks of the gate, run in a box on the frozen bytes. A check that did not run did not pass."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hub.tools import Ran, run_tool

TIMEOUT = 300.0
"""Seconds the checks of one request may take."""

PASSED, BLOCKED = 0, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the checks said. `document` is the screen's whole JSON with both languages; it holds no cell value."""

    verdict: str
    pack: str
    document: dict[str, Any]

    @property
    def codes(self) -> list[str]:
        """Reason codes of the findings, each once."""
        return sorted({str(finding["code"]) for finding in self.document["findings"]})

    @property
    def findings(self) -> int:
        """How many findings there are."""
        return len(self.document["findings"])


class Screen(Protocol):
    """What checks frozen files against extracts. `screen_frozen` is the one in use."""

    def __call__(self, *, files: Sequence[tuple[str, Path]], extracts: Sequence[Path]) -> Report: ...


def screen_frozen(*, files: Sequence[tuple[str, Path]], extracts: Sequence[Path]) -> Report:
    """Check frozen files (name, path of the bytes) against the extracts they may come from."""
    inputs = [(path, f"/in/{name}") for name, path in files]
    against = [(path, f"/extracts/{number}.parquet") for number, path in enumerate(extracts)]
    command = ["screen", *(inside for _, inside in inputs), "--json"]
    for _, inside in against:
        command += ["--extract", inside]
    done = run_tool(command, files=[*inputs, *against], timeout=TIMEOUT)
    if not isinstance(done, Ran):
        return did_not_run(done.why)
    return read_report(done.returncode, done.stdout, names={name for name, _ in files})


def read_report(returncode: int, stdout: bytes, *, names: set[str]) -> Report:
    """The report in the screen's output; a block if it is not exactly what a finished screen writes."""
    try:
        document = json.loads(stdout)
        verdict, pack = document["verdict"], f"{document['pack']} {document['pack_version']}"
        whole = bool(document["checks_run"]) and isinstance(document["findings"], list)
        levels = {finding["level"] for finding in document["findings"]}
        texts = all(finding["i18n"]["zh"]["text"] and finding["i18n"]["en"]["text"] for finding in document["findings"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return did_not_run("unreadable")
    agrees = {
        "block": "block" in levels and returncode == BLOCKED,
        "flag": "flag" in levels and "block" not in levels and returncode == PASSED,
        "pass": not levels & {"block", "flag"} and returncode == PASSED,
    }
    if not (whole and texts and names and agrees.get(verdict, False)):
        return did_not_run("inconsistent")
    return Report(verdict=verdict, pack=pack, document=document)


def did_not_run(why: str) -> Report:
    """The block for checks that did not run to their end."""
    text = {
        "zh": {"text": "机审没有完成，按未通过处理。", "next_step": "请稍后重新提交；若再次发生，请联系城运中心。"},
        "en": {
            "text": "The machine checks did not run to their end; that counts as not passed.",
            "next_step": "Submit again later; if it happens again, tell the operations centre.",
        },
    }
    finding = {
        "rule": "R64",
        "code": "CHECK_DID_NOT_RUN",
        "level": "block",
        "file": "",
        "where": why,
        **text["en"],
        "i18n": text,
    }
    document = {"verdict": "block", "pack": "-", "pack_version": "-", "checks_run": [], "findings": [finding]}
    return Report(verdict="block", pack="-", document=document)
