"""What has to change in a session's room: people as LiveKit lists them against the session. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.session.sessions.domain.session import Session
from shared.access.permissions import role_of
from shared.access.room_permissions import RoomParticipant, expected_permissions, is_banned_participant
from shared.contracts.states import Role
from shared.livekit.ports import LiveKitParticipant, Permissions
from shared.livekit.tokens import ROLE_ATTRIBUTE


@dataclass(frozen=True)
class ParticipantCorrection:
    """One connection may do this from now on, in this role; without permissions it has to go."""

    identity: str
    role: Role
    permissions: Permissions | None


def corrections(
    session: Session, participants: Iterable[LiveKitParticipant]
) -> Iterator[ParticipantCorrection]:
    """The connections whose permissions or role differ from the session's."""
    for one in participants:
        participant = _room_participant(one)
        role = role_of(session, participant.user_id)
        if is_banned_participant(session, participant):
            yield ParticipantCorrection(one.identity, role, None)
            continue
        expected = expected_permissions(session, session.preset.settings, participant)
        if expected is None:
            continue
        if not expected.same_as(one.permissions) or one.attributes.get(ROLE_ATTRIBUTE) != role:
            yield ParticipantCorrection(one.identity, role, expected)


def _room_participant(one: LiveKitParticipant) -> RoomParticipant:
    return RoomParticipant(one.identity, one.name, one.kind, one.permissions.hidden, one.permissions.recorder)
