"""What an extract may be said to be, and what nobody may say of it. The careful sentences, in one place.

Source: Personal Information Protection Law of the PRC, Art. 73 (3) and (4), de-identification and anonymization;
GB/T 42460-2023, clause 4, the four grades. The threshold of acceptable risk is a setting here: the policy's k.
"""

from __future__ import annotations

from typing import Any, Final, assert_never

from anonymize.perturb import not_promised
from anonymize.policy import AnonymizationPolicy, Cells, ColumnClass
from anonymize.privacy.classes import Classes
from anonymize.rung import Rung
from anonymize.techniques.fake import Fake
from anonymize.techniques.pseudonymize import Pseudonymize
from anonymize.text import Text

STANDARD: Final = "GB/T 42460-2023"
_REACHED: Final = 3


def grade_statement(policy: AnonymizationPolicy, after: Classes) -> dict[str, Any]:
    """Where the standard would place an extract that passed its verification, as the platform's own reading."""
    k, worst = policy.target.k, f"{1 / after.k:.2%}"
    direct = _direct_identifiers(policy)
    text = Text(
        f"平台自评，参照 {STANDARD} 的四级划分：{direct.zh}；在规则列出的准标识符上，每个等价类至少 {after.k} 行，"
        f"单行的重标识风险最高 {worst}，不高于规则设定的 1/{k}。据此对应第 {_REACHED} 级（重标识风险低于可接受阈值）。"
        "阈值由规则设定，不是该标准给出的数值；本结论也不是评估机构的评估结果。",
        f"The platform's own reading of the four grades of {STANDARD}: {direct.en}; on the quasi-identifiers named in "
        f"the policy every class has at least {after.k} rows, so a row's risk of re-identification is at most {worst}, "
        f"not above the policy's 1/{k}. This corresponds to grade {_REACHED} (risk below an acceptable threshold). The "
        "threshold is set by the policy, not by the standard, and this is not the finding of an assessment body.",
    )
    return {
        "standard": STANDARD,
        "grade": _REACHED,
        "threshold": 1 / k,
        "text": text.as_json(),
        "reasons": [
            {"grade": grade, "text": reason.as_json()}
            for grade, reason in enumerate(_reasons(direct, worst=worst, k=k), start=1)
        ],
    }


def _reasons(direct: Text, *, worst: str, k: int) -> tuple[Text, Text, Text, Text]:
    """Why the extract stands at grade 3 and at no other, grade by grade."""
    return (
        Text(
            f"不停留在此级（含直接标识符，可直接识别个人）：{direct.zh}。",
            f"Left behind (direct identifiers name people): {direct.en}.",
        ),
        Text(
            f"不停留在此级（无直接标识符，但重标识风险高于阈值）：最高风险 {worst}，不高于 1/{k}。",
            f"Left behind (no direct identifier, but the risk is above the threshold): the highest risk is {worst}, "
            f"not above 1/{k}.",
        ),
        Text(
            "达到此级（无直接标识符，重标识风险低于可接受阈值）：写出的文件已重新读取并度量。",
            "Reached (no direct identifier, risk below an acceptable threshold): the written file was read and "
            "measured again.",
        ),
        Text(
            "未达到此级（聚合数据，不含任何个体记录）：数据包仍是逐行的个体记录。",
            "Not reached (aggregate data without any record of a person): the extract still holds one row per record.",
        ),
    )


def ungraded(policy: AnonymizationPolicy) -> dict[str, Any]:
    """What takes the place of a grade on rungs without real rows: the grades are for de-identified records."""
    text = Text(
        f"未分级：{STANDARD} 的分级针对去标识化的个人信息记录，这里没有任何一行是真实记录。",
        f"Not graded: the grades of {STANDARD} are for de-identified records of people; no row here is a record.",
    )
    return {"standard": STANDARD, "grade": None, "threshold": 1 / policy.target.k, "text": text.as_json()}


def not_claimed(policy: AnonymizationPolicy, rung: Rung = Rung.FULL) -> list[Text]:
    """What a reader might believe of the extract and must not."""
    match rung:
        case Rung.METADATA:
            return [_METADATA]
        case Rung.SYNTHETIC:
            return list(_SYNTHETIC)
        case Rung.SAMPLED:
            return [*_SAMPLED, *_deidentified(policy)]
        case Rung.FULL:
            return _deidentified(policy)
        case _ as unknown:
            assert_never(unknown)


_METADATA: Final = Text(
    "列的层级由源表的数据搜索得出，元数据因此不是与数据完全无关；除此以外不含源表的内容。",
    "The levels of the columns were found by a search on the source, so the metadata are not wholly independent of the "
    "data; beyond that they tell nothing of its content.",
)
_SYNTHETIC: Final = (
    Text(
        "由合成样例得出的统计没有意义，不得作为成果提交出门，也不得据此作出任何决定。",
        "Statistics from a synthetic sample mean nothing for release, and nothing may be decided on them.",
    ),
    Text(
        "不主张差分隐私：模型由去标识化后的脱敏数据包拟合，没有加入经过证明的噪声。",
        "Differential privacy is not claimed: the model was fitted on the de-identified extract without proven noise.",
    ),
    Text(
        "合成的行可能碰巧与真实的人相似；只保证不与脱敏数据包中独一无二的行相同、不出现少于 k 行的取值。",
        "A made-up row may by chance resemble a real person; what is kept is that none equals a row unique in the "
        "extract, and that no value shared by fewer than k rows occurs.",
    ),
    Text(
        "只保留两列、三列之间的主要关联；更多列的关联、同一假名各行之间的一致性都没有保留。",
        "Only the main ties of two and three columns are kept; ties of more, and agreement among the rows of one "
        "pseudonym, are not.",
    ),
)
_SAMPLED: Final = (
    Text(
        "样本按等价类抽取：每一行的抽中机会（除取整外）相同，但小的等价类整组出现或缺失，估计误差大于简单随机抽样。",
        "The sample is drawn by classes: every row has the same chance but for rounding, yet small classes come or are "
        "missing as groups, so estimates vary more than under simple random sampling.",
    ),
    Text(
        "“攻击者不知道谁在样本中”的风险以全量脱敏数据为总体；知道某人在样本中的攻击者，以样本自身的风险为准。",
        "The risk for an attacker who does not know who is in the sample takes the full extract as the population; "
        "against one who knows, the sample's own risk counts.",
    ),
)


_SAMPLING: Final = Text(
    "以整张源表为总体的风险只适用于不知道谁在样本中的攻击者；源表本身若只是更大总体的一部分，真实风险更低，未作估计。",
    "The risk with the whole table as the population is for an attacker who does not know who is in the sample; where "
    "the table is itself part of a larger population the true risk is lower, and was not estimated.",
)


def _deidentified(policy: AnonymizationPolicy) -> list[Text]:
    sentences = [
        Text(
            "这是去标识化，不是匿名化：脱敏数据包仍是个人信息，只能在隔离的工作空间内使用。",
            "This is de-identification, not anonymization: the extract is still personal information and stays inside "
            "an isolated workspace.",
        ),
        Text(
            "风险只就规则列出的准标识符度量；知道其他列内容的人面对的难度更低。",
            "Risk is measured on the quasi-identifiers named in the policy; whoever knows other columns as well has an "
            "easier task.",
        ),
        Text(
            "k 防的是认出某一行，防不住推断：同一等价类的人若敏感取值都相同，不必认出也能得知。",
            "k stands against picking out a row, not against inference: if all in a class share a sensitive value, it "
            "is known without picking anybody out.",
        ),
        Text(
            "与本协议的其他脱敏数据包或外部数据关联之后的风险没有度量。",
            "The risk after linking with other extracts of the licence or with outside data was not measured.",
        ),
    ]
    if policy.cells is Cells.TIGHT:
        sentences.append(
            Text(
                "紧致取值会说明哪些取值确实出现在一个等价类中（该类至少 k 行，不说明是哪一行）：知道某人取值罕见的人，"
                "可由此得知有这样的人在或不在表中，层级标签则不会说明。",
                "Tight cells tell which values do occur in a class (of at least k rows, not on which row): who knows "
                "of a rare value that a person has can learn that somebody like that is, or is not, in the table. "
                "Labels of a hierarchy do not tell that.",
            )
        )
    if any(isinstance(rule.technique, Pseudonymize | Fake) for rule in policy.columns):
        sentences.append(
            Text(
                "持有本协议密钥的人可以逐个试出假名对应的标识；密钥保管在工作空间之外。",
                "Whoever holds the licence's key can find the identifier behind a pseudonym by trying; the key is kept "
                "outside every workspace.",
            )
        )
    if policy.sampling is not None:
        sentences.append(_SAMPLING)
    return [*sentences, *not_promised(policy)]


def _direct_identifiers(policy: AnonymizationPolicy) -> Text:
    rules = policy.of_class(ColumnClass.DIRECT_ID)
    if not rules:
        return Text("规则没有列出直接标识符", "the policy names no direct identifier")
    if any(isinstance(rule.technique, Pseudonymize | Fake) for rule in rules):
        return Text(
            "直接标识符已删除，或替换为假名、虚构值",
            "direct identifiers were dropped or replaced by pseudonyms or inventions",
        )
    return Text("直接标识符已全部删除", "direct identifiers were all dropped")
