"""Compares the ledger with the API: every acknowledged change is there, nothing was done twice."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.chaos.api_reader import Api
from tests.chaos.attendance_checks import attendance_faults
from tests.chaos.journal_checks import journal_faults
from tests.chaos.ledger import Ledger, RequestedChange, RoomEntry, SessionEntry
from tests.chaos.load import Account, Tenant

Listed = defaultdict[str, list[dict[str, Any]]]


async def find_faults(api: Api, tenant: Tenant, ledger: Ledger) -> list[str]:
    """Everything that is not as the ledger says; empty where all is right. Raises Unreadable."""
    found: list[str] = []
    labels = {room.label for room in ledger.rooms}
    rooms: Listed = defaultdict(list)
    for account in tenant.accounts:
        for room in await api.pages("/rooms/my", "rooms", account.token):
            rooms[room["title"]].append(room)
            if room["title"] in labels:
                entry = next(entry for entry in ledger.rooms if entry.label == room["title"])
                found += await _sessions_of(api, tenant, account, room["id"], entry)
    for entry in ledger.rooms:
        found += room_faults(entry, rooms[entry.label])
    return found + await _viewer_faults(api, tenant, ledger)


async def _sessions_of(
    api: Api, tenant: Tenant, account: Account, room_id: str, room: RoomEntry
) -> list[str]:
    sessions: Listed = defaultdict(list)
    for session in await api.pages(f"/rooms/{room_id}/sessions", "sessions", account.token):
        sessions[session["title"]].append(session)
    found = list(overlaps([one for same in sessions.values() for one in same]))
    for entry in room.sessions:
        found += session_faults(entry, sessions[entry.label])
        if entry.id is not None:
            state = sessions[entry.label][0] if sessions[entry.label] else None
            found += await journal_faults(api, tenant.admin, entry)
            found += await attendance_faults(api, account.token, entry, state)
    return found


async def _viewer_faults(api: Api, tenant: Tenant, ledger: Ledger) -> list[str]:
    """Display names are unique to a registration, so more than one person of a name is one too many."""
    people = Counter(user["username"] for user in await api.pages("/admin/users", "users", tenant.admin))
    return [
        fault
        for viewer in ledger.viewers
        for fault in counted(viewer.label, viewer.create, people[viewer.label])
    ]


def counted(label: str, create: RequestedChange, times: int) -> Iterator[str]:
    """One thing for one key: exactly where acknowledged, at most where unknown, none where refused."""
    if times > 1:
        yield f"{label} is there {times} times"
    if create.done and not times:
        yield f"{label} was acknowledged and is not there"
    if times and not create.possible:
        yield f"{label} was refused and is there"


def room_faults(entry: RoomEntry, rooms: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from counted(entry.label, entry.create, len(rooms))
    for room in rooms[:1]:
        if entry.id not in {None, room["id"]}:
            yield f"{entry.label} has another id than was acknowledged"
        if int(room["description"] or 0) not in entry.description.allowed():
            wanted = sorted(entry.description.allowed())
            yield f"{entry.label} has the edit {room['description']}, not one of {wanted}"


def session_faults(entry: SessionEntry, sessions: Sequence[dict[str, Any]]) -> Iterator[str]:
    gone = entry.delete is not None and entry.delete.done
    if gone and sessions:
        yield f"{entry.label} was deleted and is there"
    if entry.delete is None or not entry.delete.possible:
        yield from counted(entry.label, entry.create, len(sessions))
    for session in sessions[:1]:
        if entry.id not in {None, session["id"]}:
            yield f"{entry.label} has another id than was acknowledged"
        if session["status"] not in allowed_states(entry):
            wanted = sorted(allowed_states(entry))
            yield f"{entry.label} ({session['id']}) is {session['status']}, not one of {wanted}"
        limit = session["max_join_limit_override"] or 0
        if limit not in entry.limit.allowed():
            yield f"{entry.label} has the edit {limit}, not one of {sorted(entry.limit.allowed())}"


def allowed_states(entry: SessionEntry) -> set[str]:
    """What the session may be: as acknowledged, or one step on where a call stayed unknown."""
    if entry.end is not None and entry.end.done:
        return {"ended"}
    states = {"live"} if entry.start and entry.start.possible else set()
    if entry.start is None or not entry.start.done:
        states.add("scheduled")
    if "live" in states:
        states.add("ended")  # by a call of unknown outcome or by itself; the journal tells which
    return states


def overlaps(sessions: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A room has one live session at a time."""
    lived = [one for one in sessions if one["started_at"]]
    lived.sort(key=lambda one: datetime.fromisoformat(one["started_at"]))
    for first, second in pairwise(lived):
        ended = first["ended_at"]
        if ended is None or datetime.fromisoformat(ended) > datetime.fromisoformat(second["started_at"]):
            yield f"the sessions {first['id']} and {second['id']} of one room were live at once"
