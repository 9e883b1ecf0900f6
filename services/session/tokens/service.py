"""Letting people join: the caller, a hidden monitor, or a person of the customer."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.session.catalog.rooms.service import RoomService
from services.session.identity.accounts.domain import User
from services.session.identity.accounts.service import AccountService
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.admission import Admission, admit
from services.session.sessions.domain.roles import RoleGrant
from services.session.sessions.join_limits import check_not_closed, window_of
from services.session.sessions.join_tokens import JoinToken, JoinTokens
from services.session.sessions.repository import SessionRepository
from services.session.tokens.room_tokens import IssuedRoomTokens, RoomTokenGrant, RoomTokens
from services.session.tokens.schemas import IssueTokensRequest
from shared.access.identity import LONGEST_LIFETIME, Caller, TokenIssuer
from shared.clock import Clock
from shared.contracts.states import Role
from shared.errors import Forbidden
from shared.ids import new_id
from shared.livekit.join_terms import ALWAYS


@dataclass(frozen=True)
class IssuedTokens:
    """What a customer's backend hands to one of its own people."""

    user: User
    access_token: str
    livekit_token: str
    livekit_url: str
    room_name: str
    expires_at: datetime


class TokenService:
    def __init__(
        self,
        sessions: SessionRepository,
        access: SessionAccess,
        rooms: RoomService,
        room_tokens: RoomTokens,
        join_tokens: JoinTokens,
        accounts: AccountService,
        issuer: TokenIssuer,
        clock: Clock,
    ):
        self._sessions = sessions
        self._access = access
        self._rooms = rooms
        self._room_tokens = room_tokens
        self._join_tokens = join_tokens
        self._accounts = accounts
        self._issuer = issuer
        self._clock = clock

    async def join(self, id: str, caller: Caller, library_id: str | None) -> JoinToken:
        """A token for the caller in their role; the session must be live."""
        session, _ = await self._access.authorize(id, caller, library_id)
        return await self._join_tokens.admit(session, caller)

    async def monitor(self, id: str, caller: Caller, library_id: str | None) -> JoinToken:
        """A token for a hidden participant that only subscribes."""
        session = await self._access.get_for_moderator(id, caller, library_id)
        return await self._join_tokens.monitor(session, caller)

    async def issue(self, id: str, caller: Caller, body: IssueTokensRequest) -> IssuedTokens:
        """Tokens for a customer's own user, who is granted the role; for API keys only.

        Their lifetime begins when people may join. Raises `Forbidden` if they may not any longer.
        """
        session = await self._access.get_for_host(id, caller)
        _require_api_key(caller)
        session.check_not_over()
        session.check_room_enabled()
        # Hosts may come at any time.
        window = ALWAYS if Role(body.role) is Role.HOST else window_of(session.options)
        now = self._clock.now()
        check_not_closed(window, now)
        user = await self._accounts.of_customer(session.organization_id, body.external_user_id, body.name)
        given = RoleGrant(
            id=new_id(), user_id=user.id, username=user.username, role=Role(body.role), by=caller.user_id
        )
        lifetime = timedelta(seconds=body.ttl_seconds)
        end = window.end(now, lifetime)
        admission = Admission(grant=given, ends_at=end)
        session = await self._sessions.change(
            session.id, lambda session: admit(session, self._clock.now(), admission)
        )
        person = user.caller(new_id(), via=caller.api_key_id)
        access_token, _ = self._issuer.issue(person, min(end - now, LONGEST_LIFETIME))
        join = self._join_tokens.mint(session, person, lifetime)
        return IssuedTokens(
            user, access_token, join.livekit_token, join.livekit_url, join.room_name, expires_at=end
        )

    async def issue_for_room(
        self, id: str, caller: Caller, grant: RoomTokenGrant, guest_id: str
    ) -> IssuedRoomTokens:
        """Tokens for a room of the caller's organization; for API keys only. Raises as `RoomTokens`.

        Somebody new gets the reserved `guest_id`.
        """
        room = await self._rooms.get_for_host(id, caller, None)
        key_id = _require_api_key(caller)
        return await self._room_tokens.issue(room, grant, by=caller.user_id, key_id=key_id, guest_id=guest_id)


def _require_api_key(caller: Caller) -> str:
    if caller.api_key_id is None:
        raise Forbidden("Only an API key may do this", code="api_key_required")
    return caller.api_key_id
