"""Which column is probably what: proposals from the header, in English and Chinese, and from the values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from careloop.insight.tables.addresses import parse_email, parse_phone
from careloop.insight.tables.dates import parse_datetime
from careloop.insight.tables.plan import MISSING_WORDS, Kind
from careloop.insight.tables.quantities import parse_amount, parse_number, parse_rating
from careloop.insight.tables.reasons import ValueProblem

FIELDS: Mapping[str, tuple[Kind, str]] = {
    "text": (Kind.TEXT, "text review comment content message body feedback sentence utterance question description remark "
             "reviewtext 评论 内容 评价 评论内容 评价内容 留言 反馈 反馈内容 正文 文本 意见 建议 描述 问题 备注 投诉内容 消息"),
    "rating": (Kind.RATING, "rating score stars star rate label overall grade nps csat 评分 打分 星级 分数 得分 满意度 评级 标签"),
    "category": (Kind.TEXT, "category cat class type topic kind tag intent department 类别 分类 类型 种类 品类 类目 主题 标签"),
    "customer_name": (Kind.TEXT, "name customer author user username nickname reviewer client buyer sender contact "
                      "customername 姓名 客户 客户姓名 客户名称 用户 用户名 昵称 作者 买家 联系人 称呼 名字 会员"),
    "email": (Kind.EMAIL, "email mail emailaddress 邮箱 邮件 电子邮箱 电子邮件 邮箱地址"),
    "phone": (Kind.PHONE, "phone mobile tel telephone cell cellphone phonenumber mobilenumber 手机 手机号 手机号码 电话 电话号码 联系电话 "
              "联系方式"),
    "created_at": (Kind.DATETIME, "date time datetime timestamp created createdat createtime reviewdate reviewtime submittedat "
                   "posted 时间 日期 创建时间 评论时间 评价时间 提交时间 下单时间 发布时间"),
    "birth_date": (Kind.DATE, "birthdate birthday dob dateofbirth 生日 出生日期"),
    "external_id": (Kind.TEXT, "id externalid reviewid ticketid caseid messageid feedbackid rowid uuid key 编号 序号 评论编号 工单号 "
                    "工单编号 反馈编号 唯一标识"),
    "order_number": (Kind.TEXT, "order orderid orderno ordernumber invoice invoiceno 订单 订单号 订单编号 单号"),
    "customer_id": (Kind.TEXT, "customerid userid clientid memberid buyerid 客户编号 用户编号 会员号 会员编号 客户号"),
    "language": (Kind.TEXT, "language lang locale 语言 语种"),
    "product": (Kind.TEXT, "product item sku goods productname stockcode 商品 产品 商品名称 产品名称 货号"),
    "channel": (Kind.TEXT, "channel source platform 渠道 来源 平台"),
    "amount": (Kind.AMOUNT, "amount price total paid cost unitprice revenue spend 金额 价格 总价 单价 实付 付款金额"),
    "title": (Kind.TEXT, "title subject headline summary 标题 主题"),
}  # fmt: skip
EXACT, PART = 0.9, 0.6
SAMPLE_CELLS = 200


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A proposal for one column.

    Attributes
    ----------
    column : str
    field : str or None
        None when nothing fits.
    kind : Kind
    score : float
        How well it fits, 0–1; a guide for the eye, not a probability.
    why : str
        "header", "values", "header and values" or "".
    scale : tuple of float or None
        Lowest and highest of a rating in the sample, widened to a usual scale (0–1, 1–5, 0–10, 0–100).
    """

    column: str
    field: str | None
    kind: Kind
    score: float
    why: str
    scale: tuple[float, float] | None = None


def suggest_mapping(columns: Sequence[str], sample_rows: Iterable[Mapping[str, str | None]]) -> tuple[Suggestion, ...]:
    """Propose a field for every column, each field at most once, the best fit first.

    Parameters
    ----------
    columns : sequence of str
    sample_rows : iterable of mapping
        Some rows by column; the first 200 are looked at.

    Returns
    -------
    tuple of Suggestion
        In the order of `columns`.
    """
    rows = [row for row, _ in zip(sample_rows, range(SAMPLE_CELLS), strict=False)]
    cells = {column: _filled(row.get(column) for row in rows) for column in columns}
    evidence = {column: _from_values(cells[column]) for column in columns}
    longest = max(columns, key=lambda column: _mean_length(cells[column]), default=None)
    if longest is not None and _mean_length(cells[longest]) >= 8 and _is_varied(cells[longest]):
        evidence[longest].setdefault("text", 0.55)
    offers = sorted(
        (
            (-_score(_from_header(column, name), evidence[column].get(name)), position, name)
            for position, column in enumerate(columns)
            for name in FIELDS
        ),
    )
    chosen: dict[int, tuple[str, float]] = {}
    for score, position, name in offers:
        taken = {field for field, _ in chosen.values()}
        if score < 0 and position not in chosen and name not in taken:
            chosen[position] = (name, -score)
    return tuple(_suggestion(column, chosen.get(position), evidence[column], cells[column]) for position, column in enumerate(columns))


def _suggestion(column: str, choice: tuple[str, float] | None, evidence: Mapping[str, float], cells: Sequence[str]) -> Suggestion:
    if choice is None:
        return Suggestion(column, None, Kind.TEXT, 0.0, "")
    name, score = choice
    reasons = [word for word, is_given in (("header", _from_header(column, name)), ("values", evidence.get(name))) if is_given]
    scale = _scale(cells) if name == "rating" else None
    return Suggestion(column, name, FIELDS[name][0], round(score, 2), " and ".join(reasons), scale)


def _score(header: float, values: float | None) -> float:
    """Values confirm or contradict a header: of e-mail addresses, phones, dates and numbers they are sure."""
    if values is None:
        return header
    if not header:
        return values
    return min(1.0, header + 0.1) if values > 0 else 0.0


def _from_header(column: str, name: str) -> float:
    words = FIELDS[name][1].split()
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", column)
    parts = [part for part in re.split(r"[\W_]+", spaced.casefold()) if part]
    joined = "".join(parts)
    if joined in words:
        return EXACT - words.index(joined) * 0.001
    for word in sorted(words, key=len, reverse=True):
        if word in parts or (not word.isascii() and word in joined):
            return PART + min(len(word), 8) * 0.005
    return 0.0


def _from_values(cells: Sequence[str]) -> dict[str, float]:
    """Return the weight of each field that the values speak for (above 0) or rule out (0)."""
    if not cells:
        return {}
    tests: dict[str, Callable[[str], object]] = {
        "email": parse_email,
        "phone": lambda cell: parse_phone(cell, "CN"),
        "created_at": lambda cell: parse_datetime(cell, is_day_first=True, zone=UTC),
        "rating": lambda cell: parse_rating(cell, 0, 100),
        "amount": lambda cell: parse_amount(cell, "CNY"),
    }
    shares = {name: _share(cells, test) for name, test in tests.items()}
    evidence = {name: 0.0 for name, share in shares.items() if share < 0.5}
    for name, weight in (("email", 0.85), ("phone", 0.8), ("created_at", 0.7)):
        if shares[name] >= 0.8:
            evidence[name] = weight
            evidence |= {"text": 0.0, "category": 0.0}
    if shares["rating"] == 1 and 3 <= len(set(cells)) <= 5 and set(cells) <= set("12345"):
        evidence["rating"] = 0.4
    is_numeric = _share(cells, parse_number) >= 0.8
    if is_numeric:
        evidence |= {"text": 0.0, "customer_name": 0.0, "language": 0.0}
    elif len(cells) >= 5 and len(set(cells)) <= len(cells) / 3 and _mean_length(cells) <= 20:
        evidence["category"] = 0.3
    return evidence


def _share(cells: Sequence[str], test: Callable[[str], object]) -> float:
    good = 0
    for cell in cells:
        try:
            test(cell[:200])
        except ValueProblem:
            continue
        good += 1
    return good / len(cells)


def _filled(cells: Iterable[str | None]) -> list[str]:
    return [cell for cell in cells if cell is not None and cell.strip().lower() not in MISSING_WORDS]


def _is_varied(cells: Sequence[str]) -> bool:
    return len(set(cells)) * 2 > len(cells)


def _mean_length(cells: Sequence[str]) -> float:
    return sum(map(len, cells)) / len(cells) if cells else 0.0


def _scale(cells: Sequence[str]) -> tuple[float, float]:
    values = []
    for cell in cells:
        try:
            values.append(parse_rating(cell, 0, 100))
        except ValueProblem:
            continue
    highest = max(values, default=5.0)
    lowest = min(values, default=1.0)
    for top in (1.0, 5.0, 10.0, 100.0):
        if highest <= top:
            return (1.0 if top == 5.0 and lowest >= 1 else 0.0), top
    return 0.0, 100.0
