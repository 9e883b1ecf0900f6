"""The sessions to check, since they changed or once more; one worker at a time takes each."""

import asyncio


class DirtySessions:
    def __init__(self) -> None:
        self._marked: dict[str, int] = {}
        self._taken: set[str] = set()
        self._woken = asyncio.Event()

    def add(self, session_id: str, rechecks: int = 0) -> None:
        """It has changed, or, if not, has been checked `rechecks` times since."""
        self._marked[session_id] = min(rechecks, self._marked.get(session_id, rechecks))
        self._woken.set()

    def take(self) -> dict[str, int]:
        """Those that are marked and not in work, and how often they were checked since they changed.

        However often one was marked, it is one.
        """
        self._woken.clear()
        free = {one: rechecks for one, rechecks in self._marked.items() if one not in self._taken}
        for one in free:
            del self._marked[one]
        self._taken |= free.keys()
        return free

    def release(self, session_id: str) -> None:
        """Its work is done; if it was marked meanwhile it may be taken again."""
        self._taken.discard(session_id)
        if session_id in self._marked:
            self._woken.set()

    async def wait(self) -> None:
        await self._woken.wait()
