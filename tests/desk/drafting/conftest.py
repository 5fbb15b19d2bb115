"""A language model that says what the test wants: a small server on loopback that speaks the protocol and remembers what it was sent."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Model:
    """`status`, `body` are what it answers; `asked` what it was sent (headers, JSON); `wait` holds an answer back."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    location: str = ""
    is_dripping: bool = False
    asked: list = field(default_factory=list)
    wait: threading.Event = field(default_factory=threading.Event)
    is_over: threading.Event = field(default_factory=threading.Event)

    def says(self, text) -> None:
        """Answer with this text as a chat completion."""
        self.body = json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


@pytest.fixture
def model(settings):
    """A connected language model; it answers at once."""
    known = Model()
    known.wait.set()
    known.says("您好，[NAME_1]，我们已收到您的问题。")

    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            known.asked.append((self.path, dict(self.headers), json.loads(self.rfile.read(length))))
            known.wait.wait(60)
            self.send_response(known.status)
            if known.location:
                self.send_header("Location", known.location)
            self.send_header("Content-Length", str(len(known.body) + (1 if known.is_dripping else 0)))
            self.end_headers()
            try:
                self.wfile.write(known.body)
                self.wfile.flush()
                if known.is_dripping:
                    known.is_over.wait(60)
            except BrokenPipeError:
                pass

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    known.url = f"http://127.0.0.1:{server.server_port}/v1"
    settings.LANGUAGE_MODEL = {"url": known.url, "model": "small-1", "key": "secret-key", "timeout_seconds": 60.0}
    yield known
    known.wait.set()
    known.is_over.set()
    server.shutdown()
    server.server_close()
