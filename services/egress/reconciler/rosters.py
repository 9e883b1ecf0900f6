"""Rosters: who was connected to a session's room when LiveKit was last asked, and who departed before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from shared.contracts.event import Event
from shared.contracts.reconciler_events import Departure, LiveKitRoomLost, RosterConnection, RosterObserved
from shared.errors import NotFound
from shared.persistence.mongo import ASCENDING, Duplicate, Index
from shared.persistence.repository import Repository

# How long a departure is repeated: longer than an event may be under way.
REPEATED_FOR = timedelta(minutes=10)
_KEPT = timedelta(days=2)


@dataclass(kw_only=True)
class Roster:
    """`run_at` is when a server was last seen to run the room, None for never."""

    id: str
    version: int = 1
    observed_at: datetime
    run_at: datetime | None = None
    connections: list[RosterConnection] = field(default_factory=list)
    departed: list[Departure] = field(default_factory=list)

    def observe(
        self,
        observed_at: datetime,
        room_sid: str,
        connections: Sequence[RosterConnection],
        gone: Mapping[str, datetime],
        *,
        running: bool,
    ) -> Sequence[Event]:
        """Take the roster of `observed_at`; an older one than this changes nothing.

        `gone` are connections that were expected and are not there: sid and when each was last seen.
        """
        if observed_at < self.observed_at:
            return []
        self.departed = self._departures(observed_at, connections, gone)
        self.connections = list(connections)
        self.observed_at = observed_at
        self.run_at = observed_at if running else self.run_at
        return [
            RosterObserved(
                session_id=self.id,
                room_sid=room_sid,
                observed_at=observed_at,
                connections=tuple(connections),
                departed=tuple(self.departed),
            )
        ]

    def _departures(
        self, observed_at: datetime, connections: Sequence[RosterConnection], gone: Mapping[str, datetime]
    ) -> list[Departure]:
        """Earlier ones that are not too long ago, and whoever is no longer on the roster or is `gone`."""
        connected = {one.participant_sid for one in connections}
        since = observed_at - REPEATED_FOR
        seen = dict(gone)
        for one in self.connections:
            seen[one.participant_sid] = max(self.observed_at, gone.get(one.participant_sid, self.observed_at))
        seen |= {one.participant_sid: one.last_seen_at for one in self.departed if one.last_seen_at >= since}
        return [
            Departure(participant_sid=sid, last_seen_at=moment)
            for sid, moment in seen.items()
            if sid not in connected
        ]

    def last_seen(self) -> dict[str, datetime]:
        """When each connection was last seen, by sid; those of longer ago are left out."""
        seen = {one.participant_sid: one.last_seen_at for one in self.departed}
        return seen | {one.participant_sid: self.observed_at for one in self.connections}

    def lose(self, now: datetime, last_seen_at: datetime) -> Sequence[Event]:
        """The room is lost; `last_seen_at` is when it was last seen alive, the rosters aside."""
        last_seen_at = max(last_seen_at, self.run_at) if self.run_at else last_seen_at
        return [LiveKitRoomLost(session_id=self.id, observed_at=now, last_seen_at=last_seen_at)]


class RosterRepository(Repository[Roster]):
    """The last roster of each session, stored with its event."""

    collection_name: ClassVar[str] = "rosters"
    noun: ClassVar[str] = "roster"
    entity = Roster
    indexes = (Index([("observed_at", ASCENDING)], expire_after_seconds=int(_KEPT.total_seconds())),)

    async def publish(
        self, session_id: str, at: datetime, decide: Callable[[Roster], Sequence[Event]]
    ) -> None:
        """Change the session's roster, an empty one if there is none yet, and publish the events."""
        try:
            await self.change(session_id, decide)
        except NotFound:
            roster = Roster(id=session_id, observed_at=at)
            try:
                await self.add(roster, decide(roster))
            except Duplicate:
                await self.change(session_id, decide)
