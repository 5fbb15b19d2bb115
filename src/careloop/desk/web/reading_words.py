"""What the engine's codes are called on screens: types of facts, and parts of the offer that people speak of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

SIGNS = {"positive": "+", "neutral": "±", "negative": "−"}
TONES = {"positive": "good", "negative": "bad"}


def entity_names() -> dict[str, str]:
    """Every type of fact that the shipped engine finds, and those that a house's own dictionary usually names."""
    return {
        "phone": _("Phone"),
        "email": _("E-mail"),
        "order": _("Order number"),
        "tracking": _("Tracking number"),
        "amount": _("Amount"),
        "date": _("Date"),
        "relative_date": _("Relative date"),
        "url": _("Link"),
        "id_card": _("ID card"),
        "bank_card": _("Bank card"),
        "iban": _("IBAN"),
        "plate": _("Number plate"),
        "address": pgettext("of a street", "Address"),
        "person": _("Person"),
        "place": _("Place"),
        "organisation": _("Organisation"),
        "product": _("Product"),
    }


def entity_label(kind: str) -> str:
    """What a type of fact is called; a type of the house's own keeps its name."""
    return entity_names().get(kind.casefold(), kind)


def aspect_names() -> dict[str, str]:
    """Every part of the offer that the shipped engine knows."""
    return {
        "delivery": pgettext("part of the offer", "Delivery"),
        "service": pgettext("part of the offer", "Service"),
        "quality": pgettext("part of the offer", "Quality"),
        "price": pgettext("part of the offer", "Price"),
        "packaging": pgettext("part of the offer", "Packaging"),
        "taste": pgettext("part of the offer", "Taste"),
        "ease": pgettext("part of the offer", "Ease of use"),
        "speed": pgettext("part of the offer", "Speed"),
        "app": pgettext("part of the offer", "App"),
        "payment": pgettext("part of the offer", "Payment"),
        "refund": pgettext("part of the offer", "Refund"),
        "place": pgettext("part of the offer", "Surroundings"),
        "fit": pgettext("part of the offer", "Fit"),
        "looks": pgettext("part of the offer", "Looks"),
        "genuine": pgettext("part of the offer", "Genuineness"),
        "network": pgettext("part of the offer", "Network"),
    }


@dataclass(frozen=True)
class AspectChip:
    """One part of the offer and what is said of it: a sign beside the colour, the words, and how sure that is (0–1)."""

    aspect: str
    label: str
    opinion: str
    sign: str
    tone: str
    words: str
    probability: float


def aspect_chips(aspects: Iterable[Sequence[Any]]) -> list[AspectChip]:
    """The chips of a stored reading's aspects, in their order; of a neutral opinion the probability is that of being positive."""
    words = {"positive": _("Positive"), "neutral": _("Undecided: positive"), "negative": _("Negative")}
    names = aspect_names()
    return [
        AspectChip(
            aspect=aspect,
            label=names.get(aspect, aspect),
            opinion=sentiment.upper(),
            sign=SIGNS[sentiment],
            tone=TONES.get(sentiment, ""),
            words=words[sentiment],
            probability=1 - probability if sentiment == "negative" else probability,
        )
        for aspect, sentiment, probability, _start, _end in aspects
    ]
