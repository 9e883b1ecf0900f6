"""A session's journal against the ledger: each event once, in order, and none without a cause."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from tests.chaos.api_reader import Api
from tests.chaos.caller import Outcome
from tests.chaos.ledger import RequestedChange, SessionEntry

NO_HOST_GRACE = 60.0
CREATED, STARTED, ENDED, DELETED = (
    f"session.{what}.v1" for what in ("created", "started", "ended", "deleted")
)
STATES = (CREATED, STARTED, "session.updated.v1", ENDED, DELETED)


async def journal_faults(api: Api, admin: str, entry: SessionEntry) -> list[str]:
    lines = await api.pages(f"/admin/sessions/{entry.id}/journal", "entries", admin)
    return [f"journal of {entry.id}: {fault}" for fault in find_faults(lines, entry)]


def find_faults(lines: Sequence[dict[str, Any]], entry: SessionEntry) -> Iterator[str]:
    times = Counter(line["name"] for line in lines)
    yield from _once(times, CREATED, entry.create)
    yield from _once(times, STARTED, entry.start)
    yield from _once(times, DELETED, entry.delete)
    if entry.end is not None and entry.end.done and times[ENDED] != 1:
        yield f"{ENDED} stands there {times[ENDED]} times"
    yield from _order(lines)
    yield from _by_itself(lines, entry)
    yield from _connections(lines, entry)


def _once(times: Counter[str], name: str, deed: RequestedChange | None) -> Iterator[str]:
    least, most = int(bool(deed and deed.done)), int(bool(deed and deed.possible))
    if not least <= times[name] <= most:
        yield f"{name} stands there {times[name]} times"


def _order(lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The states in the order of their versions, none twice; between sources it is the order of arrival."""
    states = [line for line in lines if line["name"] in STATES]
    versions = [line["data"]["session"]["version"] for line in states]
    if versions != sorted(set(versions)):
        yield f"its states have the versions {versions}"
    places = [STATES.index(line["name"]) for line in states if line["name"] != STATES[2]]
    if places != sorted(places):
        yield f"its states are {[line['name'] for line in states]}"


def _by_itself(lines: Sequence[dict[str, Any]], entry: SessionEntry) -> Iterator[str]:
    """A session that nobody asked to end may have ended only for want of a host, or of its room."""
    if entry.end is not None and entry.end.possible:
        return
    for line in lines:
        if line["name"] != ENDED:
            continue
        session = line["data"]["session"]
        lived = datetime.fromisoformat(session["ended_at"]) - datetime.fromisoformat(session["started_at"])
        reason = session["end_reason"]
        if reason == "host" or (reason == "no_host" and lived.total_seconds() < NO_HOST_GRACE):
            yield f"it ended by itself ({reason}) after {lived.total_seconds():.0f} s"


def _connections(lines: Sequence[dict[str, Any]], entry: SessionEntry) -> Iterator[str]:
    told = Counter(
        (line["name"], line["data"]["connection"]["participant_sid"])
        for line in lines
        if line["name"] in {"participant.joined.v1", "participant.left.v1"}
    )
    for one in entry.connections:
        for name, outcome in (("joined", one.join_told), ("left", one.leave_told)):
            times = told[f"participant.{name}.v1", one.sid]
            if times > 1 or (outcome is Outcome.ACKNOWLEDGED and not times):
                yield f"{one.sid} {name} stands there {times} times"
