"""The API: programs deliver messages as JSON and fetch replies."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from careloop.desk.channels.api.delivery import Delivery, Sender
from careloop.desk.customers.rules import EMAIL, HANDLE, PHONE, AddressValue
from careloop.desk.intake.rules import Inbound
from careloop.desk.kernel.errors import DeskError, InvalidInput


class Malformed(DeskError):
    """The body is not one JSON object."""

    status = 400
    code = "malformed"


def parse(raw: bytes, *, channel_slug: str, now: datetime) -> Inbound:
    """The message in one request body; `now` stands for an absent sent_at. Malformed or InvalidInput when it is none."""
    try:
        delivery = Delivery.model_validate(load(raw))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(step) for step in first["loc"])
        raise InvalidInput(f"{field or 'The body'}: {first['msg']}.", field=field) from None
    return Inbound(
        channel_slug=channel_slug,
        external_id=delivery.external_id,
        text=delivery.text,
        raw=raw,
        sent_at=delivery.sent_at or now,
        subject=delivery.subject,
        sender_name=delivery.sender.name,
        addresses=_addresses(delivery.sender, channel_slug),
        language=delivery.sender.language,
        opens_case=delivery.opens_case,
        case_id=delivery.case_id,
        rating=delivery.rating,
        rating_min=delivery.rating_min,
        rating_max=delivery.rating_max,
        category=delivery.category,
        product=delivery.product,
    )


def load(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`, read strictly: no NaN, no key given twice, no nesting deeper than the stack."""
    try:
        value = json.loads(raw, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except RecursionError:
        raise Malformed("The body is nested too deeply; a message has two levels.") from None
    except ValueError as error:  # not UTF-8, not JSON, or an integer of thousands of digits
        raise Malformed(f"The body is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise Malformed(f"The body is a JSON {_kind_of(value)}; expected an object with external_id and text.")
    return value


def _without_duplicates(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Malformed(f"The key {key!r} is given twice; which one counts would be a guess.", field=key)
        found[key] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise Malformed(f"{name} is not JSON; leave the field out when there is no number.")


def _kind_of(value: Any) -> str:
    names = {list: "array", str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
    return names[type(value)]


def _addresses(sender: Sender, channel_slug: str) -> tuple[AddressValue, ...]:
    given = ((EMAIL, sender.email, ""), (PHONE, sender.phone, ""), (HANDLE, sender.handle, channel_slug))
    return tuple(AddressValue(kind, value, scope) for kind, value, scope in given if value)
