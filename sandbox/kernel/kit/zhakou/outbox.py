"""The outbox: put a result in, look, take it out again, rehearse the gate. Submitting happens in the portal.

An item is a folder `/outbox/<slug>` with one payload and `about.json`. It appears whole or not at all. Nothing written
here is believed by the gate; this is a convenience and a dress rehearsal, not a check.
"""

from __future__ import annotations

import builtins
import html
import json
import os
import secrets
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .data import extract_files
from .payload import render
from .words import LANGUAGE, Refused, say

ROOT = Path("/outbox")
ABOUT = "about.json"
MAX_TITLE, MAX_REASON, MAX_NAME_BYTES = 200, 2000, 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One result that asks to go out."""

    slug: str
    title: str
    reason: str
    payload: str
    size: int

    @property
    def path(self) -> Path:
        return ROOT / self.slug / self.payload

    def __repr__(self) -> str:
        return f"{self.slug}: {self.title} ({self.payload}, {self.size} B)"


class Items(tuple[Item, ...]):
    """What lies in the outbox; shown as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(repr(item) for item in self) or say("出口箱是空的。", "The outbox is empty.")

    def _repr_html_(self) -> str:
        heads = (say("编号", "slug"), say("标题", "title"), say("文件", "file"), say("字节", "bytes"))
        return _table(heads, [(item.slug, item.title, item.payload, str(item.size)) for item in self])


def put(obj: object, *, title: str, reason: str, name: str | None = None) -> Item:
    """Write a result into the outbox.

    `obj`: a frame of pandas, polars, pyarrow or duckdb (becomes CSV), a matplotlib figure (PNG), text, a path of a
    text, Markdown, JSON, CSV or PNG file, or a dictionary or list (JSON).
    `title`: what the reviewers read first. `reason`: why it should leave, and for what use.
    Raises:
        Refused: in words: no title or reason, an empty or oversized result, a kind or name that can't leave.
    """
    title = _stated(title, MAX_TITLE, "outbox.title", say("标题", "title"))
    reason = _stated(reason, MAX_REASON, "outbox.reason", say("出口理由", "reason"))
    payload = render(obj, name=name)
    file_name = _file_name(name or title, payload.suffix)
    slug = f"result-{secrets.token_hex(4)}"
    about = {
        "title": title,
        "reason": reason,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "payload": file_name,
    }
    new = ROOT / f".new-{slug}"
    new.mkdir()
    try:
        _write(new / file_name, payload.content)
        _write(new / ABOUT, json.dumps(about, ensure_ascii=False, indent=2).encode("utf-8"))
        new.rename(ROOT / slug)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise Refused(
            "outbox.disk",
            say(f"写入出口箱失败（{error.strerror}）。", f"Writing to the outbox failed ({error.strerror})."),
            say("请删除不用的文件后重试。", "Remove files you don't need and try again."),
        ) from None
    return Item(slug=slug, title=title, reason=reason, payload=file_name, size=len(payload.content))


def list() -> Items:
    """What lies in the outbox now."""
    return Items(item for entry in sorted(ROOT.iterdir()) if (item := _read(entry)) is not None)


def remove(slug: str) -> None:
    """Take an item out of the outbox again. What was submitted before stays frozen at the gate.

    Raises:
        Refused: there is no such item.
    """
    if slug not in {item.slug for item in list()}:
        raise Refused(
            "outbox.unknown",
            say("出口箱里没有这个编号。", "No item of this slug is in the outbox."),
            say("outbox.list() 列出现有项目。", "outbox.list() shows what is there."),
        )
    shutil.rmtree(ROOT / slug)


def rehearse() -> Rehearsal:
    """Run the gate's machine checks on the outbox as it is now, against the extracts of this workspace.

    The gate runs its own on the frozen bytes; a pass here is no promise.
    Raises:
        Refused: the outbox is empty.
    """
    items = list()
    if not items:
        raise Refused(
            "outbox.nothing",
            say("出口箱是空的，没有可检查的内容。", "The outbox is empty; there is nothing to check."),
            say("先用 outbox.put 写入结果。", "Put a result in with outbox.put first."),
        )
    from anonymize.screen import screen_files  # loads slowly, and only rehearsals need it

    verdict = screen_files([item.path for item in items], extracts=extract_files())
    return Rehearsal(said=verdict.as_json(LANGUAGE), items=items)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Rehearsal:
    """What the gate would say about the outbox."""

    said: Mapping[str, Any]
    items: Items

    @property
    def verdict(self) -> str:
        return str(self.said["verdict"])

    def __repr__(self) -> str:
        lines = [self._headline()]
        for finding in self.said["findings"]:
            lines.append(f"- [{_level(finding['level'])}] {_place(finding)}: {finding['text']}")
            lines.append(f"  → {finding['next_step']} [{finding['code']}]")
        return "\n".join([*lines, self._next_step()])

    def _repr_html_(self) -> str:
        heads = (say("级别", "level"), say("位置", "where"), say("问题", "finding"), say("下一步", "next step"))
        rows = [
            (_level(one["level"]), _place(one), f"{one['text']} [{one['code']}]", str(one["next_step"]))
            for one in self.said["findings"]
        ]
        table = _table(heads, rows) if rows else ""
        return f"<p><b>{html.escape(self._headline())}</b></p>{table}<p>{html.escape(self._next_step())}</p>"

    def _headline(self) -> str:
        counted = say(f"共检查 {len(self.items)} 个文件。", f"{len(self.items)} files checked.")
        return say(f"{_verdict(self.verdict)}{counted}", f"{_verdict(self.verdict)} {counted}")

    def _next_step(self) -> str:
        if self.verdict == "block":
            return say(
                "请按“下一步”修改，outbox.remove 删除旧项，outbox.put 写入新结果，再预检一次。",
                "Mend what is listed, outbox.remove the old item, outbox.put the new one, and rehearse again.",
            )
        return say(
            "可在门户的“工作空间 → 出口箱与提交”页提交；以闸口对冻结文件的检查和两位审核人的意见为准。",
            "Submit it in the portal: Workspaces, Outbox and submission. "
            "What counts are the gate's checks of the frozen bytes and two reviewers.",
        )


def _verdict(verdict: str) -> str:
    return {
        "block": say("预检：会被拦截。", "Rehearsal: it would be blocked."),
        "flag": say("预检：可提交，但有需要审核人注意之处。", "Rehearsal: it may be submitted, with points to note."),
        "pass": say("预检：未发现问题。", "Rehearsal: nothing was found against it."),
    }.get(verdict, say("预检：结论不明，视为拦截。", "Rehearsal: unclear, which counts as blocked."))


def _level(level: str) -> str:
    return {"block": say("拦截", "block"), "flag": say("提示", "flag"), "note": say("说明", "note")}.get(level, level)


def _place(finding: Mapping[str, Any]) -> str:
    """The file, and where in it."""
    file, where = Path(str(finding["file"])).name, str(finding["i18n"][LANGUAGE]["where"])
    return " ".join(part for part in (file, where) if part)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    left = ' style="text-align:left"'  # notebooks set tables to the right
    head = "".join(f"<th{left}>{html.escape(cell)}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td{left}>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _stated(text: object, limit: int, code: str, what: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise Refused(code, say(f"缺少{what}。", f"There is no {what}."), say("请写给审核人看。", "Reviewers read it."))
    if len(text) > limit:
        raise Refused(
            code,
            say(f"{what}超过 {limit} 字。", f"The {what} is over {limit} characters."),
            say("请写短些。", "Make it shorter."),
        )
    return text.strip()


def _file_name(wanted: str, suffix: str) -> str:
    """A plain name in normal form: letters of any script, digits, - and _; the ending tells the kind."""
    stem = unicodedata.normalize("NFC", Path(wanted).stem if wanted.lower().endswith(suffix) else wanted)
    plain = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in stem).strip("-_") or "result"
    while len((plain + suffix).encode("utf-8")) > MAX_NAME_BYTES:
        plain = plain[:-1]
    return plain + suffix


def _read(entry: Path) -> Item | None:
    try:
        about = json.loads((entry / ABOUT).read_text("utf-8"))
        payload = str(about["payload"])
        size = (entry / payload).stat().st_size
        return Item(slug=entry.name, title=str(about["title"]), reason=str(about["reason"]), payload=payload, size=size)
    except (OSError, ValueError, KeyError, TypeError):  # half-written, or not ours
        return None


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


__all__: builtins.list[str] = ["Item", "Items", "Rehearsal", "list", "put", "rehearse", "remove"]
