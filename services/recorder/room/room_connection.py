"""One connection to a room: follows who is on stage and feeds the render pipeline."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from livekit import rtc

from services.recorder.media.layout import scene
from services.recorder.media.pipeline import RenderPipeline
from services.recorder.media.video_feed import VideoFeed
from services.recorder.room.stage import SpeakerSelection, stage_participants
from services.recorder.room.track_stats import follow_jitter_buffer_delay, report_standstill
from services.recorder.room.tracks import QualityRequests, read_audio, read_video, subscribe
from shared.runtime.tasks import until_first_ends

log = structlog.get_logger(__name__)

# Beyond the SDK's own 5 s for each of its tries: a try that we gave up might still get in.
JOIN_SECONDS = 15.0
LEAVE_SECONDS = 5.0
# The SDK tries to reconnect for far longer; we rather join again.
RECONNECT_SECONDS = 6.0

_STAGE_EVENTS: tuple[rtc.room.EventTypes, ...] = (
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
# A room that was closed, as against a connection that was lost.
_ROOM_CLOSED = {rtc.DisconnectReason.ROOM_DELETED, rtc.DisconnectReason.ROOM_CLOSED}


class JoinFailed(Exception):
    """LiveKit did not let us in, or did not answer; the message gives its reason."""


class RoomConnection:
    """`ended` is set once we are no longer in the room; `room_closed`: because the room was closed."""

    def __init__(self, pipeline: RenderPipeline):
        self.ended = asyncio.Event()
        self.room_closed = False
        self._pipeline = pipeline
        self._room = rtc.Room()
        self._feeds: dict[str, VideoFeed] = {}
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._quality = QualityRequests()
        self._speakers = SpeakerSelection()
        self._reconnect_timeout: asyncio.TimerHandle | None = None
        self._subscribe()

    async def join(self, url: str, token: str) -> None:
        """Raises JoinFailed."""
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                await self._room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
        except rtc.ConnectError as error:
            raise JoinFailed(error.message) from error
        except TimeoutError as error:
            raise JoinFailed(f"no answer within {JOIN_SECONDS:.0f} s") from error
        self._update_scene()

    async def leave(self) -> None:
        """Leave, if still connected, and end the readers."""
        self._cancel_reconnect_timeout()
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
            log.warning("room.not_left")

    def _subscribe(self) -> None:
        for event in _STAGE_EVENTS:
            self._room.on(event, lambda *_: self._update_scene())
        self._room.on("active_speakers_changed", self._on_active_speakers)
        self._room.on("track_subscribed", self._on_track_subscribed)
        self._room.on("track_subscription_failed", self._on_track_subscription_failed)
        self._room.on("track_unsubscribed", self._on_track_unsubscribed)
        self._room.on("reconnecting", self._on_reconnecting)
        self._room.on("reconnected", self._cancel_reconnect_timeout)
        self._room.on("disconnected", self._on_disconnected)

    def _on_track_subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, _: rtc.RemoteParticipant
    ) -> None:
        if isinstance(track, rtc.RemoteVideoTrack):
            video = self._feeds[publication.sid] = VideoFeed()
            work = [read_video(track, video), follow_jitter_buffer_delay(track, video)]
            if (
                publication.source == rtc.TrackSource.SOURCE_CAMERA
            ):  # A shared screen may not change for long.
                work.append(report_standstill(track, publication))
            self._start(publication.sid, *work)
        else:
            audio = self._pipeline.audio_feed()
            self._start(publication.sid, read_audio(track, audio), follow_jitter_buffer_delay(track, audio))
        self._update_scene()

    def _on_track_subscription_failed(self, _: rtc.RemoteParticipant, sid: str, error: str) -> None:
        """It is asked for again with the next change on stage."""
        log.warning("track.not_subscribed", track=sid, error=error)

    def _start(self, sid: str, *work: Coroutine[Any, Any, None]) -> None:
        """Read a track; if that fails the connection ends, and the next one reads the track again."""
        reader = self._readers[sid] = asyncio.create_task(until_first_ends(*work), name=f"reader {sid}")
        reader.add_done_callback(lambda task: self._reader_ended(sid, task))

    def _reader_ended(self, sid: str, task: asyncio.Task[None]) -> None:
        if self._readers.get(sid) is task and (task.cancelled() or task.exception()):
            log.error("reader.ended", track=sid, exc_info=None if task.cancelled() else task.exception())
            self.ended.set()

    def _on_track_unsubscribed(
        self, _track: rtc.Track, publication: rtc.RemoteTrackPublication, _: rtc.RemoteParticipant
    ) -> None:
        self._feeds.pop(publication.sid, None)
        reader = self._readers.pop(publication.sid, None)
        if reader is not None:
            reader.cancel()
        self._update_scene()

    def _on_active_speakers(self, speaking: list[rtc.Participant]) -> None:
        now, before = asyncio.get_running_loop().time(), self._speakers.speaker
        unseen = self._speakers.hear((one.identity for one in speaking), now)
        if unseen or self._speakers.speaker != before:
            self._update_scene()

    def _update_scene(self) -> None:
        """Receive what is published, show who is on stage, and request each video in the size shown."""
        participants = list(self._room.remote_participants.values())
        subscribe(participants)
        shown = self._speakers.select(stage_participants(participants, self._feeds))
        tiles = scene(shown, self._pipeline.picture, self._speakers.speaker)
        if tiles != self._pipeline.tiles:  # Each scene is drawn from nothing.
            self._pipeline.tiles = tiles
        widths = {id(tile.feed): tile.box.width for tile in tiles if tile.feed is not None}
        for participant in participants:
            for publication in participant.track_publications.values():
                feed = self._feeds.get(publication.sid)
                if feed is not None:
                    self._quality.request(publication, widths.get(id(feed), 0))

    def _on_reconnecting(self) -> None:
        if self._reconnect_timeout is None:
            loop = asyncio.get_running_loop()
            self._reconnect_timeout = loop.call_later(RECONNECT_SECONDS, self.ended.set)

    def _cancel_reconnect_timeout(self) -> None:
        if self._reconnect_timeout is not None:
            self._reconnect_timeout.cancel()
            self._reconnect_timeout = None

    def _on_disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        self.room_closed = reason in _ROOM_CLOSED
        log.info("room.disconnected", reason=rtc.DisconnectReason.Name(reason).lower())
        self.ended.set()
