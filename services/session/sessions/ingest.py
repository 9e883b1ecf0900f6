"""Asking the egress service for a session's RTMP ingest: the one call that cannot be an event."""

from dataclasses import dataclass, field
from typing import Final, Protocol

from services.session.sessions.domain.session import Session
from shared.access.encoders import EncoderOwner
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
    async def ensure(self, session: Session, owner: EncoderOwner) -> Ingest:
        """The owner's ingest of the session, made if there is none yet; raises `Unavailable`."""
        ...

    async def renew(self, session: Session, owner: EncoderOwner) -> Ingest:
        """Another ingest in the place of the owner's; raises `Unavailable`."""
        ...


class EgressIngest:
    """The egress service's internal operation."""

    def __init__(self, egress_url: str, calls: InternalCalls):
        self._client = InternalClient("egress", egress_url, calls, timeout_seconds=_TIMEOUT_SECONDS)

    async def ensure(self, session: Session, owner: EncoderOwner) -> Ingest:
        return await self._ask("/internal/ingests", session, owner)

    async def renew(self, session: Session, owner: EncoderOwner) -> Ingest:
        return await self._ask("/internal/ingests/renew", session, owner)

    async def _ask(self, path: str, session: Session, owner: EncoderOwner) -> Ingest:
        body = {
            "session_id": session.id,
            "host_id": session.host_id,
            "name": session.title,
            "user_id": owner.user_id,
            "key_id": owner.key_id,
        }
        try:
            return await self._client.post(path, Ingest, body)
        except Unavailable as error:
            raise Unavailable("RTMP ingest is unavailable") from error

    async def close(self) -> None:
        await self._client.close()
