"""Asking the session service what was revoked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import aiohttp
from pydantic import BaseModel, ValidationError

from shared.access.revocations import Revoked
from shared.errors import Unavailable
from shared.http.internal import InternalCalls

PATH: Final = "/internal/revocations"
_DEADLINE = aiohttp.ClientTimeout(total=2)


class _Data(BaseModel):
    revoked: list[Revoked]


class _Answer(BaseModel):
    data: _Data


class HttpRevocations:
    """The session service's internal operation, as a source to follow. Made inside the running loop."""

    def __init__(self, session_url: str, calls: InternalCalls):
        self._url = session_url.rstrip("/") + PATH
        self._calls = calls
        self._client = aiohttp.ClientSession(timeout=_DEADLINE)

    async def since(self, moment: datetime) -> Sequence[Revoked]:
        """Raises `Unavailable`."""
        headers = {"Authorization": self._calls.sign("session")}
        query = {"since": moment.isoformat()}
        try:
            async with self._client.get(self._url, params=query, headers=headers) as response:
                if response.status != 200:
                    raise Unavailable(f"The session service does not answer now ({response.status})")
                return _Answer.model_validate_json(await response.read()).data.revoked
        except (aiohttp.ClientError, OSError, TimeoutError, ValidationError) as error:
            raise Unavailable("The session service does not answer now") from error

    async def close(self) -> None:
        await self._client.close()
