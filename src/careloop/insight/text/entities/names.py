"""People, places and organisations, from the tagger's guesses that also look like names, and from how people introduce themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from careloop.insight.text.entities.places import PLACES
from careloop.insight.types import Entity, Token

_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文張劉陳楊趙黃吳孫馬羅鄭謝韓馮蕭鄧許呂蘇盧"
    "蔣賈葉閻鍾譚鄒陸顧龍萬錢湯喬賀賴龔"
)
_COMPOUND_SURNAMES = ("欧阳", "上官", "司马", "诸葛", "东方", "尉迟", "皇甫", "慕容", "令狐", "司徒", "端木", "歐陽")
_TITLES = "先生|女士|小姐|经理|經理|主任|师傅|師傅|老师|老師|医生|醫生|总监|警官|律师|律師|大姐|阿姨|店长|店長|同学|同學"
_TITLE_SIGN = re.compile(_TITLES)
_TITLED = re.compile(rf"(?P<value>(?P<name>[{''.join(sorted(_SURNAMES))}][\u4e00-\u9fff]{{0,2}}?)(?:{_TITLES}))")
_INTRODUCED = re.compile(
    r"\b(?:[Mm]y name is|[Tt]his is|named|spoke (?:to|with)|agent called|name's|[Rr]egards,|[Ss]incerely,|(?:[Mm]rs?|[Mm]s|[Dd]r)\.?)\s+"
    r"(?P<value>[A-Z][a-z'’]{1,20}(?:\s[A-Z]\.)?(?:\s[A-Z][a-z'’-]{1,20}){0,2})(?![a-z])"
)
_WORDS_OF_NOT_PEOPLE = (
    "王府 王府井 陈年 张贴 王子 高校 孙子 杜绝 王八 王朝 周折 周全 陈设 陈列品 苏醒 姜汤 林立 林荫 苏堤 王孙 张大 张图 谢谢孟 "
    "徐家汇 罗丝 王国 王后 林业 谢意 吴 许久 周年 周六 周日 周一 周二 周三 周四 周五 高兴 高档 高大 高端 高级 高清 高手 高价 白色 "
    "白痴 白搭 白条 金色 金属 金额 温馨 明明 安全 安静 安卓 黄色 方便 方正 马上 马虎 马桶 于是 任何 余额 万一 万达 万恶 万能 常常 "
    "常规 文字 石头 江湖 易碎 易用 何必 何况 何时 何来 何止 何不 毛病 毛衣 毛巾 毛刺 康师傅 王者 王牌 王道 白菜 白开水 周到 周末 "
    "周边 周围 周期 谢谢 谢谢您 谢谢你 谢了 多谢 钱包 钱财 钟表 段落 段子 雷同 雷人 唐朝 罗嗦 贝尔 贺卡 龙头 龙井 宋体 金士顿 "
    "金龙鱼 高露洁 白酒 杜蕾斯 李宁 方太 顾客 史上 叶子 夏天 夏季 田园 杨梅 姜茶 姜糖 江南 陆续 秦皇岛 孔夫子 孟婆 高压 高温 高速 "
    "高度 许多 汤汁 黎明 武断 林子 范围 范文 陈旧 戴尔 曹操 刘备 关羽 诸葛亮 孔子 孟子 徐徐 吴语 汪汪 任务 任性 方法 方面 方案 方式 "
    "马达 马甲 马克 贾 余 于 文 时 和 严重 费用 纪念 计算 成本 管用 强烈 温度 温和 包装 包邮 路由 平板 卡 水 安装 安心 和气 和谐 "
    "尚可 单价 房间 应该 乐意 华为 华硕 明显 明确 明白 齐全 祝 舒服 舒适"
)
_NOT_PEOPLE = frozenset(_WORDS_OF_NOT_PEOPLE.split())
_ALSO_WORDS = frozenset(
    "高马金白黄万文石方任常易毛江何于余康龙夏田史胡汤温雷段武乔钟顾贺孔范熊黎戴傅贾卢程许叶尹"
)  # surnames that begin words, too
_NOT_LAST = frozenset(  # characters with which names hardly end
    "湖山江路镇区县市村街里味化式性度们是的了庙角家庄城祠卡刚来唱配桶线机店菜茶水岛洲河寺券网版款色号点期间后前上下中时才也都"
    "就还很太又给让被把跟和与"
)
_PLACE_ENDING = re.compile(r"(?<!超)(?<!城)(?<!夜)(?:省|市|县|縣|自治州)$")
_WITHIN_CITY = re.compile(r"^[^大小美食商步老夜].*(?:区|區|镇|街道|岛|湖|寺|江)$")
_ORGANISATION = re.compile(
    "(?:银行|銀行|大学|大學|公司|集团|集團|医院|醫院|法院|检察院|公安局|派出所|统计局|税务局|工商局|委员会|协会|学院|中学|小学"
    "|电视台|卫视|图书馆|博物馆|出版社|书局|研究所|研究院|电信|移动|联通|保险|证券|航空|消协|监督局|管理局|部队)$"
)
_WORDS_OF_GENERIC = "国有银行 商业银行 有限公司 分公司 总公司 子公司 百货公司 物流公司 快递公司 保险公司 航空公司 上市公司 国有公司"
_GENERIC = frozenset(_WORDS_OF_GENERIC.split())
_LATIN_HINT = re.compile("ame|his is|poke|gent|gards|erely|Mr|Ms|Dr")
_WORDS_OF_DULL_TAGS = "n v a d r p c u m x uj ul zg vn f t q y eng i l b"
_DULL_TAGS = frozenset(_WORDS_OF_DULL_TAGS.split())
_SHORTEST_OWN_TAG = 5  # letters; see UserWords


def find_names(text: str, tokens: Sequence[Token]) -> list[Entity]:
    """Return people, places and organisations, in order of trust; some may overlap.

    The tagger guesses names from characters alone, so its guess counts only with a second sign: a person’s begins with one of the
    commonest surnames, a place is on a list or ends as a city or county does, an organisation ends as one does. Before a title
    (王女士) a surname is enough; English people are those who introduce themselves, sign, or carry a title. A word of the user’s
    dictionary is of the type that its tag names.
    """
    found: list[Entity] = []
    people: list[Entity] = []
    for token in [one for one in tokens if one[3] not in _DULL_TAGS]:  # most are dull: no loop is quicker
        tag = token.pos
        if tag == "ns":
            if _is_place(token.text):
                found.append(_describe("place", token))
        elif tag in {"nr", "nrfg"}:
            if _is_person(token.text):
                people.append(_describe("person", token))
        elif tag in {"nt", "nz"}:
            if _is_organisation(token.text):
                found.append(_describe("organisation", token))
        elif len(tag) >= _SHORTEST_OWN_TAG:
            found.append(_describe(tag, token))
    if _TITLE_SIGN.search(text):
        starts = {token.start for token in tokens}  # in 提高小姐 no word begins with 高
        found += [_entity(match) for match in _TITLED.finditer(text) if match["name"] not in _NOT_PEOPLE and match.start() in starts]
    found += people
    if _LATIN_HINT.search(text):
        found += [_entity(match) for match in _INTRODUCED.finditer(text)]
    return found


def _describe(type_name: str, token: Token) -> Entity:
    return Entity(type_name, token.text, token.start, token.end, token.text)


def _entity(match: re.Match[str]) -> Entity:
    return Entity("person", match["value"], match.start("value"), match.end("value"), match["value"])


@lru_cache(maxsize=20_000)
def _is_person(word: str) -> bool:
    if word in _NOT_PEOPLE or word in PLACES or word[-1] in _NOT_LAST:
        return False
    if len(word) == 4:
        return word.startswith(_COMPOUND_SURNAMES)
    if len(word) == 3:
        return word.startswith(_COMPOUND_SURNAMES) or (word[0] in _SURNAMES and word[0] not in _ALSO_WORDS)
    return len(word) == 2 and word[0] in _SURNAMES and word[0] not in _ALSO_WORDS and word[0] != word[1]


@lru_cache(maxsize=20_000)
def _is_place(word: str) -> bool:
    return word in PLACES or (len(word) >= 3 and bool(_PLACE_ENDING.search(word) or _WITHIN_CITY.search(word)))


@lru_cache(maxsize=20_000)
def _is_organisation(word: str) -> bool:
    return len(word) >= 4 and word not in _GENERIC and bool(_ORGANISATION.search(word))
