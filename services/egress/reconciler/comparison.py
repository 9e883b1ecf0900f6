"""Expected against observed: a pure comparison whose result is the list of differences."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from services.egress.drift.domain import Drift, Kind
from services.egress.reconciler.domain import ExpectedConnection, RoomSnapshot
from services.egress.reconciler.permission_drift import permission_drift, track_drift
from services.egress.reconciler.rosters import Roster
from services.egress.sessions.projection import KnownSession
from shared.access.room_permissions import IsRevoked, never_revoked
from shared.contracts.reconciler_events import departures
from shared.contracts.states import SessionState

# Whoever joined was there for a moment, and so attended what ended with them.
MOMENT = timedelta(milliseconds=1)


def last_seen_times(
    roster: Roster | None, expected: Mapping[str, ExpectedConnection], answered_at: datetime | None
) -> dict[str, datetime]:
    """When each connection was last known alive, by sid: on a roster, by joining, or by LiveKit's answer.

    `roster` is the last one, `expected` the connections by sid, `answered_at` when LiveKit last answered
    before it was away as a whole: whoever was connected until then was alive until then.
    """
    times = roster.last_seen() if roster else {}
    for sid, one in expected.items():
        if one.is_open:
            known = [one.joined_at + MOMENT, times.get(sid), answered_at]
            times[sid] = max(moment for moment in known if moment is not None)
    return times


def compare(
    session: SessionState,
    expected: Mapping[str, ExpectedConnection],
    snapshot: RoomSnapshot,
    last_seen: Mapping[str, datetime],
    is_revoked: IsRevoked = never_revoked,
) -> list[Drift]:
    """The differences in the room of a live session; `expected` and `last_seen` by connection (sid)."""
    return [
        *_lost(session, snapshot, last_seen),
        *_missed_joins(session, expected, snapshot),
        *_missed_leaves(session, expected, snapshot, last_seen),
        *_stale_participants(session, snapshot),
        *_wrong_permissions(session, snapshot, is_revoked),
        *_false_tracks(session, snapshot),
    ]


def gone(differences: Iterable[Drift]) -> dict[str, datetime]:
    """Of the differences those connections that are no longer there: sid and when last seen."""
    return {
        one.connection.participant_sid: one.last_seen_at
        for one in differences
        if one.kind is Kind.MISSED_LEAVE and one.connection and one.last_seen_at
    }


def leftover(room: str, known: KnownSession | None) -> Drift:
    """An open room that no live session has."""
    status = "unknown" if known is None else "deleted" if known.deleted else known.state.status.value
    return Drift(Kind.ROOM_LEFTOVER, room, expected=f"session {status}", observed="room open")


def unopened(room: str) -> Drift:
    """A session waits for its first participant, and there is no room to join."""
    return Drift(Kind.PENDING_ROOM, room, expected="room open", observed="no such room")


def _lost(
    session: SessionState, snapshot: RoomSnapshot, last_seen: Mapping[str, datetime]
) -> Iterator[Drift]:
    """A room that no server runs, and that is not even listed or lists only stale participants.

    One that is listed with nobody in it waits for its people: whoever joins has a server take it over.
    """
    if snapshot.running or snapshot.uncertain or (snapshot.room_sid and not snapshot.participants):
        return
    joined = (one.connection.joined_at + MOMENT for one in snapshot.participants)
    observed = "room listed, no server runs it" if snapshot.room_sid else "no such room"
    last = max((*joined, *last_seen.values()), default=None)
    yield Drift(
        Kind.ROOM_LOST, session.id, "session live", observed, last_seen_at=last, since=snapshot.silent_since
    )


def _missed_joins(
    session: SessionState, expected: Mapping[str, ExpectedConnection], snapshot: RoomSnapshot
) -> Iterator[Drift]:
    for one in snapshot.connected:
        known = expected.get(one.connection.participant_sid)
        if one.active and (known is None or known.presumed_gone):
            expectation = "unknown" if known is None else "presumed gone"
            yield Drift(
                Kind.MISSED_JOIN,
                session.id,
                expectation,
                "connected",
                one.connection,
                room_sid=snapshot.room_sid,
            )


def _missed_leaves(
    session: SessionState,
    expected: Mapping[str, ExpectedConnection],
    snapshot: RoomSnapshot,
    last_seen: Mapping[str, datetime],
) -> Iterator[Drift]:
    """Whoever is expected in the room of the snapshot, and is not in it."""
    if snapshot.room_sid is None or snapshot.uncertain:
        return
    joined_at = {
        sid: known.joined_at
        for sid, known in expected.items()
        if known.is_open and known.room_sid == snapshot.room_sid
    }
    connected = {one.connection.participant_sid for one in snapshot.connected}
    listed = {one.connection.participant_sid: one for one in snapshot.participants}
    for sid, last_seen_at in departures(joined_at, connected, last_seen, snapshot.observed_at).items():
        stale = listed.get(sid)
        yield Drift(
            Kind.MISSED_LEAVE,
            session.id,
            "connected",
            "listed, no server has it" if stale else "not listed",
            stale.connection if stale else expected[sid].connection,
            last_seen_at=last_seen_at,
            since=stale.stale_since if stale else None,
        )


def _stale_participants(session: SessionState, snapshot: RoomSnapshot) -> Iterator[Drift]:
    """Those in a room that a server runs; a room that none runs is lost as a whole."""
    if snapshot.running and not snapshot.uncertain:
        for one in snapshot.participants:
            if one.stale:
                yield Drift(
                    Kind.STALE_PARTICIPANT,
                    session.id,
                    "gone",
                    "listed, no server has it",
                    one.connection,
                    since=one.stale_since,
                )


def _wrong_permissions(
    session: SessionState, snapshot: RoomSnapshot, is_revoked: IsRevoked
) -> Iterator[Drift]:
    for one in snapshot.connected:
        drift = permission_drift(session, one.connection, one.permissions, is_revoked)
        if drift is not None:
            yield drift


def _false_tracks(session: SessionState, snapshot: RoomSnapshot) -> Iterator[Drift]:
    for one in snapshot.connected:
        drift = track_drift(session, one.connection, one.tracks)
        if drift is not None:
            yield drift
