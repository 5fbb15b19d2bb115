"""Cases like a case: found by distinctive words, ranked by meaning, near-repetitions marked, with how they ended."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db.models import Max
from django.db.models.functions import Substr

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.case_vectors import StoredVectors, VectorsMissing, encoded_part
from careloop.desk.analysis.models import Reading
from careloop.desk.cases.models import Case, Direction, Message
from careloop.desk.cases.queries import access_case
from careloop.desk.search.sharing import Sharing, find_sharing
from careloop.insight.text.similarity import SimilarityIndex, find_duplicates

SHOWN = 5
LOOKED_AT = 60  # candidate messages that are compared with the case
ASKED_WITH = 3  # messages of the case: its first two and its newest
LATER = 0.8  # what a match with a later message than the first is worth: "any news?" is said in every matter
COMPARED = 1_000  # characters of a message
LEAST = 0.35  # below, a case has little more than the topic in common
OF_WORDS = 3.5  # brings what words alone give, 0.1 for the least that is worth showing, to the scale of meaning
ALMOST_THE_SAME = 0.8  # Jaccard similarity of character triples
CODES = {"order", "tracking"}  # entities that name the matter itself
EXCERPT = 160


@dataclass(frozen=True)
class SimilarCase:
    """A case like the one that is shown; `gap` is how much later (or, below zero, earlier) its message was written."""

    case: Case
    message_id: int
    excerpt: str
    score: float
    is_almost_the_same: bool
    gap: timedelta
    reply_id: int = 0
    reply: str = ""


@dataclass(frozen=True)
class SimilarCases:
    """What was found for a case; `is_read` is False while its messages wait to be read, `by_meaning` while words alone decided."""

    case: Case
    found: list[SimilarCase]
    is_read: bool
    by_meaning: bool


def list_similar(case_id: int, viewer: Viewer, most: int = SHOWN) -> SimilarCases:
    """The cases in the viewer's teams that are most like a case; a fixed number of queries, and nothing is encoded."""
    case = access_case(case_id, viewer)
    asked = _asked_with(case)
    readings = list(Reading.objects.filter(message_id__in=[one.pk for one in asked]).only("message", "keywords", "details"))
    words = distinctive(readings)
    sharing = find_sharing(words, besides_case=case.pk, team_ids=viewer.team_ids, most=LOOKED_AT)
    candidates = _candidates(sharing, viewer)
    shares = {one.message_id: one.share for one in sharing}
    by_words = np.array([shares[one.pk] for one in candidates])
    scores, by_meaning = _score([one.body for one in asked], [one.body for one in candidates], by_words)
    best: dict[int, tuple[float, int]] = {}
    for place, score in enumerate(scores.tolist()):
        key = candidates[place].case_id
        if key is not None and score >= LEAST and (key not in best or score > best[key][0]):
            best[key] = (score, place)
    chosen = sorted(best.values(), key=lambda one: (-one[0], -candidates[one[1]].pk))[:most]
    found = _describe(asked, [(score, candidates[place]) for score, place in chosen], viewer)
    return SimilarCases(case, found, bool(readings), by_meaning)


def codes_of_case(case_id: int) -> list[str]:
    """The numbers of orders and parcels that the first two and the newest message of a case name."""
    asked = Message.objects.filter(case_id=case_id, direction=Direction.INBOUND)
    first = asked.order_by("sent_at", "pk").values_list("pk", flat=True)[: ASKED_WITH - 1]
    newest = asked.order_by("-sent_at", "-pk").values_list("pk", flat=True)[:1]
    readings = Reading.objects.filter(message_id__in={*first, *newest}).values_list("details", flat=True)
    entities = (one for details in readings for one in details.get("entities", []))
    return list(dict.fromkeys(one["text"] for one in entities if one.get("type") in CODES))


def _asked_with(case: Case) -> list[Message]:
    """The first two and the newest of what the customer wrote; only as much of each as is compared."""
    inbound = case.messages.filter(direction=Direction.INBOUND)
    light = inbound.defer("body").annotate(beginning=Substr("body", 1, COMPARED))
    first = light.order_by("sent_at", "pk")[: ASKED_WITH - 1]
    newest = light.order_by("-sent_at", "-pk")[:1]
    by_id = {one.pk: _with_beginning(one) for one in (*first, *newest)}
    return list(by_id.values())


def _with_beginning(message: Message) -> Message:
    message.body = message.beginning  # type: ignore[attr-defined]
    return message


def distinctive(readings: Iterable[Reading]) -> list[str]:
    """The words that tell what the messages are about: codes of orders and parcels, then keywords by how often and how early they stand."""
    codes: list[str] = []
    ranks: Counter[str] = Counter()
    for reading in readings:
        codes += [one["text"] for one in reading.details.get("entities", []) if one.get("type") in CODES]
        for place, word in enumerate(reading.keywords):
            ranks[word] += 1.0 / (place + 1)  # type: ignore[assignment]
    return list(dict.fromkeys([*codes, *(word for word, _worth in ranks.most_common())]))


def _candidates(sharing: Sequence[Sharing], viewer: Viewer) -> list[Message]:
    """What customers wrote, of the messages that share words, those that share most first."""
    places = {one.message_id: place for place, one in enumerate(sharing)}
    rows = Message.objects.visible_to(viewer).filter(pk__in=list(places), direction=Direction.INBOUND)
    light = rows.defer("body").annotate(beginning=Substr("body", 1, COMPARED))
    return sorted(map(_with_beginning, light), key=lambda one: places[one.pk])


def _score(asked: list[str], texts: list[str], shares: np.ndarray) -> tuple[np.ndarray, bool]:
    """How like the nearest of the asked texts each text is (0–1), and whether meaning was compared, too.

    A text whose vector is not made yet is scored by words.
    """
    if not asked or not texts:
        return np.zeros(len(texts)), False
    vectors = StoredVectors()
    parts, questions = [encoded_part(text) for text in texts], [encoded_part(text) for text in asked]
    vectors.load([*parts, *questions])
    known = [place for place, part in enumerate(parts) if vectors.has(part)]
    told = [place for place, part in enumerate(questions) if vectors.has(part)]
    scores = np.zeros(len(texts))
    is_told = 0 in told  # what the first message means counts most
    if not is_told or len(known) < len(texts):
        scores = _score_words(asked, texts, shares)
    if not is_told or not known:
        return scores, False
    index = SimilarityIndex.build([texts[place] for place in known], vectors, vectors=vectors.encode([parts[place] for place in known]))
    try:
        scores[known] = _best(index, [asked[place] for place in told], len(known), vectors.encode([questions[place] for place in told]))
    except VectorsMissing:  # the worker has not made those of the sentences that all texts are compared with
        return _score_words(asked, texts, shares), False
    return scores, True


def _score_words(asked: list[str], texts: list[str], shares: np.ndarray) -> np.ndarray:
    """By words alone: BM25 among the candidates and the share of distinctive words, as all candidates hold what is rare elsewhere."""
    return np.asarray(np.minimum(OF_WORDS * (_best(SimilarityIndex.build(texts), asked, len(texts)) + shares) / 2, 1.0))


def _best(index: SimilarityIndex, asked: list[str], n_texts: int, vectors: np.ndarray | None = None) -> np.ndarray:
    best = np.zeros(n_texts)
    for place, hits in enumerate(index.search(asked, top=n_texts, vectors=vectors)):
        for hit in hits:
            best[hit.row] = max(best[hit.row], hit.score * (LATER if place else 1))
    return best


def _describe(asked: list[Message], chosen: list[tuple[float, Message]], viewer: Viewer) -> list[SimilarCase]:
    """The chosen messages with their cases, how the cases ended, and which repeat what was asked."""
    ids = [message.case_id or 0 for _score, message in chosen]
    cases = {case.pk: case for case in Case.objects.visible_to(viewer).filter(pk__in=ids).select_related("customer", "assignee")}
    last = Message.objects.filter(case_id__in=ids, direction=Direction.OUTBOUND).values("case_id").annotate(newest=Max("pk"))
    replies = {
        one.case_id: one
        for one in Message.objects.filter(pk__in=last.values("newest")).annotate(beginning=Substr("body", 1, COMPARED)).defer("body")
    }
    found = []
    for score, message in chosen:
        case = cases.get(message.case_id or 0)
        if case is None:
            continue
        reply = replies.get(case.pk) if case.status == "RESOLVED" else None
        found.append(
            SimilarCase(
                case=case,
                message_id=message.pk,
                excerpt=_cut(message.body),
                score=score,
                is_almost_the_same=_repeats(asked, message),
                gap=message.sent_at - asked[0].sent_at,
                reply_id=reply.pk if reply else 0,
                reply=_cut(reply.beginning) if reply else "",
            )
        )
    return sorted(found, key=lambda one: (not one.is_almost_the_same, -one.score))


def _repeats(asked: list[Message], message: Message) -> bool:
    """Whether a message says almost the same as the first of the case."""
    return bool(find_duplicates([asked[0].body, message.body], ALMOST_THE_SAME))


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= EXCERPT else flat[: EXCERPT - 1] + "…"
