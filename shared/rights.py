"""What a connection in a session's room may do, by the permission function. Pure.

Whoever changes a session applies it at once, and the reconciler compares it with what LiveKit says.
"""

from dataclasses import dataclass
from typing import Protocol

from shared.contracts.states import PresetSettings
from shared.livekit.ports import Permissions
from shared.permissions import join_grant, permissions_in, role_of
from shared.session_access import Guarded

# Identities of the host's encoders, which have rights of their own: `<host id>:whip`, `<host id>:ingress`.
_ENCODERS = frozenset({"whip", "ingress"})
_STANDARD = "standard"


class Room(Guarded, Protocol):
    """A session, as the room that it is."""

    @property
    def id(self) -> str: ...


@dataclass(frozen=True)
class Visitor:
    """One connection to a room; `kind` is LiveKit's in lower case."""

    identity: str
    name: str
    kind: str
    hidden: bool
    recorder: bool

    @property
    def user_id(self) -> str:
        return user_of(self.identity)


def user_of(identity: str) -> str:
    """The user of the identity `<user_id>:<sign-in id>`."""
    return identity.partition(":")[0]


def is_unwelcome(session: Room, visitor: Visitor) -> bool:
    """Whether it has to go: its person is banned."""
    return visitor.kind == _STANDARD and not visitor.recorder and visitor.user_id in session.banned


def expected_permissions(session: Room, preset: PresetSettings, visitor: Visitor) -> Permissions | None:
    """What the permission function says; None for who has rights of their own.

    Those are hidden monitors, recorders, machines and the host's encoders.
    """
    if visitor.hidden or visitor.recorder or visitor.kind != _STANDARD:
        return None
    if visitor.user_id == session.host_id and visitor.identity.partition(":")[2] in _ENCODERS:
        return None
    grant = join_grant(
        room=session.id,
        identity=visitor.identity,
        name=visitor.name,
        role=role_of(session, visitor.user_id),
        permissions=permissions_in(session, preset, visitor.user_id),
    )
    return grant.permissions
