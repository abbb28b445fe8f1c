"""The words of the report, both languages side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anonymize.text import Text

WORDS: Final[Mapping[str, Text]] = {
    "title": Text("去标识化报告", "De-identification report"),
    "table": Text("源表", "Source table"),
    "policy": Text("规则", "Policy"),
    "version": Text("版本", "version"),
    "made": Text("生成时间", "Made at"),
    "verdict": Text("达到目标", "Target met"),
    "verdict_k": Text("最小等价类", "smallest class"),
    "rows_word": Text("行", "rows"),
    "asked": Text("目标", "target"),
    "rows_in": Text("源表行数", "Rows in"),
    "rows_out": Text("脱敏数据包行数", "Rows out"),
    "removed": Text("为达标删除的行", "Rows removed"),
    "allowed": Text("上限", "at most"),
    "detail_lost": Text("细节损失 (NCP)", "Detail lost (NCP)"),
    "optimal": Text("已证明在规则允许的层级中损失最小", "proven the least possible with the levels allowed"),
    "not_optimal": Text("搜索提前结束，损失的下界为", "search ended early; it can't be below"),
    "risk": Text("风险：处理前与处理后", "Risk, before and after"),
    "sizes": Text("各行所在等价类的大小", "Size of the class each row lies in"),
    "sizes_note": Text(
        "准标识符取值完全相同的行组成一个等价类。只有一行的等价类（红色）最容易被认出；处理后每一行所在的等价类都不小于目标。",
        "Rows alike in every quasi-identifier form a class. A row alone in its class (red) is the easiest to pick out; "
        "afterwards every row must lie in a class of the target size or more.",
    ),
    "before": Text("处理前", "Before"),
    "after": Text("处理后", "After"),
    "rows_in_class": Text("等价类行数", "Rows in the class"),
    "worst": Text("最高的单行重标识风险（检察官模型）", "Highest risk of a row (prosecutor)"),
    "mean": Text("平均重标识风险（营销者模型）", "Average risk (marketer)"),
    "high": Text("风险高于 1/5 的行", "Rows at a risk above 1/5"),
    "target_line": Text("竖线为规则的目标", "The line is the policy's target"),
    "figure": Text("指标", "Figure"),
    "k": Text("最小等价类 (k)", "Smallest class (k)"),
    "classes": Text("等价类个数", "Classes"),
    "uniques": Text("独一无二的行", "Rows alone in their class"),
    "l": Text("不同敏感取值的最小个数 (l)", "Fewest distinct sensitive values (l)"),
    "t": Text("敏感取值分布的最大偏离 (t)", "Largest distance of a class (t)"),
    "columns": Text("每一列做了什么，为什么", "What was done to each column, and why"),
    "column": Text("列", "Column"),
    "class": Text("类别", "Class"),
    "done": Text("处理", "Done"),
    "why": Text("理由", "Reason"),
    "lost": Text("细节损失", "Detail lost"),
    "level": Text("层级", "Level"),
    "grade": Text("分级自评", "Grade, by own reading"),
    "not_claimed": Text("本报告不主张的", "What is not claimed"),
    "evidence": Text("数字摘要 (SHA-256)", "Digests (SHA-256)"),
    "source": Text("源表文件", "Source file"),
    "extract": Text("脱敏数据包", "Extract"),
    "policy_digest": Text("规则", "Policy"),
    "key_id": Text("密钥编号（不含密钥）", "Key id (not the key)"),
    "versions": Text("软件版本", "Versions"),
}
