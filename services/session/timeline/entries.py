"""A session's timeline: its journal in the order of time, with causes, latencies and gaps. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.session.journal.domain import EntryKind, JournalEntry
from services.session.journal.period import KEPT
from services.session.timeline.words import describe
from shared.contracts.livekit_events import LiveKitRoomStarted
from shared.contracts.session_events import SessionCreated
from shared.contracts.stream_and_recording_events import RecordingChanged, StreamChanged

# Later than that is a gap: somebody or something was away.
_LATE: Final = timedelta(seconds=5)
_QUIET: Final = timedelta(minutes=1)
# What a call or webhook causes, it causes within this time.
CAUSED_WITHIN: Final = timedelta(minutes=1)


class GapName(StrEnum):
    """`expired`: earlier entries are no longer kept. `quiet`: nothing happened. `webhook_late`: LiveKit
    reported it late. `webhook_lost`: no webhook reported it. `journal_late`: it waited for the broker.
    """

    EXPIRED = "expired"
    QUIET = "quiet"
    WEBHOOK_LATE = "webhook_late"
    WEBHOOK_LOST = "webhook_lost"
    JOURNAL_LATE = "journal_late"


# Repairs of what a webhook should have reported.
_LOST_WEBHOOKS: Final = frozenset(
    {"missed_join", "missed_leave", "room_lost", "egress", "ingress", "ingress_lost"}
)


@dataclass(frozen=True)
class TimelineGap:
    """Between two times nothing is known, or nothing was: what it is, and why in plain words."""

    name: GapName
    since: datetime | None
    until: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class Cause:
    """The call or webhook that an entry is an effect of; `milliseconds` passed since."""

    id: str
    what: str
    milliseconds: int


@dataclass(frozen=True, kw_only=True)
class Latencies:
    """In milliseconds; None if there is no such way, or an earlier release stored the entry."""

    arrival: int | None = None
    journal: int | None = None
    egress_start: int | None = None
    first_segment: int | None = None


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """`occurred_at` is LiveKit's own time of what it reported, or when what is gone was last seen.

    `estimated`: this time, or the times that follow from the entry, are not exact.
    """

    entry: JournalEntry
    text: str
    occurred_at: datetime | None
    estimated: bool
    cause: Cause | None
    latencies: Latencies
    gaps: Sequence[TimelineGap]


def timeline(
    entries: Sequence[JournalEntry],
    causes: Mapping[str, JournalEntry],
    before: JournalEntry | None,
    names: Mapping[str, str],
    *,
    whole: bool,
) -> list[TimelineEntry]:
    """The entries of one page; `before` is the one before them, `causes` are by request id, `names` of users.

    `whole`: nothing is filtered out between them, so that a pause is one.
    """
    missing = _expired(entries) if whole and before is None else []
    found = []
    for entry in entries:
        found.append(
            TimelineEntry(
                entry=entry,
                text=describe(entry, names),
                occurred_at=_occurred_at(entry),
                estimated=_is_estimated(entry),
                cause=_cause(entry, causes),
                latencies=_latencies(entry),
                gaps=[*missing, *_pause(entry, before if whole else None), *_late(entry)],
            )
        )
        before, missing = entry, []
    return found


def _occurred_at(entry: JournalEntry) -> datetime | None:
    at = {
        EntryKind.WEBHOOK: entry.data.get("occurred_at"),
        EntryKind.REPAIR: entry.data.get("last_seen_at"),
    }.get(entry.kind)
    return datetime.fromisoformat(at) if at else None


def _reported_at(entry: JournalEntry) -> datetime | None:
    """When a webhook should have come. A room keeps its time when another server opens it again."""
    is_report = entry.kind is EntryKind.WEBHOOK and entry.name != LiveKitRoomStarted.name
    return _occurred_at(entry) if is_report else None


def _is_estimated(entry: JournalEntry) -> bool:
    if entry.kind is EntryKind.REPAIR:
        return bool(entry.data.get("estimated"))
    return bool((entry.data.get("session") or {}).get("end_estimated"))


def _cause(entry: JournalEntry, causes: Mapping[str, JournalEntry]) -> Cause | None:
    """What is caused has the request id of its cause; a call's own entries are no effects of it."""
    first = causes.get(entry.request_id or "")
    if first is None or first.id == entry.id or entry.kind in {EntryKind.WEBHOOK, EntryKind.COMMAND}:
        return None
    what = first.operation or first.name
    return Cause(id=first.place, what=what, milliseconds=_ms(entry.at - first.at))


def _latencies(entry: JournalEntry) -> Latencies:
    occurred_at = _reported_at(entry)
    start, segment = _of_egress(entry)
    return Latencies(
        arrival=None if occurred_at is None else _ms(entry.at - occurred_at),
        journal=None if entry.recorded_at is None else _ms(entry.recorded_at - entry.at),
        egress_start=start,
        first_segment=segment,
    )


def _of_egress(entry: JournalEntry) -> tuple[int | None, int | None]:
    """From planning an egress to its start and, of a stream, to its first segment."""
    if entry.name == StreamChanged.name and entry.data["stream"]["status"] == "active":
        stream = entry.data["stream"]
        return (
            _between(stream.get("planned_at"), stream.get("started_at")),
            _between(stream.get("planned_at"), stream.get("playable_at")),
        )
    if entry.name == RecordingChanged.name and entry.data["recording"]["status"] == "completed":
        recording = entry.data["recording"]
        return _between(recording["created_at"], recording.get("started_at")), None
    return None, None


def _between(since: str | None, until: str | None) -> int | None:
    if since is None or until is None:
        return None
    return _ms(datetime.fromisoformat(until) - datetime.fromisoformat(since))


def _ms(passed: timedelta) -> int:
    """Clocks of several machines may differ: nothing takes less than no time."""
    return max(0, passed // timedelta(milliseconds=1))


def _expired(first: Sequence[JournalEntry]) -> Sequence[TimelineGap]:
    """The gap before the first entries there are, unless the session was created among them.

    Clocks of several machines differ: what happened first need not be the first here.
    """
    if not first or any(entry.name == SessionCreated.name for entry in first):
        return []
    text = f"Earlier entries are no longer kept: they stay for {KEPT.days} days"
    return [TimelineGap(GapName.EXPIRED, None, first[0].at, text)]


def _pause(entry: JournalEntry, before: JournalEntry | None) -> Iterator[TimelineGap]:
    if before is not None and entry.at - before.at >= _QUIET:
        text = f"Nothing happened for {_seconds(entry.at - before.at)}"
        yield TimelineGap(GapName.QUIET, before.at, entry.at, text)


def _late(entry: JournalEntry) -> Iterator[TimelineGap]:
    reported_at = _reported_at(entry)
    if reported_at is not None and entry.at - reported_at >= _LATE:
        text = f"LiveKit's webhook came {_seconds(entry.at - reported_at)} late"
        yield TimelineGap(GapName.WEBHOOK_LATE, reported_at, entry.at, text)
    if entry.kind is EntryKind.REPAIR and entry.data["kind"] in _LOST_WEBHOOKS:
        text = f"No webhook reported it ({entry.data['kind']}): found by asking LiveKit"
        yield TimelineGap(GapName.WEBHOOK_LOST, _occurred_at(entry), entry.at, text)
    if entry.recorded_at is not None and entry.recorded_at - entry.at >= _LATE:
        text = f"It waited {_seconds(entry.recorded_at - entry.at)} for RabbitMQ or the session service"
        yield TimelineGap(GapName.JOURNAL_LATE, entry.at, entry.recorded_at, text)


def _seconds(passed: timedelta) -> str:
    seconds = round(passed.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min {seconds % 60} s"
