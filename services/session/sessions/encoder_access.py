"""What an encoder may do: what its owner could do now, and nothing else."""

from datetime import datetime

from services.session.identity.build import Identity
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from shared.access.encoders import EncoderOwner
from shared.access.identity import Caller, Scope
from shared.errors import Forbidden, Unauthenticated


class EncoderAccess:
    """Decides for each use of an encoder's key."""

    def __init__(self, sessions: SessionRepository, access: SessionAccess, identity: Identity):
        self._sessions = sessions
        self._access = access
        self._identity = identity

    async def authorize(
        self, session_id: str, owner: EncoderOwner | None, asked_at: datetime | None
    ) -> tuple[Session, Caller]:
        """The session, and the owner (by default its host) as a caller, if they could ask for the key again.

        `asked_at` is when they asked, None if that is not known: an account that was deactivated since, or
        got a new password, has lost its keys, and so has an API key that lost a scope.

        Raises `NotFound`, `Unauthenticated` if the account or the API key is gone, `Forbidden` if they may
        not broadcast, and `Conflict` if the session is over.
        """
        found = await self._sessions.get(session_id)
        owner = owner or EncoderOwner(found.host_id)
        caller = await self._caller(found, owner)
        ids = filter(None, (owner.user_id, owner.key_id))
        if asked_at is not None and await self._identity.revocations.cover(ids, asked_at):
            raise Unauthenticated("This key was revoked", code="encoder_key_revoked")
        session = await self._access.get_for_host(session_id, caller, None)
        session.check_not_over()
        return session, caller

    async def _caller(self, session: Session, owner: EncoderOwner) -> Caller:
        """An API key acts as the host, so one that is the host's way in needs nobody else."""
        if owner.key_id is None or owner.user_id != session.host_id:
            return await self._identity.sign_in.caller(owner.user_id, owner.key_id)
        caller = await self._identity.keys.caller(owner.key_id)
        if Scope.WRITE not in caller.scopes:
            raise Forbidden("This API key may not write", code="scope_missing")
        return caller
