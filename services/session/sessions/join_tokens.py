"""Tokens for joining a session's LiveKit room, by the caller's role in the session."""

from dataclasses import dataclass, replace
from datetime import timedelta

from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Session
from services.session.sessions.join_limits import check_open, strictest, window_of
from shared.access.identity import Caller
from shared.access.permissions import join_grant, monitor_grant
from shared.access.session_access import acting_role, acting_user, require
from shared.clock import Clock
from shared.contracts.states import Role
from shared.ids import new_id
from shared.livekit import TokenMint
from shared.livekit.join_terms import ALWAYS, JoinTerms, JoinWindow

JOIN_LIFETIME = timedelta(minutes=10)
_NO_TERMS = JoinTerms()


@dataclass(frozen=True)
class JoinToken:
    """What a LiveKit client connects with; `livekit_url` is where."""

    livekit_token: str
    livekit_url: str
    room_name: str


class JoinTokens:
    """`livekit_url` is LiveKit's address for clients."""

    def __init__(self, access: SessionAccess, mint: TokenMint, livekit_url: str, clock: Clock):
        self._access = access
        self._mint = mint
        self._livekit_url = livekit_url
        self._clock = clock

    async def admit(self, session: Session, caller: Caller) -> JoinToken:
        """A token for an authorized caller; the session must be live. Raises `Forbidden`, `Conflict`."""
        session.check_live()
        session.check_room_enabled()
        check_open(self._window(session, caller), self._clock.now())
        return self.mint(session, caller)

    async def monitor(self, session: Session, caller: Caller) -> JoinToken:
        """A token for a hidden participant that only subscribes. Raises `Forbidden`, `Conflict`."""
        session.check_live()
        check_open(self._window(session, caller), self._clock.now())
        grant = monitor_grant(
            room=session.id,
            # Ends with the sign-in; the same identity would replace the sign-in's own connection.
            identity=f"{acting_user(session, caller)}:{caller.sign_in_id}:{new_id()}",
            name=caller.username,
            role=acting_role(session, caller),
            key_id=caller.api_key_id or caller.via,
            is_guest=caller.is_guest,
        )
        return self._join_token(session, self._mint.join_token(grant, lifetime=JOIN_LIFETIME))

    def mint(
        self,
        session: Session,
        caller: Caller,
        lifetime: timedelta = JOIN_LIFETIME,
        *,
        window: JoinWindow = ALWAYS,
        terms: JoinTerms = _NO_TERMS,
    ) -> JoinToken:
        """A join token for the caller in their role; raises `Forbidden` for banned users.

        An API key acts as the host: its token is one of the host's sign-ins. What the session's room limits
        holds as well, whoever is stricter.
        """
        permissions = require(session, session.preset.settings, caller, None)
        grant = join_grant(
            room=session.id,
            identity=f"{acting_user(session, caller)}:{caller.sign_in_id}",
            name=caller.username,
            role=acting_role(session, caller),
            permissions=permissions,
            key_id=caller.api_key_id or caller.via,
            is_guest=caller.is_guest,
        )
        token = self._mint.join_token(
            replace(grant, terms=strictest(terms, session.options)),
            lifetime=lifetime,
            window=window.within(self._window(session, caller)),
        )
        return self._join_token(session, token)

    def _join_token(self, session: Session, token: str) -> JoinToken:
        return JoinToken(livekit_token=token, livekit_url=self._livekit_url, room_name=session.id)

    def _window(self, session: Session, caller: Caller) -> JoinWindow:
        """When the caller may join: the session's host, and API keys, at any time."""
        return ALWAYS if acting_role(session, caller) is Role.HOST else window_of(session.options)
