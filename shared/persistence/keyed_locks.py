"""Taking turns at something: one after the other for each key, in the order they came."""

import asyncio
from weakref import WeakValueDictionary


class KeyedLocks:
    """Within this process; a key that nobody waits for is forgotten."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: str) -> asyncio.Lock:
        """To be held while it is one's turn."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    def taken(self, key: str) -> bool:
        """Whether it is somebody's turn now."""
        lock = self._locks.get(key)
        return lock is not None and lock.locked()
