"""Where moments lie among those of the same owner, for many owners at once."""

from typing import Literal

import numpy as np

from careloop.desk.measures.columns import Integers


class Timelines:
    """The moments of many owners (customers, say) as columns, sorted by owner and by time.

    Parameters
    ----------
    owners, seconds : arrays of whole numbers, (n,)
        Seconds since 1970.
    """

    def __init__(self, owners: Integers, seconds: Integers) -> None:
        self._owners = np.unique(owners)
        self._origin = int(seconds.min(initial=0)) - 1
        self._span = int(seconds.max(initial=0)) - self._origin + 2
        self._keys = np.searchsorted(self._owners, owners) * self._span + seconds - self._origin

    def first(self, owners: Integers) -> Integers:
        """The place of the owner's first moment."""
        return self.place(owners, self._origin, "left")

    def place(self, owners: Integers, seconds: Integers | int, side: Literal["left", "right"]) -> Integers:
        """The place before ("left") or behind ("right") the owner's moments at a second; both the same for who has no moment at all."""
        codes = np.searchsorted(self._owners, owners)
        inside = np.clip(np.asarray(seconds) - self._origin, 0, self._span - 1)
        found: Integers = np.searchsorted(self._keys, codes * self._span + np.where(np.isin(owners, self._owners), inside, 0), side=side)
        return found
