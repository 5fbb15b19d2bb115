"""The only place that strings the families of the core together: texts in, readings out.

Texts are read in batches, because the models are matrix products; a batch that fails is read again one text at a time, so that one bad text
costs only its own reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from careloop.insight.errors import ModelError
from careloop.insight.text.adaptation import Adaptation
from careloop.insight.text.reader import read_batch
from careloop.insight.text.user_words import UserWords
from careloop.insight.types import Reading

LONGEST_TEXT = 100_000  # characters; the rest of a longer text is not read
_BATCH_TEXTS = 1_000
_BATCH_CHARACTERS = 400_000


def read(
    texts: Sequence[Any], *, user_words: UserWords | None = None, adaptation: Adaptation | None = None, is_explained: bool = True
) -> list[Reading]:
    """Return what the engine understands of each text, in the same order.

    Parameters
    ----------
    texts : sequence of str, length n_texts
        Of a text longer than 100,000 characters the first 100,000 are read, and `Reading.truncated_at` says so. Anything that is not a
        str gives a reading whose `error` says what it was.
    user_words : UserWords or None
        Words that are kept whole, such as product names; those with a tag of their own are entities of that type.
    adaptation : Adaptation or None
        What `careloop.insight.text.adaptation.adapt` learnt from many texts like these; the readings' sentiment model is then marked “*”.
    is_explained : bool
        False leaves out the words that decided and the aspects, which take a third of the time.

    Returns
    -------
    list of Reading, length n_texts

    Raises
    ------
    ModelError
        When the shipped models are missing or damaged.

    Examples
    --------
    >>> from careloop.insight import read
    >>> reading, = read(["客服态度不太好，我要退款"])
    >>> reading.language, reading.sentiment, reading.kind
    ('zh-Hans', 'negative', 'refund')
    """
    if isinstance(texts, str):
        raise TypeError("read() takes a list of texts; a single str was given: write read([text]).")
    readings: list[Reading] = []
    for batch in _split(texts):
        readings += _read_surely(batch, partial(read_batch, user_words=user_words, adaptation=adaptation, is_explained=is_explained))
    return readings


def _split(texts: Sequence[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    characters = 0
    for text in texts:
        length = min(len(text), LONGEST_TEXT) if isinstance(text, str) else 0
        if batch and (len(batch) >= _BATCH_TEXTS or characters + length > _BATCH_CHARACTERS):
            yield batch
            batch, characters = [], 0
        batch.append(text)
        characters += length
    if batch:
        yield batch


def _read_surely(batch: list[Any], read_them: Callable[[list[str]], list[Reading]]) -> list[Reading]:
    """Return one reading per text whatever happens; what cannot be read carries the reason."""
    readable = [text[:LONGEST_TEXT] for text in batch if isinstance(text, str)]
    try:
        found = iter(read_them(readable) if readable else [])
    except ModelError:
        raise
    except Exception as error:
        if len(batch) > 1:
            return [reading for text in batch for reading in _read_surely([text], read_them)]
        return [Reading(error=f"This text could not be read: {type(error).__name__}: {error}.")]
    return [_finish(text, next(found)) if isinstance(text, str) else _refuse(text) for text in batch]


def _finish(text: str, reading: Reading) -> Reading:
    return replace(reading, truncated_at=LONGEST_TEXT) if len(text) > LONGEST_TEXT else reading


def _refuse(text: object) -> Reading:
    return Reading(error=f"A text must be a str; this one is of type {type(text).__name__}.")
