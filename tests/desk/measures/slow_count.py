"""The same figures, counted slowly from the cases, their events and clocks by loops that share no code with the fast count."""

from itertools import pairwise
from statistics import mean

from careloop.desk.cases.models import Case, CaseEvent, Clock
from careloop.desk.feedback.models import Feedback


def slow_figures(cases, as_of):
    """(value, n) by measure, of these cases, counted from their rows as they are."""
    facts = [_course(case) for case in cases if case.status != "MERGED"]
    numbers = [case.pk for case in cases]
    first = _promises(numbers, "FIRST_RESPONSE", as_of)
    whole = _promises(numbers, "RESOLUTION", as_of)
    resolved = [one for one in facts if one["resolved"]]
    stars = [one.rating for one in Feedback.objects.filter(message__case_id__in=numbers) if one.rating is not None]
    ever = [one for one in facts if one["resolved"] or one["reopened"]]
    answered = [one for one in resolved if one["replies"]]
    return {
        "opened": (len(facts), len(facts)),
        "resolved": (len(resolved), len(resolved)),
        "backlog": (len(facts) - len(resolved), len(facts) - len(resolved)),
        "first_response_on_time": _share(first),
        "resolution_on_time": _share(whole),
        "reopened": _share([one["reopened"] > 0 for one in ever]),
        "one_reply": _share([one["replies"] == 1 and one["reopened"] == 0 for one in answered]),
        "replies": _average([one["replies"] for one in resolved]),
        "negative": _share([case.sentiment == "NEGATIVE" for case in cases if case.sentiment]),
        "complaints": _share([case.kind == "COMPLAINT" for case in cases if case.kind]),
        "satisfaction": _average(stars),
        "satisfied": _share([one >= 4 for one in stars]),
    }


def slow_median(pairs):
    """The product-limit median by its definition: multiply (1 − ended / at risk) over the times until it is at most a half."""
    left = 1.0
    for time in sorted({time for time, ended in pairs if ended}):
        at_risk = sum(other >= time for other, _ended in pairs)
        ended = sum(other == time and is_over for other, is_over in pairs)
        left *= 1 - ended / at_risk
        if left <= 0.5 + 1e-12:
            return float(time)
    return None


def spans(cases, as_of, column):
    """Seconds from the beginning of each case to a moment of it, or to now where there is none (or the end, for an answer)."""
    found = []
    for case in cases:
        moment = getattr(case, column)
        end = moment or (case.resolved_at if column == "first_response_at" else None) or as_of
        found.append((int(end.timestamp()) - int(case.opened_at.timestamp()), moment is not None))
    return found


def _course(case):
    statuses, replies = [], 0
    for event in CaseEvent.objects.filter(case=case).order_by("pk"):
        if "status" in event.after:
            statuses.append(event.after["status"])
        replies += event.kind == "REPLIED" and event.actor_kind == "user"
    reopened = sum(before == "RESOLVED" and after != "RESOLVED" for before, after in pairwise(statuses))
    return {"resolved": Case.objects.get(pk=case.pk).resolved_at is not None, "replies": replies, "reopened": reopened}


def _promises(numbers, target, as_of):
    found = []
    for clock in Clock.objects.filter(case_id__in=numbers, target=target):
        if clock.state == "MET":
            found.append(not clock.is_late)
        elif clock.state == "RUNNING" and clock.due_at.timestamp() // 1 <= as_of.timestamp() // 1:
            found.append(False)
    return found


def _share(hits):
    return (sum(hits) / len(hits) if hits else None, len(hits))


def _average(values):
    return (mean(values) if values else None, len(values))
