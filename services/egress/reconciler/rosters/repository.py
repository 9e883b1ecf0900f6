"""The rosters: the last one of each session, stored with the event that tells it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from services.egress.reconciler.rosters.domain import Roster
from shared.contracts.event import Event
from shared.errors import NotFound
from shared.persistence.mongo import ASCENDING, Duplicate, Index
from shared.persistence.repository import Repository

_KEPT = timedelta(days=2)


class RosterRepository(Repository[Roster]):
    collection_name: ClassVar[str] = "rosters"
    noun: ClassVar[str] = "roster"
    entity = Roster
    indexes = (Index([("observed_at", ASCENDING)], expire_after_seconds=int(_KEPT.total_seconds())),)

    async def tell(self, session_id: str, at: datetime, decide: Callable[[Roster], Sequence[Event]]) -> None:
        """Change the session's roster, an empty one where there is none yet, and tell the events."""
        try:
            await self.change(session_id, decide)
        except NotFound:
            roster = Roster(id=session_id, observed_at=at)
            try:
                await self.add(roster, decide(roster))
            except Duplicate:
                await self.change(session_id, decide)
