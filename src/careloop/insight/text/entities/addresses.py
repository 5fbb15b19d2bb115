"""Chinese postal addresses: administrative units, streets and house numbers in a row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from careloop.insight.text.entities.places import CITIES, PROVINCES
from careloop.insight.types import Entity, Token

_STREETS = "路街道巷弄镇鎮乡鄉村"
_HINT = re.compile(
    rf"[{_STREETS}胡同园園区區苑厦廈城]\d{{1,5}}\s?[号號弄栋棟幢座]|[{_STREETS}][\u4e00-\u9fff]{{0,10}}\d{{1,5}}\s?[号號弄栋棟幢]"
    "|(?:省|自治区|市|北京|上海|天津|重庆)[\u4e00-\u9fff]{1,6}[市区區县縣旗州盟]|[区區县縣][\u4e00-\u9fff]{1,6}[路街道镇鎮乡鄉]"
)
_UNIT = re.compile(
    "[\u4e00-\u9fffA-Z0-9]*(?:省|自治[区州县]|特别行政区|市|区|區|县|縣|旗|盟|镇|鎮|乡|鄉|村|街道|路|街|大道|道|巷|弄|胡同|社区|小区|花园|花園|家园"
    "|公寓|苑|大厦|大廈|广场|廣場|中心|园|園|城|里|庄|湾|号楼)"
)
_HOUSE = re.compile(r"(?:号|號|弄|栋|棟|幢|座|单元|單元|层|層|楼|樓|室|房|号楼|號樓|期|组|户|门)$")
_ADMINISTRATIVE = re.compile(r"(?:省|自治[区州县]|特别行政区|市|区|區|县|縣|旗|盟|州|镇|鎮|乡|鄉|街道)$")
_STREET = re.compile(r"(?:路|街|大道|道|巷|弄|胡同|村|镇|乡)$")
_WORDS_OF_NOT_WITHIN = (
    "地址 收货 家 公司 寄 寄到 送到 住 在 是 的 我 我们 你们 到 至 从 去 来 把 请 改成 改为 和 与 及 或 了 位置 地方 电话 订单"
)
_NOT_WITHIN = frozenset(_WORDS_OF_NOT_WITHIN.split())
_WORDS_OF_NAMING_TAGS = "ns nr nz nt n j m eng x f q vn an s b a i l zg nrt t g"
_NAMING_TAGS = frozenset(_WORDS_OF_NAMING_TAGS.split())
_WORDS_OF_BEGINNING_TAGS = "ns nz nr nt n j nrt s"
_BEGINNING_TAGS = frozenset(_WORDS_OF_BEGINNING_TAGS.split())
_MOST_WORDS = 24


def find_addresses(text: str, tokens: Sequence[Token]) -> list[Entity]:
    """Return the addresses among the words of a text: at least two administrative units, or a street with a house number."""
    if not _HINT.search(text):
        return []
    found: list[Entity] = []
    place = 0
    while place < len(tokens):
        end = _end_of_address(text, tokens, place) if _may_begin(tokens[place]) else place
        if end > place:
            start, stop = tokens[place].start, tokens[end - 1].end
            found.append(Entity("address", text[start:stop], start, stop, re.sub(r"\s+", "", text[start:stop])))
        place = max(end, place + 1)
    return found


def _may_begin(token: Token) -> bool:
    """Tell whether an address may begin here: with a place, or with a name that a street or unit may follow."""
    return token.text not in _NOT_WITHIN and "\u4e00" <= token.text[0] <= "\u9fff" and token.pos in _BEGINNING_TAGS


def _end_of_address(text: str, tokens: Sequence[Token], begin: int) -> int:
    """Return the place after the last word of the address that begins here, or `begin` when there is none."""
    units, end, has_street, has_house = 0, begin, False, False
    for place in range(begin, min(len(tokens), begin + _MOST_WORDS)):
        token = tokens[place]
        if not _may_stand_within(tokens, begin, place, is_begun=end > begin):
            break
        word = token.text
        is_figure = word[0].isdigit() or word.isascii()
        if _HOUSE.search(word) and place > begin and (word[0].isdigit() or tokens[place - 1].text[0].isdigit()):
            has_house, end = has_house or has_street or units > 0, place + 1
        elif word in CITIES or word in PROVINCES or (_ADMINISTRATIVE.search(word) and (token.pos == "ns" or len(word) <= 4)):
            units += _follows_name(tokens, begin, place)
            has_street = has_street or bool(_STREET.search(word))
            end = place + 1
        elif _STREET.search(word) and not is_figure:
            has_street, end = True, place + 1
        elif _may_follow(word, is_figure=is_figure, is_after_unit=bool(units or has_street), is_after_house=has_house and place == end):
            end = place + 1
        elif place - end > 3:
            break
    good = (has_house and (has_street or units)) or units >= 2
    return end if good and tokens[end - 1].end - tokens[begin].start >= 4 and _begins_well(tokens[begin]) else begin


def _may_stand_within(tokens: Sequence[Token], begin: int, place: int, *, is_begun: bool) -> bool:
    """Tell whether a word may be part of an address: a name, a figure, or a verb that names a unit (创意产业园)."""
    token = tokens[place]
    if token.text in _NOT_WITHIN or (place > begin and token.start > tokens[place - 1].end + 1):
        return False
    if token.pos == "x":
        return token.text in "-－—#"
    if token.pos == "v":
        return is_begun and place + 1 < len(tokens) and bool(_UNIT.fullmatch(tokens[place + 1].text))
    return token.pos in _NAMING_TAGS


def _may_follow(word: str, *, is_figure: bool, is_after_unit: bool, is_after_house: bool) -> bool:
    """Tell whether a word goes on with an address: a building after a unit, a number after a house."""
    return is_after_house if is_figure else is_after_unit and bool(_UNIT.fullmatch(word))


def _follows_name(tokens: Sequence[Token], begin: int, place: int) -> int:
    """Return 1 for a unit that has a name: in the same word, or in the word before."""
    return int(len(tokens[place].text) > 1 or place > begin)


def _begins_well(token: Token) -> bool:
    return token.pos in _BEGINNING_TAGS - {"n", "s"} or len(token.text) >= 2
