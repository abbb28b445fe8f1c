"""What the server says to the analyst's browser, in both languages: the sandbox has no catalogs."""

from __future__ import annotations

from typing import Literal

Language = Literal["zh", "en"]

_WORDS: dict[str, dict[Language, str]] = {
    "path_refused": {
        "zh": "此地址在工作空间中不开放。数据只能经出口箱、审核后离开；请用 outbox.put 提交结果。",
        "en": "This address is closed in a workspace. Results leave by the outbox and its review only: use outbox.put.",
    },
    "oversize": {
        "zh": "[zhakou] 一条输出过大，未显示。请先汇总，或用 outbox.put 写入出口箱。",
        "en": "[zhakou] One output is too large and is not shown. Aggregate it, or put it into the outbox.",
    },
    "budget": {
        "zh": "[zhakou] 本次会话的显示额度已用完，后续输出不再显示；计算和出口箱照常。请从门户停止并重新打开工作空间。",
        "en": (
            "[zhakou] The display budget of this session is used up. Output is withheld; computation and the outbox go "
            "on. Stop the workspace from the portal and open it again."
        ),
    },
    "killed": {
        "zh": (
            "[zhakou] 内核被系统终止，多半是内存超出了本工作空间的上限（{limit}）。"
            "变量已丢失，出口箱和已保存的文件仍在。请减少一次读入的数据（只选需要的列，先筛选再汇总），然后从头运行。"
        ),
        "en": (
            "[zhakou] The system ended the kernel, most likely because memory went beyond this workspace's limit "
            "({limit}). Variables are lost; the outbox and saved files are still there. Load less at once (needed "
            "columns only, filter before you aggregate), then run from the top."
        ),
    },
    "died": {
        "zh": "[zhakou] 内核意外退出，正在重新启动。变量已丢失，出口箱和已保存的文件仍在；请从头运行。",
        "en": (
            "[zhakou] The kernel ended unexpectedly and is started again. Variables are lost; the outbox and saved "
            "files are still there. Run from the top."
        ),
    },
    "kernel_refused": {
        "zh": "内核没有启动。",
        "en": "The kernel was not started.",
    },
    "kernel_unasked": {
        "zh": "平台没有应答，无法确认是否仍可使用数据，因此内核没有启动。请稍候重试；如仍无应答，请告知运营机构。",
        "en": (
            "The hub does not answer, so nobody can say whether the data may still be used; the kernel was not "
            "started. Try again in a moment; if it lasts, tell the operator of this site."
        ),
    },
    "contents_budget": {
        "zh": "本次会话的显示额度已用完，不能再读取文件。请从门户停止并重新打开工作空间。",
        "en": (
            "The display budget of this session is used up; files can no longer be read. "
            "Stop the workspace from the portal and open it again."
        ),
    },
    "kind": {
        "zh": "只支持 .ipynb、.py、.md、.txt、.csv 文件。结果请用 outbox.put 写入出口箱。",
        "en": "Only .ipynb, .py, .md, .txt and .csv files are handled here. Put results into the outbox.",
    },
    "file_size": {
        "zh": "文件超过 {limit}，不能在此打开或保存。请缩小文件；笔记本请清除输出后重试。",
        "en": "The file is over {limit} and is not opened or saved here. Make it smaller; clear a notebook's outputs.",
    },
    "binary": {"zh": "不支持二进制或 base64 内容。", "en": "Binary or base64 contents are not handled here."},
    "name": {
        "zh": "文件名含有不允许的字符或过长。",
        "en": "The name holds characters that are not allowed, or is too long.",
    },
    "missing": {"zh": "没有这个文件或目录。", "en": "There is no such file or folder."},
    "not_plain": {
        "zh": "这里不能打开链接、设备或其他特殊文件。",
        "en": "Links, devices and other special files are not opened here.",
    },
    "exists": {"zh": "同名文件已存在。", "en": "Something of that name exists already."},
    "not_empty": {"zh": "目录不为空，不能删除。", "en": "The folder is not empty."},
    "not_text": {"zh": "文件不是 UTF-8 文本。", "en": "The file is not UTF-8 text."},
    "not_notebook": {"zh": "文件不是有效的笔记本。", "en": "The file is not a valid notebook."},
}


def say(code: str, language: Language, **values: object) -> str:
    """The sentence for this code."""
    return _WORDS[code][language].format(**values)
