"""`zhakou scan`, `zhakou detect`, `zhakou redact`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import polars as pl

from anonymize.detect.detector import detect_text, detect_texts
from anonymize.detect.entity import Entity
from anonymize.detect.redaction import Mode, Redactor
from anonymize.detect.scan import scan_table
from anonymize.detect.scan_report import ColumnVerdict, ScanReport
from anonymize.errors import AnonymizeError, BadInput, NotFound
from anonymize.text import LANGUAGES, Language, Text

MAX_LINE: Final = 64 * 2**20
"""Bytes of one line of input; a longer one is refused instead of filling the memory."""
BATCH_LINES: Final = 256
BATCH_CHARACTERS: Final = 200_000
Item = TypeVar("Item")
_language = click.option(
    "--language", type=click.Choice(LANGUAGES), default="zh", show_default=True, help="Language of the words."
)


def refusing(command: Callable[..., None]) -> Callable[..., None]:
    """Turn refusals into one line on stderr and the refusal's exit code; with `--json` into `{"refused": …}` too."""

    @wraps(command)
    def run(*args: Any, language: Language = "zh", **kwargs: Any) -> None:
        try:
            command(*args, language=language, **kwargs)
        except AnonymizeError as refused:
            if kwargs.get("as_json"):
                click.echo(json.dumps({"refused": refused.as_json(language)}, ensure_ascii=False))
            click.echo(refused.sentence(language), err=True)
            sys.exit(refused.exit_code)

    return run


@click.command("scan")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--write-policy", type=click.Path(path_type=Path), help="Write the proposed policy (TOML) to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@_language
@refusing
def scan(table: Path, write_policy: Path | None, as_json: bool, language: Language) -> None:
    """Judge every column of TABLE: kinds of identifiers found, class, grade, proposed technique."""
    from anonymize.detect.policy_draft import draft_policy
    from anonymize.table import read_table

    frame = read_table(table)
    report = scan_table(frame)
    if write_policy is not None:
        _write_new(write_policy, draft_policy(report, frame, name=table.stem))
    if as_json:
        click.echo(json.dumps({**report.as_json(), "policy": _drafted(report, frame)}, ensure_ascii=False, indent=2))
        return
    for column in report.columns:
        click.echo(_line(column, language))


def _drafted(report: ScanReport, frame: pl.DataFrame) -> str:
    """The proposed policy; empty where there is nothing to measure and so nothing to propose."""
    from anonymize.detect.policy_draft import draft_policy

    try:
        return draft_policy(report, frame, name="draft")
    except BadInput:
        return ""


def _line(column: ColumnVerdict, language: Language) -> str:
    kinds = " ".join(f"{kind.kind}:{kind.share:.0%}" for kind in column.kinds)
    return "  ".join(
        (
            column.name,
            column.column_class.value,
            column.grade.value,
            column.technique,
            kinds,
            column.reason.in_language(language),
        )
    )


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as taken:
        raise BadInput(
            code="policy.exists",
            subject=path.name,
            text=Text(f"未写入：文件 {path.name} 已存在。", f"Not written: the file {path.name} exists already."),
            next_step=Text("请换一个文件名。", "Choose another name."),
        ) from taken
    except OSError as failed:
        raise BadInput(
            code="policy.not_written",
            subject=path.name,
            text=Text(f"无法写入 {path.name}。", f"Can't write {path.name}."),
            next_step=Text("请检查目录与权限。", "Check the folder and its permissions."),
        ) from failed


@click.command("detect")
@click.option(
    "--jsonl", "source", type=click.Path(path_type=Path), required=True, help='Lines of {"id","text"}; - is stdin.'
)
@click.option("--numbers-only", is_flag=True, help="Leave out names, addresses and organisations: much faster.")
@_language
@refusing
def detect(source: Path, numbers_only: bool, language: Language) -> None:
    """Find identifiers in each text; prints lines of {"id","entities":[{"kind","start","end","score"}]}."""
    del language
    records = (
        _record(line, source.name, number) for number, line in enumerate(_lines(source), start=1) if line.strip()
    )
    for batch in _batches(records, size=lambda record: len(record["text"])):
        texts = [record["text"] for record in batch]
        for record, entities in zip(batch, _found(texts, numbers_only=numbers_only), strict=True):
            listed = [entity.as_json() for entity in entities]
            click.echo(json.dumps({"id": record["id"], "entities": listed}, ensure_ascii=False))


@click.command("redact")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--mode",
    type=click.Choice([str(mode) for mode in Mode]),
    default=str(Mode.TAG),
    show_default=True,
    help="What stands in the place: the kind, signs, or something invented (the same for the same person).",
)
@click.option("--numbers-only", is_flag=True, help="Leave names, addresses and organisations as they are: much faster.")
@_language
@refusing
def redact(file: Path, mode: str, numbers_only: bool, language: Language) -> None:
    """Print FILE (UTF-8 text) with what was found replaced.

    Some names will not be found: the text stays personal data. docs/explanation/detection.md says how many.
    """
    del language
    redactor = Redactor(Mode(mode))
    for batch in _batches(_lines(file), size=len):
        for line, entities in zip(batch, _found(batch, numbers_only=numbers_only), strict=True):
            click.echo(redactor.redact(line, entities), nl=False)


def _found(texts: Sequence[str], *, numbers_only: bool) -> list[list[Entity]]:
    return [detect_text(text) for text in texts] if numbers_only else detect_texts(texts)


def _batches(items: Iterable[Item], *, size: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Some items at a time: few enough to answer soon, many enough for the model to read side by side."""
    batch: list[Item] = []
    held = 0
    for item in items:
        batch.append(item)
        held += size(item)
        if len(batch) >= BATCH_LINES or held >= BATCH_CHARACTERS:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _lines(source: Path) -> Iterator[str]:
    try:
        stream = sys.stdin.buffer if str(source) == "-" else source.open("rb")
    except OSError as failed:
        raise NotFound(
            code="text.not_found",
            subject=source.name,
            text=Text(f"无法打开文件 {source.name}。", f"Can't open the file {source.name}."),
            next_step=Text("请检查路径与权限。", "Check the path and its permissions."),
        ) from failed
    with stream:
        number = 0
        while line := stream.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise _bad_line(source.name, number, Text("该行过长", "the line is too long"))
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as failed:
                raise _bad_line(source.name, number, Text("不是有效的 UTF-8", "it is not valid UTF-8")) from failed


def _record(line: str, name: str, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as failed:
        raise _bad_line(name, number, Text("不是有效的 JSON", "it is not valid JSON")) from failed
    if not isinstance(record, dict) or not isinstance(record.get("text"), str) or "id" not in record:
        raise _bad_line(name, number, Text('缺少 "id" 或文本 "text"', 'it lacks "id" or a text in "text"'))
    return record


def _bad_line(name: str, number: int, why: Text) -> BadInput:
    return BadInput(
        code="text.bad_line",
        subject=f"{name}:{number}",
        text=Text(f"{name} 第 {number} 行被拒绝：{why.zh}。", f"{name}, line {number} refused: {why.en}."),
        next_step=Text("请修改该行后重试。", "Mend this line and try again."),
    )


COMMANDS: Final = [scan, detect, redact]
