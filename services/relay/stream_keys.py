"""What a stream key stands for: an ingress and the room its media goes to, as the egress service knows it."""

from dataclasses import dataclass, field
from typing import Final, Protocol

from shared.errors import NotFound
from shared.http.internal import InternalCalls, InternalClient, UnexpectedStatus

_TIMEOUT_SECONDS: Final = 5.0


@dataclass(frozen=True)
class RelayTarget:
    """An ingress, the room its media goes to, and where to publish it by WHIP (a token included)."""

    ingress_id: str
    room: str
    identity: str
    whip_url: str = field(repr=False)


class StreamKeys(Protocol):
    async def resolve(self, stream_key: str) -> RelayTarget:
        """Raises NotFound for a key that is unknown or revoked, and Unavailable."""
        ...


class EgressStreamKeys:
    """Asks the egress service."""

    def __init__(self, egress_url: str, calls: InternalCalls):
        self._client = InternalClient("egress", egress_url, calls, timeout_seconds=_TIMEOUT_SECONDS)

    async def resolve(self, stream_key: str) -> RelayTarget:
        try:
            return await self._client.post("/internal/relay-orders", RelayTarget, {"stream_key": stream_key})
        except UnexpectedStatus as error:
            if error.answered == 404:
                raise NotFound("There is no such stream key", code="stream_key_unknown") from error
            raise

    async def close(self) -> None:
        await self._client.close()
