"""Which keys were seen before, in 8 bytes a key: an open-addressing table of 64-bit hashes."""

from __future__ import annotations

import hashlib
from array import array

SMALLEST = 1 << 12


class SeenKeys:
    """A set of keys kept as hashes, at most two thirds full: 12 to 24 bytes a key, 36 while it grows.

    Two different keys share a hash with a probability of n² / 2⁶⁵ in all: 3 in a million for ten million rows.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * SMALLEST))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, *parts: str) -> bool:
        """Remember the key made of these parts; return False when it was there already."""
        joined = "\x1f".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")
        key = int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest(), "big") or 1  # 0 marks a free slot
        if not self._insert(key):
            return False
        self._count += 1
        if self._count * 3 > len(self._slots) * 2:
            self._grow()
        return True

    def _insert(self, key: int) -> bool:
        slots = self._slots
        mask = len(slots) - 1
        place = key & mask
        while (held := slots[place]) != key:
            if not held:
                slots[place] = key
                return True
            place = (place + 1) & mask
        return False

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("Q", bytes(16 * len(old)))
        for key in old:
            if key:
                self._insert(key)
