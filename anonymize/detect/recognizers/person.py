"""Names of persons, in columns only: by the column's name, or by the share of cells that look like one.

In free text names need a language model (a later piece of work); no rule here pretends to find them there.
"""

from __future__ import annotations

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import Recognizer

# Family names that together cover well over nine tenths of the population (public census tables), single and double.
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖"
    "邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳"
    "齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边阴"
)
_DOUBLE = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|司徒|令狐|夏侯|端木|南宫"


class PersonName(Recognizer):
    """A family name and one or two (after a double family name up to two) characters."""

    kind = EntityKind.PERSON
    headers = (
        "姓名", "名字", "联系人", "法定代表人", "法人代表", "负责人", "经办人", "申请人", "当事人", "监护人",
        "户主", "业主", "家长", "患者姓名", "xm", "xingming", "fddbr", "lxr", "frdb", "person name", "full name",
        "fullname", "first name", "last name", "surname", "given name", "legal rep", "guardian name", "owner name",
        "caller name", "contact name", "name", "family doctor",
    )  # fmt: skip
    cell_pattern = rf"^(?:[{_SURNAMES}][\x{{4e00}}-\x{{9fff}}]{{1,2}}|(?:{_DOUBLE})[\x{{4e00}}-\x{{9fff}}]{{1,2}})$"
