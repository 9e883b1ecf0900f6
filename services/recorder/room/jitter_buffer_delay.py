"""How long audio and video spent in the SDK's jitter buffers.

Audio may wait there for half a second on a bad network or a busy machine, and video for any time: nothing
keeps the two in sync, because LiveKit sends them as independent streams unless a room is opened with
`sync_streams`. So each is put back to when it arrived from the network.
"""

import asyncio
from itertools import count
from typing import NamedTuple, Protocol

import structlog
from livekit import rtc

log = structlog.get_logger(__name__)

# More often in the beginning, when the buffers find their size.
_FIRST_SECONDS, _FIRST_TIMES, _EVERY_SECONDS = 0.2, 40, 2.0
_STATS_SECONDS = 2.0


class DelayedFeed(Protocol):
    jitter_buffer_delay: float | None


class _BufferStats(NamedTuple):
    """LiveKit's totals: seconds waited by everything that has left the buffer, and its count."""

    waited: float = 0.0
    emitted: int = 0


async def follow_jitter_buffer_delay(track: rtc.Track, feed: DelayedFeed) -> None:
    """Keep `feed.jitter_buffer_delay` up to date until cancelled."""
    before = _BufferStats()
    for times in count():
        await asyncio.sleep(_FIRST_SECONDS if times < _FIRST_TIMES else _EVERY_SECONDS)
        now = await _buffer_stats(track)
        if now is not None and now.emitted > before.emitted:
            feed.jitter_buffer_delay = (now.waited - before.waited) / (now.emitted - before.emitted)
            before = now


async def _buffer_stats(track: rtc.Track) -> _BufferStats | None:
    """None if the SDK does not report it."""
    try:
        async with asyncio.timeout(_STATS_SECONDS):
            reports = await track.get_stats()
    except TimeoutError:
        log.warning("track.no_stats", track=track.sid)
        return None
    for report in reports:
        if report.WhichOneof("stats") == "inbound_rtp":
            inbound = report.inbound_rtp.inbound
            return _BufferStats(inbound.jitter_buffer_delay, inbound.jitter_buffer_emitted_count)
    return None
