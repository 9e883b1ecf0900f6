"""Stays in a room for as long as it exists: joins again after every lost connection."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.recorder.media.pipeline import RenderPipeline
from services.recorder.room.room_connection import JoinFailed, RoomConnection
from shared.contracts.states import Role
from shared.errors import AppError
from shared.livekit import JoinGrant, LiveKit, TokenMint

log = structlog.get_logger(__name__)

# How long LiveKit may not know a room before it counts as gone, in seconds; none if LiveKit closed it.
_ABSENT_SECONDS = 10.0
_REJOIN_SECONDS = 0.5
_TOKEN_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class RoomAccess:
    """How to reach LiveKit: `url` is where rooms are joined (ws or wss), `api` its server API."""

    url: str
    api: LiveKit
    mint: TokenMint

    def token(self, room: str, identity: str) -> str:
        """Lets the recorder into the room, hidden and marked as a recorder."""
        grant = JoinGrant(
            room=room, identity=identity, name="Recorder", role=Role.AUDIENCE, hidden=True, recorder=True
        )
        return self.mint.join_token(grant, lifetime=_TOKEN_LIFETIME)


class RoomSession:
    """`joined` is awaited each time the room has been joined."""

    def __init__(
        self,
        room: str,
        identity: str,
        access: RoomAccess,
        pipeline: RenderPipeline,
        joined: Callable[[], Awaitable[None]],
    ):
        self._room = room
        self._identity = identity
        self._access = access
        self._pipeline = pipeline
        self._joined = joined
        self._absent_since: float | None = None

    async def run(self) -> None:
        """Return when the room is gone for good; cancel it for any other end."""
        closed = False
        while not await self._is_gone(closed=closed):
            closed = await self._connect()
            await asyncio.sleep(_REJOIN_SECONDS)

    async def _connect(self) -> bool:
        """Be in the room once; whether LiveKit closed the room."""
        connection = RoomConnection(self._pipeline)
        try:
            await connection.join(self._access.url, self._access.token(self._room, self._identity))
            await self._joined()
            await connection.ended.wait()
        except JoinFailed as error:
            log.warning("room.join_failed", error=str(error))
        finally:
            await connection.leave()
        return connection.room_closed

    async def _is_gone(self, *, closed: bool) -> bool:
        """A room that LiveKit closed is gone immediately, one that it does not know after a while."""
        now = asyncio.get_running_loop().time()
        if await self._may_exist():
            self._absent_since = None
            return False
        if self._absent_since is None:
            self._absent_since = now
        return closed or now - self._absent_since >= _ABSENT_SECONDS

    async def _may_exist(self) -> bool:
        try:
            return bool(await self._access.api.list_rooms([self._room]))
        except AppError as error:
            log.warning("room.existence_unknown", error=error.message)
            return True
