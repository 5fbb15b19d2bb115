"""Webhooks: a signed POST to another system, to the very address that was checked; no database here."""

import hashlib
import hmac
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from careloop.desk.channels.outgoing import CannotDeliver

TIMEOUT_SECONDS = 10
LONGEST_URL = 500
TRY_AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True)
class Delivery:
    """One signed request: `number` is the same for every attempt, so that the other side can tell a repeated one."""

    url: str
    secret: str
    number: int
    event: str
    timestamp: int
    body: bytes


class NotTaken(Exception):
    """The other side did not take it this time; the sentence says why."""


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 of "timestamp.body", in hexadecimal."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def is_address(url: str) -> bool:
    """Whether a URL is one that a request can be sent to."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        return False
    return is_good and len(url) <= LONGEST_URL and url.isascii() and url.isprintable() and " " not in url


def find_public_ip(host: str, port: int, *, allows_private: bool) -> str:
    """The IP address to connect to; CannotDeliver when one of the host's addresses is not public, unless that is allowed."""
    try:
        found = [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise NotTaken(f"The host's name is not known ({error}).") from None
    if not allows_private and not all(ipaddress.ip_address(one.split("%")[0]).is_global for one in found):
        raise CannotDeliver("The address is inside a private network.")
    return found[0]


def post(delivery: Delivery, *, allows_private: bool) -> int:
    """Send it; the status when it was taken (2xx). CannotDeliver when trying again will not help, NotTaken when it may."""
    parts = urlsplit(delivery.url)
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    host = str(parts.hostname)
    ip = find_public_ip(host, port, allows_private=allows_private)
    connection = HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS) if is_tls else HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        raw = socket.create_connection((ip, port), TIMEOUT_SECONDS)
        connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host) if is_tls else raw
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, delivery.body, _headers(delivery))
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise NotTaken(f"No answer ({type(error).__name__}).") from None
    finally:
        connection.close()
    if 200 <= status < 300:
        return status
    if 300 <= status < 500 and status not in TRY_AGAIN:
        raise CannotDeliver(f"HTTP {status}")
    raise NotTaken(f"HTTP {status}")


def _headers(delivery: Delivery) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "Careloop",
        "X-Careloop-Event": delivery.event,
        "X-Careloop-Delivery": str(delivery.number),
        "X-Careloop-Timestamp": str(delivery.timestamp),
        "X-Careloop-Signature": f"sha256={sign(delivery.secret, delivery.timestamp, delivery.body)}",
    }
