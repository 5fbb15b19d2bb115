"""A language model behind the OpenAI protocol (`POST …/chat/completions`): one question, one answer; no database here."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop

LARGEST_ANSWER_BYTES = 1_000_000
CHUNK_BYTES = 65_536


@dataclass(frozen=True)
class Service:
    """Where the model is: address up to and including the version (http://127.0.0.1:11434/v1), its name there, the key or ""."""

    url: str
    model: str
    key: str = ""
    timeout_seconds: float = 60.0

    @property
    def address(self) -> str:
        """Where questions are sent."""
        base = self.url.rstrip("/")
        return base if base.endswith("/chat/completions") else f"{base}/chat/completions"

    @property
    def host(self) -> str:
        """Whose machine it is, for the audit trail."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


class NoAnswer(Exception):
    """There is no usable answer; `template` with `values` says why, to be translated."""

    def __init__(self, template: str, **values: Any) -> None:
        super().__init__(template % values)
        self.template, self.values = template, values


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is sent goes to the address that the operator wrote down and nowhere else."""

    def redirect_request(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str) -> None:
        """None: the redirection stays an error."""
        return


def complete(service: Service, messages: list[dict[str, str]]) -> str:
    """The model's answer to a chat; NoAnswer when there is none that can be used, whatever the reason."""
    body = json.dumps({"model": service.model, "messages": messages, "stream": False}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if service.key:
        headers["Authorization"] = f"Bearer {service.key}"
    request = urllib.request.Request(service.address, data=body, headers=headers)  # noqa: S310  (settings allow http and https only)
    late = NoAnswer(
        gettext_noop(
            "The language model did not answer within %(seconds)s seconds; try again, or ask the operator to raise "
            "CARELOOP_LLM_TIMEOUT_SECONDS."
        ),
        seconds=f"{service.timeout_seconds:g}",
    )
    try:
        raw = _fetch(request, service.timeout_seconds)
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(error.code) from None
    except (urllib.error.URLError, OSError, HTTPException) as error:
        if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
            raise late from None
        raise NoAnswer(
            gettext_noop("The language model's server cannot be reached (%(why)s); ask the operator to check CARELOOP_LLM_URL."),
            why=str(getattr(error, "reason", error) or type(error).__name__)[:120],
        ) from None
    return _read(raw)


def _fetch(request: urllib.request.Request, timeout_seconds: float) -> bytes:
    """The body of the answer; the time holds for all of it together, however slowly it drips."""
    until = time.monotonic() + timeout_seconds
    found = b""
    with urllib.request.build_opener(_NoRedirect()).open(request, timeout=timeout_seconds) as answer:
        while part := answer.read1(CHUNK_BYTES):
            found += part
            if len(found) > LARGEST_ANSWER_BYTES:
                raise NoAnswer(gettext_noop("The language model's answer is longer than a megabyte; it was thrown away."))
            if time.monotonic() > until:
                raise TimeoutError
    return found


def _refused(status: int) -> NoAnswer:
    if status in {401, 403}:
        return NoAnswer(
            gettext_noop("The language model's server refused the key (HTTP %(status)s); ask the operator to check CARELOOP_LLM_KEY."),
            status=status,
        )
    if status == 429:
        return NoAnswer(gettext_noop("The language model's server is busy (HTTP 429); try again in a moment."))
    return NoAnswer(
        gettext_noop("The language model's server failed (HTTP %(status)s); try again, or ask the operator to look at it."), status=status
    )


def _read(raw: bytes) -> str:
    try:
        content = json.loads(raw)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise NoAnswer(
            gettext_noop("What answered is no language model that Careloop understands; ask the operator to check CARELOOP_LLM_URL.")
        ) from None
    if content is not None and not isinstance(content, str):
        raise NoAnswer(
            gettext_noop("What answered is no language model that Careloop understands; ask the operator to check CARELOOP_LLM_URL.")
        )
    if not content or not content.strip():
        raise NoAnswer(gettext_noop("The language model gave an empty answer; try again, or write it yourself."))
    return content.strip()
