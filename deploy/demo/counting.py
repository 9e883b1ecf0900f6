"""The live counts of a session as the API gives them, looked at again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from deploy.demo.api import MemberApi
from deploy.demo.models import ActiveViewers, Session
from deploy.demo.show import Show, Step
from deploy.demo.waiting import eventually

COUNT_SECONDS = 15.0
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Counts:
    session: Session
    viewers: ActiveViewers

    def __str__(self) -> str:
        names = ", ".join(viewer.username for viewer in self.viewers.viewers)
        return (
            f"{self.session.viewer_count} watching, {self.session.max_viewers} at most: {names or 'nobody'}"
        )


class Counting:
    """`most_shown` is the highest count ever seen, in the session or in the list of viewers."""

    def __init__(self, api: MemberApi, session_id: str, show: Show) -> None:
        self.most_shown = 0
        self._api = api
        self._session_id = session_id
        self._show = show

    async def look(self) -> Counts:
        """What `GET /sessions/{id}` and `GET /sessions/{id}/viewers` say now."""
        session, viewers = await asyncio.gather(
            self._api.session(self._session_id), self._api.viewers(self._session_id)
        )
        self.most_shown = max(self.most_shown, session.viewer_count, viewers.total)
        counts = Counts(session, viewers)
        self._show.counts(str(counts))
        return counts

    async def until(self, people: Collection[str]) -> None:
        """Wait until exactly these people, by user id, are counted and listed. Raises DemoFailed."""
        await eventually(
            self.look,
            lambda counts: (
                counts.session.viewer_count == counts.viewers.total == len(people)
                and {viewer.user_id for viewer in counts.viewers.viewers} == set(people)
            ),
            within=COUNT_SECONDS,
            otherwise=lambda counts: f"{len(people)} people should be counted, but the API says {counts}",
        )

    async def watch(self, seconds: float, step: Step, check: Callable[[], None]) -> None:
        """Let time pass while looking; `check` raises where something else went wrong meanwhile."""
        loop = asyncio.get_running_loop()
        last, end = loop.time(), loop.time() + seconds
        while last < end:
            await self.look()
            check()
            await asyncio.sleep(min(LOOK_SECONDS, max(0.0, end - loop.time())))
            step.advance(min(end, loop.time()) - last)
            last = loop.time()
