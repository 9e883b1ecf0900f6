"""Banning people from a session, and letting them in again."""

from collections.abc import Set
from dataclasses import replace

import structlog

from services.session.identity.accounts.domain import User
from services.session.identity.accounts.repository import UserRepository
from services.session.moderation.presenter import (
    BannedParticipantResponse,
    BannedParticipantsListResponse,
    BanParticipantRequest,
    BanPresenter,
    BanStatusResponse,
)
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.bans import ban, bans_of, unban
from services.session.sessions.domain.people import Ban
from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from shared.access.identity import Caller
from shared.access.room_permissions import user_of
from shared.access.session_access import acting_role, require_admitted
from shared.clock import Clock
from shared.errors import AppError, NotFound
from shared.http.schema import Page
from shared.livekit import LiveKit

log = structlog.get_logger(__name__)

# Of those who registered from a device a ban lists so many of the last. Each who still has a valid token is
# among them: `SIGNED_IN_OF_DEVICE` may get one, and `REGISTRATIONS_AN_HOUR` more push others out of these
# while a token lives.
LISTED_OF_DEVICE = 100


class ModerationService:
    def __init__(
        self,
        sessions: SessionRepository,
        access: SessionAccess,
        users: UserRepository,
        presenter: BanPresenter,
        livekit: LiveKit,
        clock: Clock,
    ):
        self._sessions = sessions
        self._access = access
        self._users = users
        self._presenter = presenter
        self._livekit = livekit
        self._clock = clock

    async def ban(
        self, session_id: str, caller: Caller, body: BanParticipantRequest, id: str
    ) -> BannedParticipantResponse:
        """Ban a person with their device, under the reserved `id`.

        Raises `NotFound`, `Forbidden`, `Conflict`.
        """
        session, _ = await self._access.authorize(session_id, caller, permission="moderate")
        user = await self._users.find(body.user_id)
        if user is None:
            raise NotFound.of("user")
        banned = Ban(
            id=id,
            device_id=user.device,
            others=await self._others(session, user),
            banned_by=caller.user_id,
            reason=body.reason,
            banned_at=self._clock.now(),
        )
        session = await self._ban(session.id, caller, user.id, banned)
        # Whoever registered from the device before it was banned may have a token to join already.
        late = await self._others(session, user)
        if late != banned.others:
            session = await self._ban(session.id, caller, user.id, replace(banned, others=late))
        return await self._presenter.one(session, user.id, caller)

    async def _ban(self, session_id: str, caller: Caller, user_id: str, banned: Ban) -> Session:
        return await self._sessions.change(
            session_id, lambda session: ban(session, user_id, banned, acting_role(session, caller))
        )

    async def _others(self, session: Session, user: User) -> tuple[str, ...]:
        """Who else registered from the device: all who are in the session, then the last to register."""
        if user.device is None:
            return ()
        newest = await self._users.newest_of_device(user.device, most=LISTED_OF_DEVICE)
        inside = await self._inside(session) if len(newest) == LISTED_OF_DEVICE else set()
        present = await self._users.of_device_among(user.device, inside) if inside else []
        return tuple(one for one in dict.fromkeys([*present, *newest]) if one != user.id)

    async def _inside(self, session: Session) -> Set[str]:
        """Everybody with a role, a place on stage or a connection."""
        inside = {*session.roles, *session.stage}
        try:
            connected = await self._livekit.list_participants(session.id) if session.is_live else []
        except AppError as error:
            # Whoever has been connected for so long is found when the ban is repeated.
            log.warning("moderation.room_unknown", session_id=session.id, error=error.message)
            return inside
        return inside | {user_of(one.identity) for one in connected}

    async def unban(self, session_id: str, caller: Caller, user_id: str) -> None:
        """Lift every ban of the person and of their device. Raises `NotFound` if there is none."""
        session, _ = await self._access.authorize(session_id, caller, permission="moderate")
        user = await self._users.find(user_id)
        device = user.device if user else None
        await self._sessions.change(
            session.id, lambda session: unban(session, self._clock.now(), user_id, device)
        )

    async def list(self, session_id: str, caller: Caller, page: Page) -> BannedParticipantsListResponse:
        """Who is banned, the last to be first."""
        session, _ = await self._access.authorize(session_id, caller, permission="moderate")
        listed = sorted(session.bans, key=lambda id_: (session.bans[id_].banned_at, id_), reverse=True)
        shown = listed[page.skip : page.skip + page.limit]
        return BannedParticipantsListResponse(
            banned_participants=await self._presenter.many(session, shown, caller), total=len(listed)
        )

    async def status(self, session_id: str, caller: Caller) -> BanStatusResponse:
        """Whether the caller is banned, by themselves or by their device."""
        session = await self._access.get_in_library(session_id, None)
        require_admitted(session, guest=caller.is_guest)
        bans = bans_of(session, caller.user_id, caller.device_id)
        first = min(bans.values(), key=lambda banned: banned.banned_at, default=None)
        return BanStatusResponse(
            banned=first is not None,
            reason=first.reason if first else None,
            banned_at=first.banned_at if first else None,
        )
