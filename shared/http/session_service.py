"""Asking the session service: what was revoked, for a session that no event has reported yet, and whose
encoders may send.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from pydantic import BaseModel

from shared.access.encoders import EncoderOwner
from shared.access.revocations import Revoked
from shared.contracts.states import SessionState
from shared.http.internal import InternalCalls, InternalClient, UnexpectedStatus

REVOCATIONS_PATH: Final = "/internal/revocations"
_REVOCATIONS_TIMEOUT: Final = 2.0
_SESSION_TIMEOUT: Final = 0.5
_ENCODER_TIMEOUT: Final = 2.0
_REFUSED: Final = frozenset({401, 403, 404, 409})


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


class EncoderOwners(Protocol):
    async def may_send(self, session_id: str, owner: EncoderOwner | None, asked_at: datetime | None) -> bool:
        """Whether the encoder of this owner (None: the session's host), who asked for its key then, may send.

        Raises `Unavailable`.
        """
        ...


class _Encoder(BaseModel):
    username: str


class HttpEncoderOwners:
    """The session service's internal operation."""

    def __init__(self, session_url: str, calls: InternalCalls):
        self._client = InternalClient("session", session_url, calls, timeout_seconds=_ENCODER_TIMEOUT)

    async def may_send(self, session_id: str, owner: EncoderOwner | None, asked_at: datetime | None) -> bool:
        body = {
            "user_id": owner.user_id if owner else None,
            "key_id": owner.key_id if owner else None,
            "asked_at": asked_at.isoformat() if asked_at else None,
        }
        try:
            await self._client.post(f"/internal/sessions/{session_id}/encoders", _Encoder, body)
        except UnexpectedStatus as error:
            if error.answered in _REFUSED:
                return False
            raise
        return True

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
