"""The permissions a connection in a session's room should have, by the permission function. Pure.

They are applied after each change of a session, and the reconciler compares them with LiveKit's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from shared.access.encoders import owner_of
from shared.access.permissions import join_grant, permissions_in_session, role_of
from shared.access.revocations import Revocations
from shared.access.session_access import AccessibleSession, is_banned_person
from shared.contracts.states import PresetSettings
from shared.livekit.ports import Permissions

# The kind of connection that people have.
STANDARD = "standard"
_INGRESS = "ingress"


class ConnectedParticipant(Protocol):
    """One connection to a room; `kind` is LiveKit's in lower case."""

    @property
    def identity(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def hidden(self) -> bool: ...
    @property
    def recorder(self) -> bool: ...


class SessionRoom(AccessibleSession, Protocol):
    """A session as a LiveKit room."""

    @property
    def id(self) -> str: ...
    @property
    def closed_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class RoomParticipant:
    """One connection to a room; `kind` is LiveKit's in lower case.

    `issued_at` is when its token was issued, or, if that is not known, when it joined; `key_id` the API key
    that let it in, if one did; a guest gave a display name only.
    """

    identity: str
    name: str
    kind: str
    hidden: bool
    recorder: bool
    issued_at: datetime
    key_id: str | None = None
    is_guest: bool = False
    joined_at: datetime | None = None

    @property
    def user_id(self) -> str:
        return user_of(self.identity)

    @property
    def is_person(self) -> bool:
        """Whether it is a person's or an encoder's, and not a machine's of ours."""
        return self.kind in {STANDARD, _INGRESS} and not self.recorder


def is_visible_person(connection: ConnectedParticipant) -> bool:
    """Whether it is a person whom the others see: monitors, recorders, machines and encoders are none."""
    if connection.hidden or connection.recorder or connection.kind != STANDARD:
        return False
    return owner_of(connection.identity) is None


def user_of(identity: str) -> str:
    """The user of the identity `<user_id>:<sign-in id>`, and of any that begins in this way."""
    return identity.partition(":")[0]


# Whether what a connection came in by was revoked: its sign-in, its API key, or all of its person.
IsRevoked: TypeAlias = Callable[[RoomParticipant], bool]


def never_revoked(_: RoomParticipant) -> bool:
    return False


def revoked_by(revocations: Revocations) -> IsRevoked:
    def is_revoked(participant: RoomParticipant) -> bool:
        # A person's sign-in, or what an encoder's identity has in its place, with the API key behind it.
        user_id, *named = participant.identity.split(":")
        ways_in = (*named, participant.key_id)
        return revocations.covers(user_id, ways_in, participant.issued_at.timestamp())

    return is_revoked


def is_banned_participant(session: SessionRoom, participant: RoomParticipant) -> bool:
    """Whether it must be removed: its person is banned."""
    return participant.is_person and is_banned_person(session, participant.user_id)


def is_not_admitted(session: SessionRoom, participant: RoomParticipant) -> bool:
    """Whether it must be removed: a guest's, who came before the library admitted registered people only, or
    one of somebody who came after the room was disabled."""
    if participant.is_guest and session.registered_only:
        return True
    late = session.closed_at and participant.joined_at and participant.joined_at >= session.closed_at
    return participant.is_person and bool(late)


def has_lost_role(session: SessionRoom, preset: PresetSettings, participant: RoomParticipant) -> bool:
    """Whether it must be removed, since its person has no longer the role for being there in this way.

    Encoders are theirs who control the session, monitors theirs who moderate it.
    """
    permissions = permissions_in_session(session, preset, participant.user_id)
    if not participant.is_person:
        return False
    if owner_of(participant.identity) is not None:
        return not permissions.control
    return participant.hidden and not permissions.moderate


def expected_permissions(
    session: SessionRoom, preset: PresetSettings, participant: RoomParticipant
) -> Permissions | None:
    """By the permission function; None for connections with permissions of their own.

    Those are hidden monitors, recorders, machines and encoders.
    """
    if not is_visible_person(participant):
        return None
    grant = join_grant(
        room=session.id,
        identity=participant.identity,
        name=participant.name,
        role=role_of(session, participant.user_id),
        permissions=permissions_in_session(session, preset, participant.user_id),
    )
    return grant.permissions
