"""Whom the house asks: what fits, the sample, and the reasons for not asking, each with its code."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

SAMPLE, TOO_SOON, REFUSED, NO_CONSENT, NO_ADDRESS, BOUNCED = "SAMPLE", "TOO_SOON", "REFUSED", "NO_CONSENT", "NO_ADDRESS", "BOUNCED"
ERASED, MERGED, REOPENED, SWITCHED_OFF, ANSWERED = "ERASED", "MERGED", "REOPENED", "SWITCHED_OFF", "ANSWERED"
NOT_DELIVERED, REVOKED, UNWRITTEN = "NOT_DELIVERED", "REVOKED", "UNWRITTEN"

YES_WORDS = frozenset({"true", "yes", "y", "1", "granted", "是", "同意"})
NO_WORDS = frozenset({"false", "no", "n", "0", "refused", "withdrawn", "否", "不同意", "拒绝"})


@dataclass(frozen=True)
class Person:
    """What is known of a customer when it comes to asking; `has_agreed` is None where nobody said anything."""

    is_known: bool
    is_reachable: bool
    has_bounced: bool
    has_agreed: bool | None
    last_asked_at: datetime | None


def consent_in(attributes: Mapping[str, Any]) -> bool | None:
    """What a customer's record from elsewhere says under `consent`: yes, no, or nothing that could be understood."""
    said = attributes.get("consent")
    if isinstance(said, Mapping):
        said = said.get("surveys")
    word = str(said).strip().casefold()
    return True if word in YES_WORDS else False if word in NO_WORDS else None


def fits(case_kind: str, channel_id: int, team_id: int, *, wanted: tuple[Collection[str], Collection[int], Collection[int]]) -> bool:
    """Whether a case is one of those that are asked about: kinds, channels, teams; an empty collection fits all."""
    kinds, channels, teams = wanted
    return (not kinds or case_kind in kinds) and (not channels or channel_id in channels) and (not teams or team_id in teams)


def is_in_sample(survey_id: int, case_id: int, share_ratio: float) -> bool:
    """Whether the case is in the share; decided by hash, so that whoever asks, and how often, gets the same answer."""
    digest = hashlib.sha256(f"{survey_id}-{case_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share_ratio * 2**64


def why_not(person: Person, *, pause_days: int, needs_consent: bool, now: datetime) -> str:
    """The first reason for not asking this person now, "" when there is none; later than now (a clock went back) counts as lately."""
    reasons = {
        ERASED: not person.is_known,
        REFUSED: person.has_agreed is False,
        NO_CONSENT: needs_consent and not person.has_agreed,
        NO_ADDRESS: not person.is_reachable,
        BOUNCED: person.has_bounced,
        TOO_SOON: person.last_asked_at is not None and person.last_asked_at > now - timedelta(days=pause_days),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")
