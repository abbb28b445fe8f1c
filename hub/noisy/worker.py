"""The worker that answers: a process of its own reads the raw table, draws the noise and leaves one file.

It pays out of a voucher: a budget ledger that holds exactly what was spent for it in the database. A voucher that is
still whole when the worker has refused proves that no noise was drawn.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonymize.errors import AnonymizeError
from anonymize.privacy.dp.ledger import BudgetLedger
from anonymize.privacy.dp.queries import NoisyRequest
from hub.extracts.worker import limit_worker
from hub.noisy.rules import SCOPE_BASIS
from hub.settings import PROJECT

TIMEOUT = 900.0
"""Seconds one request may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The worker's answer, as its JSON."""

    answer: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDrawn:
    """No answer. `is_lost`: noise may have been drawn, so the price stays spent."""

    code: str
    zh: str
    en: str
    is_lost: bool


def run_worker(*, source: Path, text: str, request: NoisyRequest, licence_id: str, folder: Path) -> Drawn | NotDrawn:
    """Answer a request on a raw table. `folder` is new and the worker's own; nothing of it is kept."""
    folder.mkdir(mode=0o700)
    asked, voucher = folder / "request.toml", folder / "voucher.jsonl"
    asked.write_text(text, encoding="utf-8")
    BudgetLedger(voucher).grant(
        table=request.table,
        licence=licence_id,
        composition=request.composition,
        unit=request.unit,
        loss=request.loss,
        basis=SCOPE_BASIS,
    )
    command = [
        *(sys.executable, "-m", "anonymize.cli", "noisy", str(source), "--request", str(asked)),
        *("--budget", str(voucher), "--licence", licence_id, "--json"),
    ]
    try:
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(PROJECT), "POLARS_MAX_THREADS": "2"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            preexec_fn=limit_worker,  # sets limits only
            check=False,
        )
        said = json.loads(done.stdout.splitlines()[0] if done.returncode else done.stdout)
        if done.returncode == 0:
            return Drawn(answer=said)
        words = said["refused"]["i18n"]
        return NotDrawn(
            code=str(said["refused"]["code"]),
            zh="".join((words["zh"]["text"], words["zh"]["next_step"])),
            en=" ".join((words["en"]["text"], words["en"]["next_step"])),
            is_lost=_is_used(voucher),
        )
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError, IndexError, RecursionError):
        # Its standard error is never shown: it may quote data.
        return NotDrawn(
            code="noisy.crashed",
            zh="加噪统计程序异常退出，没有给出答案；已消耗的预算不予退还。",
            en="The worker ended abnormally and gave no answer. What was spent stays spent.",
            is_lost=True,
        )


def _is_used(voucher: Path) -> bool:
    try:
        return any(account.spent.amount > 0 for account in BudgetLedger(voucher).accounts())
    except AnonymizeError:
        return True
