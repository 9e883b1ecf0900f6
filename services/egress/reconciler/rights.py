"""What a connection may do against what the permission function says. Pure."""

from collections.abc import Iterator

from services.egress.reconciler.domain import Kind, Repair
from shared.contracts.livekit_events import Connection
from shared.contracts.states import SessionState
from shared.livekit.ports import Permissions
from shared.permissions import join_grant, permissions_in, role_of

# Identities of the host's encoders, which have rights of their own: `<host id>:whip`, `<host id>:ingress`.
_ENCODERS = frozenset({"whip", "ingress"})


def permission_repair(session: SessionState, connection: Connection, observed: Permissions) -> Repair | None:
    """The difference between what a connection may do and what it should; None where there is none."""
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
    grant = join_grant(
        room=session.id,
        identity=connection.identity,
        name=connection.username,
        role=role_of(session, connection.user_id),
        permissions=permissions_in(session, session.preset, connection.user_id),
    )
    return grant.permissions


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
