"""Messages of whoever is in control of a session to the people in its room."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from services.session.room_participants.people import RoomPeople
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.access.session_access import acting_user
from shared.clock import Clock
from shared.contracts.states import Role
from shared.livekit import LiveKit

TOPIC: Final = "greenroom.message"


@dataclass(frozen=True)
class RoomMessage:
    """What is said, of which `type` (the customer's word), and to whom: one connection, those in a role, or
    everybody; a connection outranks a role."""

    message: str
    type: str
    connection_id: str | None = None
    role: Role | None = None

    def payload(self, session: Session, sender: Caller, sent_at: datetime) -> bytes:
        by = {"user_id": acting_user(session, sender), "name": sender.username}
        return orjson.dumps(
            {"type": self.type, "message": self.message, "sent_at": sent_at.isoformat(), "sender": by}
        )


class RoomMessageService:
    def __init__(self, people: RoomPeople, livekit: LiveKit, clock: Clock):
        self._people = people
        self._livekit = livekit
        self._clock = clock

    async def send(
        self, session_id: str, caller: Caller, library_id: str | None, message: RoomMessage
    ) -> None:
        """Delivered to those who are connected now.

        Raises `NotFound`, `Forbidden`, `Conflict` unless the session is live, `Unavailable`.
        """
        session = await self._people.session(session_id, caller, library_id)
        identities: list[str] = []
        if message.connection_id is not None:
            identities = [(await self._people.one(session, message.connection_id)).identity]
        elif message.role is not None:
            there = await self._people.all(session)
            identities = [one.identity for one in there if one.role is message.role]
            # To LiveKit nobody would mean everybody.
            if not identities:
                return
        await self._livekit.send_data(
            session.id,
            message.payload(session, caller, self._clock.now()),
            topic=TOPIC,
            destination_identities=identities,
        )
