"""What a run learnt of a language group, packed into one column without pickle, and read back to tell the topics of new texts."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from careloop.desk.analysis.topic_models import TopicSpace
from careloop.insight.topics import TopicModel
from careloop.insight.topics.corpus import count_words, cut_texts
from careloop.insight.topics.mixture import Mixture

KEPT_OPEN = 6  # groups in a worker's memory: those of two runs


@dataclass(frozen=True)
class KeptTopics:
    """Enough of a fitted model to read texts."""

    words: tuple[str, ...]
    mixture: Mixture

    def read(self, texts: Sequence[str]) -> list[tuple[int | None, float]]:
        """Place of the likeliest topic and its calibrated probability; None and 0 for a text without a known word."""
        counts = count_words(cut_texts(texts), words=self.words).counts
        probabilities = self.mixture.estimate(counts)
        known = np.diff(counts.indptr) > 0
        best = probabilities.argmax(axis=1)
        return [
            (int(one), float(row[one])) if any_word else (None, 0.0) for one, row, any_word in zip(best, probabilities, known, strict=True)
        ]


def pack(model: TopicModel) -> bytes:
    """Words as JSON, log-likelihoods in half precision: about a hundred bytes a word."""
    archive = io.BytesIO()
    words = json.dumps(model.corpus_.words, ensure_ascii=False).encode()
    np.savez_compressed(
        archive,
        words=np.frombuffer(words, dtype=np.uint8),
        likelihoods=model.mixture_.word_log_likelihoods.astype("<f2"),
        priors=model.mixture_.topic_log_priors.astype("<f4"),
        temperature=np.array(model.mixture_.temperature),
    )
    return archive.getvalue()


def unpack(archive: bytes) -> KeptTopics:
    """What `pack` packed."""
    with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
        words = tuple(json.loads(arrays["words"].tobytes()))
        likelihoods, priors = arrays["likelihoods"].astype(np.float32), arrays["priors"].astype(np.float32)
        return KeptTopics(words, Mixture(likelihoods, priors, float(arrays["temperature"])))


@lru_cache(maxsize=KEPT_OPEN)
def open_space(space_id: int) -> KeptTopics:
    """The kept topics of a language group; a row's archive never changes while its run may be read."""
    return unpack(bytes(TopicSpace.objects.values_list("archive", flat=True).get(pk=space_id)))
