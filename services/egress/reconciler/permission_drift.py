"""What a connection is able to do, and does, against what the session permits. Pure."""

from collections.abc import Iterable

from services.egress.drift.domain import Drift, Kind
from shared.access.permissions import role_of
from shared.access.room_permissions import (
    IsRevoked,
    RoomParticipant,
    expected_permissions,
    has_lost_role,
    is_banned_participant,
    is_not_admitted,
    never_revoked,
)
from shared.contracts.livekit_events import Connection
from shared.contracts.states import SessionState
from shared.livekit.ports import LiveKitTrack, Permissions


def permission_drift(
    session: SessionState,
    connection: Connection,
    observed: Permissions,
    is_revoked: IsRevoked = never_revoked,
) -> Drift | None:
    """The difference between observed and expected permissions, None if there is none.

    Banned users are to be removed, and whoever has lost what they came in by.
    """
    reason = _reason_to_leave(session, _room_participant(connection), is_revoked)
    if reason is not None:
        kind = Kind.BANNED if reason == _BANNED else Kind.REVOKED
        return Drift(kind, session.id, reason, "connected", connection, permissions=observed)
    expected = expected_permissions_of(session, connection)
    if expected is None or expected.same_as(observed):
        return None
    role = role_of(session, connection.user_id)
    return Drift(
        Kind.PERMISSION,
        session.id,
        expected=f"{role.value}: {_described(expected)}",
        observed=_described(observed),
        connection=connection,
        permissions=observed,
    )


_BANNED = "banned"


def _reason_to_leave(
    session: SessionState, participant: RoomParticipant, is_revoked: IsRevoked
) -> str | None:
    if is_banned_participant(session, participant):
        return _BANNED
    if participant.is_person and is_revoked(participant):
        return "sign-in, API key or account ended"
    if is_not_admitted(session, participant):
        return "not admitted: guests, or the room is disabled"
    lost = has_lost_role(session, session.preset, participant)
    return "role taken" if lost else None


def track_drift(
    session: SessionState, connection: Connection, tracks: Iterable[LiveKitTrack]
) -> Drift | None:
    """The tracks that carry something else than their source says, None if all are what they say.

    LiveKit itself ends tracks of sources that are not permitted, so that those are differences of permission.
    """
    false = tuple(track for track in tracks if not track.fits_source)
    if not false:
        return None
    expected = expected_permissions_of(session, connection)
    return Drift(
        Kind.TRACK,
        session.id,
        expected=_described(expected) if expected else "publishes what it declares",
        observed="; ".join(f"publishes {_carried(track)} as {track.source}" for track in false),
        connection=connection,
        tracks=false,
    )


def may_publish(session: SessionState, connection: Connection, track: LiveKitTrack) -> bool:
    """Whether the session permits the track; LiveKit may not know yet what the session permits."""
    expected = expected_permissions_of(session, connection)
    return track.fits_source and (expected is None or expected.allows(track.source))


def expected_permissions_of(session: SessionState, connection: Connection) -> Permissions | None:
    """What a connection should be able to do; None for those with permissions of their own."""
    return expected_permissions(session, session.preset, _room_participant(connection))


def _room_participant(connection: Connection) -> RoomParticipant:
    return RoomParticipant(
        connection.identity,
        connection.username,
        connection.kind,
        connection.hidden,
        connection.recorder,
        connection.issued_at or connection.joined_at,
        connection.key_id,
        connection.is_guest,
        connection.joined_at,
    )


def _carried(track: LiveKitTrack) -> str:
    return ", ".join(dict.fromkeys([track.type, *track.mime_types]))


def _described(permissions: Permissions) -> str:
    """In words: what may be published, and whatever else is unusual."""
    sources = permissions.can_publish_sources
    published = ", ".join(source.value for source in sources) if sources else "anything"
    unusual = {
        "receives nothing": not permissions.can_subscribe,
        "sends data": permissions.can_publish_data,
        "hidden": permissions.hidden,
        "recorder": permissions.recorder,
    }
    words = [f"publishes {published if permissions.publishes else 'nothing'}"]
    return "; ".join(words + [word for word, applies in unusual.items() if applies])
