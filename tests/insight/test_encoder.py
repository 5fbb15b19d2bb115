"""Vectors of texts: order, unit length, meaning across languages, and services that misbehave."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import numpy as np
import pytest

from careloop.insight.errors import InputError, ModelError
from careloop.insight.text.encoder import ServiceEncoder, get_bundled_encoder


def test_bundled_vectors_are_unit_vectors_in_the_order_of_the_texts() -> None:
    texts = ["我要退款", "", "I want my money back", "今天天气很好，适合去公园散步", "我要退款"]
    vectors = get_bundled_encoder().encode(texts)
    assert vectors.shape == (5, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[4])
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[3]


def test_hostile_texts_are_encoded_too() -> None:
    vectors = get_bundled_encoder().encode(["a\0b", "\ud800", "y" * 1_000_000])
    assert np.isfinite(vectors).all()


def test_no_texts_give_no_vectors() -> None:
    assert get_bundled_encoder().encode([]).shape == (0, 384)


class _Service(BaseHTTPRequestHandler):
    broken = False

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = [{"index": place, "embedding": [3.0, 4.0 + len(text)]} for place, text in enumerate(asked["input"])]
        answer = json.dumps({"data": rows[1:] if self.broken else rows[::-1]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def service() -> Iterator[str]:
    with serving(_Service) as url:
        yield url


def test_a_service_may_answer_in_any_order(service: str) -> None:
    vectors = ServiceEncoder(service, "any", dimensions=2).encode(["", "aaaa"])
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [3 / 73**0.5, 8 / 73**0.5]], rtol=1e-6)


def test_a_service_that_leaves_a_text_out_is_an_error(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Service, "broken", True)
    with pytest.raises(ModelError, match=r"shape \(1, 2\) for 2 texts"):
        ServiceEncoder(service, "any", dimensions=2).encode(["a", "b"])


def test_a_service_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ModelError, match="check that it runs"):
        ServiceEncoder("http://127.0.0.1:9/v1", "any", dimensions=2).encode(["a"])


def test_an_address_without_http_is_refused() -> None:
    with pytest.raises(InputError, match="begins with http"):
        ServiceEncoder("file:///etc/passwd", "any", dimensions=2)


class _Elsewhere(_Service):
    """Sends whoever asks to another place, and notes what comes there."""

    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_POST(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        self.send_error(404)


def test_neither_texts_nor_key_follow_a_redirection() -> None:
    with serving(_Elsewhere) as url, pytest.raises(ModelError, match="HTTP Error 302"):
        ServiceEncoder(url, "any", dimensions=2, key="secret").encode(["a"])
    assert _Elsewhere.asked == []


def test_an_answer_without_end_is_thrown_away(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("careloop.insight.text.encoder._LARGEST_ANSWER_BYTES", 20)
    with pytest.raises(ModelError, match="its answer is longer than 20 bytes"):
        ServiceEncoder(service, "any", dimensions=2).encode(["a"])
