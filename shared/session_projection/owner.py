"""Asking the session service for a session that no event has told of yet."""

from typing import Protocol

import aiohttp
from pydantic import BaseModel, ValidationError

from shared.contracts.states import SessionState
from shared.errors import Unavailable
from shared.http.internal import InternalCalls

_DEADLINE = aiohttp.ClientTimeout(total=0.5)


class _Answer(BaseModel):
    data: SessionState


class SessionOwner(Protocol):
    async def ask(self, session_id: str) -> SessionState | None:
        """The session's state, None where there is no such session; raises `Unavailable`."""
        ...


class HttpSessionOwner:
    """The session service's internal operation, asked once and for at most 500 ms."""

    def __init__(self, session_url: str, calls: InternalCalls):
        self._url = session_url.rstrip("/") + "/internal/sessions/"
        self._calls = calls
        self._client: aiohttp.ClientSession | None = None

    async def ask(self, session_id: str) -> SessionState | None:
        headers = {"Authorization": self._calls.sign("session")}
        if self._client is None:
            self._client = aiohttp.ClientSession(timeout=_DEADLINE)
        try:
            async with self._client.get(self._url + session_id, headers=headers) as response:
                if response.status == 404:
                    return None
                if response.status != 200:
                    raise Unavailable(f"The session service does not answer now ({response.status})")
                return _Answer.model_validate_json(await response.read()).data
        except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
            raise Unavailable("The session service does not answer now") from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
