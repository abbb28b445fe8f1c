"""R34: the type is on the list, by content, and the file's ending agrees.

Definition: csv, json, md, txt, png and jpg may leave; everything else is blocked with what to do instead. Text is
UTF-8. Default: BLOCK. Source: OpenSAFELY's list of file types, shortened; content decides because ACRO's guard by
name passes any renamed file (OUTPUT-CONTROL R34).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from anonymize.screen.content import FileKind
from anonymize.screen.context import Context
from anonymize.screen.findings import finding
from anonymize.screen.subject import Subject, claimed_kind
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text

LISTED: Final = "csv, json, md, txt, png, jpg"
_INSTEAD: Final[Mapping[FileKind, Text]] = {
    FileKind.PARQUET: Text("请把汇总表另存为 CSV 后提交。", "Save the aggregate table as CSV and submit that."),
    FileKind.ZIP: Text(
        "请逐个提交文件，不要打包；表格（含 xlsx）请另存为 CSV。",
        "Submit the files one by one, not packed; save tables (xlsx too) as CSV.",
    ),
    FileKind.PICKLE: Text(
        "请把结果另存为 CSV 或 JSON；模型请以 JSON 系数提交。该文件未被加载。",
        "Save the result as CSV or JSON; submit a model as JSON coefficients. The file was not loaded.",
    ),
    FileKind.PDF: Text("请提交 Markdown 报告与其数据表。", "Submit the report as markdown, with its tables."),
    FileKind.HTML: Text("请提交 Markdown，图另存为 PNG。", "Submit markdown, and charts as PNG."),
    FileKind.SVG: Text(
        "请把图另存为 PNG：矢量图带有每个数据点。", "Save the chart as PNG: vector graphics carry every data point."
    ),
    FileKind.XML: Text("请另存为 CSV 或 JSON。", "Save it as CSV or JSON."),
    FileKind.NOTEBOOK: Text("请只提交结果文件，不要提交笔记本。", "Submit the result files, not the notebook."),
}
_ELSE: Final = Text(
    f"请另存为允许的类型之一：{LISTED}（文本须为 UTF-8）。",
    f"Save it as one of the allowed types: {LISTED} (text in UTF-8).",
)


class FileType:
    """Content on the list, and the ending agrees with it."""

    id = "R34"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        del context
        claimed = claimed_kind(subject.name)
        if claimed is not None and subject.kind is claimed:
            return
        found = subject.kind
        if claimed is None:
            text = Text(
                f"文件被拒绝：类型不在允许之列（内容为 {found.value}）。",
                f"File refused: its type is not on the list (content: {found.value}).",
            )
        else:
            text = Text(
                f"文件被拒绝：扩展名与内容不符（内容为 {found.value}）。",
                f"File refused: its ending does not agree with its content ({found.value}).",
            )
        yield finding(
            self.id,
            Code.FILE_TYPE,
            Level.BLOCK,
            subject.name,
            where="",
            text=text,
            next_step=_INSTEAD.get(found, _ELSE),
        )


RULE: Final = FileType()
