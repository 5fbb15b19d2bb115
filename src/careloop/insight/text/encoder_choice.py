"""Which encoder a house uses, by a name that fits on a command line or into a setting; and none at all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from careloop.insight.errors import InputError
from careloop.insight.text.encoder import BundledEncoder, Encoder, HubEncoder, ServiceEncoder, Vectors, get_bundled_encoder

BUNDLED = "bundled"
_HUB = "hub:"
_WEB = ("http://", "https://")


class WordsAlone:
    """No encoder: vectors of zeros, by which nothing is told apart, so that what takes an encoder compares words alone."""

    name = "words alone"
    dimensions = 1

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return zeros of shape (n_texts, 1), float32."""
        return np.zeros((len(texts), 1), dtype=np.float32)


def name_encoder(choice: str) -> str:
    """Return the name of the encoder that `choose_encoder` gives, without loading or asking for it.

    Raises
    ------
    InputError
        When the choice is none.
    """
    kind, model, _ = _split(choice)
    return get_bundled_encoder().name if kind == BUNDLED else f"{kind} {model}"


@lru_cache(maxsize=8)
def choose_encoder(choice: str, *, key: str = "", threads: int | None = None) -> Encoder:
    """Return an encoder by its name, the same one each time.

    Parameters
    ----------
    choice : str
        “bundled”; “hub:NAME”, a sentence-transformers model by its name on the hub or its folder; or URL#MODEL, a service that speaks the
        OpenAI protocol (`POST URL/embeddings`) and its name of the model, such as http://127.0.0.1:11434/v1#bge-m3.
    key : str
        Sent to a service as a bearer token when not empty.
    threads : int, optional
        Of the bundled encoder.

    Raises
    ------
    InputError
        When the choice is none of the three.
    ModelError
        When the service does not answer, or the package sentence-transformers is not there.
    """
    kind, model, url = _split(choice)
    if kind == "service":
        return ServiceEncoder(url, model, key=key)
    if kind == "hub":
        return HubEncoder(model)
    return get_bundled_encoder() if threads is None else BundledEncoder(threads=threads)


def _split(choice: str) -> tuple[str, str, str]:
    """Return kind (bundled, hub or service), model and address."""
    if choice == BUNDLED:
        return BUNDLED, "", ""
    if choice.startswith(_HUB) and choice != _HUB:
        return "hub", choice.removeprefix(_HUB), ""
    url, _, model = choice.partition("#")
    if choice.startswith(_WEB) and model:
        return "service", model, url
    raise InputError(
        f"“{choice}” is no encoder; expected bundled, hub:NAME, or a service's address and model such as http://127.0.0.1:11434/v1#bge-m3.",
        field="encoder",
    )
