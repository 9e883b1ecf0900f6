"""Checks of a session after an outage of LiveKit: one sentence for each fault."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.media.live_sessions import LiveSession, Person, WhoReturns
from tests.chaos.media.observation import Observation

# The reconciler's period: no proof of life is older. Nobody lived on after the outage.
PERIOD = timedelta(seconds=10)
CLOCKS = timedelta(seconds=1)


@dataclass(frozen=True)
class Outage:
    """When LiveKit was killed, and people's connections (sid by name) before, and after of who returned."""

    at: datetime
    before: Mapping[str, str]
    after: Mapping[str, str]

    def fits(self, moment: str | None) -> bool:
        """Whether it is the last proof of life of what ended with LiveKit."""
        return moment is not None and -PERIOD <= datetime.fromisoformat(moment) - self.at <= CLOCKS


def faults(live: LiveSession, observed: Observation, outage: Outage) -> list[str]:
    if live.streamed:
        of_session = [
            *_goes_on(live, observed, outage),
            *_streamed(observed),
            *_people_missed(live, observed, outage),
        ]
    elif live.who_returns is WhoReturns.GONE:
        of_session = [*_ended(observed, outage), *_ledger(live, observed, outage)]
    else:
        of_session = [*_goes_on(live, observed, outage), *_ledger(live, observed, outage)]
    viewers = (fault for viewer in live.viewers for fault in _viewer(live, viewer, observed, outage))
    found = [*of_session, *viewers]
    return [f"{live.who_returns}, {live.session_id}: {fault}" for fault in found]


def _ended(observed: Observation, outage: Outage) -> Iterator[str]:
    session = observed.session
    if session["status"] != "ended" or not outage.fits(session["ended_at"]):
        yield f"{session['status']}, ended at {session['ended_at']}; LiveKit died at {outage.at}"
    if [(one["end_reason"], one["end_estimated"]) for one in observed.endings] != [("room_lost", True)]:
        yield f"the journal's endings are {observed.endings}"
    if observed.listed is not None:
        yield f"its room is still there, with {observed.listed}"
    if (observed.watching, session["viewer_count"]) != (0, 0):
        yield f"{observed.watching} are watching, {session['viewer_count']} counted"


def _goes_on(live: LiveSession, observed: Observation, outage: Outage) -> Iterator[str]:
    if observed.session["status"] != "live":
        yield f"it is {observed.session['status']}"
    there = {outage.after.get(person.name, "nobody") for person in live.returning}
    if (observed.listed or set()) != there:
        yield f"LiveKit lists {observed.listed}, not {there}"
    viewers = sum(person in live.viewers for person in live.returning)
    if (observed.watching, observed.session["viewer_count"]) != (viewers, viewers):
        yield f"{observed.watching} are watching, {observed.session['viewer_count']} counted, not {viewers}"


def _streamed(observed: Observation) -> Iterator[str]:
    """The recorder comes back by itself, and with it the room: there is time for the host to do so, too."""
    if (observed.stream, observed.recordings) != ("active", ["recording"]):
        yield f"its stream is {observed.stream}, its recordings are {observed.recordings}"


def _viewer(live: LiveSession, viewer: Person, observed: Observation, outage: Outage) -> Iterator[str]:
    row = observed.rows.get(viewer.user_id)
    back = viewer in live.returning
    if row is None:
        yield f"{viewer.name} is not among those who attended"
    elif row["join_count"] != (2 if back else 1):
        yield f"{viewer.name} joined {row['join_count']} times"
    elif back and row["left_at"] is not None:
        yield f"{viewer.name} is back, and has left at {row['left_at']}"
    elif not back and not outage.fits(row["left_at"]):
        yield f"{viewer.name} left at {row['left_at']}; LiveKit died at {outage.at}"


def _ledger(live: LiveSession, observed: Observation, outage: Outage) -> Iterator[str]:
    yield from _entries(
        "missed_leave", {outage.before[person.name] for person in live.people}, observed, outage
    )
    yield from _entries("room_lost", {""} if live.who_returns is WhoReturns.GONE else set(), observed, outage)
    ghosts = set(live.people) - set(live.returning) if live.who_returns is WhoReturns.HOST_BACK else set()
    dropped = observed.repaired("ghost").keys()
    if dropped != {outage.before[person.name] for person in ghosts}:
        yield f"ghosts taken off LiveKit's list: {dropped}"


def _people_missed(live: LiveSession, observed: Observation, outage: Outage) -> Iterator[str]:
    """The ledger has everybody; what else it has is of the recorder."""
    missing = {outage.before[person.name] for person in live.people} - observed.repaired(
        "missed_leave"
    ).keys()
    if missing:
        yield f"missed_leave is not in the ledger of {missing}"


def _entries(kind: str, wanted: set[str], observed: Observation, outage: Outage) -> Iterator[str]:
    found = observed.repaired(kind)
    if len(found) != sum(one["kind"] == kind for one in observed.drift):
        yield f"{kind} in the ledger twice"
    if found.keys() != wanted:
        yield f"{kind} in the ledger of {set(found)}, not of {wanted}"
    yield from (
        _entry(one) for one in found.values() if not (one["estimated"] and outage.fits(one["last_seen_at"]))
    )


def _entry(one: Mapping[str, Any]) -> str:
    return (
        f"{one['kind']} in the ledger, last observed at {one['last_seen_at']}, estimated: {one['estimated']}"
    )
