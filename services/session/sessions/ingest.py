"""Asking the egress service for a session's RTMP ingest: the one call that cannot be an event."""

from dataclasses import dataclass, field
from typing import Final, Protocol

from services.session.sessions.domain.session import Session
from shared.access.encoders import owner_for
from shared.access.identity import Caller
from shared.errors import Unavailable
from shared.http.internal import InternalCalls, InternalClient

_TIMEOUT_SECONDS: Final = 8.0


@dataclass(frozen=True)
class Ingest:
    """Where an encoder sends RTMP; the key is its owner's secret and never leaves in events."""

    ingress_id: str
    url: str
    stream_key: str = field(repr=False)


class IngestPort(Protocol):
    async def ensure(self, session: Session, caller: Caller) -> Ingest:
        """The caller's own ingest of the session, made if there is none yet; raises `Unavailable`."""
        ...

    async def renew(self, session: Session, caller: Caller) -> Ingest:
        """Another ingest in the place of all that the caller has, an API key being the host.

        Raises `Unavailable`.
        """
        ...


class EgressIngest:
    """The egress service's internal operation."""

    def __init__(self, egress_url: str, calls: InternalCalls):
        self._client = InternalClient("egress", egress_url, calls, timeout_seconds=_TIMEOUT_SECONDS)

    async def ensure(self, session: Session, caller: Caller) -> Ingest:
        return await self._ask("/internal/ingests", session, caller)

    async def renew(self, session: Session, caller: Caller) -> Ingest:
        return await self._ask("/internal/ingests/renew", session, caller)

    async def _ask(self, path: str, session: Session, caller: Caller) -> Ingest:
        owner = owner_for(session, caller)
        body = {
            "session_id": session.id,
            "host_id": session.host_id,
            "name": session.title,
            "user_id": owner.user_id,
            "key_id": owner.key_id,
            "is_guest": caller.is_guest,
        }
        try:
            return await self._client.post(path, Ingest, body)
        except Unavailable as error:
            raise Unavailable("RTMP ingest is unavailable") from error

    async def close(self) -> None:
        await self._client.close()
