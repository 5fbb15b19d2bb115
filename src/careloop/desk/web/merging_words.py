"""Merges, splits and links in words: for the history and for what speaks for a duplicate."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

LEAST_ALIKE = 0.6


def reasons_of(likeness: Any) -> list[str]:
    """What two cases have in common, the strongest first."""
    reasons = []
    if likeness.is_same_code:
        reasons.append(_("same order or parcel number"))
    if likeness.is_same_text:
        reasons.append(_("almost the same text"))
    if likeness.is_same_customer:
        reasons.append(_("same customer"))
    if likeness.text_ratio >= LEAST_ALIKE and not likeness.is_same_text:
        reasons.append(_("similar text"))
    hours, days = round(likeness.hours), round(likeness.hours / 24)
    apart = ngettext("%(n)s hour apart", "%(n)s hours apart", hours) % {"n": hours}
    reasons.append(apart if hours < 48 else ngettext("%(n)s day apart", "%(n)s days apart", days) % {"n": days})
    return reasons


def merged(event: Any, who: str, _people: Mapping[int, str]) -> str:
    """Of a merge, on either case."""
    if "into" in event.after:
        return _("%(who)s merged this case into #%(case)s") % {"who": who, "case": event.after["into"]}
    return _("%(who)s merged %(cases)s into this case") % {"who": who, "cases": _numbers(event.after.get("from", ()))}


def split(event: Any, who: str, _people: Mapping[int, str]) -> str:
    """Of a split, on either case."""
    n = event.after.get("messages", 0)
    if "into" in event.after:
        words = ngettext("%(who)s split %(n)s message off into #%(case)s", "%(who)s split %(n)s messages off into #%(case)s", n)
        return words % {"who": who, "n": n, "case": event.after["into"]}
    return _("%(who)s split this case off #%(case)s") % {"who": who, "case": event.after.get("from")}


def linked(event: Any, who: str, _people: Mapping[int, str]) -> str:
    """Of a link that was made or removed."""
    after = event.after
    facts = {"who": who, "other": after.get("other")}
    if after.get("is_removed"):
        return _("%(who)s removed the link to #%(other)s") % facts
    if after.get("kind") == "CAUSE":
        sentence = (
            _("%(who)s said that this case caused #%(other)s")
            if after.get("is_cause")
            else _("%(who)s said that #%(other)s caused this case")
        )
        return sentence % facts
    if after.get("kind") == "DUPLICATE":
        return _("%(who)s linked #%(other)s as a duplicate") % facts
    return _("%(who)s linked #%(other)s as related") % facts


def undone(event: Any, who: str, _people: Mapping[int, str]) -> str:
    """Of a merge or split that was taken back; "" when something else was undone."""
    after = event.after
    facts = {"who": who, "cases": _numbers(after.get("from", ())), "into": after.get("into")}
    sentences = {
        "MERGE": _("%(who)s undid the merge of %(cases)s into #%(into)s"),
        "SPLIT": _("%(who)s undid the split of %(cases)s into #%(into)s"),
    }
    return sentences.get(after.get("what"), "") % facts


MERGING: dict[str, Callable[[Any, str, Mapping[int, str]], str]] = {"MERGED": merged, "SPLIT": split, "LINKED": linked, "UNDONE": undone}


def _numbers(cases: Any) -> str:
    return ", ".join(f"#{number}" for number in cases)
