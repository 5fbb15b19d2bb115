"""Forgetting vectors: each night those of texts that are nowhere any more, at once those of texts that must go.

A vector is only kept to save work: one that is missing is made again when it is needed. So forgetting too much costs time, nothing else.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from django.conf import settings
from django.db.models import Max
from django.utils.module_loading import import_string

from careloop.desk.analysis.case_vectors import encoded_part
from careloop.desk.analysis.models import Category, Taxonomy, TextVector
from careloop.desk.analysis.taxonomy_queries import list_leaves, to_describe
from careloop.desk.analysis.vectors import FOUND_AT_ONCE, hash_of, house_encoder_name
from careloop.desk.cases.models import Direction, Message
from careloop.insight.text.encoder import Encoder, Vectors, get_bundled_encoder
from careloop.insight.text.similarity.semantic import UNRELATED

ROWS_AT_ONCE = 1_000
_DIGITS = 16  # of a hash: 64 bits, so that a million texts are eight megabytes; two that share them keep a vector too long, no more


def trim_vectors() -> int:
    """Delete the vectors of texts that no message and no category in use has, and of encoders that nobody reads with; returns how many."""
    newest = TextVector.objects.aggregate(newest=Max("pk"))["newest"]  # what is made meanwhile stays
    if newest is None:
        return 0
    numbers = np.fromiter((_number(hash_of(text)) for text in texts_in_use()), dtype=np.uint64)
    in_use = np.unique(numbers)
    encoders = {house_encoder_name(), get_bundled_encoder().name}
    last, n_deleted = 0, 0
    while rows := list(
        TextVector.objects.filter(pk__gt=last, pk__lte=newest).order_by("pk").values_list("pk", "encoder", "text_hash")[:ROWS_AT_ONCE]
    ):
        found = np.isin(np.array([_number(text_hash) for _pk, _encoder, text_hash in rows], dtype=np.uint64), in_use)
        idle = [pk for (pk, encoder, _hash), is_used in zip(rows, found, strict=True) if not is_used or encoder not in encoders]
        n_deleted += _delete("pk__in", idle)
        last = rows[-1][0]
    return n_deleted


def forget_texts(texts: Iterable[str]) -> int:
    """Delete the vectors of these texts at once, whoever else wrote the same: for messages of a customer who is erased."""
    hashes = {hash_of(form) for text in texts for form in (text, encoded_part(text))}
    return _delete("text_hash__in", sorted(hashes))


def texts_in_use() -> Iterator[str]:
    """Every text that a kept vector may be of."""
    last = 0
    inbound = Message.objects.filter(direction=Direction.INBOUND).order_by("pk")
    while rows := list(inbound.filter(pk__gt=last).values_list("pk", "body")[:ROWS_AT_ONCE]):
        for _pk, body in rows:
            yield body
            yield encoded_part(body)
        last = rows[-1][0]
    for taxonomy in Taxonomy.objects.filter(is_archived=False):
        yield from _texts_of(list_leaves(taxonomy))
    for found_by in settings.TEXTS_WITH_VECTORS:
        yield from import_string(found_by)()
    yield from UNRELATED


def _texts_of(leaves: list[Category]) -> Iterator[str]:
    """What models of these categories encode of them: from names alone, and beside corrections."""
    from careloop.insight.text.descriptions import describe_categories

    for one in leaves:
        yield f"{one.code.replace('_', ' ')} {one.description}".strip()
    if len(leaves) > 1:
        recorder = _Recorder()
        describe_categories(to_describe(leaves)[0], encoder=recorder)
        yield from recorder.texts


class _Recorder(Encoder):
    """Notes what it is asked to encode."""

    name, dimensions = "recorder", 2

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Ones."""
        self.texts += texts
        return np.ones((len(texts), self.dimensions), dtype=np.float32)


def _number(text_hash: str) -> int:
    return int(text_hash[:_DIGITS], 16)


def _delete(condition: str, values: Sequence[int] | Sequence[str]) -> int:
    parts = [values[start : start + FOUND_AT_ONCE] for start in range(0, len(values), FOUND_AT_ONCE)]
    return sum(TextVector.objects.filter(**{condition: part}).delete()[0] for part in parts)
