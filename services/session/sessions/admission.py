"""Letting people in: tokens for LiveKit, by the caller's role in the session."""

from datetime import timedelta
from typing import Final

from aiohttp import web

from services.session.accounts.schemas import user_response
from services.session.accounts.service import AccountService
from services.session.sessions.domain import Session
from services.session.sessions.repository import SessionRepository
from services.session.sessions.schemas import (
    IssueTokensRequest,
    IssueTokensResponse,
    JoinSessionResponse,
)
from services.session.sessions.service import SessionService, role_in
from shared.clock import Clock
from shared.contracts.states import Role
from shared.errors import Forbidden
from shared.identity import Caller, TokenIssuer
from shared.ids import new_id
from shared.livekit import TokenMint
from shared.permissions import join_grant, monitor_grant, permissions_in

JOIN_LIFETIME = timedelta(minutes=10)


class Admission:
    def __init__(
        self,
        sessions: SessionRepository,
        session_service: SessionService,
        accounts: AccountService,
        issuer: TokenIssuer,
        mint: TokenMint,
        clock: Clock,
    ):
        self._sessions = sessions
        self._service = session_service
        self._accounts = accounts
        self._issuer = issuer
        self._mint = mint
        self._clock = clock

    async def join(self, id: str, caller: Caller, library_id: str | None) -> JoinSessionResponse:  # noqa: A002
        """A token for the caller in their role; the session must be live."""
        session = await self._live(id, library_id)
        token = self.token(session, caller, role_in(session, caller))
        return JoinSessionResponse(livekit_token=token, room_name=session.id)

    async def monitor(self, id: str, caller: Caller, library_id: str | None) -> JoinSessionResponse:  # noqa: A002
        """A token for a hidden participant that only subscribes."""
        session = await self._service.moderated(id, caller, library_id)
        session.check_live()
        grant = monitor_grant(
            room=session.id,
            # Its own identity, or it would replace the caller's own connection.
            identity=f"{caller.user_id}:{new_id()}",
            name=caller.username,
            role=role_in(session, caller),
        )
        return JoinSessionResponse(
            livekit_token=self._mint.join_token(grant, lifetime=JOIN_LIFETIME), room_name=session.id
        )

    async def _live(self, id: str, library_id: str | None) -> Session:  # noqa: A002
        session = await self._service.readable(id, library_id)
        session.check_live()
        return session

    async def issue_tokens(self, id: str, caller: Caller, body: IssueTokensRequest) -> IssueTokensResponse:  # noqa: A002
        """What a customer's backend hands to one of its own people; for API keys only."""
        if caller.api_key_id is None:
            raise Forbidden("Only an API key may do this", code="api_key_required")
        session = await self._service.hosted(id, caller, None)
        session.check_startable()
        role = Role(body.role)
        user = await self._accounts.of_customer(session.organization_id, body.external_user_id, body.name)
        session = await self._sessions.change(
            id, lambda session: session.assign(self._clock.now(), user.id, role)
        )
        person = user.caller(new_id(), via=caller.api_key_id)
        lifetime = timedelta(seconds=body.ttl_seconds)
        access_token, expires_at = self._issuer.issue(person, lifetime)
        return IssueTokensResponse(
            user=user_response(user, caller),
            access_token=access_token,
            livekit_token=self.token(session, person, role, lifetime),
            room_name=session.id,
            expires_at=expires_at,
        )

    def token(self, session: Session, caller: Caller, role: Role, lifetime: timedelta = JOIN_LIFETIME) -> str:
        """A join token for the caller in this role."""
        grant = join_grant(
            room=session.id,
            identity=caller.identity,
            name=caller.username,
            role=role,
            permissions=permissions_in(session, session.preset.settings, caller.user_id, role),
        )
        return self._mint.join_token(grant, lifetime=lifetime)


ADMISSION: Final = web.AppKey("admission", Admission)
