"""Asking the session service: what was revoked, and for a session that no event has reported yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from pydantic import BaseModel

from shared.access.revocations import Revoked
from shared.contracts.states import SessionState
from shared.http.internal import InternalCalls, InternalClient, UnexpectedStatus

REVOCATIONS_PATH: Final = "/internal/revocations"
_REVOCATIONS_TIMEOUT: Final = 2.0
_SESSION_TIMEOUT: Final = 0.5


class _Revocations(BaseModel):
    revoked: list[Revoked]


class HttpRevocations:
    """The session service's internal operation, as a source to follow."""

    def __init__(self, session_url: str, calls: InternalCalls):
        self._client = InternalClient("session", session_url, calls, timeout_seconds=_REVOCATIONS_TIMEOUT)

    async def since(self, moment: datetime) -> Sequence[Revoked]:
        """Raises `Unavailable`."""
        return (await self._client.get(REVOCATIONS_PATH, _Revocations, {"since": moment.isoformat()})).revoked

    async def close(self) -> None:
        await self._client.close()


class SessionOwner(Protocol):
    async def ask(self, session_id: str) -> SessionState | None:
        """The session's state, None if there is no such session; raises `Unavailable`."""
        ...


class HttpSessionOwner:
    """The session service's internal operation, asked once and for at most 500 ms."""

    def __init__(self, session_url: str, calls: InternalCalls):
        self._client = InternalClient("session", session_url, calls, timeout_seconds=_SESSION_TIMEOUT)

    async def ask(self, session_id: str) -> SessionState | None:
        try:
            return await self._client.get(f"/internal/sessions/{session_id}", SessionState)
        except UnexpectedStatus as error:
            if error.answered == 404:
                return None
            raise

    async def close(self) -> None:
        await self._client.close()
