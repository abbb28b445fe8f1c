"""The one order of a noisy answer: read, calibrate, spend, draw, keep, give.

Whatever can be refused is refused before anything is spent. After that nothing but a crash stands between the spending
and the answer; a crash costs the money, never the other way round.

The same question about the same delivery gets the same answer, free of charge: a release may be read as often as one
likes. A fresh draw would let the noise be averaged away, and is a new question with a price of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from anonymize.errors import BadInput
from anonymize.privacy.dp.account import Charge, check_charge
from anonymize.privacy.dp.answer import answer, calibrate
from anonymize.privacy.dp.ledger import BudgetLedger
from anonymize.privacy.dp.queries import NoisyRequest
from anonymize.privacy.dp.rows import load_rows
from anonymize.table import file_digest, not_written, sync_file
from anonymize.text import Text

FORMAT: Final = 1
NEIGHBOURS: Final = Text(
    "两张表相邻：一张比另一张多出或少了一个个体的全部行（每次查询至多 max_rows 行）。",
    "Two tables are neighbours when one has all rows of one unit more than the other (at most max_rows per query).",
)


def ask(
    *, source: Path, request: NoisyRequest, licence: str, budget: Path, now: datetime | None = None
) -> dict[str, Any]:
    """Answer a request on a raw table out of the licence's budget.

    Returns: the answer as JSON holds it; `repeated` says whether it was given before and cost nothing now.
    Raises:
        NotFound, BadInput: a file, the request, an account or a column is not as it must be. Nothing was spent.
        TargetNotMet: less is left than the request costs. Nothing was spent.
    """
    ledger = BudgetLedger(budget)
    account = ledger.account(table=request.table, licence=licence)
    delivery = file_digest(source)
    if (known := account.answer_to(request=request.digest, source=delivery)) is not None:
        return {**_kept(budget, known), "repeated": True}
    charge = Charge(
        table=request.table,
        licence=licence,
        unit=request.unit,
        composition=request.composition,
        source=delivery,
        request=request.digest,
        loss=request.loss,
    )
    check_charge(account, charge)  # before the work; `spend` asks again under the lock
    frame = load_rows(source, request)
    mechanisms = calibrate(request)
    store = _store(budget)
    number = ledger.spend(charge, now=now)
    results = [
        answer(query, mechanism, frame, request) for query, mechanism in zip(request.queries, mechanisms, strict=True)
    ]
    given = {
        "format": FORMAT,
        "table": request.table,
        "licence": licence,
        "request": request.digest,
        "at": (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
        "unit": request.unit,
        "max_rows": request.max_rows,
        "neighbours": NEIGHBOURS.as_json(),
        "composition": str(request.composition),
        "spent": request.loss.as_json(request.composition),
        "library": {"name": "OpenDP", "version": version("opendp")},
        "results": [result.as_json(request.composition) for result in results],
    }
    content = json.dumps(given, ensure_ascii=False, indent=2).encode()
    digest = hashlib.sha256(content).hexdigest()
    write_whole(store / f"{digest}.json", content)
    ledger.answered(number, answer=digest, now=now)
    return {**given, "repeated": False}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        BadInput: it can't be written; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        temporary.write_bytes(content)
        sync_file(temporary)
        temporary.replace(path)
        sync_file(path.parent)
    except OSError as failed:
        raise not_written(path) from failed
    finally:
        temporary.unlink(missing_ok=True)


def _store(budget: Path) -> Path:
    """The folder of the answers, beside the ledger."""
    folder = budget.with_name(f"{budget.name}.answers")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as failed:
        raise not_written(folder) from failed
    return folder


def _kept(budget: Path, digest: str) -> dict[str, Any]:
    """A given answer, if it is still the one that was given.

    Raises:
        BadInput: it is gone or was changed.
    """
    path = _store(budget) / f"{digest}.json"
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != digest:
        raise BadInput(
            code="budget.answer_lost",
            subject=path.name,
            text=Text(
                "该请求此前已答复，但保存的答案已丢失或被改动。未消耗预算。",
                "This was answered before, but the kept answer is gone or was changed. Nothing was spent.",
            ),
            next_step=Text(
                "请从备份恢复答案；如需重新计算，请改动请求（按新请求计费）。",
                "Restore it from its backup; to have it drawn again, change the request (it costs anew).",
            ),
        )
    kept: dict[str, Any] = json.loads(content)
    return kept
