"""One connection to a LiveKit room, as a browser tab or an app would have it, and what it received."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from livekit import rtc

from deploy.demo.comparison import ConnectionTimes
from deploy.demo.host_signal import RATE, WRAP, Luma, Samples, is_tone, read_stamp
from deploy.demo.waiting import DEADLINE_SECONDS, DemoFailed
from shared.runtime.tasks import wait_at_most

SOUND_MILLISECONDS = 100
MOVES_NEEDED = 5


@dataclass
class Reception:
    """The media of one connection. `moves` counts pictures whose time was later than that of the one before.

    Only a picture whose time can be read is the host's: `first_frame_at` is when the first of them arrived.
    """

    now: Callable[[], float]
    frames: int = 0
    moves: int = 0
    sounds: int = 0
    tone_heard: bool = False
    first_frame_at: float | None = None
    delays: list[int] = field(default_factory=list)
    _last_stamp: int = -1

    def see(self, luma: Luma) -> None:
        """A picture arrived."""
        now = self.now()
        self.frames += 1
        stamp = read_stamp(luma)
        if stamp is None:
            return
        if self.first_frame_at is None:
            self.first_frame_at = now
        self.moves += stamp > self._last_stamp
        self._last_stamp = stamp
        self.delays.append((int(now * 1000) - stamp) % WRAP)

    def hear(self, samples: Samples) -> None:
        """An audio frame arrived; once the tone was recognized, frames are only counted."""
        self.sounds += 1
        self.tone_heard = self.tone_heard or is_tone(samples)

    @property
    def complete(self) -> bool:
        """Whether picture and sound of the host both arrive."""
        return self.moves >= MOVES_NEEDED and self.tone_heard

    @property
    def delay(self) -> int | None:
        """Median milliseconds from drawing a picture to receiving it."""
        return round(median(self.delays)) if self.delays else None

    def missing(self) -> str:
        """What has not arrived yet, in words."""
        lacking = []
        if self.moves < MOVES_NEEDED:
            lacking.append(f"a moving picture ({self.frames} frames, {self.moves} of them new)")
        if not self.tone_heard:
            lacking.append(f"the tone ({self.sounds} pieces of sound)")
        return " and ".join(lacking) or "nothing"


class ClientConnection:
    """Opened once; `times` is when it was connected, in seconds of the steady clock `now`."""

    def __init__(self, label: str, now: Callable[[], float]) -> None:
        self.label = label
        self.reception = Reception(now)
        self.times: ConnectionTimes | None = None
        self.room = rtc.Room()
        self.picture: rtc.Track | None = None
        self._now = now
        self._gone = asyncio.Event()
        self._dropped = False
        self._readers: list[asyncio.Task[None]] = []
        self.room.on("track_subscribed", self._follow)
        self.room.on("disconnected", self._note_gone)

    async def open(self, url: str, token: str) -> None:
        """Join. Raises DemoFailed if LiveKit refuses."""
        asked_at = self._now()
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await self.room.connect(url, token)
        except (rtc.ConnectError, TimeoutError) as error:
            said = getattr(error, "message", "") or f"no answer within {DEADLINE_SECONDS:.0f} s"
            raise DemoFailed(f"{self.label} cannot connect to LiveKit at {url}: {said}") from error
        self.times = ConnectionTimes(asked_at, self._now())

    async def close(self) -> None:
        """Leave, if still connected."""
        self.leaving()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.room.disconnect()
        if not self._gone.is_set():  # the SDK may emit its event later, or never
            self._note_gone(None)
        await self._end_readers()

    def leaving(self) -> None:
        """From now on this connection may end at any moment."""
        if self.times is not None and self.times.leaving_at is None:
            self.times.leaving_at = self._now()

    async def gone(self) -> None:
        """Wait until LiveKit has ended this connection. Raises DemoFailed."""
        if not await wait_at_most(self._gone, DEADLINE_SECONDS):
            raise DemoFailed(f"{self.label} is still connected to LiveKit after {DEADLINE_SECONDS:.0f} s")
        await self._end_readers()

    @property
    def is_open(self) -> bool:
        return self.times is not None and not self._gone.is_set()

    @property
    def was_dropped(self) -> bool:
        """Whether LiveKit ended the connection unasked."""
        return self._dropped

    def sees(self, other: ClientConnection) -> bool:
        """Whether this participant sees the other one in the room."""
        return other.room.local_participant.identity in self.room.remote_participants

    def _note_gone(self, _reason: object) -> None:
        self._dropped = self.times is not None and self.times.leaving_at is None
        self.leaving()
        if self.times is not None and self.times.gone_at is None:
            self.times.gone_at = self._now()
        self._gone.set()

    def _follow(self, track: rtc.Track, *_: object) -> None:
        is_picture = isinstance(track, rtc.RemoteVideoTrack)
        if is_picture:
            self.picture = track
        read = self._watch if is_picture else self._listen
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
            await asyncio.wait(self._readers, timeout=DEADLINE_SECONDS)
