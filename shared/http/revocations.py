"""Asking the session service what was revoked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from shared.access.revocations import Revoked
from shared.http.internal import InternalCalls, InternalClient

PATH: Final = "/internal/revocations"
_TIMEOUT_SECONDS: Final = 2.0


class _Data(BaseModel):
    revoked: list[Revoked]


class HttpRevocations:
    """The session service's internal operation, as a source to follow."""

    def __init__(self, session_url: str, calls: InternalCalls):
        self._client = InternalClient("session", session_url, calls, timeout_seconds=_TIMEOUT_SECONDS)

    async def since(self, moment: datetime) -> Sequence[Revoked]:
        """Raises `Unavailable`."""
        return (await self._client.get(PATH, _Data, {"since": moment.isoformat()})).revoked

    async def close(self) -> None:
        await self._client.close()
