"""What explanations are made of, and how they are told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.session.journal.domain import JournalEntry
from services.session.sessions.domain.session import Limits, Session
from services.session.timeline.words import person
from shared.contracts.event import Event
from shared.contracts.states import SessionState


@dataclass(frozen=True, kw_only=True)
class Facts:
    """`session` is None if it was deleted, `state` its last known state. `entries` are those of its journal
    that tell of it, the earliest first, `host_left` the last leave of a host, `names` those of users, by id.

    `problems` are what the egress service finds wrong with the stream now; None if it does not answer.
    """

    session: Session | None
    state: SessionState
    entries: Sequence[JournalEntry]
    host_left: JournalEntry | None
    names: Mapping[str, str]
    problems: Sequence[str] | None
    limits: Limits
    now: datetime

    def last(self, *events: type[Event]) -> JournalEntry | None:
        """The last entry with one of these names."""
        return next((one for one in reversed(self.entries) if one.name in _names(events)), None)

    def all(self, *events: type[Event]) -> list[JournalEntry]:
        return [one for one in self.entries if one.name in _names(events)]

    def caller(self, entry: JournalEntry | None) -> str | None:
        """Who called what, if a call caused the entry directly."""
        if entry is None or entry.actor is None:
            return None
        kind, _, id_ = entry.actor.partition(":")
        who = f"API key {id_}" if kind == "key" else self.names.get(id_, f"user {id_}")
        return f"{who} with {entry.operation}"


def _names(events: Sequence[type[Event]]) -> frozenset[str]:
    return frozenset(event.name for event in events)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What is so and why. `reason` is a word for programs, `by` the call that did it.

    `details` are further sentences: what was found, what would change it. `estimated`: `at` is not exact.
    """

    subject: str
    status: str
    reason: str | None = None
    at: datetime | None = None
    estimated: bool = False
    by: str | None = None
    text: str
    details: Sequence[str] = field(default_factory=tuple)


def at_time(moment: datetime | str | None) -> str:
    """A time in UTC, to the second; of an event's JSON, too."""
    if moment is None:
        return "an unknown time"
    given = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{given.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def for_long(passed: timedelta) -> str:
    seconds = round(passed.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds / 3600:g} h"


def left(entry: JournalEntry) -> str:
    """Somebody's leave: who, when, why, as LiveKit reported it."""
    reason = entry.data.get("reason")
    why = f" ({reason})" if reason else ""
    return f"{person(entry.data['connection'])} left at {at_time(entry.data['occurred_at'])}{why}"
