"""Conditions and actions as short calls."""

from careloop.desk.surveys.models import Survey, SurveyVersion
from careloop.desk.surveys.rules.questions import BEGINNINGS


def leaf(field, op="is", value=None):
    """One condition; a single value of "is" needs no list."""
    return {"field": field, "op": op, "value": [value] if op in ("is", "is_not", "contains", "contains_not") else value}


def every(*leaves):
    """All of these."""
    return {"all": list(leaves)}


def do(code, value=None):
    """One action."""
    return {"do": code, "value": value}


def new_survey(now) -> Survey:
    """A survey in force."""
    survey = Survey.objects.create(name="Was it good?", kind="CSAT", is_active=True, created_at=now, changed_at=now)
    questions = [one.to_json() for one in BEGINNINGS["CSAT"]]
    SurveyVersion.objects.create(survey=survey, number=1, questions=questions, saved_by_name="Olga", saved_at=now)
    return survey
