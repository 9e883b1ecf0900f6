"""Asking the session service for a session that no event has reported yet."""

from typing import Final, Protocol

from shared.contracts.states import SessionState
from shared.http.internal import InternalCalls, InternalClient, UnexpectedStatus

_TIMEOUT_SECONDS: Final = 0.5


class SessionOwner(Protocol):
    async def ask(self, session_id: str) -> SessionState | None:
        """The session's state, None if there is no such session; raises `Unavailable`."""
        ...


class HttpSessionOwner:
    """The session service's internal operation, asked once and for at most 500 ms."""

    def __init__(self, session_url: str, calls: InternalCalls):
        self._client = InternalClient("session", session_url, calls, timeout_seconds=_TIMEOUT_SECONDS)

    async def ask(self, session_id: str) -> SessionState | None:
        try:
            return await self._client.get(f"/internal/sessions/{session_id}", SessionState)
        except UnexpectedStatus as error:
            if error.answered == 404:
                return None
            raise

    async def close(self) -> None:
        await self._client.close()
