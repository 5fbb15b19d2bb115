"""Encryption of personal fields (AES-256-GCM with key ids) and the blind index that finds them by exact value.

A stored value is `1 byte version · 1 byte length of the key id · key id · 12 bytes nonce · ciphertext and tag`. The column's name is
authenticated with it, so a ciphertext moved into another column does not open.
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

VERSION = 1
NONCE_BYTES = 12


class DecryptionFailed(Exception):
    """The key is missing or the bytes were changed."""


def encrypt(plain: bytes, context: str) -> bytes:
    """Encrypt with the active key, bound to `context` (the column)."""
    settings.SECRETS.refresh()
    key_id = settings.SECRETS.active
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(settings.SECRETS.encryption[key_id]).encrypt(nonce, plain, context.encode())
    return prefix_of(key_id) + nonce + sealed


def decrypt(stored: bytes, context: str) -> bytes:
    """Open what `encrypt` made for the same context; raise DecryptionFailed otherwise."""
    key_id = key_id_of(stored)
    if key_id not in settings.SECRETS.encryption:  # another process may have rotated the keys
        settings.SECRETS.refresh(at_once=True)
    if key_id not in settings.SECRETS.encryption:
        raise DecryptionFailed(f"{context}: key {key_id!r} is not among the installation's keys; restore secrets.json from the backup")
    start = 2 + stored[1]
    nonce, sealed = stored[start : start + NONCE_BYTES], stored[start + NONCE_BYTES :]
    try:
        return AESGCM(settings.SECRETS.encryption[key_id]).decrypt(nonce, sealed, context.encode())
    except (InvalidTag, ValueError):  # ValueError: a nonce or tag that was cut off
        raise DecryptionFailed(f"{context}: the stored bytes do not belong to this column and key; they were changed") from None


def prefix_of(key_id: str) -> bytes:
    """How every value that was encrypted with this key begins."""
    name = key_id.encode("ascii")
    return bytes((VERSION, len(name))) + name


def key_id_of(stored: bytes) -> str:
    """Which key a stored value was encrypted with."""
    if len(stored) < 2 or stored[0] != VERSION:
        raise DecryptionFailed(f"a stored value of {len(stored)} bytes does not begin with version {VERSION}")
    return stored[2 : 2 + stored[1]].decode("ascii", "replace")


def blind_index(purpose: str, normalised: str) -> str:
    """64 hexadecimal digits that are equal for equal values of one purpose and tell nothing without the key."""
    return hmac.new(settings.SECRETS.index, f"{purpose}\0{normalised}".encode(), hashlib.sha256).hexdigest()
