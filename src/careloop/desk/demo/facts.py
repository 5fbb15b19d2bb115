"""What a conversation is about: order, product, amount, dates, flight …, drawn once, the same from the first message to the last.

Every name here was made up for the sample house; brands, carriers, hotels and shops do not exist.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from careloop.desk.demo.scenarios import Scenario

WAVE_BATCH = "B17"
OTHER_BATCHES = ("B12", "B13", "B15", "B16", "B18", "B19")


@dataclass(frozen=True)
class Product:
    """Something to be bought; `yuan` is its price."""

    category: str
    zh: str
    en: str
    yuan: int

    @property
    def label(self) -> str:
        """The name in both languages, under which reviews are counted."""
        return f"{self.zh} · {self.en}"


PRODUCTS = (
    Product("heater", "云暖60升电热水器", "Yunnuan 60 L water heater", 1299),
    Product("heater", "云暖80升电热水器", "Yunnuan 80 L water heater", 1699),
    Product("heater", "云暖即热式热水器", "Yunnuan tankless heater", 999),
    Product("kitchen", "青瓷4升电饭煲", "Qingci 4 L rice cooker", 399),
    Product("kitchen", "麦朵面包机", "Maiduo bread maker", 459),
    Product("kitchen", "石湾破壁机", "Shiwan blender", 529),
    Product("kitchen", "山泉净水壶", "Shanquan water filter jug", 129),
    Product("clothing", "棉麻衬衫", "linen shirt", 189),
    Product("clothing", "轻薄羽绒服", "light down jacket", 499),
    Product("clothing", "羊毛针织衫", "wool jumper", 329),
    Product("clothing", "防风冲锋衣", "windproof jacket", 599),
    Product("digital", "听风蓝牙耳机", "Tingfeng wireless headset", 269),
    Product("digital", "墨屏阅读器", "Moping e-reader", 899),
    Product("digital", "小石智能音箱", "Xiaoshi smart speaker", 199),
    Product("digital", "知步运动手表", "Zhibu fitness watch", 699),
    Product("home", "橡木书架", "oak bookshelf", 799),
    Product("home", "云朵办公椅", "Cloud desk chair", 649),
    Product("home", "北窗落地灯", "Beichuang floor lamp", 239),
    Product("card", "远行信用卡", "Voyager credit card", 0),
    Product("card", "日常信用卡", "Everyday credit card", 0),
    Product("bank_app", "手机银行", "Mobile banking app", 0),
    Product("loan", "安居贷款", "Home loan", 0),
    Product("loan", "小微贷款", "Small business loan", 0),
    Product("hotel", "湖畔酒店", "Lakeside Hotel", 480),
    Product("hotel", "云海度假村", "Cloud Sea Resort", 920),
    Product("hotel", "老城客栈", "Old Town Inn", 260),
    Product("tour", "江南五日游", "Five days in Jiangnan", 3280),
    Product("tour", "西北环线八日", "North-west loop, eight days", 5680),
    Product("flight", "机票预订", "Flight booking", 1150),
)
TRADE_OF = {
    **dict.fromkeys(("heater", "kitchen", "clothing", "digital", "home"), "shop"),
    **dict.fromkeys(("card", "bank_app", "loan"), "bank"),
    **dict.fromkeys(("hotel", "tour", "flight"), "travel"),
}
CATEGORY_LABELS = {
    "heater": "热水器 Water heaters",
    "kitchen": "厨房 Kitchen",
    "clothing": "服装 Clothing",
    "digital": "数码 Electronics",
    "home": "家居 Furniture",
    "card": "信用卡 Credit cards",
    "bank_app": "手机银行 Banking app",
    "loan": "贷款 Loans",
    "hotel": "酒店 Hotels",
    "tour": "旅游线路 Tours",
    "flight": "机票 Flights",
}
SERVICE_LABEL = "服务 Service"

CITIES = (
    ("杭州", "Hangzhou"), ("成都", "Chengdu"), ("武汉", "Wuhan"), ("西安", "Xi'an"), ("厦门", "Xiamen"), ("长沙", "Changsha"),
    ("青岛", "Qingdao"), ("昆明", "Kunming"), ("广州", "Guangzhou"), ("南京", "Nanjing"), ("大连", "Dalian"), ("三亚", "Sanya"),
)  # fmt: skip
COUNTRIES = (
    ("日本", "Japan"),
    ("泰国", "Thailand"),
    ("法国", "France"),
    ("意大利", "Italy"),
    ("新西兰", "New Zealand"),
    ("英国", "Britain"),
)
CARRIERS = (("蓝鸟快递", "Bluebird Express"), ("远山物流", "Farhill Logistics"), ("快风速运", "Quickwind"))
MERCHANTS = (
    ("橙子超市", "Orange Market"), ("星河影城", "Starry Cinema"), ("云端会员", "Cloudside Plus"), ("老李面馆", "Li's Noodles"),
    ("木马书店", "Rocking Horse Books"), ("远洋百货", "Ocean Stores"),
)  # fmt: skip
BRANCHES = (("东湖支行", "East Lake branch"), ("中山路支行", "Zhongshan Road branch"), ("科技园支行", "Tech Park branch"))
HOTELS = tuple((product.zh, product.en) for product in PRODUCTS if product.category == "hotel")
ROOMS = (("豪华房", "deluxe room"), ("家庭套房", "family suite"), ("大床房", "double room"))
COLOURS = (("藏青色", "navy"), ("米白色", "cream"), ("黑色", "black"), ("墨绿色", "dark green"))
COMPANIES = (
    ("青禾文化有限公司", "Greenleaf Culture Ltd"),
    ("北岸科技有限公司", "Northbank Technology Ltd"),
    ("三石设计工作室", "Three Stones Design"),
    ("和风贸易有限公司", "Fairwind Trading Ltd"),
    ("小满教育咨询", "Grainful Education"),
)
SIZES = (("S", "M"), ("M", "L"), ("L", "XL"), ("XL", "XXL"))
MONTHS = ("Jan", "Feb", "March", "April", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")
BOOKING_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def shown_date(day: date, language: str) -> str:
    """As people write it: 5月4日, 4 May."""
    return f"{day.day} {MONTHS[day.month - 1]}" if language == "en" else f"{day.month}月{day.day}日"


def shown_number(number: int, language: str) -> str:
    """1,299 in English, 1299 in Chinese."""
    return f"{number:,}" if language == "en" else str(number)


def draw_facts(scenario: Scenario, language: str, day: date, rng: random.Random, *, in_wave: bool = False) -> dict[str, str]:
    """Every fact that the sentences of a scenario may name, for a conversation that begins on `day`."""
    at = 1 if language == "en" else 0
    product = rng.choice([one for one in PRODUCTS if one.category in (scenario.products or ("kitchen", "clothing", "digital", "home"))])
    start, goal = rng.sample(CITIES, 2)
    size, size2 = rng.choice(SIZES)
    days = rng.randint(4, 12)
    facts = _numbers(scenario, product, language, rng)
    for name, pool in (
        ("carrier", CARRIERS), ("country", COUNTRIES), ("merchant", MERCHANTS), ("branch", BRANCHES), ("hotel", HOTELS), ("room", ROOMS),
        ("colour", COLOURS), ("company", COMPANIES),
    ):  # fmt: skip
        facts[name] = rng.choice(pool)[at]
    facts |= {
        "product": product.en if at else product.zh,
        "city": start[at],
        "from": start[at],
        "to": goal[at],
        "size": size,
        "size2": size2,
        "days": str(days),
        "date": shown_date(day - timedelta(days=days + rng.randint(0, 2)), language),
        "until": shown_date(day + timedelta(days=rng.randint(3, 7)), language),
        "newdate": shown_date(day + timedelta(days=rng.randint(4, 20)), language),
        "batch": WAVE_BATCH if in_wave or rng.random() < 0.15 else rng.choice(OTHER_BATCHES),
    }
    facts["handle"] = {"shop": facts["order"], "bank": facts["ref"], "travel": facts["booking"]}[scenario.trade]
    return facts


def _numbers(scenario: Scenario, product: Product, language: str, rng: random.Random) -> dict[str, str]:
    amount = product.yuan if scenario.trade == "shop" else rng.choice((rng.randint(30, 990), rng.randint(10, 98) * 100))
    if scenario.name in {"limit_increase", "early_repayment", "rate_question", "transfer_stuck", "statement_request"}:
        amount = rng.randint(2, 60) * 5000
    if scenario.trade == "travel":
        amount = rng.randint(68, 980) * 10
    return {
        "order": f"20{rng.randint(100_000, 999_999)}",
        "track": f"YS{rng.randint(10**9, 10**10 - 1)}",
        "ref": f"T{rng.randint(10**7, 10**8 - 1)}",
        "card": f"{rng.randint(0, 9999):04d}",
        "booking": "".join(rng.choices(BOOKING_LETTERS, k=2)) + str(rng.randint(2, 9)) + "".join(rng.choices(BOOKING_LETTERS, k=3)),
        "flight": f"YL{rng.randint(1100, 6899)}",
        "amount": shown_number(amount, language),
        "fee": str(rng.randint(3, 40) * 5 + 10 if scenario.trade == "travel" else rng.randint(9, 88)),
        "voucher": str(rng.choice((10, 20, 30, 50))),
        "nights": str(rng.randint(2, 5)),
        "guests": str(rng.randint(8, 40)),
    }
