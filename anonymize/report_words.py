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
    "not_proven": Text(
        "局部泛化，每个等价类用能覆盖它的最细层级；最优性未证明，损失的下界为",
        "local recoding, the finest levels that cover each class; not proven the least possible; it can't be below",
    ),
    "tight_not_proven": Text(
        "局部泛化，紧致取值：每个等价类只给出所含的取值；最优性未证明，损失的下界为",
        "local recoding with tight cells, exactly what each class holds; not proven least; it can't be below",
    ),
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
    "histogram": Text("等价类大小的分布", "How large the classes are"),
    "histogram_note": Text(
        "横轴是等价类的行数（逐级加倍），柱高是所在等价类为该大小的行的占比；处理后竖线左侧不得有任何行。",
        "From left to right classes of more rows (doubling); a bar is as high as the share of the rows in them. "
        "Afterwards no row may be left of the line.",
    ),
    "disclosed": Text(
        "不必认出本人即可得知敏感取值的行", "Rows whose sensitive value is known without picking anybody out"
    ),
    "disclosed_note": Text(
        "所在等价类只有一个敏感取值的行。攻击者找到等价类后猜中的平均把握：",
        "Rows in a class with one sensitive value alone. Mean confidence of an attacker who finds the class:",
    ),
    "disclosed_baseline": Text("不看等价类时", "without the classes"),
    "population_table": Text("以整张源表为总体的风险", "Risk with the whole source table as the population"),
    "search": Text("层级如何得出", "How the levels were found"),
    "bound": Text("下界", "lower bound"),
    "bound_note": Text(
        "竖线是损失的下界：任何满足目标的做法都不会低于",
        "The line is the lower bound: nothing that meets the target loses less than",
    ),
    "nodes": Text("搜索查看的层级组合", "combinations of levels looked at"),
    "lattice": Text("规则允许的层级组合", "combinations the policy allows"),
    "utility": Text("还剩多少可用信息", "What the extract is still good for"),
    "utility_note": Text(
        "分布差异把源表全部行与放行的行相比：泛化后的取值按均匀分布摊回所覆盖的原值（0 相同，1 完全不同）；"
        "数字列另给出取值平均移动的距离占取值范围的比例。",
        "The distance compares all rows of the source with the rows left: a coarser value is spread evenly over what "
        "it covers (0 the same, 1 wholly apart); for numbers also "
        "how far values moved on average, as a share of the range.",
    ),
    "granularity": Text("颗粒度", "Granularity"),
    "granularity_note": Text("1 − NCP，100% 为未处理", "1 − NCP; 100% is untouched"),
    "intensity": Text("泛化强度", "Generalization intensity"),
    "intensity_note": Text("按层级计，100% 为未处理", "by levels; 100% is untouched"),
    "entropy": Text("保留的信息", "Information kept"),
    "entropy_note": Text("按非均匀熵计", "by non-uniform entropy"),
    "class_size": Text("平均等价类行数", "Average class, in rows"),
    "class_size_note": Text("除以 k 为", "over k"),
    "discernibility": Text("可辨识度", "Discernibility"),
    "discernibility_note": Text("占行数平方的比例，越小越好", "share of squared rows; less is better"),
    "kept_detail": Text("保留的细节", "Detail kept"),
    "kept_entropy": Text("保留的信息", "Information kept"),
    "distance": Text("分布差异", "Distance"),
    "moved": Text("移动", "moved"),
    "ties": Text("各列之间关联（Cramér's V）的平均变化", "Mean change of ties between columns (Cramér's V)"),
    "largest": Text("最大", "largest"),
    "pairs": Text("列对", "pairs"),
    "l_entropy": Text("敏感取值的有效个数（熵）", "Effective number of sensitive values (entropy)"),
    "grade_number": Text("级别", "Grade"),
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

LADDER_WORDS: Final[Mapping[str, Text]] = {
    "rate": Text("抽样比例", "rate"),
    "population": Text("以全量脱敏数据为总体的风险", "Risk with the full extract as the population"),
    "population_note": Text(
        "上面各项是攻击者已知某人在样本中时的风险（检察官模型）；下面各项是不知道谁在样本中时的风险（记者模型，k-map）。",
        "The figures above are for an attacker who knows that somebody is in the sample (prosecutor); those below for "
        "one who does not know who is in it (journalist, k-map).",
    ),
    "k_map": Text(
        "总体中与样本行相同的最少行数 (k-map)", "Rows of the full extract like a sampled row, at least (k-map)"
    ),
    "journalist": Text("最高的单行重标识风险（记者模型）", "Highest risk of a row (journalist)"),
    "classes_drawn": Text("抽中的等价类 / 全部", "Classes drawn / all"),
    "made_up": Text("合成行数", "Rows made up"),
    "made_up_note": Text("没有一行是真实记录", "no row is anybody's record"),
    "copies": Text("与独一无二的真实行相同的合成行", "Made-up rows equal to a unique real row"),
    "redrawn": Text("为此重抽的行", "drawn again for it:"),
    "left_out": Text("为此略去的行", "left out for it:"),
    "tie_change": Text("两列关联的平均变化", "Mean change of ties"),
    "tie_change_column": Text("关联的最大变化", "Largest change of its ties"),
    "fidelity": Text("与脱敏数据包有多接近", "How near it comes to the extract"),
    "fidelity_note": Text(
        "只供判断代码是否值得在下一级运行。分布差异是两个分布之差的一半（0 相同，1 完全不同），按模型的分组计算；"
        "关联用去偏的 Cramér's V 度量。",
        "Only for judging whether code is worth running on the next rung. Distance is half the difference of two "
        "distributions (0 the same, 1 wholly apart), counted in the groups of the model; ties are measured by Cramér's "
        "V without bias.",
    ),
    "withheld": Text("取值均少于 k 行，留空", "empty: every value is shared by fewer than k rows"),
    "dictionary": Text("数据字典", "Data dictionary"),
    "full_rows": Text("全量脱敏数据行数", "Rows of the full extract"),
    "type": Text("类型", "Type"),
    "nulls": Text("空值比例", "Share of nulls"),
}
"""What only rungs below the full one say."""
