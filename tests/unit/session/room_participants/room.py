"""A live session's room with people in it, and what its host does there."""

from dataclasses import dataclass
from typing import Any

from services.session.room_participants.domain import ConnectedPerson
from services.session.room_participants.service import ParticipantUpdate
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.access.permissions import role_of
from shared.contracts.states import Role
from shared.ids import connection_id
from shared.livekit.tokens import JoinGrant
from tests.unit.session.actors import Host, person
from tests.unit.session.backend import Backend


@dataclass
class LiveRoom:
    backend: Backend
    host: Host
    session: Session

    async def joins(self, who: Caller | None = None, name: str = "Vera", **grant: Any) -> tuple[Caller, str]:
        """Somebody connects; who it is, and the connection's id."""
        who = who or await person(self.backend)
        joined = self.backend.livekit.connect(
            JoinGrant(
                **{
                    "room": self.session.id,
                    "identity": f"{who.user_id}:{who.sign_in_id}",
                    "name": name,
                    "role": Role.AUDIENCE,
                }
                | grant
            )
        )
        return who, connection_id(self.session.id, joined.sid)

    async def people(self) -> list[ConnectedPerson]:
        found = await self.backend.room_participants.list(self.session.id, self.host.caller, None)
        return list(found)

    async def update(self, id: str, by: Caller | None = None, **change: Any) -> ConnectedPerson:
        return await self.backend.room_participants.update(
            self.session.id, by or self.host.caller, None, id, ParticipantUpdate(**change)
        )

    async def role(self, who: Caller) -> Role:
        """As the session has it."""
        return role_of(await self.stored(), who.user_id)

    async def stored(self) -> Session:
        return await self.backend.sessions.get(self.session.id)


async def live_room(backend: Backend, host: Host, **preset: Any) -> LiveRoom:
    made = await host.preset(**preset)
    return LiveRoom(backend, host, await host.live_session(preset=made.id))
