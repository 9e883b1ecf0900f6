"""One stay in a room: follows who is on stage and feeds the pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from livekit import rtc

from services.recorder.media.pipeline import RenderPipeline
from services.recorder.media.scene import scene
from services.recorder.media.video_feed import VideoFeed
from services.recorder.room.jitter_buffer_delay import follow_jitter_buffer_delay
from services.recorder.room.quality import QualityRequests
from services.recorder.room.speaker_selection import SpeakerSelection
from services.recorder.room.stage import people
from services.recorder.room.track_readers import read_audio, read_video

log = structlog.get_logger(__name__)

# Beyond the SDK's own 5 s for each of its tries: a try that we gave up might still get in.
ENTER_SECONDS = 15.0
LEAVE_SECONDS = 5.0
# The SDK tries to come back for far longer; we rather enter anew.
RECONNECT_SECONDS = 6.0

_CHANGES: tuple[rtc.room.EventTypes, ...] = (
    "participant_connected",
    "participant_disconnected",
    "participant_name_changed",
    "participant_attributes_changed",
    "track_published",
    "track_unpublished",
    "track_muted",
    "track_unmuted",
    "reconnected",
)
# LiveKit's words for a room that was closed, as against a connection that was lost.
_CLOSED = {rtc.DisconnectReason.ROOM_DELETED, rtc.DisconnectReason.ROOM_CLOSED}


class JoinFailed(Exception):
    """LiveKit did not let us in, or did not answer; the message says what it said."""


class RoomConnection:
    """`over` is set when we are in the room no more; `closed` tells then whether the room was closed."""

    def __init__(self, pipeline: RenderPipeline):
        self.over = asyncio.Event()
        self.closed = False
        self._pipeline = pipeline
        self._look = (pipeline.width, pipeline.height)
        self._room = rtc.Room()
        self._feeds: dict[str, VideoFeed] = {}
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._quality = QualityRequests()
        self._speakers = SpeakerSelection()
        self._giving_up: asyncio.TimerHandle | None = None
        self._follow()

    async def enter(self, url: str, token: str) -> None:
        """Join. Raises JoinFailed."""
        try:
            async with asyncio.timeout(ENTER_SECONDS):
                await self._room.connect(url, token)
        except rtc.ConnectError as error:
            raise JoinFailed(error.message) from error
        except TimeoutError as error:
            raise JoinFailed(f"no answer within {ENTER_SECONDS:.0f} s") from error
        self._show()

    async def leave(self) -> None:
        """Leave, if still there, and end what reads."""
        self._stay()
        self._pipeline.tiles = ()
        readers, self._readers = self._readers, {}
        for reader in readers.values():
            reader.cancel()
        if readers:
            await asyncio.wait(readers.values(), timeout=LEAVE_SECONDS)
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._room.disconnect()
        except TimeoutError:
            log.warning("visit.not_left")

    def _follow(self) -> None:
        for change in _CHANGES:
            self._room.on(change, lambda *_: self._show())
        self._room.on("active_speakers_changed", self._hear)
        self._room.on("track_subscribed", self._read)
        self._room.on("track_unsubscribed", self._forget)
        self._room.on("reconnecting", self._lost)
        self._room.on("reconnected", self._stay)
        self._room.on("disconnected", self._ended)

    def _read(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, _: rtc.RemoteParticipant
    ) -> None:
        if isinstance(track, rtc.RemoteVideoTrack):
            feed = self._feeds[publication.sid] = VideoFeed()
            self._start(publication.sid, read_video(track, feed), follow_jitter_buffer_delay(track, feed))
        else:
            sound = self._pipeline.audio_feed()
            self._start(publication.sid, read_audio(track, sound), follow_jitter_buffer_delay(track, sound))
        self._show()

    def _start(self, sid: str, *work: Coroutine[Any, Any, None]) -> None:
        """Read a track; one that cannot be read any more ends the visit, and the next begins anew."""
        reader = self._readers[sid] = asyncio.create_task(_all(*work), name=f"reader {sid}")
        reader.add_done_callback(lambda task: self._read_ended(sid, task))

    def _read_ended(self, sid: str, task: asyncio.Task[None]) -> None:
        if self._readers.get(sid) is task and (task.cancelled() or task.exception()):
            log.error("reader.ended", track=sid, exc_info=None if task.cancelled() else task.exception())
            self.over.set()

    def _forget(
        self, _track: rtc.Track, publication: rtc.RemoteTrackPublication, _: rtc.RemoteParticipant
    ) -> None:
        self._feeds.pop(publication.sid, None)
        reader = self._readers.pop(publication.sid, None)
        if reader is not None:
            reader.cancel()
        self._show()

    def _hear(self, speaking: list[rtc.Participant]) -> None:
        if self._speakers.hear((one.identity for one in speaking), asyncio.get_running_loop().time()):
            self._show()

    def _show(self) -> None:
        """Bring the scene to who is there now, and ask for pictures of the size that they have in it."""
        on_stage = self._speakers.choose(people(self._room.remote_participants.values(), self._feeds))
        tiles = scene(on_stage, *self._look)
        self._pipeline.tiles = tiles
        widths = {id(tile.feed): tile.box.width for tile in tiles if tile.feed is not None}
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                feed = self._feeds.get(publication.sid)
                if feed is not None:
                    self._quality.ask(publication, widths.get(id(feed), 0))

    def _lost(self) -> None:
        if self._giving_up is None:
            loop = asyncio.get_running_loop()
            self._giving_up = loop.call_later(RECONNECT_SECONDS, self.over.set)

    def _stay(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    def _ended(self, reason: rtc.DisconnectReason.ValueType) -> None:
        self.closed = reason in _CLOSED
        log.info("visit.over", reason=rtc.DisconnectReason.Name(reason).lower())
        self.over.set()


async def _all(*work: Coroutine[Any, Any, None]) -> None:
    """Until the first ends, which is the track's end, or fails."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=LEAVE_SECONDS)
