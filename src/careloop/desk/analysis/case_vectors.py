"""Meaning of messages for "similar cases": made by the worker in the background, read by screens, which never load the encoder."""

from collections.abc import Sequence

import numpy as np
from django.db.models.functions import Substr

from careloop.desk.analysis.models import TextVector
from careloop.desk.analysis.vectors import FOUND_AT_ONCE, KeptEncoder, hash_of, house_encoder_name
from careloop.desk.cases.models import Direction, Message
from careloop.insight.text.encoder import LONGEST_TEXT, Vectors, normalise_rows
from careloop.insight.text.similarity.semantic import guess_centre

AT_ONCE = 16  # texts of one job, less than a second; the next job comes two seconds later, so that a flood slows nothing down
NEWEST = 2_000  # messages that are looked through; older ones without vectors are compared by words alone


def keep_newest(most: int = AT_ONCE) -> tuple[int, bool]:
    """Make and keep the vectors of the newest messages in cases that have none; returns how many texts, and whether more wait."""
    rows = Message.objects.filter(direction=Direction.INBOUND, case__isnull=False).annotate(beginning=Substr("body", 1, LONGEST_TEXT))
    texts = dict.fromkeys(rows.order_by("-pk").values_list("beginning", flat=True)[:NEWEST])
    encoder = KeptEncoder()
    missing = list_missing([text for text in texts if text.strip()], encoder.name)
    if missing:
        guess_centre(encoder)  # screens need what all texts share, too
        encoder.encode(missing[:most])
    return min(len(missing), most), len(missing) > most


def list_missing(texts: Sequence[str], encoder_name: str) -> list[str]:
    """Those of the texts that have no vector yet."""
    by_hash = {hash_of(text): text for text in texts}
    hashes = list(by_hash)
    for start in range(0, len(hashes), FOUND_AT_ONCE):
        rows = TextVector.objects.filter(encoder=encoder_name, text_hash__in=hashes[start : start + FOUND_AT_ONCE])
        for known in rows.values_list("text_hash", flat=True):
            del by_hash[known]
    return list(by_hash.values())


def encoded_part(body: str) -> str:
    """The part of a message that its vector tells of."""
    return body[:LONGEST_TEXT]


class VectorsMissing(LookupError):
    """A text has no vector yet; the worker is about to make it."""


class StoredVectors:
    """An encoder that only looks up: `load` texts (one query), then ask for them."""

    def __init__(self) -> None:
        self.name = house_encoder_name()
        self.dimensions = 0  # until vectors are loaded
        self._found: dict[str, np.ndarray] = {}

    def load(self, texts: Sequence[str]) -> None:
        """Fetch what is kept of these texts."""
        by_hash = {hash_of(text): text for text in texts}
        rows = TextVector.objects.filter(encoder=self.name, text_hash__in=list(by_hash)).values_list("text_hash", "vector")
        self._found |= {by_hash[one]: np.frombuffer(bytes(vector), dtype="<f2").astype(np.float32) for one, vector in rows}
        self.dimensions = len(next(iter(self._found.values()), ()))

    def has(self, text: str) -> bool:
        """Whether the text's vector was loaded."""
        return text in self._found

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (n_texts, dimensions), float32; VectorsMissing when one is not kept."""
        if any(text not in self._found for text in texts):
            self.load(texts)
        if missing := [text for text in texts if text not in self._found]:
            raise VectorsMissing(f"{len(missing)} of {len(texts)} texts have no vector yet; the worker makes them in the background.")
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return normalise_rows(np.stack([self._found[text] for text in texts]))
