"""Getting into a room with its code, anonymously."""

from services.session.catalog.codes.service import RoomCodeService
from services.session.identity.accounts.repository import UserRepository
from services.session.tokens.room_tokens import IssuedRoomTokens, RoomTokenGrant, RoomTokens
from shared.errors import Forbidden
from shared.livekit.join_terms import JoinTerms


class CodeExchange:
    def __init__(self, codes: RoomCodeService, users: UserRepository, tokens: RoomTokens):
        self._codes = codes
        self._users = users
        self._tokens = tokens

    async def exchange(self, code: str, external_user_id: str | None, name: str) -> IssuedRoomTokens:
        """Tokens for a new guest in the code's role.

        `external_user_id` is what they say of themselves: others see it, and it gives them nothing of the
        customer's person with this id.

        Raises `NotFound`, `Forbidden` also if the code is disabled or the room's host is gone, and as
        `RoomTokens.issue`.
        """
        found, room = await self._codes.find(code)
        found.check_enabled()
        host = await self._users.find(room.host_id)
        if host is None or not host.is_active:
            raise Forbidden("The host of this room is gone", code="host_gone")
        terms = JoinTerms(external_user_id=external_user_id)
        grant = RoomTokenGrant(name=name, role=found.role, terms=terms)
        return await self._tokens.issue(room, grant, by=room.host_id)
