"""The 420 customers of the sample house: names from our own lists, addresses of reserved domains and numbers that nobody has.

E-mail addresses end in example.com or example.org (RFC 2606). British numbers lie in 07700 900 000–999, kept for drama by the regulator;
Chinese ones begin with 154 0000, in a prefix that is not handed out.
"""

import random
from dataclasses import dataclass

from careloop.desk.demo.facts import COMPANIES
from careloop.desk.demo.scenarios import CHINESE, ENGLISH, MIXED, TRADES

CUSTOMERS = 420
SURNAMES = {
    "wang": "王", "li": "李", "zhang": "张", "liu": "刘", "chen": "陈", "yang": "杨", "zhao": "赵", "huang": "黄",
    "zhou": "周", "xu": "徐", "sun": "孙", "hu": "胡", "zhu": "朱", "gao": "高", "lin": "林", "he": "何",
    "guo": "郭", "ma": "马", "luo": "罗", "liang": "梁", "song": "宋", "zheng": "郑", "xie": "谢", "han": "韩",
    "tang": "唐", "feng": "冯", "yu": "于", "dong": "董", "xiao": "萧", "wu": "吴",
}  # fmt: skip
GIVEN = {
    "xiaotong": "晓彤", "jianguo": "建国", "siyuan": "思远", "yutong": "雨桐", "zhiqiang": "志强", "meiling": "美玲",
    "zihan": "子涵", "haiyan": "海燕", "wenbo": "文博", "jiayi": "佳怡", "junjie": "俊杰", "xiulan": "秀兰",
    "haoran": "浩然", "jing": "静", "wei": "伟", "fang": "芳", "yiming": "一鸣", "ruoxi": "若曦",
    "guodong": "国栋", "chunmei": "春梅", "tianyu": "天宇", "shihan": "诗涵", "lixin": "立新", "xiaoman": "小满",
    "mingxuan": "明轩", "lihua": "丽华", "chengzhi": "承志", "yue": "月", "ming": "铭", "kexin": "可欣",
}  # fmt: skip
FIRST = (
    "Amelia", "Oliver", "Grace", "Henry", "Isla", "Jack", "Freya", "Noah", "Ruby", "Leo", "Hannah", "Oscar", "Martha", "Theo", "Nina",
    "Arjun", "Priya", "Samuel", "Elena", "Marco", "Ingrid", "Tomas", "Aisha", "Daniel", "Clara", "Felix", "Maya", "Victor", "Lucia", "Owen",
)  # fmt: skip
LAST = (
    "Hartley", "Brooks", "Winslow", "Mercer", "Okafor", "Lindqvist", "Novak", "Rossi", "Fernandes", "Kapoor", "Whitfield", "Doyle",
    "Sinclair", "Marlow", "Petrov", "Castell", "Bergman", "Ashby", "Thornton", "Delgado", "Fairchild", "Keller", "Osborne", "Langley",
    "Moreau", "Bannister", "Yates", "Caldwell", "Drummond", "Frost",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A customer: how they write, where they are reached, which trades they deal with."""

    number: int
    name: str
    language: str
    email: str
    phone: str
    company: str
    trades: tuple[str, ...]
    eagerness: float


def draw_people(rng: random.Random, count: int = CUSTOMERS) -> list[Person]:
    """The customers; about 55 % write Chinese, 40 % English, 5 % mix both; no two share an address."""
    people = []
    languages = rng.choices((CHINESE, ENGLISH, MIXED), weights=(55, 40, 5), k=count)
    for number, language in enumerate(languages):
        name, mailbox = _name(language, rng)
        has_email, has_phone = rng.random() < 0.88, rng.random() < 0.72
        if not has_email:
            has_phone = True
        host = "example.com" if rng.random() < 0.7 else "example.org"
        people.append(
            Person(
                number=number,
                name=name,
                language=language,
                email=f"{mailbox}{number}@{host}" if has_email else "",
                phone=_phone(language, number) if has_phone else "",
                company=rng.choice(COMPANIES)[language == ENGLISH] if rng.random() < 0.12 else "",
                trades=tuple(rng.sample(TRADES, rng.choices((1, 2, 3), weights=(60, 30, 10))[0])),
                eagerness=rng.paretovariate(2.2),
            )
        )
    return people


def _name(language: str, rng: random.Random) -> tuple[str, str]:
    if language == ENGLISH:
        first, last = rng.choice(FIRST), rng.choice(LAST)
        return f"{first} {last}", f"{first}.{last}".lower()
    surname, given = rng.choice(list(SURNAMES)), rng.choice(list(GIVEN))
    return SURNAMES[surname] + GIVEN[given], f"{given}.{surname}"


def _phone(language: str, number: int) -> str:
    return f"+44 7700 900{number:03d}" if language == ENGLISH else f"154 0000 {number:04d}"
