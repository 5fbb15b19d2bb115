"""A fitted model in the desk's words: matched to the run before, its words told to those only in whose texts they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from careloop.desk.analysis.topic_layout import lay_out
from careloop.desk.analysis.topic_models import FoundTopic
from careloop.insight.topics import Topic, TopicModel
from careloop.insight.topics.hierarchy import join_topics
from careloop.insight.topics.matching import match_topics
from careloop.insight.topics.naming import choose_examples

NAME_WORDS = 3
EXAMPLES_KEPT = 3


@dataclass(frozen=True)
class Earlier:
    """A topic of the run before."""

    number: int
    name_words: tuple[str, ...]
    scores: dict[str, float]
    place: tuple[float, float]

    @classmethod
    def of(cls, found: FoundTopic) -> "Earlier":
        """From its row."""
        scores = {word: score for word, score, _teams in found.words}
        return cls(found.topic_id, tuple(found.name_words), scores, (found.x, found.y))


@dataclass(frozen=True)
class Described:
    """The columns of a found topic, and the number of the topic that it continues."""

    continues: int | None
    columns: dict[str, Any]


def describe(model: TopicModel, team_ids: Sequence[int], message_ids: Sequence[int], earlier: Sequence[Earlier]) -> list[Described]:
    """One entry for each of the model's topics, in their order (largest first)."""
    scores = [dict(zip(topic.words, topic.scores, strict=True)) for topic in model.topics_]
    matched = match_topics([one.scores for one in earlier], scores)
    continued = {place: earlier[old] for place, old in matched.items()}
    places = lay_out(model.vectors_, model.labels_, {place: one.place for place, one in continued.items()})
    parents = {child: one.number for one in join_topics(model.vectors_, model.labels_) for child in (one.first, one.second)}
    teams_with = _teams_by_word(model, team_ids)
    examples = _examples(model, team_ids, message_ids)
    described = []
    for topic in model.topics_:
        before = continued.get(topic.number)
        names = before.name_words if before else topic.words[:NAME_WORDS]
        columns = {
            "place": topic.number,
            "name_words": list(names),
            "words": _words(topic, names, teams_with),
            "size": topic.size,
            "coherence": round(topic.coherence, 4),
            "examples": examples[topic.number],
            "parent": parents.get(topic.number),
            "x": round(float(places[topic.number, 0]), 4),
            "y": round(float(places[topic.number, 1]), 4),
        }
        described.append(Described(before.number if before else None, columns))
    return described


def _words(topic: Topic, names: Sequence[str], teams_with: dict[str, list[int]]) -> list[list[Any]]:
    """The telling words, then those that only name the topic since an earlier run (score 0)."""
    telling = [[word, round(score, 2), teams_with.get(word, [])] for word, score in zip(topic.words, topic.scores, strict=True)]
    return telling + [[word, 0.0, teams_with.get(word, [])] for word in names if word not in topic.words]


def _teams_by_word(model: TopicModel, team_ids: Sequence[int]) -> dict[str, list[int]]:
    """In which teams' texts each word of the corpus stands."""
    teams, columns = np.unique(np.asarray(team_ids), return_inverse=True)
    members = sp.csr_matrix((np.ones(len(columns), np.float32), (columns, np.arange(len(columns)))), (len(teams), len(columns)))
    stands = (members @ model.corpus_.presence).tocsc()
    return {
        word: sorted(int(teams[row]) for row in stands.indices[stands.indptr[column] : stands.indptr[column + 1]])
        for column, word in enumerate(model.corpus_.words)
    }


def _examples(model: TopicModel, team_ids: Sequence[int], message_ids: Sequence[int]) -> list[dict[str, list[int]]]:
    """Typical messages of each topic, of the whole house and of each team."""
    lengths = np.diff(model.corpus_.counts.indptr).astype(np.int64)
    of_team = np.asarray(team_ids)
    found: list[dict[str, list[int]]] = [{} for _ in model.topics_]
    for key in ["", *sorted(set(team_ids))]:
        labels = model.labels_ if key == "" else np.where(of_team == key, model.labels_, -1)
        for topic, rows in enumerate(choose_examples(model.probabilities_, lengths, labels, most=EXAMPLES_KEPT)):
            if rows:
                found[topic][str(key)] = [message_ids[row] for row in rows]
    return found
