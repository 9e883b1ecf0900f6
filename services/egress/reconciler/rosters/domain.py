"""The roster of a session's room, and what became of those who were on the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.contracts.event import Event
from shared.contracts.roster_events import Departure, LiveKitRoomLost, RosterConnection, RosterObserved

# How long a departure is repeated: longer than an event may be under way.
REPEATED_FOR = timedelta(minutes=10)


@dataclass(kw_only=True)
class Roster:
    """`run_at` is the last time that a server was seen to run the room, None for never."""

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
        run: bool,
    ) -> Sequence[Event]:
        """Take the roster of `observed_at`; an older one than this changes nothing.

        `gone` are connections that were believed to be there and are not: sid and last proof of life.
        """
        if observed_at < self.observed_at:
            return []
        self.departed = self._departures(observed_at, connections, gone)
        self.connections = list(connections)
        self.observed_at = observed_at
        self.run_at = observed_at if run else self.run_at
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
        """Those of before that are not too long ago, and those who are on the roster no more or `gone`."""
        there = {one.participant_sid for one in connections}
        since = observed_at - REPEATED_FOR
        seen = dict(gone)
        for one in self.connections:
            seen[one.participant_sid] = max(self.observed_at, gone.get(one.participant_sid, self.observed_at))
        seen |= {one.participant_sid: one.last_seen_at for one in self.departed if one.last_seen_at >= since}
        return [
            Departure(participant_sid=sid, last_seen_at=moment)
            for sid, moment in seen.items()
            if sid not in there
        ]

    def proofs(self) -> dict[str, datetime]:
        """When each connection was last seen, by sid; those of longer ago are left out."""
        seen = {one.participant_sid: one.last_seen_at for one in self.departed}
        return seen | {one.participant_sid: self.observed_at for one in self.connections}

    def lose(self, now: datetime, proof: datetime) -> Sequence[Event]:
        """Tell that the room is lost; `proof` is a proof of life beside the rosters'."""
        last_seen_at = max(proof, self.run_at) if self.run_at else proof
        return [LiveKitRoomLost(session_id=self.id, observed_at=now, last_seen_at=last_seen_at)]
