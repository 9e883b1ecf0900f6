"""Asking the egress service for a session's RTMP ingest: the one call that cannot be an event."""

from typing import Final, Protocol

from services.session.sessions.domain.session import Ingest
from shared.errors import Unavailable
from shared.http.internal import InternalCalls, InternalClient

_TIMEOUT_SECONDS: Final = 8.0


class IngestPort(Protocol):
    async def ensure(self, *, session_id: str, host_id: str, name: str) -> Ingest:
        """The session's ingest, made if there is none yet; raises `Unavailable`."""
        ...

    async def renew(self, *, session_id: str, host_id: str, name: str) -> Ingest:
        """Another ingest in the place of the one there is; raises `Unavailable`."""
        ...


class EgressIngest:
    """The egress service's internal operation."""

    def __init__(self, egress_url: str, calls: InternalCalls):
        self._client = InternalClient("egress", egress_url, calls, timeout_seconds=_TIMEOUT_SECONDS)

    async def ensure(self, *, session_id: str, host_id: str, name: str) -> Ingest:
        return await self._ask("/internal/ingests", session_id, host_id, name)

    async def renew(self, *, session_id: str, host_id: str, name: str) -> Ingest:
        return await self._ask("/internal/ingests/renew", session_id, host_id, name)

    async def _ask(self, path: str, session_id: str, host_id: str, name: str) -> Ingest:
        body = {"session_id": session_id, "host_id": host_id, "name": name}
        try:
            return await self._client.post(path, Ingest, body)
        except Unavailable as error:
            raise Unavailable("RTMP ingest is unavailable") from error

    async def close(self) -> None:
        await self._client.close()
