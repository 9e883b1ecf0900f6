"""Letting people in: tokens for LiveKit, by the caller's role in the session."""

from datetime import timedelta

from services.session.identity.accounts.schemas import user_response
from services.session.identity.accounts.service import AccountService
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.roles import Appointment, appoint
from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from services.session.sessions.schemas import (
    IssueTokensRequest,
    IssueTokensResponse,
    JoinSessionResponse,
)
from shared.access.identity import Caller, TokenIssuer
from shared.access.permissions import join_grant, monitor_grant
from shared.access.session_access import acting_role, require, require_not_banned
from shared.clock import Clock
from shared.contracts.states import Role
from shared.errors import Forbidden
from shared.ids import new_id
from shared.livekit import TokenMint

JOIN_LIFETIME = timedelta(minutes=10)


class Admission:
    def __init__(
        self,
        sessions: SessionRepository,
        access: SessionAccess,
        accounts: AccountService,
        issuer: TokenIssuer,
        mint: TokenMint,
        clock: Clock,
    ):
        self._sessions = sessions
        self._access = access
        self._accounts = accounts
        self._issuer = issuer
        self._mint = mint
        self._clock = clock

    async def join(self, id: str, caller: Caller, library_id: str | None) -> JoinSessionResponse:  # noqa: A002
        """A token for the caller in their role; the session must be live."""
        session, _ = await self._access.authorize(id, caller, library_id)
        return await self.admit(session, caller)

    async def admit(self, session: Session, caller: Caller) -> JoinSessionResponse:
        """A token for who is permitted to ask for one. Raises `Forbidden`, `Conflict`."""
        session.check_live()
        await self._access.check_registered(session, caller)
        return JoinSessionResponse(livekit_token=self.token(session, caller), room_name=session.id)

    async def monitor(self, id: str, caller: Caller, library_id: str | None) -> JoinSessionResponse:  # noqa: A002
        """A token for a hidden participant that only subscribes."""
        session = await self._access.get_for_moderator(id, caller, library_id)
        session.check_live()
        await self._access.check_registered(session, caller)
        grant = monitor_grant(
            room=session.id,
            # Its own identity, or it would replace the caller's own connection.
            identity=f"{_acting_user(session, caller)}:{new_id()}",
            name=caller.username,
            role=acting_role(session, caller),
        )
        return JoinSessionResponse(
            livekit_token=self._mint.join_token(grant, lifetime=JOIN_LIFETIME), room_name=session.id
        )

    async def issue_tokens(self, id: str, caller: Caller, body: IssueTokensRequest) -> IssueTokensResponse:  # noqa: A002
        """What a customer's backend hands to one of its own people; for API keys only."""
        if caller.api_key_id is None:
            raise Forbidden("Only an API key may do this", code="api_key_required")
        session = await self._access.get_for_host(id, caller)
        session.check_startable()
        role = Role(body.role)
        user = await self._accounts.of_customer(session.organization_id, body.external_user_id, body.name)
        require_not_banned(session, user.id)
        given = Appointment(
            id=new_id(), user_id=user.id, username=user.username, role=role, by=caller.user_id
        )
        session = await self._sessions.change(
            session.id, lambda session: appoint(session, self._clock.now(), given)
        )
        person = user.caller(new_id(), via=caller.api_key_id)
        lifetime = timedelta(seconds=body.ttl_seconds)
        access_token, expires_at = self._issuer.issue(person, lifetime)
        return IssueTokensResponse(
            user=user_response(user, caller),
            access_token=access_token,
            livekit_token=self.token(session, person, lifetime),
            room_name=session.id,
            expires_at=expires_at,
        )

    def token(self, session: Session, caller: Caller, lifetime: timedelta = JOIN_LIFETIME) -> str:
        """A join token for the caller in their role; raises `Forbidden` for who is banned.

        An API key acts as the host: its token is one of the host's sign-ins.
        """
        permissions = require(session, session.preset.settings, caller, None)
        grant = join_grant(
            room=session.id,
            identity=f"{_acting_user(session, caller)}:{caller.sign_in_id}",
            name=caller.username,
            role=acting_role(session, caller),
            permissions=permissions,
        )
        return self._mint.join_token(grant, lifetime=lifetime)


def _acting_user(session: Session, caller: Caller) -> str:
    """As whom the caller is in the room, where only user ids count."""
    as_host = caller.api_key_id is not None and acting_role(session, caller) is Role.HOST
    return session.host_id if as_host else caller.user_id
