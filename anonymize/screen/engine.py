"""Run every rule on every file, and fail closed: whatever can't be read, crashes or takes too long is a block.

What must hold:
1. No files, or no rule that ran: block.
2. A file is read once, by a descriptor that follows no link, up to the limit and no further; its bytes are what
is checked. 3. A file of a type that may not leave is not opened any further.
4. A rule that raises, for whatever reason, blocks its file, and its name is missing from `checks_run`.
5. An extract that can't be read blocks everything: without it the row match did not run.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from anonymize.errors import AnonymizeError, NotFound
from anonymize.screen.context import Context
from anonymize.screen.deadline import Deadline
from anonymize.screen.extract_index import ExtractIndex
from anonymize.screen.faults import TimeUp, Unreadable, too_large
from anonymize.screen.findings import finding
from anonymize.screen.pack import RulePack, base_pack
from anonymize.screen.registry import RULES
from anonymize.screen.roles import Role
from anonymize.screen.shown import shown
from anonymize.screen.subject import Subject, examine
from anonymize.screen.verdict import CheckRun, Code, Finding, Level, Verdict, outcome_of
from anonymize.text import Text

_READ: Final = "R35"
_TELL: Final = Text(
    "请重新提交；若再次发生，请联系城运中心。", "Submit again; if it happens again, tell the operations centre."
)


def screen_files(
    files: Sequence[Path], *, extracts: Sequence[Path] = (), released: Path | None = None, pack: RulePack | None = None
) -> Verdict:
    """The verdict on a submission.

    Shape: `files` are the frozen files; `extracts` the Parquet extracts they may come from; `released` a folder
    of earlier releases (given but missing: a block).
    A given folder is answered with a note: comparing with earlier releases (R13 to R15) is not built yet.
    Note: nothing of a file is executed, unpickled or unpacked to disk, and no cell value gets into a finding.
    """
    rules = pack or base_pack()
    findings: list[Finding] = []
    runs: list[CheckRun] = []
    findings += _of_submission(files, rules)
    indexes, refused = _indexes(extracts)
    findings += refused
    findings += _of_released(released)
    subjects: list[Subject] = []
    for path in files[: rules.max_files]:
        read = _read(path, rules, Deadline.after(rules.max_seconds))
        if isinstance(read, Finding):
            findings.append(read)
            continue
        subjects.append(read)
    has_table = any(_holds_counts(subject) for subject in subjects)
    for subject in subjects:
        context = Context(
            pack=rules,
            extracts=indexes,
            released=released,
            has_table=has_table,
            deadline=Deadline.after(rules.max_seconds),
        )
        found, ran = _run(subject, context)
        findings += found
        runs.append(CheckRun(file=shown(subject.name), rules=ran))
    outcome = outcome_of({item.level for item in findings}, ran=bool(runs))
    return Verdict(
        verdict=outcome, findings=tuple(findings), pack=rules.name, pack_version=rules.version, checks_run=tuple(runs)
    )


def _run(subject: Subject, context: Context) -> tuple[list[Finding], tuple[str, ...]]:
    findings: list[Finding] = []
    ran: list[str] = ["R35"]
    for rule in RULES:
        try:
            context.deadline.check()
            found = [_with_shown_name(item) for item in rule.check(subject, context)]
        except Unreadable as refused:
            return [*findings, _refused(subject.name, refused)], tuple(ran)
        except (TimeUp, MemoryError, RecursionError):
            return [
                *findings,
                _did_not_run(subject.name, rule.id, Text("超出时间或内存限制", "time or memory ran out")),
            ], tuple(ran)
        except Exception:  # noqa: BLE001 - the one place where a crashed check becomes a block
            return [*findings, _did_not_run(subject.name, rule.id, Text("检查程序出错", "the check failed"))], tuple(
                ran
            )
        findings += found
        ran.append(rule.id)
        if rule.id == "R34" and any(item.level is Level.BLOCK for item in found):
            break
    return findings, tuple(ran)


def _read(path: Path, pack: RulePack, deadline: Deadline) -> Subject | Finding:
    """The file examined, or why it could not be."""
    try:
        data = _bytes(path, pack.max_file_bytes)
        return examine(path.name, data, pack=pack, deadline=deadline)
    except Unreadable as refused:
        return _refused(path.name, refused)
    except OSError:
        return _did_not_run(path.name, _READ, Text("无法作为普通文件读取", "it can't be read as a regular file"))
    except (TimeUp, MemoryError, RecursionError):
        return _did_not_run(path.name, _READ, Text("读取超出时间或内存限制", "reading ran out of time or memory"))
    except Exception:  # noqa: BLE001 - a parser that fails on a hostile file is a block
        return _did_not_run(path.name, _READ, Text("读取出错", "reading failed"))


def _bytes(path: Path, limit: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: it is a link, no regular file, or can't be read.
        Unreadable: it is empty or larger than the limit.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise too_large(Text("字节数", "bytes"), limit)
    if not data:
        raise Unreadable(
            rule=_READ,
            code=Code.FILE_TYPE,
            where="",
            text=Text("文件被拒绝：文件为空。", "File refused: it is empty."),
            next_step=Text("请提交有内容的文件。", "Submit a file that holds something."),
        )
    return data


def _of_submission(files: Sequence[Path], pack: RulePack) -> list[Finding]:
    if not files:
        text = Text("没有可检查的文件。", "There is no file to check.")
        step = Text("请至少提交一个文件。", "Submit at least one file.")
        return [finding(_READ, Code.CHECK_DID_NOT_RUN, Level.BLOCK, "", where="", text=text, next_step=step)]
    found: list[Finding] = []
    step = Text("请减少文件或进一步汇总后重新提交。", "Submit fewer files or aggregate further.")
    if len(files) > pack.max_files:
        text = Text(
            f"提交了 {len(files)} 个文件，超过上限 {pack.max_files}。",
            f"{len(files)} files were submitted, more than {pack.max_files}.",
        )
        found.append(finding(_READ, Code.SIZE_LIMIT, Level.BLOCK, "", where="", text=text, next_step=step))
    total = sum(_size(path) for path in files)
    if total > pack.max_total_bytes:
        limit = pack.max_total_bytes
        text = Text(
            f"文件共 {total} 字节，超过上限 {limit}。", f"The files have {total} bytes together, more than {limit}."
        )
        found.append(finding(_READ, Code.SIZE_LIMIT, Level.BLOCK, "", where="", text=text, next_step=step))
    return found


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _indexes(extracts: Sequence[Path]) -> tuple[tuple[ExtractIndex, ...], list[Finding]]:
    indexes: list[ExtractIndex] = []
    refused: list[Finding] = []
    for path in extracts:
        try:
            indexes.append(ExtractIndex(path))
        except (AnonymizeError, OSError, MemoryError):
            refused.append(
                _did_not_run(
                    path.name,
                    "R46",
                    Text("无法读取脱敏数据包，逐行比对未进行", "the extract can't be read, so rows were not matched"),
                )
            )
    return tuple(indexes), refused


def _of_released(released: Path | None) -> list[Finding]:
    if released is None:
        return []
    if not released.is_dir():
        why = Text("找不到历次放行目录", "the folder of earlier releases is missing")
        return [_did_not_run(released.name, "R14", why)]
    text = Text("尚未与历次放行结果比对差分。", "The files were not compared with earlier releases.")
    step = Text("请审核人自行比对历次放行结果。", "Reviewers compare them with the earlier releases themselves.")
    return [finding("R14", Code.DIFFERENCING, Level.NOTE, "", where="", text=text, next_step=step)]


def _holds_counts(subject: Subject) -> bool:
    """Whether a file holds a table with counts; a table that can't be read as statistics holds none."""
    try:
        return any(table.columns(Role.COUNT) for table in subject.tables)
    except (ValueError, ArithmeticError, MemoryError, RecursionError):
        return False


def _refused(name: str, refused: Unreadable) -> Finding:
    return finding(
        refused.rule,
        refused.code,
        Level.BLOCK,
        shown(name),
        where=refused.where,
        text=refused.text,
        next_step=refused.next_step,
    )


def _did_not_run(name: str, rule: str, why: Text) -> Finding:
    return finding(
        rule,
        Code.CHECK_DID_NOT_RUN,
        Level.BLOCK,
        shown(name),
        where="",
        text=Text(
            f"检查 {rule} 没有完成：{why.zh}。未检查的内容不予放行。",
            f"Check {rule} did not end: {why.en}. What was not checked is not released.",
        ),
        next_step=_TELL,
    )


def _with_shown_name(item: Finding) -> Finding:
    return finding(
        item.rule, item.code, item.level, shown(item.file), where=item.where, text=item.text, next_step=item.next_step
    )


def load_extract_or_refuse(path: Path) -> None:
    """Refuse a command line that names a missing extract before any work is done.

    Raises:
        NotFound: there is no such file.
    """
    if not path.is_file():
        raise NotFound(
            code="extract.not_found",
            subject=path.name,
            text=Text(f"找不到脱敏数据包 {path.name}。", f"There is no extract {path.name}."),
            next_step=Text("请检查路径。", "Check the path."),
        )
