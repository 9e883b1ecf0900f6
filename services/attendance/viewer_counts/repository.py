"""The viewer counts: one aggregate a session, stored with the events of its changes."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from services.attendance.viewer_counts.domain import ViewerCount
from shared.contracts.event import Event
from shared.errors import NotFound
from shared.persistence.mongo import Duplicate
from shared.persistence.repository import Repository

Decision = Callable[[ViewerCount], Sequence[Event]]


class _Moved(Exception):
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

        def unmoved(count: ViewerCount) -> Sequence[Event]:
            if count.version != seen.version + 1:
                raise _Moved
            return decide(count)

        try:
            if seen.version == 0:
                # Stored only if there is something to publish: no count at all counts nobody.
                first = ViewerCount(seen.id, 1)
                if events := decide(first):
                    await self.add(first, events)
            else:
                await self.change(seen.id, unmoved)
        except (_Moved, Duplicate, NotFound):
            return False
        return True
