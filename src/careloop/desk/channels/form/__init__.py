"""The public web form: what somebody typed becomes a message."""

import json
from collections.abc import Mapping
from datetime import datetime

from careloop.desk.customers.rules import EMAIL, PHONE, AddressValue
from careloop.desk.intake.rules import Inbound

FIELDS = ("name", "email", "phone", "subject", "order", "text")
LONGEST = {"name": 100, "email": 254, "phone": 40, "subject": 200, "order": 60, "text": 20_000}


def problems_of(fields: Mapping[str, str]) -> dict[str, str]:
    """Field → code of what is wrong with it: "missing", "too-long" or "malformed"; empty when nothing is."""
    found = {name: "too-long" for name in FIELDS if len(fields.get(name, "")) > LONGEST[name]}
    for name in ("name", "text"):
        if not fields.get(name, ""):
            found[name] = "missing"
    if not fields.get("email") and not fields.get("phone"):
        found["email"] = "missing"
    for address in _addresses(fields):
        try:
            _ = address.normalised
        except ValueError:
            found.setdefault(address.kind.lower(), "malformed")
    return found


def parse(fields: Mapping[str, str], *, channel_slug: str, external_id: str, language: str, now: datetime) -> Inbound:
    """The message in the posted fields; the order number, if any, stands below the text, where it is found by search and reading."""
    raw = json.dumps({name: fields.get(name, "") for name in FIELDS}, ensure_ascii=False).encode("utf-8", "replace")
    order = fields.get("order", "")
    return Inbound(
        channel_slug=channel_slug,
        external_id=external_id,
        text=fields.get("text", "") + (f"\n\n#{order.lstrip('#')}" if order else ""),
        raw=raw,
        sent_at=now,
        subject=fields.get("subject", ""),
        sender_name=fields.get("name", ""),
        addresses=_addresses(fields),
        language=language,
    )


def _addresses(fields: Mapping[str, str]) -> tuple[AddressValue, ...]:
    given = ((EMAIL, fields.get("email", "")), (PHONE, fields.get("phone", "")))
    return tuple(AddressValue(kind, value) for kind, value in given if value)
