"""What a connection may do against what the permission function says. Pure."""

from collections.abc import Iterator

from services.egress.reconciler.domain import Kind, Repair
from shared.access.permissions import role_of
from shared.access.room_permissions import RoomParticipant, expected_permissions, is_unwelcome
from shared.contracts.livekit_events import Connection
from shared.contracts.states import SessionState
from shared.livekit.ports import Permissions


def permission_repair(session: SessionState, connection: Connection, observed: Permissions) -> Repair | None:
    """The difference between what a connection may do and what it should; None where there is none.

    Who is banned has to go.
    """
    participant = _room_participant(connection)
    if is_unwelcome(session, participant):
        return Repair(Kind.BANNED, session.id, "banned", "connected", connection, permissions=observed)
    expected = expected_permissions(session, session.preset, participant)
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


def rights_of(session: SessionState, connection: Connection) -> Permissions | None:
    """What a connection should be able to do; None for who has rights of their own."""
    return expected_permissions(session, session.preset, _room_participant(connection))


def _room_participant(connection: Connection) -> RoomParticipant:
    return RoomParticipant(
        connection.identity, connection.username, connection.kind, connection.hidden, connection.recorder
    )


def _told(permissions: Permissions) -> str:
    """In words: what may be published, and the rest where it is unusual."""
    return "; ".join([_publishing(permissions), *_unusual(permissions)])


def _publishing(permissions: Permissions) -> str:
    if not permissions.publishes:
        return "publishes nothing"
    sources = permissions.can_publish_sources
    return "publishes " + (", ".join(source.value for source in sources) if sources else "anything")


def _unusual(permissions: Permissions) -> Iterator[str]:
    if not permissions.can_subscribe:
        yield "receives nothing"
    if permissions.can_publish_data:
        yield "sends data"
    if permissions.hidden:
        yield "hidden"
    if permissions.recorder:
        yield "recorder"
