"""The sample house's categories, which matters belong to which, and what its agents said of some of its cases."""

from datetime import datetime

from careloop.desk.accounts.models import User
from careloop.desk.analysis.models import Category, Correction, Task, Taxonomy
from careloop.desk.analysis.queueing import describe_soon
from careloop.desk.analysis.rules import is_held_back
from careloop.desk.demo.ledger import Ledger

NAME = ("Customer service", "客户服务")

# heading | its Chinese name, then: code | English | Chinese | matters of scenarios.py | how customers put it
TREE = """
Shop | 网店
late-delivery | Late delivery | 物流慢 | late_parcel | the parcel has not arrived, 快递一直没到
damaged | Damaged or broken | 破损故障 | leaking_heater broken_on_arrival | it leaks, it broke, 漏水 坏了 碎了
wrong-or-missing | Wrong or missing item | 发错漏发 | missing_part wrong_item | a part is missing, 少件 发错货
size | Size | 尺码 | wrong_size | too big, too small, 尺码不合适
paid-twice | Charged twice | 重复扣款 | charged_twice | paid two times for one order, 扣了两次钱
cancel | Cancel an order | 取消订单 | cancel_order | please cancel, 不想要了
price | Price | 价格 | price_drop | it became cheaper, 降价 差价
use | Use and care | 使用与清洁 | how_to_use cleaning | how do I use or clean it, 怎么用 怎么清洗
stock | Stock | 库存 | stock_question | is it in stock, 有没有货
slow-refund | Slow refund | 退款慢 | refund_slow | the refund has not come, 退款没到账
warranty | Warranty | 保修 | warranty | is it under warranty, 保修期
courier | Courier | 快递员 | courier_rude | the courier was rude, 快递员态度差
Bank | 银行
wrong-charge | Wrong charge | 错误扣款 | double_charge unknown_transaction | a charge that I do not know, 不明交易
card | Card blocked or lost | 卡片冻结挂失 | card_blocked lost_card | my card is blocked, 卡被冻结 丢卡
fees-and-rates | Fees and rates | 费用与利率 | foreign_fee rate_question | which fee, which rate, 手续费 利率
banking-app | App and login | 登录与应用 | app_login | cannot sign in to the app, 登录不上
transfer | Transfer | 转账 | transfer_stuck | the transfer did not arrive, 转账没到
statement | Statement | 流水对账单 | statement_request | I need a statement, 打流水
credit | Credit | 额度与贷款 | limit_increase early_repayment | raise the limit, repay early, 提额 提前还款
branch | Branch and machine | 网点与柜员机 | branch_queue atm_kept_cash | the queue, the machine kept the cash, 排队 吞钞
Travel | 旅行
flight | Flight change | 航班变更 | flight_change flight_cancelled | change my flight, 改签 航班取消
hotel | Hotel | 酒店 | hotel_overbooked room_dirty | no room, dirty room, 没房 房间脏
ticket-refund | Ticket refund | 退票 | ticket_refund | refund the ticket, 退票
luggage | Luggage | 行李 | luggage_lost | my luggage is lost, 行李丢失
name-on-ticket | Name on the ticket | 姓名更正 | name_misspelt | the name is misspelt, 名字写错
visa | Visa | 签证 | visa_question | do I need a visa, 签证
group | Group booking | 团队预订 | group_booking | we are a group, 团队
seat-and-meal | Seat and meal | 座位餐食 | seat_meal | seat, meal, 选座 餐食
insurance | Insurance | 保险 | insurance_claim | insurance claim, 理赔
driver | Driver | 接送司机 | driver_no_show | the driver did not come, 司机没来
Everywhere | 通用
invoice | Invoice | 发票 | fapiao travel_invoice | an invoice please, 开发票
praise | Praise | 表扬 | praise_agent praise_bank guide_praise | thank you, well done, 感谢 很满意
suggestion | Suggestion | 建议 | suggestion suggestion_bank suggestion_travel | you could, I suggest, 建议
"""


def found_categories(founder: User, *, now: datetime) -> tuple[Taxonomy, dict[str, str]]:
    """The taxonomy of the house, and the category of each matter; the worker makes a model of it after the start."""
    taxonomy = Taxonomy.objects.create(name=" · ".join(NAME), created_by=founder, created_at=now)
    heading: Category | None = None
    codes: dict[str, str] = {}
    leaves = []
    for row in TREE.strip().splitlines():
        parts = [one.strip() for one in row.split("|")]
        if len(parts) == 2:
            facts = {"name_en": parts[0], "name_zh": parts[1], "code": f"about-{parts[0].lower()}"}
            heading = Category.objects.create(taxonomy=taxonomy, created_at=now, **facts)
            continue
        code, english, chinese, matters, description = parts
        codes |= dict.fromkeys(matters.split(), code)
        leaves.append(
            Category(
                taxonomy=taxonomy, parent=heading, code=code, name_en=english, name_zh=chinese, description=description, created_at=now
            )
        )
    Category.objects.bulk_create(leaves)
    return taxonomy, codes


def keep_corrections(ledger: Ledger, taxonomy: Taxonomy, *, now: datetime) -> None:
    """What the agents said, as labels; the first model is asked for."""
    Correction.objects.bulk_create(
        Correction(
            message=one.message,
            team_id=one.message.team_id,
            scope=f"taxonomy:{taxonomy.pk}",
            task=Task.CATEGORY,
            value=one.value,
            is_held_back=is_held_back(one.message.pk),
            made_by=one.author,
            made_by_name=one.author.display_name,
            made_at=one.at,
        )
        for one in ledger.words
    )
    describe_soon(taxonomy.pk, now)
