"""The sessions that changed and were not looked at since; each is taken by one worker at a time."""

import asyncio


class Marks:
    def __init__(self) -> None:
        self._marked: set[str] = set()
        self._taken: set[str] = set()
        self._woken = asyncio.Event()

    def add(self, session_id: str) -> None:
        self._marked.add(session_id)
        self._woken.set()

    def take(self) -> list[str]:
        """Those that are marked and not in work; however often one was marked, it is one."""
        self._woken.clear()
        free = sorted(self._marked - self._taken)
        self._marked -= set(free)
        self._taken |= set(free)
        return free

    def release(self, session_id: str) -> None:
        """Its work is done; where it was marked meanwhile it may be taken again."""
        self._taken.discard(session_id)
        if session_id in self._marked:
            self._woken.set()

    async def wait(self) -> None:
        await self._woken.wait()
