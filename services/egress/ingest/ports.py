"""The ingest port: what gives a session an address for RTMP encoders."""

from collections.abc import Sequence
from typing import Protocol

from shared.livekit import Ingress


class Ingresses(Protocol):
    """LiveKit's ingresses, or our own. Every call has a deadline; each raises `Unavailable`."""

    async def create_rtmp_ingress(
        self, room: str, identity: str, *, name: str, participant_name: str
    ) -> Ingress:
        """Make a new ingress (`name` is for operators) that joins `room` as `identity`."""
        ...

    async def delete_ingress(self, ingress_id: str) -> None:
        """Delete an ingress; one that does not exist is ignored."""
        ...

    async def list_ingresses(self, room: str | None = None) -> Sequence[Ingress]:
        """All, or those of one room."""
        ...
