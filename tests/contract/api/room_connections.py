"""A participant in a session's room, over a real connection to LiveKit, who may try to publish."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from livekit import rtc

from deploy.local.stack import Stack
from shared.livekit import ROLE_ATTRIBUTE, LiveKitApi, LiveKitParticipant

CONNECTED_WITHIN = 20.0
# What is promised is a second; where all tests run side by side it may take longer.
AT_ONCE = 8.0
# How long somebody tries who is not let.
IN_VAIN = 1.5
_LOOK = 0.02


class Attendee:
    """One connection. `seconds` are from when something was asked for until it was so here."""

    def __init__(self, room: rtc.Room, livekit: LiveKitApi):
        self.room = room
        self._livekit = livekit
        self._gone = asyncio.Event()
        self._attempts: list[asyncio.Task[object]] = []
        room.on("disconnected", lambda _reason: self._gone.set())

    @property
    def session(self) -> str:
        return self.room.name

    @property
    def identity(self) -> str:
        return self.room.local_participant.identity

    @property
    def role(self) -> str | None:
        """As it is told to clients."""
        return self.room.local_participant.attributes.get(ROLE_ATTRIBUTE)

    async def publish(self) -> None:
        """Begin to publish a microphone; fails in silence where it is not let."""
        source = rtc.AudioSource(48_000, 1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        publishing = self.room.local_participant.publish_track(track, options)
        self._attempts.append(asyncio.ensure_future(publishing))

    async def listed(self) -> LiveKitParticipant | None:
        """As LiveKit has it."""
        found = await self._livekit.list_participants(self.session)
        return next((one for one in found if one.identity == self.identity), None)

    async def tracks(self) -> int:
        listed = await self.listed()
        return len(listed.tracks) if listed else 0

    async def publishes_nothing(self) -> None:
        """Tries, and nothing comes of it."""
        await self.publish()
        deadline = time.monotonic() + IN_VAIN
        while time.monotonic() < deadline:
            assert await self.tracks() == 0
            await asyncio.sleep(_LOOK)

    async def until_published(self, since: float) -> float:
        """Publishes as soon as it is let, as a page does when it hears of it; seconds since then."""
        await self.until(lambda one: one.permissions.publishes, since)
        await self.publish()
        async with asyncio.timeout(AT_ONCE):
            while await self.tracks() == 0:
                await asyncio.sleep(_LOOK)
        return time.monotonic() - since

    async def until(self, right: Callable[[LiveKitParticipant], bool], since: float) -> float:
        """Seconds until LiveKit has it so."""
        async with asyncio.timeout(AT_ONCE):
            while not (listed := await self.listed()) or not right(listed):
                await asyncio.sleep(_LOOK)
        return time.monotonic() - since

    async def until_gone(self, since: float) -> float:
        """Seconds until LiveKit has ended the connection."""
        async with asyncio.timeout(AT_ONCE):
            await self._gone.wait()
        return time.monotonic() - since

    async def until_removed(self) -> None:
        """Until LiveKit has ended the connection, however long that takes."""
        await self._gone.wait()

    async def leave(self) -> None:
        for attempt in self._attempts:
            attempt.cancel()
        await asyncio.gather(*self._attempts, return_exceptions=True)
        async with asyncio.timeout(CONNECTED_WITHIN):
            await self.room.disconnect()


class RoomConnections:
    """Connects people by their tokens, and disconnects them at the end."""

    def __init__(self, url: str, livekit: LiveKitApi):
        self._url = url
        self._livekit = livekit
        self._in: list[Attendee] = []

    async def enter(self, token: str) -> Attendee:
        attendee = Attendee(rtc.Room(), self._livekit)
        self._in.append(attendee)
        async with asyncio.timeout(CONNECTED_WITHIN):
            await attendee.room.connect(self._url, token)
        return attendee

    async def close(self) -> None:
        await asyncio.gather(*(one.leave() for one in self._in))


@asynccontextmanager
async def room_connections(stack: Stack) -> AsyncIterator[RoomConnections]:
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    opened = RoomConnections(stack.livekit_url, livekit)
    try:
        yield opened
    finally:
        await opened.close()
        await livekit.close()
