"""The live counts of a session as the API gives them, read repeatedly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from deploy.demo.api import MemberApi, SessionData, ViewersData
from deploy.demo.progress import ProgressDisplay, ProgressStep
from deploy.demo.waiting import eventually

READ_SECONDS = 0.5


@dataclass(frozen=True)
class Counts:
    session: SessionData
    viewers: ViewersData

    def __str__(self) -> str:
        names = ", ".join(viewer.username for viewer in self.viewers.viewers)
        return (
            f"{self.session.viewer_count} watching, {self.session.max_viewers} at most: {names or 'nobody'}"
        )


class ViewerCounts:
    """`highest` is the highest count ever seen, in the session or in the list of viewers."""

    def __init__(self, api: MemberApi, session_id: str, display: ProgressDisplay) -> None:
        self.highest = 0
        self._api = api
        self._session_id = session_id
        self._display = display

    async def read(self) -> Counts:
        """The answers of `GET /sessions/{id}` and `GET /sessions/{id}/viewers` now."""
        session, viewers = await asyncio.gather(
            self._api.session(self._session_id), self._api.viewers(self._session_id)
        )
        self.highest = max(self.highest, session.viewer_count, viewers.total)
        counts = Counts(session, viewers)
        self._display.counts(str(counts))
        return counts

    async def until(self, people: Collection[str]) -> None:
        """Wait until exactly these people, by user id, are counted and listed. Raises DemoFailed."""
        await eventually(
            self.read,
            lambda counts: (
                counts.session.viewer_count == counts.viewers.total == len(people)
                and {viewer.user_id for viewer in counts.viewers.viewers} == set(people)
            ),
            otherwise=lambda counts: f"{len(people)} people should be counted, but the API says {counts}",
        )

    async def watch(self, seconds: float, step: ProgressStep, check: Callable[[], None]) -> None:
        """Read the counts for a while; `check` raises if something else went wrong meanwhile."""
        loop = asyncio.get_running_loop()
        last, end = loop.time(), loop.time() + seconds
        while last < end:
            await self.read()
            check()
            await asyncio.sleep(min(READ_SECONDS, max(0.0, end - loop.time())))
            step.advance(min(end, loop.time()) - last)
            last = loop.time()
