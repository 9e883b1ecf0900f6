"""Joins by tokens older than the time for which revocations are kept: those for rooms that opened later."""

from typing import Protocol

import structlog

from shared.access.identity import Caller
from shared.access.revocations import OTHERS_MATTER
from shared.contracts.livekit_events import ParticipantJoined
from shared.errors import Unauthenticated
from shared.livekit import LiveKit

log = structlog.get_logger(__name__)


class Accounts(Protocol):
    async def caller(self, user_id: str, via: str | None) -> Caller:
        """Raises `Unauthenticated` if the person, or the API key that let them in, is gone."""
        ...


class OldTokens:
    def __init__(self, accounts: Accounts, livekit: LiveKit):
        self._accounts = accounts
        self._livekit = livekit

    async def joined(self, event: ParticipantJoined) -> None:
        """Remove them if who issued the token, or for whom, is gone. Raises `Unavailable`."""
        one = event.connection
        if one.issued_at is None or one.joined_at - one.issued_at < OTHERS_MATTER:
            return
        try:
            await self._accounts.caller(one.user_id, one.key_id)
        except Unauthenticated as error:
            log.info("old_tokens.removed", session_id=event.session_id, code=error.code)
            await self._livekit.remove_participant(event.session_id, one.identity)
