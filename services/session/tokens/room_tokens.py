"""Tokens for a room: its session need not be there yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.session.catalog.rooms.domain import Room
from services.session.catalog.rooms.roles import TokenRole
from services.session.identity.accounts.domain import User
from services.session.identity.accounts.service import AccountService
from services.session.sessions.domain.admission import Admission, admit
from services.session.sessions.domain.roles import RoleGrant
from services.session.sessions.domain.session import Session
from services.session.sessions.join_limits import check_not_closed, strictest, window_of
from services.session.sessions.join_tokens import JoinTokens
from services.session.sessions.pending import PendingSessions
from shared.access.identity import LONGEST_LIFETIME, TokenIssuer
from shared.access.session_access import require_admitted
from shared.clock import Clock
from shared.contracts.states import Role, StageSeat
from shared.errors import FieldError, InvalidRequest
from shared.ids import new_id
from shared.livekit.join_terms import ALWAYS, JoinTerms, JoinWindow


class Publish(StrEnum):
    """What a host or guest may publish, beside what the preset allows."""

    ALL = "all"
    AUDIO = "audio"
    VIDEO = "video"
    NONE = "none"


_ROLES = {TokenRole.HOST: Role.CO_HOST, TokenRole.MODERATOR: Role.MODERATOR}


@dataclass(frozen=True, kw_only=True)
class RoomTokenGrant:
    """Who gets in as what, for how long, and on which terms; without an `external_user_id` somebody new.

    The lifetime begins when the window opens.
    """

    external_user_id: str | None = None
    name: str = "Guest"
    role: TokenRole = TokenRole.AUDIENCE
    publish: Publish = Publish.ALL
    lifetime: timedelta = LONGEST_LIFETIME
    window: JoinWindow = ALWAYS
    terms: JoinTerms = JoinTerms()  # noqa: RUF009 - frozen

    def role_grant(self, user: User, by: str) -> RoleGrant:
        """The role in a session that `by` gives them."""
        return RoleGrant(
            id=new_id(),
            user_id=user.id,
            username=user.username,
            role=_ROLES.get(self.role, Role.AUDIENCE),
            by=by,
            device_id=user.device,
        )

    def seat(self, now: datetime) -> StageSeat | None:
        """A guest's place on stage, or what a host may publish if that is not everything."""
        limited = self.role is TokenRole.HOST and self.publish is not Publish.ALL
        if self.role is not TokenRole.GUEST and not limited:
            return None
        return StageSeat(
            id=new_id(),
            name=self.name,
            can_publish_audio=self.publish in {Publish.ALL, Publish.AUDIO},
            can_publish_video=self.publish in {Publish.ALL, Publish.VIDEO},
            joined_stage_at=now,
            reserved=True,
        )


@dataclass(frozen=True)
class IssuedRoomTokens:
    """What the customer's backend, or an exchanged code, hands to a person."""

    user: User
    access_token: str
    livekit_token: str
    livekit_url: str
    session: Session
    expires_at: datetime


class RoomTokens:
    def __init__(
        self,
        pending: PendingSessions,
        join_tokens: JoinTokens,
        accounts: AccountService,
        issuer: TokenIssuer,
        clock: Clock,
    ):
        self._pending = pending
        self._join_tokens = join_tokens
        self._accounts = accounts
        self._issuer = issuer
        self._clock = clock

    async def issue(
        self,
        room: Room,
        grant: RoomTokenGrant,
        *,
        by: str,
        key_id: str | None = None,
        guest_id: str | None = None,
    ) -> IssuedRoomTokens:
        """Tokens for the room's live session, or for a pending one that starts when somebody joins.

        `by` is the user who gives the role; the tokens end with the API key `key_id`, if that issued them.
        Somebody new gets the reserved `guest_id`, if there is one.

        Raises `InvalidRequest` for a window that never opens, `Forbidden` if the room is disabled, its window
        is over, or the person is banned or not admitted, `Conflict` if there is no session and the room has
        no automatic ones, and `Unavailable`.
        """
        now = self._clock.now()
        window = window_of(room.options).within(grant.window)
        self._check(room, grant, window)
        user = await self._person(room, grant, guest_id or new_id())
        person = user.caller(new_id(), via=key_id)
        end = window.end(now, grant.lifetime)
        admission = Admission(grant=grant.role_grant(user, by), seat=grant.seat(now), ends_at=end)
        session = await self._pending.change(
            room, admission.until, lambda session: admit(session, self._clock.now(), admission)
        )
        if user.is_guest:
            # Whoever was refused has left no account.
            user = await self._accounts.add_guest(user)
        access_token, _ = self._issuer.issue(person, min(end - now, LONGEST_LIFETIME))
        # A live session has the options that the room had then.
        terms = strictest(grant.terms, room.options)
        join = self._join_tokens.mint(session, person, grant.lifetime, window=window, terms=terms)
        return IssuedRoomTokens(
            user, access_token, join.livekit_token, join.livekit_url, session, expires_at=end
        )

    async def _person(self, room: Room, grant: RoomTokenGrant, guest_id: str) -> User:
        if grant.external_user_id is None:
            return self._accounts.new_guest(guest_id, room.organization_id, grant.name)
        return await self._accounts.of_customer(room.organization_id, grant.external_user_id, grant.name)

    def _check(self, room: Room, grant: RoomTokenGrant, window: JoinWindow) -> None:
        """Before anything is made for somebody who may not join."""
        room.check_enabled()
        require_admitted(room, guest=grant.external_user_id is None)
        if window.opens_at and window.closes_at and window.closes_at <= window.opens_at:
            never = FieldError("join_until", "before_join_from", "must be after join_from, the room's too")
            raise InvalidRequest([never])
        check_not_closed(window, self._clock.now())
