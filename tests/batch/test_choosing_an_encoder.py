"""`--encoder`: another encoder than the bundled one, here a small service on this machine; and none at all."""

import csv
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from careloop.cli import main

CASES = [
    (text + ending, label)
    for label, texts in {
        "delivery": ["where is my parcel", "物流太慢了", "快递到哪里了"],
        "invoice": ["send me an invoice", "可以开发票吗", "发票抬头错了"],
        "refund": ["I want my money back", "我要退款", "申请退款没有人理"],
    }.items()
    for text in texts
    for ending in ("", "!", " please", " 谢谢", " today")
]


def vector_of(text: str) -> list[float]:
    """The letters' pairs, counted in 16 boxes."""
    boxes = [0.1] * 16
    for start in range(len(text) - 1):
        boxes[hashlib.sha256(text[start : start + 2].encode()).digest()[0] % 16] += 1
    return boxes


class _Service(BaseHTTPRequestHandler):
    asked: list[tuple[str, str, str]] = []

    def do_POST(self):
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, given["model"], self.headers.get("Authorization", "")))
        answer = json.dumps(
            {"data": [{"index": place, "embedding": vector_of(text)} for place, text in enumerate(given["input"])]}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """Silent."""


@pytest.fixture
def service(monkeypatch):
    monkeypatch.setattr(_Service, "asked", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def cases(tmp_path):
    return write(tmp_path / "cases.csv", ["text", "topic"], CASES)


def write(path, header, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def run(*arguments, expected=0):
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == expected, done.output
    return done


def read_with(model, cases, out, *more, expected=0):
    return run("read", cases, "--text", "text", "--category", model, "--workers", 1, "--no-adapt", "--out", out, *more, expected=expected)


def test_a_model_learns_with_a_service_and_reads_with_that_one_alone(service, cases, tmp_path, monkeypatch):
    monkeypatch.setenv("CARELOOP_ENCODER_KEY", "secret")
    options = ("--text", "text", "--label", "topic", "--algorithm", "ridge")
    report = json.loads(run("learn", cases, *options, "--model", tmp_path / "m", "--encoder", f"{service}#tiny", "--json").stdout)
    assert report["encoder"] == "service tiny"
    assert set(_Service.asked) == {("/v1/embeddings", "tiny", "Bearer secret")}
    assert "secret" not in (tmp_path / "m" / "card.json").read_text()
    read_with(tmp_path / "m", cases, tmp_path / "out.csv", "--semantic", "--encoder", f"{service}#tiny")
    rows = list(csv.DictReader((tmp_path / "out.csv").open(encoding="utf-8")))
    assert sum(row["category"] == row["topic"] for row in rows) == len(CASES)
    refused = read_with(tmp_path / "m", cases, tmp_path / "no.csv", "--semantic", "--encoder", f"{service}#other", expected=1)
    assert "This model learnt with the encoder “service tiny”, not “service other”; give that one or learn it again." in refused.output


def test_texts_are_compared_and_divided_with_a_service(service, cases, tmp_path):
    asked = ("similar", cases, "--text", "text", "--query", "我要退款", "--top", 1, "--json", "--encoder", f"{service}#tiny")
    found = json.loads(run(*asked).stdout)
    assert (found["mode"], found["results"][0]["text"]) == ("fused", "我要退款")
    assert len(_Service.asked) >= 2
    run("topics", cases, "--text", "text", "--topics", 2, "--semantic", "--encoder", f"{service}#tiny2", "--json")
    assert ("/v1/embeddings", "tiny2", "") in _Service.asked


def test_a_service_that_is_not_there_is_told_and_no_model_is_made(cases, tmp_path):
    options = ("--text", "text", "--label", "topic", "--model", tmp_path / "m", "--encoder", "http://127.0.0.1:9/v1#tiny")
    assert "check that it runs" in run("learn", cases, *options, expected=1).output
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("choice", ["nano", "hub:", "http://127.0.0.1:9/v1", "ftp://x#y", ""])
def test_a_choice_that_is_none_is_refused_with_what_is_expected(cases, tmp_path, choice):
    refused = run("similar", cases, "--text", "text", "--query", "x", "--encoder", choice, expected=2)
    assert f"“{choice}” is no encoder; expected bundled, hub:NAME," in " ".join(refused.output.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("similar", "--query", "x", "--no-semantic"),
        ("topics", "--topics", "2"),
        ("learn", "--label", "topic", "--model", "m", "--no-semantic"),
        ("learn", "--label", "topic", "--model", "m", "--task", "aspects"),
        ("read",),
        ("read", "--category", "m", "--no-semantic"),
    ],
)
def test_an_encoder_that_would_not_be_asked_is_refused(cases, arguments):
    command, *options = arguments
    refused = run(command, cases, "--text", "text", "--encoder", "bundled", *options, expected=2)
    assert "--encoder" in refused.output
    assert "leave" in refused.output or "name a model with --category" in refused.output


def test_labels_alone_are_understood_by_words_where_meanings_are_forbidden(tmp_path, cases, monkeypatch):
    labels = [("delivery", "parcel 物流 快递"), ("invoice", "invoice 发票"), ("refund", "money back 退款")]
    write(tmp_path / "labels.csv", ["topic", "description"], labels)
    monkeypatch.setattr("careloop.insight.text.encoder.BundledEncoder.encode", None)  # nobody asks for meanings
    said = run("learn", "--label", "topic", "--labels", tmp_path / "labels.csv", "--model", tmp_path / "m", "--no-semantic").stdout
    assert "A model of 3 labels (descriptions) is in" in said
    for more in ((), ("--no-semantic",)):
        read_with(tmp_path / "m", cases, tmp_path / "out.csv", *more)
        rows = list(csv.DictReader((tmp_path / "out.csv").open(encoding="utf-8")))
        assert [row["category"] for row in rows] == [row["topic"] for row in rows]
    refused = read_with(tmp_path / "m", cases, tmp_path / "no.csv", "--encoder", "http://127.0.0.1:9/v1#x", expected=1)
    assert "check that it runs" in refused.output
