"""Reading the categories of messages with the live models, and handing them on to cases."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from careloop.desk.analysis.model_files import open_model
from careloop.desk.analysis.models import CategoryReading, Correction, LearntModel, Reading, State, Status, Task
from careloop.desk.analysis.taxonomy_queries import list_leaves, taxonomies_of
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Direction, Message

RANKED = 5
AGAIN = 1_000  # of the newest messages are read again by a new live model: a minute of a core where they need the encoder
AT_ONCE = 200

Answered = tuple[str, float, bool, list[tuple[str, float]]]


def categorise(message_ids: list[int], *, now: datetime) -> int:
    """Read the categories of messages with the live model of their team; returns how many were read. Again changes nothing."""
    messages = list(Message.objects.filter(pk__in=message_ids, direction=Direction.INBOUND).order_by("pk"))
    taxonomies = taxonomies_of(message.team_id for message in messages)
    live = {one.taxonomy_id: one for one in live_models(taxonomy.pk for taxonomy in taxonomies.values())}
    by_model: dict[int, list[Message]] = {}
    for message in messages:
        if (taxonomy := taxonomies.get(message.team_id)) and taxonomy.pk in live:
            by_model.setdefault(taxonomy.pk, []).append(message)
    done = 0
    for taxonomy_id, theirs in by_model.items():
        model = live[taxonomy_id]
        read = set(CategoryReading.objects.filter(message__in=theirs, model=model).values_list("message_id", flat=True))
        done += _categorise([one for one in theirs if one.pk not in read], model, now)
    return done


def live_models(taxonomy_ids: Iterable[int]) -> list[LearntModel]:
    """The live models of taxonomies, without their files."""
    return list(LearntModel.objects.filter(taxonomy_id__in=list(taxonomy_ids), task=Task.CATEGORY, status=Status.LIVE))


def is_any_live() -> bool:
    """Whether there is anything to read categories with."""
    return LearntModel.objects.filter(task=Task.CATEGORY, status=Status.LIVE).exists()


def list_to_categorise(taxonomy_id: int, team_id: int | None) -> list[int]:
    """The newest messages whose category a new live model reads again, newest first."""
    rows = Message.objects.filter(direction=Direction.INBOUND)
    if team_id is not None:
        rows = rows.filter(team_id=team_id)
    newest = rows.order_by("-pk").values_list("pk", "team_id")[:AGAIN]
    teams = taxonomies_of({team for _pk, team in newest})
    return [pk for pk, team in newest if team in teams and teams[team].pk == taxonomy_id]


def read_values(model: LearntModel, texts: list[str], allowed: set[str]) -> list[Answered]:
    """(code, probability, has abstained, ranked) of each text; labels that are not in use any more are left out."""
    from careloop.desk.analysis.vectors import KeptEncoder, encoder_named

    opened = open_model(model)
    encoder = KeptEncoder(encoder_named(opened.card["encoder"]))
    answers = opened.read(texts, top=RANKED + len(model.codes.keys() - allowed), encoder=encoder)
    found = []
    for answer in answers:
        ranked = [(code, p) for label, p in answer.ranked if (code := model.codes.get(label, label)) in allowed][:RANKED]
        is_gone = model.codes.get(answer.label, answer.label) not in allowed
        code, probability = ranked[0] if ranked else ("", 0.0)
        found.append((code, probability, answer.abstained or is_gone or not code, ranked))
    return found


def _categorise(messages: list[Message], model: LearntModel, now: datetime) -> int:
    if not messages or model.taxonomy is None:
        return 0
    allowed = {one.code for one in list_leaves(model.taxonomy)}
    found = read_values(model, [message.body for message in messages], allowed)
    rows = [
        CategoryReading(
            message=message,
            model=model,
            value=code,
            probability=probability,
            has_abstained=has_abstained,
            ranked=[list(one) for one in ranked],
            read_at=now,
        )
        for message, (code, probability, has_abstained, ranked) in zip(messages, found, strict=True)
    ]
    with transaction.atomic():
        if not LearntModel.objects.filter(pk=model.pk, status=Status.LIVE).exists():
            return 0  # another went live meanwhile, and reads these messages itself
        kept = ["model", "value", "probability", "has_abstained", "ranked", "read_at"]
        CategoryReading.objects.bulk_create(rows, update_conflicts=True, unique_fields=["message"], update_fields=kept)
        _hand_on(messages, rows, now)
    return len(rows)


def _hand_on(messages: list[Message], rows: list[CategoryReading], now: datetime) -> None:
    """To the readings that charts count, unless a file or a person said the category; to cases from their first sure message."""
    ids = [message.pk for message in messages]
    said = set(Correction.objects.filter(message_id__in=ids, task=Task.CATEGORY).values_list("message_id", flat=True))
    by_value: dict[str, list[int]] = {}
    for row in rows:
        if row.message_id not in said:
            by_value.setdefault("" if row.has_abstained else row.value, []).append(row.message_id)
    for value, theirs in by_value.items():
        stated = Reading.objects.filter(message_id__in=theirs, state=State.DONE).exclude(message__feedback__category__gt="")
        Reading.objects.filter(pk__in=list(stated.values_list("pk", flat=True))).exclude(category=value).update(category=value)
    case_ids = {message.case_id for message in messages if message.case_id is not None}
    sure = CategoryReading.objects.filter(message__case_id__in=case_ids, has_abstained=False).order_by("-message_id")
    first = {case_id: (value, p) for case_id, value, p in sure.values_list("message__case_id", "value", "probability")}
    cases.categorise(categories=first, now=now)
