"""An empty desk with one API key, for measurements of what comes in."""

from datetime import UTC, datetime
from pathlib import Path

from benchmarks.large_house import use

TEXTS = (
    "热水器用了三天就漏水，订单 20418837，我要求退款，请尽快处理！",
    "My order 20551920 has not arrived and the tracking has been stuck for a week.",
    "请问三年期定存利率多少？金额大一点能不能上浮？",
    "Thank you, the fitter was careful and polite. Great service!",
)


def small_house(folder: Path) -> str:
    """Set Django up on a new folder, make a house and a key; returns the key's token."""
    use(folder)
    from django.core.management import call_command

    from careloop.desk.accounts.actions import create_api_key
    from careloop.desk.accounts.models import User
    from careloop.desk.accounts.queries import actor_of, viewer_of
    from careloop.desk.demo.staff import found_house

    now = datetime.now(UTC)
    call_command("migrate", verbosity=0)
    house = found_house(password="amber-olive-2026", now=now)
    owner = viewer_of(User.objects.get(email="owner@example.com"))
    _, token = create_api_key(name="benchmark", channel_id=house.channels["shop", "API"].pk, actor=actor_of(owner), now=now)
    return token


def delivery(number: int, *, customers: int) -> dict[str, object]:
    """The message with this number, as a program posts it."""
    sender = {"name": f"Customer {number % customers}", "email": f"customer{number % customers}@example.com"}
    return {"external_id": f"m-{number:06d}", "text": TEXTS[number % len(TEXTS)], "sender": sender}
