"""Rows of the inbox: everything that a row shows, as ready words; what is the same for all rows is looked up once for the list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from careloop.desk.cases.queries import choices
from careloop.desk.web.clock_words import running_words
from careloop.desk.web.routing_words import delay_words
from careloop.desk.web.templatetags.desk import age_at, initials, probability
from careloop.desk.web.templatetags.lucide import drawn

if TYPE_CHECKING:
    from careloop.desk.cases.models import Case

SURE_RATIO = 0.8  # a kind below this probability is shown with it
HIGH, URGENT = 30, 40
KIND_TONES = {"COMPLAINT": "bad", "REFUND": "warn", "PRAISE": "good"}


@dataclass(frozen=True, slots=True)
class Chip:
    """A short label; `title` is shown on hover."""

    label: str
    tone: str = ""
    title: str = ""
    icon: SafeString | str = ""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One row, its times in the house's zone; `assignee` is "" while nobody has the case."""

    number: str
    url: str
    sentiment: str
    mood: str
    heading: str
    snippet: str
    at: str
    moment: str
    age: str
    chips: list[Chip]
    assignee: str
    initials: str


class RowWriter:
    """Writes the rows of one list in the language of the moment."""

    def __init__(self, *, suffix: str, now: datetime, costs: Mapping[int, Any] | None = None) -> None:
        self.suffix, self.now, self.costs = suffix, now, costs or {}
        self.before_number, self.after_number = reverse("case", args=[0]).rsplit("0", 1)
        offered = choices()
        self.kinds, self.sentiments, self.priorities = (
            {code: str(label) for code, label in offered[name]} for name in ("kind", "sentiment", "priority")
        )
        self.unread, self.probability = _("Not read yet"), _("Probability")
        flag, check, self.timer, self.scale = (drawn(name, size=12, aria_hidden="true") for name in ("flag", "check", "timer", "scale"))
        self.urgencies = {code: Chip(label, "bad" if code >= URGENT else "warn", icon=flag) for code, label in self.priorities.items()}
        self.statuses = {"WAITING": Chip(pgettext("case", "Waiting")), "RESOLVED": Chip(_("Resolved"), "good", icon=check)}

    def rows(self, cases: "Iterable[Case]") -> list[CaseRow]:
        """The rows of cases whose customers and assignees are loaded."""
        return [self.row(case) for case in cases]

    def row(self, case: "Case") -> CaseRow:
        """One row."""
        local = timezone.localtime(case.last_message_at)
        name = case.assignee.display_name if case.assignee else ""
        return CaseRow(
            number=str(case.pk),
            url=f"{self.before_number}{case.pk}{self.after_number}{self.suffix}",
            sentiment=case.sentiment or "none",
            mood=self.sentiments.get(case.sentiment, self.unread),
            heading=f"{case.customer} · {case.subject}",
            snippet=case.snippet,
            at=local.isoformat(),
            moment=date_format(local, "DATETIME_FORMAT"),
            age=age_at(case.last_message_at, self.now),
            chips=list(self._chips(case)),
            assignee=name,
            initials=initials(name),
        )

    def _chips(self, case: "Case") -> Iterable[Chip]:
        if (delay := self.costs.get(case.pk)) is not None:
            yield Chip(f"{delay.score:.0f}", "accent", delay_words(delay), self.scale)
        if case.kind:
            label, title = self.kinds.get(case.kind, case.kind), ""
            if case.kind_probability is not None:
                sure = probability(case.kind_probability)
                title = f"{self.probability} {sure}"
                label = label if case.kind_probability >= SURE_RATIO else f"{label} {sure}?"
            yield Chip(label, KIND_TONES.get(case.kind, ""), title)
        if case.priority >= HIGH:
            yield self.urgencies[case.priority]
        if case.status in self.statuses:
            yield self.statuses[case.status]
        if case.due_at is not None:
            yield self._due(case.due_at)

    def _due(self, due_at: datetime) -> Chip:
        words, tone = running_words(due_at, self.now)
        return Chip(words, tone, date_format(timezone.localtime(due_at), "DATETIME_FORMAT"), self.timer)
