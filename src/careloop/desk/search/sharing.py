"""Messages that share distinctive words with a text: candidates for "similar", newest first; the same steps on both databases."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from django.db import connection

from careloop.desk.search.rules import tokens

NEWEST = 60  # messages of one group of words
PAIRED = 6  # words of which every pair is looked for; the first of them alone, too
ALONE = 4
ON_SQLITE = """SELECT * FROM (
    SELECT found.object_id, found.case_id, %s + 0.0 AS worth
    FROM search_fts CROSS JOIN search_searchdocument found ON found.id = search_fts.rowid
    WHERE search_fts MATCH %s AND found.subject = 'MESSAGE' AND found.case_id <> %s{scope}
    ORDER BY search_fts.rowid DESC LIMIT %s)"""
ON_POSTGRESQL = """(
    SELECT found.object_id, found.case_id, %s::float AS worth
    FROM search_searchdocument found
    WHERE to_tsvector('simple', tokens) @@ to_tsquery('simple', %s) AND found.subject = 'MESSAGE' AND found.case_id <> %s{scope}
    ORDER BY found.id + 0 DESC LIMIT %s)"""


@dataclass(frozen=True)
class Sharing:
    """A message, its case, and how much of what all words and pairs of words are worth it holds, 0–1."""

    message_id: int
    case_id: int
    share: float


def find_sharing(words: Sequence[str], *, besides_case: int, team_ids: frozenset[int] | None, most: int) -> list[Sharing]:
    """Messages of other cases that hold some of the words (most telling first), those that share most first, newest among equals.

    One query. For each word, and for each pair of words, only the newest messages are looked at: a word that everybody writes
    costs as much as a rare one.
    """
    groups = _groups(words)
    if not groups or team_ids == frozenset():
        return []
    is_sqlite = connection.vendor == "sqlite"
    teams = sorted(team_ids) if team_ids is not None else []
    scope = f" AND found.team_id IN ({', '.join(['%s'] * len(teams))})" if teams else ""
    part = (ON_SQLITE if is_sqlite else ON_POSTGRESQL).format(scope=scope)
    spell = _fts5 if is_sqlite else _tsquery
    values: list[float | int | str] = []
    for worth, phrases in groups:
        values += [worth, spell(phrases), besides_case, *teams, NEWEST]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([part] * len(groups)), values)
        rows = cursor.fetchall()
    worths: dict[tuple[int, int], float] = {}
    for message_id, case_id, worth in rows:
        worths[message_id, case_id] = worths.get((message_id, case_id), 0.0) + float(worth)
    ranked = sorted(worths, key=lambda one: (-worths[one], -one[0]))[:most]
    total = sum(worth for worth, _phrases in groups)
    return [Sharing(message_id, case_id, min(1.0, worths[message_id, case_id] / total)) for message_id, case_id in ranked]


def _groups(words: Sequence[str]) -> list[tuple[float, list[list[str]]]]:
    """(worth, phrases) of single words and of pairs; the earlier a word, the more it is worth, and both together more than one."""
    phrases = [phrase for word in dict.fromkeys(words) if (phrase := _phrase(word))][:PAIRED]
    weight = [1 / (place + 2) for place in range(len(phrases))]
    alone = [(weight[place], [phrase]) for place, phrase in enumerate(phrases[:ALONE])]
    pairs = [(weight[one] + weight[other], [phrases[one], phrases[other]]) for one, other in combinations(range(len(phrases)), 2)]
    return alone + pairs


def _phrase(word: str) -> list[str]:
    """The tokens that stand side by side where the word is written; the last character of a Chinese word has a token only at an end."""
    found = tokens(word[:60])
    is_spaced = all(token.isascii() for token in found)
    return found if is_spaced or len(found) == 1 else [token for token in found if len(token) > 1]


def _fts5(phrases: list[list[str]]) -> str:
    return " AND ".join(f'"{" ".join(phrase)}"' for phrase in phrases)


def _tsquery(phrases: list[list[str]]) -> str:
    return " & ".join("(" + " <-> ".join(f"'{token}'" for token in phrase) + ")" for phrase in phrases)
