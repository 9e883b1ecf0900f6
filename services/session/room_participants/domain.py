"""A person who is connected to a session's room; and what their role in it is changed to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from services.session.sessions.domain.roles import RoleGrant, grant_role
from services.session.sessions.domain.session import Session
from services.session.sessions.domain.stage import check_open, free_seat, reserve_seat
from shared.access.permissions import role_of
from shared.access.room_permissions import user_of
from shared.contracts.event import Event
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import Role, StageSeat
from shared.errors import NotFound
from shared.ids import connection_id
from shared.livekit.join_terms import JoinTerms
from shared.livekit.ports import LiveKitParticipant, LiveKitTrack


@dataclass(frozen=True)
class ConnectedPerson:
    """One connection of a person; `id` is the one in the session's list of connections.

    `external_user_id` is the customer's own id of them, if they came by a room's token.
    """

    id: str
    participant_sid: str
    identity: str
    user_id: str
    external_user_id: str | None
    name: str
    role: Role
    metadata: str
    joined_at: datetime
    tracks: Sequence[LiveKitTrack]

    @classmethod
    def of(cls, session: Session, participant: LiveKitParticipant) -> Self:
        user_id = user_of(participant.identity)
        return cls(
            id=connection_id(session.id, participant.sid),
            participant_sid=participant.sid,
            identity=participant.identity,
            user_id=user_id,
            external_user_id=JoinTerms.of(participant.attributes).external_user_id,
            name=participant.name,
            role=role_of(session, user_id),
            metadata=participant.metadata,
            joined_at=participant.joined_at,
            tracks=participant.tracks,
        )


def no_connection() -> NotFound:
    return NotFound("Nobody is connected under this id", code="connection_not_found")


def change_role(session: Session, now: datetime, given: RoleGrant, seat: StageSeat) -> Sequence[Event]:
    """Make somebody in the room a co-host, a moderator, a guest on stage (in this reserved seat) or audience.

    A moderator's place on stage is kept. Raises `Conflict` as `grant_role` and `reserve_seat`, and for a
    guest if the stage is switched off.
    """
    session.check_live()
    if role_of(session, given.user_id) is given.role:
        return []
    if given.role is Role.STAGE:
        check_open(session)
        grant_role(session, now, replace(given, role=Role.AUDIENCE))
        reserve_seat(session, given.user_id, seat)
    else:
        grant_role(session, now, given)
        if given.role is not Role.MODERATOR:
            free_seat(session, now, given.user_id)
    session.updated_at = now
    return [SessionUpdated(session=session.state())]
