"""What WebRTC counts of a received track: how long its media waits, and whether its picture stands still."""

import asyncio
from itertools import count
from typing import NamedTuple, Protocol

import structlog
from livekit import rtc

from services.recorder.media.video_feed import STALE_SECONDS

log = structlog.get_logger(__name__)

# More often in the beginning, when the buffers find their size.
_FIRST_SECONDS, _FIRST_TIMES, _EVERY_SECONDS = 0.2, 40, 2.0
_STATS_SECONDS = 2.0


class ReceivedCounts(NamedTuple):
    """Totals: seconds waited in the jitter buffer by all that has left it, and its count.

    Of video: packets, whole frames that came of them, and frames decoded.
    """

    waited: float = 0.0
    emitted: int = 0
    packets: int = 0
    frames: int = 0
    decoded: int = 0


class DelayedFeed(Protocol):
    jitter_buffer_delay: float | None


async def follow_jitter_buffer_delay(track: rtc.Track, feed: DelayedFeed) -> None:
    """Keep `feed.jitter_buffer_delay` up to date until cancelled.

    Audio may wait in the SDK's jitter buffer for half a second on a bad network or a busy machine, and video
    for any time: nothing keeps the two in sync, because LiveKit sends them as independent streams unless a
    room is opened with `sync_streams`. So each is put back to when it arrived from the network.
    """
    before = ReceivedCounts()
    for times in count():
        await asyncio.sleep(_FIRST_SECONDS if times < _FIRST_TIMES else _EVERY_SECONDS)
        now = await _counts(track)
        if now is not None and now.emitted > before.emitted:
            feed.jitter_buffer_delay = (now.waited - before.waited) / (now.emitted - before.emitted)
            before = now


async def report_standstill(track: rtc.Track, publication: rtc.RemoteTrackPublication) -> None:
    """Log once when a camera that is on sends no picture, so that it is not seen; until cancelled."""
    standing, before = False, None
    while True:
        await asyncio.sleep(STALE_SECONDS)
        now = None if publication.muted else await _counts(track)
        if before is not None and now is not None and standing != (now.decoded == before.decoded):
            standing = not standing
            if standing:
                log.warning("camera.no_picture", track=publication.sid, reason=standstill(before, now))
            else:
                log.info("camera.picture_again", track=publication.sid)
        before = now


def standstill(before: ReceivedCounts, after: ReceivedCounts) -> str:
    """Why nothing was decoded between two moments; the SDK does not tell when LiveKit pauses a track."""
    if after.frames > before.frames:
        return "what arrives cannot be decoded in time, or begins with no key frame"
    if after.packets > before.packets:
        return "only parts of pictures arrive, or only the padding of a track that LiveKit has paused"
    return "nothing arrives: nothing is sent, or LiveKit has paused the track for want of bandwidth"


async def _counts(track: rtc.Track) -> ReceivedCounts | None:
    """None if the SDK does not report it."""
    try:
        async with asyncio.timeout(_STATS_SECONDS):
            reports = await track.get_stats()
    except TimeoutError:
        log.warning("track.no_stats", track=track.sid)
        return None
    for report in reports:
        if report.WhichOneof("stats") == "inbound_rtp":
            received, inbound = report.inbound_rtp.received, report.inbound_rtp.inbound
            return ReceivedCounts(
                inbound.jitter_buffer_delay,
                inbound.jitter_buffer_emitted_count,
                received.packets_received,
                inbound.frames_received,
                inbound.frames_decoded,
            )
    return None
