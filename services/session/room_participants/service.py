"""What whoever is in control of a live session does with the people in its room."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.session.identity.accounts.domain import User
from services.session.identity.accounts.repository import UserRepository
from services.session.room_participants.domain import ConnectedPerson, change_role, no_connection
from services.session.room_participants.messages import TOPIC, RoomMessage
from services.session.room_participants.people import RoomPeople
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.roles import RoleGrant
from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from shared.access.identity import Caller
from shared.access.permissions import role_of
from shared.access.session_access import Permission
from shared.clock import Clock
from shared.contracts.states import Role, StageSeat
from shared.ids import new_id
from shared.livekit import LiveKit

_REMOVED_AT_ONCE = 8
# The type of the message that tells people why they are removed.
_REMOVED = "removed"
# Roles that are given to people of the session's organization and to viewers of none.
_STAFF = frozenset({Role.CO_HOST, Role.MODERATOR})


@dataclass(frozen=True)
class ParticipantUpdate:
    """What is to be changed of somebody in the room; None keeps."""

    name: str | None = None
    metadata: str | None = None
    role: Role | None = None


class RoomParticipantService:
    """Its operations raise `NotFound`, `Forbidden`, `Conflict` unless the session is live, `Unavailable`."""

    def __init__(
        self,
        people: RoomPeople,
        sessions: SessionRepository,
        access: SessionAccess,
        users: UserRepository,
        livekit: LiveKit,
        clock: Clock,
    ):
        self._people = people
        self._sessions = sessions
        self._access = access
        self._users = users
        self._livekit = livekit
        self._clock = clock

    async def list(
        self, session_id: str, caller: Caller, library_id: str | None
    ) -> Sequence[ConnectedPerson]:
        """Who is in the room, the first to join first."""
        return await self._people.all(await self._people.session(session_id, caller, library_id))

    async def get(
        self, session_id: str, caller: Caller, library_id: str | None, connection_id: str
    ) -> ConnectedPerson:
        session = await self._people.session(session_id, caller, library_id)
        return await self._people.one(session, connection_id)

    async def update(
        self,
        session_id: str,
        caller: Caller,
        library_id: str | None,
        connection_id: str,
        update: ParticipantUpdate,
    ) -> ConnectedPerson:
        """The person with the changes; the role is theirs on all their devices."""
        permission: Permission = "add_co_host" if update.role is Role.CO_HOST else "control"
        session = await self._people.session(session_id, caller, library_id, permission)
        person = await self._people.one(session, connection_id)
        if update.role is not None:
            session = await self._change_role(session, person, update.role, caller)
        if update.name is not None or update.metadata is not None:
            await self._update_in_room(session, person, update)
        return replace(
            person,
            name=update.name or person.name,
            metadata=update.metadata or person.metadata,
            role=role_of(session, person.user_id),
        )

    async def remove(
        self,
        session_id: str,
        caller: Caller,
        library_id: str | None,
        connection_id: str,
        reason: str | None = None,
    ) -> None:
        """Disconnect somebody, and tell them why; their token still lets them join again."""
        session = await self._people.session(session_id, caller, library_id)
        person = await self._people.one(session, connection_id)
        await self._tell(session, [person], caller, reason)
        if not await self._livekit.remove_participant(session.id, person.identity):
            raise no_connection()

    async def remove_all(
        self,
        session_id: str,
        caller: Caller,
        library_id: str | None,
        role: Role,
        reason: str | None = None,
    ) -> int:
        """Disconnect everybody who is in this role, and tell them why; returns how many."""
        session = await self._people.session(session_id, caller, library_id)
        people = [one for one in await self._people.all(session) if one.role is role]
        await self._tell(session, people, caller, reason)
        turns = asyncio.Semaphore(_REMOVED_AT_ONCE)

        async def remove(person: ConnectedPerson) -> bool:
            async with turns:
                return await self._livekit.remove_participant(session.id, person.identity)

        return sum(await asyncio.gather(*map(remove, people)))

    async def _tell(
        self, session: Session, people: Sequence[ConnectedPerson], caller: Caller, reason: str | None
    ) -> None:
        """A message with the reason comes before the end of the connection."""
        if reason and people:
            message = RoomMessage(reason, _REMOVED)
            await self._livekit.send_data(
                session.id,
                message.payload(session, caller, self._clock.now()),
                topic=TOPIC,
                destination_identities=[one.identity for one in people],
            )

    async def _change_role(
        self, session: Session, person: ConnectedPerson, role: Role, caller: Caller
    ) -> Session:
        """What they may do in the room follows immediately, as after any change of the session."""
        user = await self._user(session, person, role)
        given = RoleGrant(
            id=new_id(),
            user_id=user.id,
            username=user.username,
            role=role,
            by=caller.user_id,
            device_id=user.device,
        )
        now = self._clock.now()
        seat = StageSeat(id=new_id(), name=person.name, joined_stage_at=now, reserved=True)
        return await self._sessions.change(session.id, lambda session: change_role(session, now, given, seat))

    async def _user(self, session: Session, person: ConnectedPerson, role: Role) -> User:
        if role in _STAFF:
            return await self._access.get_eligible_user(session, person.user_id)
        user = await self._users.find(person.user_id)
        if user is None:
            raise no_connection()
        return user

    async def _update_in_room(
        self, session: Session, person: ConnectedPerson, update: ParticipantUpdate
    ) -> None:
        done = await self._livekit.update_participant(
            session.id, person.identity, name=update.name, metadata=update.metadata
        )
        if not done:
            raise no_connection()
