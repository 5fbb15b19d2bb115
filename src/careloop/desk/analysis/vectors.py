"""Semantic vectors kept in the database: each different text is encoded once, by whichever worker meets it first."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from django.conf import settings

from careloop.desk.analysis.models import TextVector
from careloop.insight.text.encoder import Encoder, Vectors, get_bundled_encoder, normalise_rows
from careloop.insight.text.encoder_choice import WordsAlone, choose_encoder, name_encoder

FOUND_AT_ONCE = 500
ENCODED_AT_ONCE = 128


def house_encoder() -> Encoder:
    """The encoder of the settings; for jobs alone, as it may be large or far away."""
    return choose_encoder(settings.ENCODER, key=settings.ENCODER_KEY)


def encoder_named(name: str | None) -> Encoder:
    """The encoder with which a model learnt: the bundled one is always at hand, any other must be the house's (the model checks that)."""
    bundled = get_bundled_encoder()
    return bundled if name == bundled.name else house_encoder()


def is_at_hand(name: str | None) -> bool:
    """Whether a model that learnt with the encoder of this name can still read; those that need none always can."""
    return name in {None, WordsAlone.name, get_bundled_encoder().name, house_encoder().name}


def house_encoder_name() -> str:
    """Its name, under which vectors are kept; costs nothing."""
    return name_encoder(settings.ENCODER)


class KeptEncoder:
    """An encoder that looks vectors up before it makes them; it keeps each new batch, so that a stopped job goes on where it was."""

    def __init__(self, encoder: Encoder | None = None, on_progress: Callable[[int, int], None] | None = None) -> None:
        self._encoder = encoder or house_encoder()
        self._tell = on_progress or (lambda _done, _of: None)
        self.name = self._encoder.name
        self.dimensions = self._encoder.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (n_texts, dimensions), float32; rounded to half precision whether kept or new."""
        hashes = [hash_of(text) for text in texts]
        by_hash = dict(zip(hashes, texts, strict=True))
        found = self._find(list(by_hash))
        missing = sorted((one for one in by_hash if one not in found), key=lambda one: len(by_hash[one]))
        for start in range(0, len(missing), ENCODED_AT_ONCE):
            part = missing[start : start + ENCODED_AT_ONCE]
            made = np.asarray(self._encoder.encode([by_hash[one] for one in part]), dtype="<f2")
            kept = [TextVector(encoder=self.name, text_hash=one, vector=row.tobytes()) for one, row in zip(part, made, strict=True)]
            TextVector.objects.bulk_create(kept, ignore_conflicts=True)
            found |= dict(zip(part, made, strict=True))
            self._tell(start + len(part), len(missing))
        if not hashes:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return normalise_rows(np.stack([found[one] for one in hashes]).astype(np.float32))

    def _find(self, hashes: list[str]) -> dict[str, "np.ndarray"]:
        found: dict[str, np.ndarray] = {}
        for start in range(0, len(hashes), FOUND_AT_ONCE):
            rows = TextVector.objects.filter(encoder=self.name, text_hash__in=hashes[start : start + FOUND_AT_ONCE])
            found |= {one: np.frombuffer(bytes(vector), dtype="<f2") for one, vector in rows.values_list("text_hash", "vector")}
        return found


def hash_of(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
