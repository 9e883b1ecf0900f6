"""The counts that a gateway keeps for itself while the common ones cannot be had."""

from collections import OrderedDict
from typing import Final

_KEPT: Final = 10_000


class OwnCounts:
    """The latest counts. A key is of one window of time, so nothing has to be forgotten by the clock."""

    def __init__(self, kept: int = _KEPT):
        self._kept = kept
        self._counts: OrderedDict[str, int] = OrderedDict()

    def add(self, key: str, amount: int) -> int:
        """The new count, at least 0: what is taken back may have been counted elsewhere."""
        count = max(0, self._counts.pop(key, 0) + amount)
        self._counts[key] = count
        if len(self._counts) > self._kept:
            self._counts.popitem(last=False)
        return count

    def read(self, key: str) -> int:
        return self._counts.get(key, 0)
