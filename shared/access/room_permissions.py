"""The permissions a connection in a session's room should have, by the permission function. Pure.

They are applied after each change of a session, and the reconciler compares them with LiveKit's.
"""

from dataclasses import dataclass
from typing import Protocol

from shared.access.permissions import join_grant, permissions_in_session, role_of
from shared.access.session_access import AccessibleSession, is_banned_person
from shared.contracts.states import PresetSettings
from shared.livekit.ports import Permissions

# Identities of the host's encoders, which have permissions of their own: `<host id>:whip`, `<host
# id>:ingress`.
_ENCODERS = frozenset({"whip", "ingress"})
_STANDARD = "standard"


class SessionRoom(AccessibleSession, Protocol):
    """A session as a LiveKit room."""

    @property
    def id(self) -> str: ...


@dataclass(frozen=True)
class RoomParticipant:
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


def is_banned_participant(session: SessionRoom, participant: RoomParticipant) -> bool:
    """Whether it must be removed: its person is banned."""
    person = participant.kind == _STANDARD and not participant.recorder
    return person and is_banned_person(session, participant.user_id)


def expected_permissions(
    session: SessionRoom, preset: PresetSettings, participant: RoomParticipant
) -> Permissions | None:
    """By the permission function; None for connections with permissions of their own.

    Those are hidden monitors, recorders, machines and the host's encoders.
    """
    if participant.hidden or participant.recorder or participant.kind != _STANDARD:
        return None
    if participant.user_id == session.host_id and participant.identity.partition(":")[2] in _ENCODERS:
        return None
    grant = join_grant(
        room=session.id,
        identity=participant.identity,
        name=participant.name,
        role=role_of(session, participant.user_id),
        permissions=permissions_in_session(session, preset, participant.user_id),
    )
    return grant.permissions
