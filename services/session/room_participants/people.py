"""Who is in a live session's room now, for whoever is in control of it."""

from collections.abc import Sequence

from services.session.room_participants.domain import ConnectedPerson, no_connection
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.access.room_permissions import is_visible_person
from shared.access.session_access import Permission
from shared.livekit import LiveKit

# LiveKit's state of a connection that is established.
_ACTIVE = "active"


class RoomPeople:
    def __init__(self, access: SessionAccess, livekit: LiveKit):
        self._access = access
        self._livekit = livekit

    async def session(
        self, id: str, caller: Caller, library_id: str | None, permission: Permission = "control"
    ) -> Session:
        """The live session; raises `NotFound`, `Forbidden`, and `Conflict` unless it is live."""
        session, _ = await self._access.authorize(id, caller, library_id, permission)
        session.check_live()
        return session

    async def all(self, session: Session) -> Sequence[ConnectedPerson]:
        """Everybody, the first to join first. Raises `Unavailable`."""
        there = await self._livekit.list_participants(session.id)
        people = [
            ConnectedPerson.of(session, one)
            for one in there
            if one.state == _ACTIVE and is_visible_person(one)
        ]
        return sorted(people, key=lambda one: (one.joined_at, one.participant_sid))

    async def one(self, session: Session, connection_id: str) -> ConnectedPerson:
        """Raises `NotFound`, `Unavailable`."""
        for person in await self.all(session):
            if person.id == connection_id:
                return person
        raise no_connection()
