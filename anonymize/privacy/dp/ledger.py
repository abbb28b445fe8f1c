"""The budget ledger: what may be lost on each table under each licence, and what was.

What must hold:
1. Spend first, answer afterwards: an entry is on the disk (fsync) before any noise is drawn.
2. Two processes never spend the same money: reading, deciding and writing happen under one lock (flock(2)).
3. Entries are only ever added; each carries the digest of the one before, so that a changed or missing one is seen.
4. An account that nobody granted holds nothing; a ledger that can't be read is no reason to answer.
5. A table has one budget per licence for all of its deliveries: a new delivery is about the same people and brings no
   new budget. Entries say which delivery (its digest) was asked. One delivery can't be charged under two names.
6. No entry holds a value of the table, nor an answer.

What it can't see is that someone put back an older copy of the whole file: keep it where only the platform writes.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from anonymize.errors import BadInput, NotFound
from anonymize.privacy.dp.account import Account, Answered, Charge, check_charge, not_granted, other_name, other_terms
from anonymize.privacy.dp.loss import MAX_AMOUNT, MAX_DELTA, Composition, Loss, plain
from anonymize.table import not_written
from anonymize.text import Text

_START: Final = "0" * 64
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class BudgetLedger:
    """A ledger file (JSON lines). Every call opens, locks and reads it anew: other processes write too."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def accounts(self) -> tuple[Account, ...]:
        """Every account, in the order they were granted.

        Raises:
            NotFound: there is no ledger.
            BadInput: it is damaged.
        """
        with self._open(os.O_RDONLY, fcntl.LOCK_SH) as descriptor:
            return tuple(_Book(_entries(descriptor, self.path)).accounts.values())

    def account(self, *, table: str, licence: str) -> Account:
        """One account.

        Raises:
            BadInput: nobody granted it.
        """
        found = next((one for one in self.accounts() if (one.table, one.licence) == (table, licence)), None)
        if found is None:
            raise not_granted(table)
        return found

    def grant(
        self,
        *,
        table: str,
        licence: str,
        composition: Composition,
        unit: str | None,
        loss: Loss,
        basis: str,
        now: datetime | None = None,
    ) -> Account:
        """Open an account, or add to it. `basis` says by what decision; it is written down. Makes the file if need be.

        Raises:
            BadInput: with it the account would be past the limit, or it exists with another unit or composition.
        """
        with self._open(os.O_RDWR | os.O_CREAT | os.O_APPEND, fcntl.LOCK_EX) as descriptor:
            book = _Book(_entries(descriptor, self.path))
            before = book.accounts.get((table, licence))
            after = loss if before is None else before.granted + loss
            limit = Loss(amount=MAX_AMOUNT[composition], delta=MAX_DELTA)
            if before is not None and (before.unit, before.composition) != (unit, composition):
                raise other_terms(before)
            if loss.amount <= 0 or loss.delta < 0 or after.exceeds(limit):
                raise _past_limit(table, composition, limit)
            self._append(
                descriptor,
                book,
                {
                    "kind": "granted",
                    "at": _moment(now),
                    "table": table,
                    "licence": licence,
                    "composition": str(composition),
                    "unit": unit,
                    "amount": plain(loss.amount),
                    "delta": plain(loss.delta),
                    "basis": basis,
                },
            )
            return book.accounts[table, licence]

    def spend(self, charge: Charge, *, now: datetime | None = None) -> int:
        """Pay for a request; when this returns the money is gone, whatever happens next. Returns the entry's number.

        Raises:
            NotFound, BadInput: no ledger, no account, another unit, another composition, or a delivery that was charged
                under another table's name.
            TargetNotMet: less is left than it costs. Nothing was spent.
        """
        with self._open(os.O_RDWR | os.O_APPEND, fcntl.LOCK_EX) as descriptor:
            book = _Book(_entries(descriptor, self.path))
            check_charge(book.accounts.get((charge.table, charge.licence)), charge)
            if book.tables.get(charge.source, charge.table) != charge.table:
                raise other_name(charge.table)
            return self._append(
                descriptor,
                book,
                {
                    "kind": "spent",
                    "at": _moment(now),
                    "table": charge.table,
                    "licence": charge.licence,
                    "source": charge.source,
                    "request": charge.request,
                    "amount": plain(charge.loss.amount),
                    "delta": plain(charge.loss.delta),
                },
            )

    def answered(self, number: int, *, answer: str, now: datetime | None = None) -> None:
        """Write down the digest of the answer that the spending entry `number` paid for."""
        with self._open(os.O_RDWR | os.O_APPEND, fcntl.LOCK_EX) as descriptor:
            book = _Book(_entries(descriptor, self.path))
            self._append(descriptor, book, {"kind": "answered", "at": _moment(now), "spent": number, "answer": answer})

    @contextmanager
    def _open(self, flags: int, lock: int) -> Iterator[int]:
        try:
            # No link is followed: whoever can place one could have the platform write elsewhere.
            descriptor = os.open(self.path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileNotFoundError as failed:
            raise _no_ledger(self.path) from failed
        except OSError as failed:
            raise _damaged(self.path, 0) if flags == os.O_RDONLY else not_written(self.path) from failed
        try:
            fcntl.flock(descriptor, lock)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _damaged(self.path, 0)
            yield descriptor
        finally:
            os.close(descriptor)

    def _append(self, descriptor: int, book: _Book, entry: dict[str, Any]) -> int:
        """Add an entry and wait until the disk has it. A torn last line of a crash, never answered for, goes first."""
        number = book.entries + 1
        line = _line({"n": number, "previous": book.head, **entry})
        book.add(json.loads(line), hashlib.sha256(line).hexdigest())
        try:
            os.ftruncate(descriptor, book.size)
            written = os.write(descriptor, line)
            os.fsync(descriptor)
            if number == 1:
                _sync_folder(self.path.parent)
        except OSError as failed:
            raise not_written(self.path) from failed
        if written != len(line):
            raise not_written(self.path)
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entries:
    lines: tuple[bytes, ...]
    path: Path


class _Book:
    """The entries added up."""

    def __init__(self, entries: _Entries) -> None:
        self.accounts: dict[tuple[str, str], Account] = {}
        self.tables: dict[str, str] = {}
        """Source digest → table it was charged as."""
        self.entries, self.head, self.size = 0, _START, 0
        self._spent: dict[int, tuple[tuple[str, str], str, str]] = {}
        for number, line in enumerate(entries.lines, start=1):
            try:
                entry = json.loads(line)
                if (entry["n"], entry["previous"]) != (number, self.head):
                    raise ValueError("a link of the chain is missing")
                self.add(entry, hashlib.sha256(line).hexdigest())
            except (ValueError, KeyError, TypeError, InvalidOperation, RecursionError) as failed:
                raise _damaged(entries.path, number) from failed
            self.size += len(line)

    def add(self, entry: dict[str, Any], digest: str) -> None:
        match entry["kind"]:
            case "granted":
                self._grant(entry)
            case "spent":
                self._spend(entry)
            case "answered":
                self._answer(entry)
            case _:
                raise ValueError("an unknown kind of entry")
        self.entries, self.head = entry["n"], digest

    def _grant(self, entry: dict[str, Any]) -> None:
        key = (entry["table"], entry["licence"])
        loss = _loss(entry)
        if before := self.accounts.get(key):
            self.accounts[key] = replace(before, granted=before.granted + loss)
        else:
            self.accounts[key] = Account(
                table=entry["table"],
                licence=entry["licence"],
                composition=Composition(entry["composition"]),
                unit=entry["unit"],
                granted=loss,
            )

    def _spend(self, entry: dict[str, Any]) -> None:
        key = (entry["table"], entry["licence"])
        account = self.accounts[key]
        self.accounts[key] = replace(account, spent=account.spent + _loss(entry), requests=account.requests + 1)
        self.tables.setdefault(entry["source"], entry["table"])
        self._spent[entry["n"]] = (key, entry["request"], entry["source"])

    def _answer(self, entry: dict[str, Any]) -> None:
        key, request, source = self._spent[entry["spent"]]
        if not _DIGEST.fullmatch(entry["answer"]):
            raise ValueError("not a digest")
        account = self.accounts[key]
        given = Answered(request=request, source=source, answer=entry["answer"])
        self.accounts[key] = replace(account, answered=(given, *account.answered))


def _loss(entry: dict[str, Any]) -> Loss:
    loss = Loss(amount=Decimal(entry["amount"]), delta=Decimal(entry["delta"]))
    if not (loss.amount.is_finite() and loss.delta.is_finite()) or loss.amount <= 0 or loss.delta < 0:
        raise ValueError("an amount that is none")
    return loss


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _entries(descriptor: int, path: Path) -> _Entries:
    """The whole lines of the file; what follows the last line feed was torn by a crash and counts for nothing."""
    content = bytearray()
    os.lseek(descriptor, 0, os.SEEK_SET)
    while block := os.read(descriptor, 2**20):
        content += block
    whole = bytes(content[: content.rfind(b"\n") + 1])
    return _Entries(lines=tuple(line + b"\n" for line in whole.split(b"\n")[:-1]), path=path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _moment(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")


def _no_ledger(path: Path) -> NotFound:
    return NotFound(
        code="budget.no_ledger",
        subject=path.name,
        text=Text(f"找不到预算账本 {path.name}。", f"There is no budget ledger {path.name}."),
        next_step=Text(
            "请检查路径；首次使用由区数据局以 zhakou budget … --grant 建立。",
            "Check the path; the data bureau begins one with zhakou budget … --grant.",
        ),
    )


def _damaged(path: Path, number: int) -> BadInput:
    return BadInput(
        code="budget.damaged",
        subject=path.name,
        text=Text(
            f"预算账本 {path.name} 第 {number} 条记录缺失、被改动或无法读取，不再受理任何查询。",
            f"Entry {number} of the budget ledger {path.name} is missing, changed or unreadable; nothing is answered.",
        ),
        next_step=Text(
            "请从备份恢复账本，并核对此后的查询记录。", "Restore it from its backup, and check what was asked since."
        ),
    )


def _past_limit(table: str, composition: Composition, limit: Loss) -> BadInput:
    return BadInput(
        code="budget.limit",
        subject=table,
        text=Text(
            f"表 {table} 的预算应大于 0，累计不超过 {limit.in_words(composition)}。",
            f"The budget of table {table} must be above 0 and in all no more than {limit.in_words(composition)}.",
        ),
        next_step=Text("请批准较小的预算。", "Grant less."),
    )
