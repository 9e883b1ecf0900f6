"""Tokens for joining a session's LiveKit room, by the caller's role in the session."""

from dataclasses import dataclass
from datetime import timedelta

from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.access.permissions import join_grant, monitor_grant
from shared.access.session_access import acting_role, acting_user, require
from shared.ids import new_id
from shared.livekit import TokenMint

JOIN_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class JoinToken:
    livekit_token: str
    room_name: str


class JoinTokens:
    def __init__(self, access: SessionAccess, mint: TokenMint):
        self._access = access
        self._mint = mint

    async def admit(self, session: Session, caller: Caller) -> JoinToken:
        """A token for an authorized caller; the session must be live. Raises `Forbidden`, `Conflict`."""
        session.check_live()
        return JoinToken(self.mint(session, caller), session.id)

    async def monitor(self, session: Session, caller: Caller) -> JoinToken:
        """A token for a hidden participant that only subscribes. Raises `Forbidden`, `Conflict`."""
        session.check_live()
        grant = monitor_grant(
            room=session.id,
            # Ends with the sign-in; the same identity would replace the sign-in's own connection.
            identity=f"{acting_user(session, caller)}:{caller.sign_in_id}:{new_id()}",
            name=caller.username,
            role=acting_role(session, caller),
            key_id=caller.api_key_id or caller.via,
            is_guest=caller.is_guest,
        )
        return JoinToken(self._mint.join_token(grant, lifetime=JOIN_LIFETIME), session.id)

    def mint(self, session: Session, caller: Caller, lifetime: timedelta = JOIN_LIFETIME) -> str:
        """A join token for the caller in their role; raises `Forbidden` for banned users.

        An API key acts as the host: its token is one of the host's sign-ins.
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
        return self._mint.join_token(grant, lifetime=lifetime)
