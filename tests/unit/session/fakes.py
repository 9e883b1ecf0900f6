"""The egress service and LiveKit as the session service meets them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from services.session.sessions.domain.session import Session
from services.session.sessions.ingest import Ingest
from shared.access.encoders import EncoderOwner, owner_for
from shared.access.identity import Caller
from shared.errors import Unavailable
from shared.livekit import LiveKitParticipant
from tests.fakes.fake_livekit import FakeLiveKit


class FakeIngest:
    """The egress service's answers; `away` while it gives none, `meanwhile` happens before each."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    def __init__(self) -> None:
        self.away = False
        self.asked: list[str] = []

    async def ensure(self, session: Session, caller: Caller) -> Ingest:
        self.asked.append(session.id)
        if self.away:
            raise Unavailable("RTMP ingest is unavailable")
        if self.meanwhile is not None:
            await self.meanwhile()
        owner = owner_for(session, caller)
        key = "a key" if owner == EncoderOwner(session.host_id) else f"a key of {owner.user_id}"
        return Ingest(ingress_id=f"IN_{session.id}", url="rtmp://ingest.test/live", stream_key=key)

    async def renew(self, session: Session, caller: Caller) -> Ingest:
        ingest = await self.ensure(session, caller)
        return replace(ingest, stream_key="another key")


class HookedLiveKit(FakeLiveKit):
    """Calls `opened` with the name of each room when it is open, before it says so.

    `listed` is called when participants are listed, before the list is given out.
    """

    opened: Callable[[str], Awaitable[None]] | None = None
    listed: Callable[[], Awaitable[None]] | None = None

    async def list_participants(self, room: str) -> list[LiveKitParticipant]:
        listed = await super().list_participants(room)
        if self.listed is not None:
            await self.listed()
        return listed

    async def create_room(self, name: str, **timeouts: Any) -> None:
        await super().create_room(name, **timeouts)
        if self.opened is not None:
            await self.opened(name)
