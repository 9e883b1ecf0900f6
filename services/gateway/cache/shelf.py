"""The kept answers: found by what was asked, dropped by what they show, bounded in number and bytes."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from typing import Final

from services.gateway.cache.entry import Entry

# An entry may take this part of all bytes at most.
_LARGEST: Final = 8


class Shelf:
    """All entries live equally long, so the oldest are dropped first."""

    def __init__(self, most_entries: int, most_bytes: int):
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._keys: defaultdict[str, set[str]] = defaultdict(set)
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Entry | None:
        return self._entries.get(key)

    def put(self, key: str, entry: Entry, now: float) -> None:
        self.drop(key)
        if entry.size * _LARGEST > self._most_bytes:
            return
        self._entries[key] = entry
        self.bytes += entry.size
        for tag in entry.tags:
            self._keys[tag].add(key)
        self._make_room(now)

    def drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.bytes -= entry.size
        for tag in entry.tags:
            keys = self._keys[tag]
            keys.discard(key)
            if not keys:
                del self._keys[tag]

    def drop_tagged(self, tags: Iterable[str]) -> int:
        """Drop all that shows any of these; how many they were."""
        keys = {key for tag in tags for key in self._keys.get(tag, ())}
        for key in keys:
            self.drop(key)
        return len(keys)

    def clear(self) -> int:
        count = len(self._entries)
        self._entries.clear()
        self._keys.clear()
        self.bytes = 0
        return count

    def _make_room(self, now: float) -> None:
        """Let go of what is too much, and of what has expired at the old end."""
        while self._entries:
            oldest = next(iter(self._entries))
            crowded = len(self._entries) > self._most_entries or self.bytes > self._most_bytes
            if not crowded and self._entries[oldest].expires_at > now:
                return
            self.drop(oldest)
