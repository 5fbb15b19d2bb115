"""What one survey would say if those who were silent had answered: weights against non-response, and how far the silent could move it."""

from datetime import datetime
from typing import Any

import numpy as np

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.models import CaseFact
from careloop.desk.surveys.models import Invitation, Survey, SurveyVersion
from careloop.desk.surveys.queries import ASKED
from careloop.desk.surveys.rules.questions import NPS, questions_of, score_question
from careloop.desk.surveys.rules.scores import is_top, points_of
from careloop.insight.errors import InputError
from careloop.insight.service.response_weights import Satisfaction, estimate_satisfaction, weigh_answers

MOST = 5_000  # newest invitations
HOUR = 3600
AT_ONCE = 500


def estimate_all(survey: Survey, shown: SurveyVersion, viewer: Viewer, *, since: datetime | None = None) -> Satisfaction | None:
    """The share of top scores (of a recommendation the net score, −100 to 100) among all who were asked on the scale of a version.

    None where there is no scale or where fewer than five answered. Counts the newest 5,000 invitations of the viewer's teams.
    """
    scale = score_question(questions_of(shown.questions))
    if scale is None:
        return None
    chosen = Invitation.objects.visible_to(viewer).filter(survey=survey, sent_at__isnull=False, state__in=ASKED)
    if since is not None:
        chosen = chosen.filter(created_at__gte=since)
    columns = ("case_id", "answer__score", "answer__score_min", "answer__score_max")
    rows = [
        (case_id, score)
        for case_id, score, low, high in chosen.order_by("-pk").values_list(*columns)[:MOST]
        if score is None or (low, high) == (scale.low, scale.high)
    ]
    is_net = survey.kind == NPS
    scores = [points_of(score) if is_net else float(is_top(score, scale.low, scale.high)) for _case, score in rows if score is not None]
    answered = np.array([score is not None for _case, score in rows], dtype=bool)
    traits = _traits([case_id for case_id, _score in rows])
    try:
        weights = weigh_answers(traits, answered)
        return estimate_satisfaction(scores, weights, traits, answered, scale=(-100.0, 100.0) if is_net else (0.0, 1.0))
    except InputError:  # too few answers
        return None


def _traits(case_ids: list[int | None]) -> dict[str, list[Any]]:
    """What is known of each case and may decide who answers; None for what is not known, as of a case that was erased."""
    known = [one for one in case_ids if one is not None]
    facts: dict[int, CaseFact] = {}
    for start in range(0, len(known), AT_ONCE):
        found = CaseFact.objects.filter(case_id__in=known[start : start + AT_ONCE]).select_related("facets")
        facts |= {one.case_id: one for one in found}
    rows = [facts.get(case_id) if case_id is not None else None for case_id in case_ids]
    return {
        "kind": [one.facets.kind or None if one else None for one in rows],
        "channel": [str(one.facets.channel_id) if one else None for one in rows],
        "late": [one.is_response_late if one else None for one in rows],
        "reopened": [one.reopened > 0 if one else None for one in rows],
        "resolution_hours": [one.resolution_seconds / HOUR if one and one.resolution_seconds is not None else None for one in rows],
    }
