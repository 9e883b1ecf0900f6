"""Believed against observed: a pure comparison whose result is the list of differences."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from services.egress.reconciler.connections.domain import Believed
from services.egress.reconciler.domain import Kind, Look, Repair
from services.egress.reconciler.proofs import MOMENT
from services.egress.reconciler.rights import permission_repair
from services.egress.reconciler.sessions.domain import KnownSession
from shared.contracts.states import SessionState

# LiveKit's clock is not ours: who joined shortly before we looked may have joined after it.
SKEW = timedelta(seconds=2)


def compare(
    session: SessionState, believed: Mapping[str, Believed], look: Look, proofs: Mapping[str, datetime]
) -> list[Repair]:
    """The differences in the room of a live session.

    `believed` are its connections by sid, `proofs` when each was last known to live.
    """
    return [
        *_lost(session, look, proofs),
        *_missed_joins(session, believed, look),
        *_missed_leaves(session, believed, look, proofs),
        *_ghosts(session, look),
        *_wrong_permissions(session, look),
    ]


def gone(differences: Iterable[Repair]) -> dict[str, datetime]:
    """Of the differences those connections that are there no more: sid and last proof of life."""
    return {
        one.connection.participant_sid: one.last_seen_at
        for one in differences
        if one.kind is Kind.MISSED_LEAVE and one.connection and one.last_seen_at
    }


def leftover(room: str, known: KnownSession | None) -> Repair:
    """An open room that no live session has."""
    status = "unknown" if known is None else "deleted" if known.deleted else known.state.status.value
    return Repair(Kind.ROOM_LEFTOVER, room, believed=f"session {status}", observed="room open")


def _lost(session: SessionState, look: Look, proofs: Mapping[str, datetime]) -> Iterator[Repair]:
    """A room that no server runs, and that is not even listed or lists only ghosts.

    One that is listed with nobody in it waits for its people: whoever joins has a server take it over.
    """
    if look.run or look.unsure or (look.room_sid and not look.present):
        return
    joined = (one.connection.joined_at + MOMENT for one in look.present)
    observed = "room listed, no server runs it" if look.room_sid else "no such room"
    last = max((*joined, *proofs.values()), default=None)
    yield Repair(
        Kind.ROOM_LOST, session.id, "session live", observed, last_seen_at=last, since=look.silent_since
    )


def _missed_joins(session: SessionState, believed: Mapping[str, Believed], look: Look) -> Iterator[Repair]:
    for one in look.there:
        known = believed.get(one.connection.participant_sid)
        if one.active and (known is None or known.presumed_gone):
            belief = "unknown" if known is None else "presumed gone"
            yield Repair(
                Kind.MISSED_JOIN, session.id, belief, "connected", one.connection, room_sid=look.room_sid
            )


def _missed_leaves(
    session: SessionState, believed: Mapping[str, Believed], look: Look, proofs: Mapping[str, datetime]
) -> Iterator[Repair]:
    """Who is in the room that we looked into, as far as we know, and is not."""
    if look.room_sid is None or look.unsure:
        return
    there = {one.connection.participant_sid for one in look.there}
    listed = {one.connection.participant_sid: one for one in look.present}
    for sid, known in believed.items():
        ours = known.is_open and known.room_sid == look.room_sid
        joined_at = known.joined_at
        if ours and sid not in there and joined_at < look.observed_at - SKEW:
            observed = "listed, no server has it" if sid in listed else "not listed"
            yield Repair(
                Kind.MISSED_LEAVE,
                session.id,
                "connected",
                observed,
                listed[sid].connection if sid in listed else known.connection,
                last_seen_at=max(joined_at, proofs.get(sid, joined_at)),
                since=listed[sid].dead_since if sid in listed else None,
            )


def _ghosts(session: SessionState, look: Look) -> Iterator[Repair]:
    """Ghosts in a room that a server runs; one that none runs goes as a whole."""
    if look.run and not look.unsure:
        for one in look.present:
            if one.dead:
                yield Repair(
                    Kind.GHOST,
                    session.id,
                    "gone",
                    "listed, no server has it",
                    one.connection,
                    since=one.dead_since,
                )


def _wrong_permissions(session: SessionState, look: Look) -> Iterator[Repair]:
    for one in look.there:
        repair = permission_repair(session, one.connection, one.permissions)
        if repair is not None:
            yield repair
