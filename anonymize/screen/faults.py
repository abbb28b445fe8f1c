"""Why a file can't be checked. The engine turns each into a block; nothing that can't be checked is released."""

from __future__ import annotations

from anonymize.screen.verdict import Code
from anonymize.text import Text


class Unreadable(Exception):
    """The file can't be read as what it claims to be; `rule` and `code` tell under which rule that counts."""

    def __init__(self, *, rule: str, code: Code, where: str, text: Text, next_step: Text) -> None:
        super().__init__(rule, code, where)
        self.rule = rule
        self.code = code
        self.where = where
        self.text = text
        self.next_step = next_step


class TimeUp(Exception):
    """The time for one file is over."""


def too_large(what: Text, limit: int) -> Unreadable:
    """The refusal of a file with more of something than can be checked."""
    return Unreadable(
        rule="R35",
        code=Code.SIZE_LIMIT,
        where="",
        text=Text(f"文件被拒绝：{what.zh}超过上限 {limit}。", f"File refused: more than {limit} {what.en}."),
        next_step=Text("请进一步汇总或拆分后重新提交。", "Aggregate further or split it, then submit again."),
    )


def broken(kind: str, where: str, why: Text) -> Unreadable:
    """The refusal of a file that is not well formed."""
    return Unreadable(
        rule="R34",
        code=Code.FILE_TYPE,
        where=where,
        text=Text(f"文件被拒绝：不是有效的 {kind}，{why.zh}。", f"File refused: it is no valid {kind}: {why.en}."),
        next_step=Text("请重新导出后提交。", "Export it again and submit it anew."),
    )
