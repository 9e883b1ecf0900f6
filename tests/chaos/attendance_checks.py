"""Compares the attendance that follows from the ledger's connections with the API's."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.api_reader import Api
from tests.chaos.caller import Outcome
from tests.chaos.ledger import ConnectionEntry, SessionEntry

_MILLISECOND = timedelta(milliseconds=1)
Span = tuple[datetime, datetime | None]


async def attendance_faults(
    api: Api, token: str, entry: SessionEntry, session: dict[str, Any] | None
) -> list[str]:
    """`session` as the API shows it now; None for a deleted one, which has no attendance."""
    path = f"/sessions/{entry.id}/attendance"
    if session is None:
        gone = await api.get(path, token) is None
        return [] if gone else [f"the attendance of {entry.id} outlived it"]
    spans = spans_by_person(entry.connections, session["ended_at"])
    rows = await api.pages(path, "attendance", token)
    stats = await api.get(f"{path}/stats", token)
    found = list(row_faults(rows, spans))
    if stats is None or stats["total_attendees"] != len(spans):
        found.append(f"stats {stats}, not {len(spans)} attendees")
    elif session["ended_at"] and stats["peak_viewers"] != peak(spans):
        found.append(f"a peak of {stats['peak_viewers']}, not {peak(spans)}")
    return [f"attendance of {entry.id}: {fault}" for fault in found]


def spans_by_person(connections: Sequence[ConnectionEntry], ended_at: str | None) -> dict[str, list[Span]]:
    """Each viewer's stays, cut off at the session's end; who came after it was no viewer."""
    end = datetime.fromisoformat(ended_at) if ended_at else None
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for one in connections:
        told = one.join_told is Outcome.ACKNOWLEDGED or one.leave_told is Outcome.ACKNOWLEDGED
        if one.host or not told or (end is not None and one.joined_at >= end):
            continue
        ends = [moment for moment in (one.left_at, end) if moment is not None]
        spans[one.user_id].append((one.joined_at, max(min(ends), one.joined_at) if ends else None))
    return dict(spans)


def row_faults(rows: Sequence[dict[str, Any]], spans: dict[str, list[Span]]) -> Iterator[str]:
    listed = [row["user_id"] for row in rows]
    if sorted(listed) != sorted(spans):
        missing, more = sorted(spans.keys() - set(listed)), sorted(set(listed) - spans.keys())
        yield f"{len(listed)} people, not {len(spans)}; missing {missing}, too many {more}"
    for row in rows:
        mine = spans.get(row["user_id"], [])
        if mine and row["join_count"] != len(mine):
            yield f"{row['user_id']} joined {row['join_count']} times, not {len(mine)}"
        watched = _watched_seconds(mine)
        if watched is not None and row["watch_duration"] != watched:
            yield f"{row['user_id']} watched {row['watch_duration']} s, not {watched}"


def _watched_seconds(spans: Sequence[Span]) -> int | None:
    """Whole seconds of the time covered; None while somebody is there."""
    covered, until = timedelta(), None
    for start, end in sorted(spans, key=lambda span: span[0]):
        if end is None:
            return None
        begin = start if until is None or start > until else until
        covered += max(end - begin, timedelta())
        until = end if until is None else max(until, end)
    return covered // _MILLISECOND // 1000


def peak(spans: dict[str, list[Span]]) -> int:
    """The most people at once, looked at whenever somebody came."""
    arrivals = [start for mine in spans.values() for start, _ in mine]
    return max((sum(_there(mine, moment) for mine in spans.values()) for moment in arrivals), default=0)


def _there(spans: Sequence[Span], moment: datetime) -> bool:
    return any(start <= moment and (end is None or moment < end) for start, end in spans)
