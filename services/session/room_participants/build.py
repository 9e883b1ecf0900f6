"""What is done with the people in a room, built."""

from dataclasses import dataclass

from services.session.identity.accounts.repository import UserRepository
from services.session.room_participants.messages import RoomMessageService
from services.session.room_participants.people import RoomPeople
from services.session.room_participants.service import RoomParticipantService
from services.session.sessions.build import SessionCore
from shared.clock import Clock
from shared.livekit import LiveKit


@dataclass(frozen=True)
class RoomParticipants:
    service: RoomParticipantService
    messages: RoomMessageService


def build_room_participants(
    sessions: SessionCore, users: UserRepository, livekit: LiveKit, clock: Clock
) -> RoomParticipants:
    people = RoomPeople(sessions.access, livekit)
    service = RoomParticipantService(people, sessions.repository, sessions.access, users, livekit, clock)
    return RoomParticipants(service, RoomMessageService(people, livekit, clock))
