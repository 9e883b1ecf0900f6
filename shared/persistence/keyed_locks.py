"""A lock for each key, handed over in the order it was asked for."""

import asyncio
from weakref import WeakValueDictionary


class KeyedLocks:
    """Within this process; a key that nobody waits for is forgotten."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: str) -> asyncio.Lock:
        """The lock of this key."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    def taken(self, key: str) -> bool:
        """Whether somebody holds the lock of this key."""
        lock = self._locks.get(key)
        return lock is not None and lock.locked()
