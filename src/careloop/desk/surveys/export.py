"""Answers as rows for a spreadsheet: those that the survey's page counts, each with the sentiment that was read in its text."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.surveys.figures import answers_of
from careloop.desk.surveys.models import Survey
from careloop.desk.surveys.rules.questions import questions_of

COLUMNS = (
    "invitation", "answered_at", "changed_at", "version", "case", "team", "channel", "origin", "score", "score_min", "score_max",
    "sentiment",
)  # fmt: skip


def export_answers(
    survey: Survey, viewer: Viewer, *, since: datetime | None, zone: tzinfo, now: datetime
) -> tuple[list[str], list[list[Any]]]:
    """The header and a row for each answer, oldest first; a column for each question that was ever asked, by its code. Audited."""
    check_may(viewer, "survey.view")
    details = {"since": since.isoformat() if since else None}
    audit.record(actor=actor_of(viewer), action="survey.export", object_type="survey", object_id=survey.pk, now=now, details=details)
    asked = [one.code for version in survey.versions.order_by("number") for one in questions_of(version.questions)]
    codes = list(dict.fromkeys(asked))
    return [*COLUMNS, *codes], list(_rows(answers_of(survey, viewer, since), codes, zone))


def _rows(answers: Any, codes: list[str], zone: tzinfo) -> Iterator[list[Any]]:
    related = ("invitation__version", "invitation__team", "invitation__channel", "message__reading")
    for answer in answers.select_related(*related).order_by("answered_at", "pk"):
        invitation = answer.invitation
        reading = getattr(answer.message, "reading", None) if answer.message is not None else None
        yield [
            invitation.pk,
            *(at.astimezone(zone).isoformat(timespec="seconds") for at in (answer.answered_at, answer.changed_at)),
            invitation.version.number,
            invitation.case_id,
            invitation.team.name,
            invitation.channel.name,
            invitation.origin,
            answer.score,
            answer.score_min,
            answer.score_max,
            reading.sentiment if reading is not None else "",
            *(answer.answers.get(code) for code in codes),
        ]
