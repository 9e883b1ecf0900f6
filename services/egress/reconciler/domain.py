"""Believed against observed: a pure comparison whose result is a list of repairs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.egress.reconciler.connections.domain import Believed
from services.egress.reconciler.sessions.domain import KnownSession
from shared.contracts.livekit_events import Connection
from shared.contracts.states import PresetSettings, Role, SessionState
from shared.livekit.ports import Permissions
from shared.permissions import join_grant, role_of

# LiveKit's clock is not ours: who joined this shortly before we looked may have joined after it.
SKEW = timedelta(seconds=2)
# Identities of the host's encoders, which have rights of their own: `<host id>:whip`, `<host id>:ingress`.
_ENCODERS = frozenset({"whip", "ingress"})


class Kind(StrEnum):
    """What differed."""

    MISSED_JOIN = "missed_join"
    MISSED_LEAVE = "missed_leave"
    GHOST = "ghost"
    PERMISSION = "permission"
    ROOM_LOST = "room_lost"
    ROOM_LEFTOVER = "room_leftover"


# How long a difference must last before it is repaired: the news of it may be on its way. Whoever was thrown
# out by a server's death comes back within some 8 s of its return; until ghosts are believed to be some
# (`vitals.CONFIRMED_AFTER`) most of that time has passed.
PATIENCE: Mapping[Kind, timedelta] = {
    Kind.MISSED_JOIN: timedelta(seconds=2),
    Kind.MISSED_LEAVE: timedelta(seconds=2),
    Kind.GHOST: timedelta(seconds=3.5),
    Kind.PERMISSION: timedelta(seconds=2),
    Kind.ROOM_LOST: timedelta(seconds=3.5),
    Kind.ROOM_LEFTOVER: timedelta(seconds=5),
}


@dataclass(frozen=True)
class Present:
    """A participant as LiveKit lists it. `dead`: no server has it, it is a ghost."""

    connection: Connection
    permissions: Permissions
    active: bool
    dead: bool = False


@dataclass(frozen=True)
class Look:
    """What LiveKit said of a room at `observed_at`.

    `listed`: it is among the rooms. `run`: a server has it. `unsure`: what seems dead here has not been so
    for long enough to believe it.
    """

    room: str
    observed_at: datetime
    listed: bool
    run: bool
    present: tuple[Present, ...] = ()
    unsure: bool = False

    @property
    def there(self) -> tuple[Present, ...]:
        """Those who are really there."""
        return tuple(one for one in self.present if not one.dead)


@dataclass(frozen=True)
class Repair:
    """A difference and what there is to say of it.

    `last_seen_at` is the last proof of life of what is gone, `permissions` what a connection really may do.
    """

    kind: Kind
    session_id: str
    believed: str
    observed: str
    connection: Connection | None = None
    last_seen_at: datetime | None = None
    permissions: Permissions | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Which difference it is: the same while it lasts."""
        return (self.kind, self.session_id, self.connection.participant_sid if self.connection else "")


def compare(
    session: SessionState, believed: Mapping[str, Believed], look: Look, proofs: Mapping[str, datetime]
) -> list[Repair]:
    """The differences in the room of a live session.

    `believed` are its connections by sid, `proofs` when each was last seen on a roster.
    """
    return [
        *_lost(session, look),
        *_missed_joins(session, believed, look),
        *_missed_leaves(session, believed, look, proofs),
        *_ghosts(session, look),
        *_wrong_permissions(session, look),
    ]


def leftover(room: str, known: KnownSession | None) -> Repair:
    """An open room that no live session has."""
    status = "unknown" if known is None else "deleted" if known.deleted else known.state.status.value
    return Repair(Kind.ROOM_LEFTOVER, room, believed=f"session {status}", observed="room open")


def _lost(session: SessionState, look: Look) -> Iterator[Repair]:
    """A room that no server runs, and that is not even listed or lists only ghosts.

    One that is listed with nobody in it waits for its people: whoever joins has a server take it over.
    """
    if not look.run and not look.unsure and (not look.listed or look.present):
        joined = (one.connection.joined_at for one in look.present)
        observed = "room listed, no server runs it" if look.listed else "no such room"
        yield Repair(Kind.ROOM_LOST, session.id, "session live", observed, None, max(joined, default=None))


def _missed_joins(session: SessionState, believed: Mapping[str, Believed], look: Look) -> Iterator[Repair]:
    for one in look.there:
        known = believed.get(one.connection.participant_sid)
        if one.active and (known is None or known.presumed_gone):
            belief = "unknown" if known is None else "presumed gone"
            yield Repair(Kind.MISSED_JOIN, session.id, belief, "connected", one.connection)


def _missed_leaves(
    session: SessionState,
    believed: Mapping[str, Believed],
    look: Look,
    proofs: Mapping[str, datetime],
) -> Iterator[Repair]:
    if look.run and not look.listed:
        return  # LiveKit has lost its list, not its people.
    there = {one.connection.participant_sid for one in look.there}
    listed = {one.connection.participant_sid for one in look.present}
    for sid, known in believed.items():
        joined_at = known.connection.joined_at
        if known.is_open and sid not in there and joined_at < look.observed_at - SKEW and not look.unsure:
            observed = "listed, no server has it" if sid in listed else "not listed"
            last_seen = max(joined_at, proofs.get(sid, joined_at))
            yield Repair(Kind.MISSED_LEAVE, session.id, "connected", observed, known.connection, last_seen)


def _ghosts(session: SessionState, look: Look) -> Iterator[Repair]:
    """Ghosts in a room that a server runs; one that none runs goes as a whole."""
    if look.run and not look.unsure:
        for one in look.present:
            if one.dead:
                yield Repair(Kind.GHOST, session.id, "gone", "listed, no server has it", one.connection)


def _wrong_permissions(session: SessionState, look: Look) -> Iterator[Repair]:
    for one in look.there:
        repair = permission_repair(session, one.connection, one.permissions)
        if repair is not None:
            yield repair


def permission_repair(session: SessionState, connection: Connection, observed: Permissions) -> Repair | None:
    """The difference between what a connection may do and what it does; None where there is none."""
    expected = expected_permissions(session, connection)
    if expected is None or expected.same_as(observed):
        return None
    role = role_of(session, connection.user_id)
    return Repair(
        Kind.PERMISSION,
        session.id,
        believed=f"{role.value}: {_told(expected)}",
        observed=_told(observed),
        connection=connection,
        permissions=observed,
    )


def expected_permissions(session: SessionState, connection: Connection) -> Permissions | None:
    """What the permission function says; None for who has rights of their own.

    Those are hidden monitors, recorders, machines and the host's encoders.
    """
    if connection.hidden or connection.recorder or connection.kind != "standard":
        return None
    if connection.user_id == session.host_id and connection.identity.partition(":")[2] in _ENCODERS:
        return None
    return granted(session.id, connection, role_of(session, connection.user_id), session.preset)


def granted(room: str, connection: Connection, role: Role, preset: PresetSettings) -> Permissions:
    """The permissions of a token minted now."""
    grant = join_grant(
        room=room, identity=connection.identity, name=connection.username, role=role, preset=preset
    )
    return grant.permissions


def _told(permissions: Permissions) -> str:
    """In words: what may be published, and the rest where it is unusual."""
    if not permissions.publishes:
        words = ["publishes nothing"]
    else:
        sources = permissions.can_publish_sources
        words = ["publishes " + (", ".join(source.value for source in sources) if sources else "anything")]
    words += _unusual(permissions)
    return "; ".join(words)


def _unusual(permissions: Permissions) -> Iterable[str]:
    if not permissions.can_subscribe:
        yield "receives nothing"
    if permissions.can_publish_data:
        yield "sends data"
    if permissions.hidden:
        yield "hidden"
    if permissions.recorder:
        yield "recorder"
