"""Asking the egress service for a session's RTMP ingest: the one call that cannot be an event."""

from typing import Protocol

import aiohttp

from services.session.sessions.domain import Ingest
from shared.errors import Unavailable
from shared.http.internal import InternalCalls

_DEADLINE = aiohttp.ClientTimeout(total=8.0)


class IngestPort(Protocol):
    async def ensure(self, *, session_id: str, host_id: str, name: str) -> Ingest:
        """The session's ingest, made where there is none yet; raises `Unavailable`."""
        ...

    async def renew(self, *, session_id: str, host_id: str, name: str) -> Ingest:
        """Another ingest in the place of the one there is; raises `Unavailable`."""
        ...


class EgressIngest:
    """The egress service's internal operation."""

    def __init__(self, egress_url: str, calls: InternalCalls):
        self._url = egress_url.rstrip("/") + "/internal/ingests"
        self._calls = calls
        self._client: aiohttp.ClientSession | None = None

    async def ensure(self, *, session_id: str, host_id: str, name: str) -> Ingest:
        return await self._ask(self._url, session_id, host_id, name)

    async def renew(self, *, session_id: str, host_id: str, name: str) -> Ingest:
        return await self._ask(f"{self._url}/renew", session_id, host_id, name)

    async def _ask(self, url: str, session_id: str, host_id: str, name: str) -> Ingest:
        body = {"session_id": session_id, "host_id": host_id, "name": name}
        headers = {"Authorization": self._calls.sign("egress")}
        if self._client is None:
            self._client = aiohttp.ClientSession(timeout=_DEADLINE)
        try:
            async with self._client.post(url, json=body, headers=headers) as response:
                if response.status != 200:
                    raise Unavailable(f"RTMP ingest is not available now ({response.status})")
                data = (await response.json())["data"]
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("RTMP ingest is not available now") from error
        return Ingest(ingress_id=data["ingress_id"], url=data["url"], stream_key=data["stream_key"])

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
