"""The viewer counts: one aggregate a session, stored with the events of its changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from shared.contracts.attendance_events import ViewersCounted
from shared.contracts.event import Event
from shared.errors import NotFound
from shared.persistence.mongo import Duplicate
from shared.persistence.repository import Repository


@dataclass
class ViewerCount:
    """The numbers of one session as last published."""

    id: str
    version: int
    viewer_count: int = 0
    max_viewers: int = 0

    def count(self, viewers: int) -> list[Event]:
        """While the session goes on: so many are there now."""
        return self._set_counts(viewers, max(self.max_viewers, viewers))

    def finalize(self, most: int) -> list[Event]:
        """After the session: nobody is there, and `most` is the peak."""
        return self._set_counts(0, most)

    def _set_counts(self, viewers: int, most: int) -> list[Event]:
        if (self.viewer_count, self.max_viewers) == (viewers, most):
            return []
        self.viewer_count, self.max_viewers = viewers, most
        counted = ViewersCounted(
            session_id=self.id, version=self.version, viewer_count=viewers, max_viewers=most
        )
        return [counted]


Decision = Callable[[ViewerCount], Sequence[Event]]


class _ConcurrentChange(Exception):
    """Somebody else saved the count since it was read."""


class ViewerCountRepository(Repository[ViewerCount]):
    collection_name: ClassVar[str] = "audiences"
    noun: ClassVar[str] = "audience"
    entity = ViewerCount

    async def seen(self, session_id: str) -> ViewerCount:
        """The count as stored, version 0 if there is none yet."""
        return await self.find(session_id) or ViewerCount(session_id, 0)

    async def save(self, seen: ViewerCount, decide: Decision) -> bool:
        """Apply `decide` to the count as it was seen; False if it was saved by others since."""

        def if_unchanged(count: ViewerCount) -> Sequence[Event]:
            if count.version != seen.version + 1:
                raise _ConcurrentChange
            return decide(count)

        try:
            if seen.version == 0:
                # Stored only if there is something to publish: no count at all counts nobody.
                first = ViewerCount(seen.id, 1)
                if events := decide(first):
                    await self.add(first, events)
            else:
                await self.change(seen.id, if_unchanged)
        except (_ConcurrentChange, Duplicate, NotFound):
            return False
        return True
