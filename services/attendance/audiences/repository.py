"""The audiences: one aggregate a session, stored with the events that tell of its changes."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from services.attendance.audiences.domain import Audience
from shared.contracts.event import Event
from shared.errors import NotFound
from shared.persistence.mongo import Duplicate
from shared.persistence.repository import Repository

Decision = Callable[[Audience], Sequence[Event]]


class _Moved(Exception):
    """Somebody else saved the audience since it was read."""


class AudienceRepository(Repository[Audience]):
    collection_name: ClassVar[str] = "audiences"
    noun: ClassVar[str] = "audience"
    entity = Audience

    async def seen(self, session_id: str) -> Audience:
        """The audience as stored, version 0 where there is none yet."""
        return await self.find(session_id) or Audience(session_id, 0)

    async def save(self, seen: Audience, decide: Decision) -> bool:
        """Apply `decide` to the audience as it was seen; False where it has moved on since."""

        def unmoved(audience: Audience) -> Sequence[Event]:
            if audience.version != seen.version + 1:
                raise _Moved
            return decide(audience)

        try:
            if seen.version == 0:
                await self._found(seen.id, decide)
            else:
                await self.change(seen.id, unmoved)
        except (_Moved, Duplicate, NotFound):
            return False
        return True

    async def _found(self, session_id: str, decide: Decision) -> None:
        """Store the first version, unless there is nothing to tell: no audience at all counts nobody."""
        audience = Audience(session_id, 1)
        events = decide(audience)
        if events:
            await self.add(audience, events)

    async def forget(self, session_id: str) -> None:
        """Delete it without an event: nobody asks for the numbers of a deleted session."""
        await self.collection.delete_many({"_id": session_id})
