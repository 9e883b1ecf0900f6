"""One connection to a LiveKit room, as a browser tab or an app would have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from livekit import rtc

from deploy.demo.errors import DemoFailed
from deploy.demo.reception import Reception
from deploy.demo.stays import Stay
from deploy.demo.tone import RATE
from shared.runtime.tasks import wait_at_most

CONNECT_SECONDS = 20.0
CLOSE_SECONDS = 10.0
SOUND_MILLISECONDS = 100


class Connection:
    """Opened once; `stay` tells from when to when it was in, in seconds of the steady clock `now`."""

    def __init__(self, label: str, now: Callable[[], float]) -> None:
        self.label = label
        self.reception = Reception(now)
        self.stay: Stay | None = None
        self.room = rtc.Room()
        self._now = now
        self._gone = asyncio.Event()
        self._dropped = False
        self._readers: list[asyncio.Task[None]] = []
        self.room.on("track_subscribed", self._follow)
        self.room.on("disconnected", self._note_gone)

    async def open(self, url: str, token: str) -> None:
        """Join. Raises DemoFailed where LiveKit does not let us in."""
        asked_at = self._now()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.room.connect(url, token)
        except (rtc.ConnectError, TimeoutError) as error:
            said = getattr(error, "message", "") or f"no answer within {CONNECT_SECONDS:.0f} s"
            raise DemoFailed(f"{self.label} cannot connect to LiveKit at {url}: {said}") from error
        self.stay = Stay(asked_at, self._now())

    async def close(self) -> None:
        """Leave, if still connected."""
        self.leaving()
        async with asyncio.timeout(CLOSE_SECONDS):
            await self.room.disconnect()
        await self._end_readers()

    def leaving(self) -> None:
        """From now on this connection may be gone any moment."""
        if self.stay is not None and self.stay.leaving_at is None:
            self.stay.leaving_at = self._now()

    async def gone(self, seconds: float) -> None:
        """Wait until LiveKit has ended this connection. Raises DemoFailed after `seconds`."""
        if not await wait_at_most(self._gone, seconds):
            raise DemoFailed(f"{self.label} is still connected to LiveKit after {seconds:.0f} s")
        await self._end_readers()

    @property
    def is_open(self) -> bool:
        return self.stay is not None and not self._gone.is_set()

    @property
    def was_dropped(self) -> bool:
        """Whether LiveKit ended the connection before anybody wanted it."""
        return self._dropped

    def sees(self, other: Connection) -> bool:
        """Whether this participant is told of the other one."""
        return other.room.local_participant.identity in self.room.remote_participants

    def _note_gone(self, _reason: object) -> None:
        self._dropped = self.stay is not None and self.stay.leaving_at is None
        self.leaving()
        if self.stay is not None and self.stay.gone_at is None:
            self.stay.gone_at = self._now()
        self._gone.set()

    def _follow(self, track: rtc.Track, *_: object) -> None:
        read = self._watch if isinstance(track, rtc.RemoteVideoTrack) else self._listen
        self._readers.append(asyncio.create_task(read(track)))

    async def _watch(self, track: rtc.Track) -> None:
        stream = rtc.VideoStream(track, capacity=2, format=rtc.VideoBufferType.I420)
        try:
            async for event in stream:
                frame = event.frame
                plane = np.frombuffer(frame.data, dtype=np.uint8, count=frame.width * frame.height)
                self.reception.see(plane.reshape(frame.height, frame.width))
        finally:
            await stream.aclose()

    async def _listen(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, capacity=10, frame_size_ms=SOUND_MILLISECONDS)
        try:
            async for event in stream:
                self.reception.hear(np.frombuffer(event.frame.data, dtype=np.int16))
        finally:
            await stream.aclose()

    async def _end_readers(self) -> None:
        for reader in self._readers:
            reader.cancel()
        if self._readers:
            await asyncio.wait(self._readers, timeout=CLOSE_SECONDS)
