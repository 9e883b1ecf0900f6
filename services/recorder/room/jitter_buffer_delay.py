"""How long what we hear and see was in the SDK's jitter buffers.

Sound may lie there for half a second on a bad network or a busy machine, and pictures for as long as they
like: nothing keeps the two together, for LiveKit sends them as streams that do not belong to each other
unless a room is opened with `sync_streams`. So each is put back to when it came from the network.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import structlog
from livekit import rtc

log = structlog.get_logger(__name__)

# More often in the beginning, when the buffers find their size.
_FIRST_SECONDS, _FIRST_TIMES, _EVERY_SECONDS = 0.2, 40, 2.0
_STATS_SECONDS = 2.0


class Feed(Protocol):
    jitter_buffer_delay: float | None


@dataclass
class _Counted:
    """LiveKit's own counts: seconds that all that came out has waited, and how much it was."""

    waited: float = 0.0
    count: int = 0


async def follow_jitter_buffer_delay(track: rtc.Track, feed: Feed) -> None:
    """Keep `feed.jitter_buffer_delay` up to date until cancelled."""
    before = _Counted()
    for times in count():
        await asyncio.sleep(_FIRST_SECONDS if times < _FIRST_TIMES else _EVERY_SECONDS)
        now = await _counted(track)
        if now is not None and now.count > before.count:
            feed.jitter_buffer_delay = (now.waited - before.waited) / (now.count - before.count)
            before = now


async def _counted(track: rtc.Track) -> _Counted | None:
    """None where the SDK does not say."""
    try:
        async with asyncio.timeout(_STATS_SECONDS):
            told = await track.get_stats()
    except TimeoutError:
        log.warning("track.no_stats", track=track.sid)
        return None
    for one in told:
        if one.WhichOneof("stats") == "inbound_rtp":
            inbound = one.inbound_rtp.inbound
            return _Counted(inbound.jitter_buffer_delay, inbound.jitter_buffer_emitted_count)
    return None
