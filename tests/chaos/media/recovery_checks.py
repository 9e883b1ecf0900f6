"""What has to be right of a session after LiveKit died: a sentence for each thing that is not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.media.live_sessions import Fate, Person, Play
from tests.chaos.media.observation import Seen

# The reconciler's period: no proof of life is older. Nobody lived on after the death.
PERIOD = timedelta(seconds=10)
CLOCKS = timedelta(seconds=1)


@dataclass(frozen=True)
class Death:
    """When LiveKit was killed, and people's connections (sid by name) before, and after of who returned."""

    at: datetime
    before: Mapping[str, str]
    after: Mapping[str, str]

    def fits(self, moment: str | None) -> bool:
        """Whether it is the last proof of life of what ended with LiveKit."""
        return moment is not None and -PERIOD <= datetime.fromisoformat(moment) - self.at <= CLOCKS


def faults(play: Play, seen: Seen, death: Death) -> list[str]:
    if play.streamed:
        of_session = [*_goes_on(play, seen, death), *_streamed(seen), *_people_missed(play, seen, death)]
    elif play.fate is Fate.GONE:
        of_session = [*_ended(seen, death), *_ledger(play, seen, death)]
    else:
        of_session = [*_goes_on(play, seen, death), *_ledger(play, seen, death)]
    viewers = (fault for viewer in play.viewers for fault in _viewer(play, viewer, seen, death))
    found = [*of_session, *viewers]
    return [f"{play.fate}, {play.session_id}: {fault}" for fault in found]


def _ended(seen: Seen, death: Death) -> Iterator[str]:
    session = seen.session
    if session["status"] != "ended" or not death.fits(session["ended_at"]):
        yield f"{session['status']}, ended at {session['ended_at']}; LiveKit died at {death.at}"
    if [(one["end_reason"], one["end_estimated"]) for one in seen.endings] != [("room_lost", True)]:
        yield f"the journal's endings are {seen.endings}"
    if seen.listed is not None:
        yield f"its room is still there, with {seen.listed}"
    if (seen.watching, session["viewer_count"]) != (0, 0):
        yield f"{seen.watching} are watching, {session['viewer_count']} counted"


def _goes_on(play: Play, seen: Seen, death: Death) -> Iterator[str]:
    if seen.session["status"] != "live":
        yield f"it is {seen.session['status']}"
    there = {death.after.get(person.name, "nobody") for person in play.returning}
    if (seen.listed or set()) != there:
        yield f"LiveKit lists {seen.listed}, not {there}"
    viewers = sum(person in play.viewers for person in play.returning)
    if (seen.watching, seen.session["viewer_count"]) != (viewers, viewers):
        yield f"{seen.watching} are watching, {seen.session['viewer_count']} counted, not {viewers}"


def _streamed(seen: Seen) -> Iterator[str]:
    """The recorder comes back by itself, and with it the room: there is time for the host to do so, too."""
    if (seen.stream, seen.recordings) != ("active", ["recording"]):
        yield f"its stream is {seen.stream}, its recordings are {seen.recordings}"


def _viewer(play: Play, viewer: Person, seen: Seen, death: Death) -> Iterator[str]:
    row = seen.rows.get(viewer.user_id)
    back = viewer in play.returning
    if row is None:
        yield f"{viewer.name} is not among those who attended"
    elif row["join_count"] != (2 if back else 1):
        yield f"{viewer.name} joined {row['join_count']} times"
    elif back and row["left_at"] is not None:
        yield f"{viewer.name} is back, and has left at {row['left_at']}"
    elif not back and not death.fits(row["left_at"]):
        yield f"{viewer.name} left at {row['left_at']}; LiveKit died at {death.at}"


def _ledger(play: Play, seen: Seen, death: Death) -> Iterator[str]:
    yield from _entries("missed_leave", {death.before[person.name] for person in play.people}, seen, death)
    yield from _entries("room_lost", {""} if play.fate is Fate.GONE else set(), seen, death)
    ghosts = set(play.people) - set(play.returning) if play.fate is Fate.HOST_BACK else set()
    dropped = seen.repaired("ghost").keys()
    if dropped != {death.before[person.name] for person in ghosts}:
        yield f"ghosts taken off LiveKit's list: {dropped}"


def _people_missed(play: Play, seen: Seen, death: Death) -> Iterator[str]:
    """The ledger has everybody; what else it has is of the recorder."""
    missing = {death.before[person.name] for person in play.people} - seen.repaired("missed_leave").keys()
    if missing:
        yield f"missed_leave is not in the ledger of {missing}"


def _entries(kind: str, wanted: set[str], seen: Seen, death: Death) -> Iterator[str]:
    found = seen.repaired(kind)
    if len(found) != sum(one["kind"] == kind for one in seen.drift):
        yield f"{kind} in the ledger twice"
    if found.keys() != wanted:
        yield f"{kind} in the ledger of {set(found)}, not of {wanted}"
    yield from (
        _entry(one) for one in found.values() if not (one["estimated"] and death.fits(one["last_seen_at"]))
    )


def _entry(one: Mapping[str, Any]) -> str:
    return f"{one['kind']} in the ledger, last seen at {one['last_seen_at']}, estimated: {one['estimated']}"
