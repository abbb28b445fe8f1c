"""Family names, as far as rules need them. Source: census tables as commonly published; double ones by hand."""

from __future__ import annotations

from typing import Final

COMMON: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹"
    "孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁"
    "尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜"
    "冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟"
    "冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫"
    "杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由"
)
"""In the order of how many bear them, roughly."""
TRADITIONAL: Final = (
    "張劉陳楊黃趙吳孫馬鄭謝許韓馮鄧蔣蔡餘葉蘇魏呂盧鐘譚陸範賈韋鄒閆賀顧龔萬錢嚴湯龐顏莊聶魯歐關"
    "蘭紀畢單塗穀駱藍遊靳華饒陽農簡車項連蘆麥婁竇黨宮費衛應"
)
_PAIRS: Final = (
    "欧阳上官司马诸葛夏侯皇甫尉迟公孙慕容令狐东方司徒端木南宫长孙宇文轩辕呼延独孤西门百里申屠钟离闻人澹台"
    "濮阳淳于单于太叔仲孙鲜于闾丘亓官歐陽司馬諸葛東方長孫軒轅"
)
DOUBLE: Final = tuple(_PAIRS[at : at + 2] for at in range(0, len(_PAIRS), 2))
ALSO_WORDS: Final = "于和向任时应关成明常对从高方安文全古易华时连党边商国平计相门云容来都官信利但居由智"
"""Family names that are also everyday words: a rule that finds names by them needs more around it."""
SINGLE: Final = COMMON + TRADITIONAL


def begins_with_surname(name: str) -> bool:
    """Whether the first character, or the first two, are a family name."""
    return name[:1] in SINGLE or name[:2] in DOUBLE
