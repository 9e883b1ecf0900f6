"""The load generator's own record: what it requested, what was acknowledged, who was connected."""

from dataclasses import dataclass, field
from datetime import datetime

from tests.chaos.caller import Answer, Outcome


@dataclass
class RequestedChange:
    """Something asked for, once or several times under one name. `doubtful`: a try of it stayed unknown."""

    outcome: Outcome
    doubtful: bool

    @classmethod
    def of(cls, answer: Answer) -> "RequestedChange":
        return cls(answer.outcome, answer.doubtful)

    @property
    def done(self) -> bool:
        return self.outcome is Outcome.ACKNOWLEDGED

    @property
    def possible(self) -> bool:
        """Whether it may have happened."""
        return self.outcome is not Outcome.REFUSED or self.doubtful


@dataclass
class Edits:
    """A field written by one writer with 1, 2, 3 …; `last` is the number tried last, 0 for none."""

    last: int = 0
    acknowledged: int = 0
    doubtful: set[int] = field(default_factory=set)

    def note(self, answer: Answer) -> None:
        if answer.ok:
            self.acknowledged = self.last
        elif answer.outcome is Outcome.UNKNOWN or answer.doubtful:
            self.doubtful.add(self.last)

    def allowed(self) -> set[int]:
        """The newest acknowledged, or what was tried later with no clear answer."""
        return {self.acknowledged} | {number for number in self.doubtful if number > self.acknowledged}


@dataclass
class ConnectionEntry:
    """One connection as LiveKit would report it. Both webhooks are sent until they are acknowledged."""

    sid: str
    user_id: str
    joined_at: datetime
    host: bool = False
    left_at: datetime | None = None
    join_told: Outcome | None = None
    leave_told: Outcome | None = None


@dataclass
class SessionEntry:
    """A session; `start`, `end` and `delete` are None where nobody asked for it."""

    label: str
    create: RequestedChange
    id: str | None
    start: RequestedChange | None = None
    end: RequestedChange | None = None
    delete: RequestedChange | None = None
    limit: Edits = field(default_factory=Edits)
    connections: list[ConnectionEntry] = field(default_factory=list)
    joins_acknowledged: int = 0


@dataclass
class RoomEntry:
    label: str
    create: RequestedChange
    id: str | None
    description: Edits = field(default_factory=Edits)
    sessions: list[SessionEntry] = field(default_factory=list)


@dataclass
class ViewerEntry:
    label: str
    create: RequestedChange
    id: str | None


@dataclass
class Ledger:
    rooms: list[RoomEntry] = field(default_factory=list)
    viewers: list[ViewerEntry] = field(default_factory=list)

    @property
    def sessions(self) -> list[SessionEntry]:
        return [session for room in self.rooms for session in room.sessions]

    def counts(self) -> dict[str, int]:
        """How much was promised, by kind."""
        sessions = self.sessions
        connections = [one for session in sessions for one in session.connections]
        return {
            "rooms": sum(room.create.done for room in self.rooms),
            "edits of rooms": sum(room.description.acknowledged > 0 for room in self.rooms),
            "viewers": sum(viewer.create.done for viewer in self.viewers),
            "sessions": sum(session.create.done for session in sessions),
            "starts": sum(bool(session.start and session.start.done) for session in sessions),
            "ends": sum(bool(session.end and session.end.done) for session in sessions),
            "deletions": sum(bool(session.delete and session.delete.done) for session in sessions),
            "admissions": sum(session.joins_acknowledged for session in sessions),
            "connections told": sum(one.join_told is Outcome.ACKNOWLEDGED for one in connections),
            "departures told": sum(one.leave_told is Outcome.ACKNOWLEDGED for one in connections),
        }
