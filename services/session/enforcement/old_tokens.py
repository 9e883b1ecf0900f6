"""Joins by tokens older than the time for which revocations are kept: those for rooms that opened later."""

from typing import Protocol

import structlog

from shared.access.identity import Caller
from shared.access.revocations import OTHERS_MATTER
from shared.contracts.livekit_events import Connection, ParticipantJoined
from shared.contracts.reconciler_events import RosterObserved
from shared.contracts.session_events import SessionEnded
from shared.errors import Unauthenticated
from shared.livekit import LiveKit

log = structlog.get_logger(__name__)

# A session whose end another replica heard of stays remembered here.
_REMEMBERED = 10_000


class Accounts(Protocol):
    async def caller(self, user_id: str, via: str | None) -> Caller:
        """Raises `Unauthenticated` if the person, or the API key that let them in, is gone."""
        ...


class OldTokens:
    def __init__(self, accounts: Accounts, livekit: LiveKit):
        self._accounts = accounts
        self._livekit = livekit
        # By session, those of its last roster with old tokens.
        self._looked_at: dict[str, set[str]] = {}

    async def joined(self, event: ParticipantJoined) -> None:
        """Remove them if who issued the token, or for whom, is gone. Raises `Unavailable`."""
        if _is_old(event.connection):
            await self._check(event.session_id, event.connection)

    async def follow_roster(self, event: RosterObserved) -> None:
        """Those whose join was not reported; each connection is looked at once. Raises `Unavailable`."""
        looked_at = self._looked_at.pop(event.session_id, set())
        old = [one for one in event.connections if _is_old(one)]
        for one in old:
            if one.participant_sid not in looked_at:
                await self._check(event.session_id, one)
        if old:
            self._looked_at[event.session_id] = {one.participant_sid for one in old}
        if len(self._looked_at) > _REMEMBERED:
            del self._looked_at[next(iter(self._looked_at))]

    async def forget(self, event: SessionEnded) -> None:
        """Its room is closed."""
        self._looked_at.pop(event.session.id, None)

    async def _check(self, session_id: str, one: Connection) -> None:
        try:
            await self._accounts.caller(one.user_id, one.key_id)
        except Unauthenticated as error:
            log.info("old_tokens.removed", session_id=session_id, code=error.code)
            await self._livekit.remove_participant(session_id, one.identity)


def _is_old(connection: Connection) -> bool:
    issued_at = connection.issued_at
    return issued_at is not None and connection.joined_at - issued_at >= OTHERS_MATTER
