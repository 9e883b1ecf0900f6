"""Why somebody's picture stands still, by what WebRTC counts at the host and at the viewer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from livekit import rtc

COUNTED_SECONDS = 2.0
STATS_SECONDS = 5.0


@dataclass(frozen=True)
class PictureCounts:
    """Pictures that the host has encoded, packets that a viewer has received, pictures decoded of them."""

    encoded: int
    received: int
    decoded: int


async def why_it_stands_still(sent: rtc.Track | None, received: rtc.Track | None) -> str:
    """The reason in words, from what is counted during two seconds."""
    if sent is None or received is None:
        return "LiveKit has not passed the host's camera on to it"
    try:
        before = await _counts(sent, received)
        await asyncio.sleep(COUNTED_SECONDS)
        return reason(before, await _counts(sent, received))
    except TimeoutError:
        return "this machine is too busy even to count what arrives"


def reason(before: PictureCounts, after: PictureCounts) -> str:
    """Where pictures were lost between two moments."""
    if after.encoded == before.encoded:
        return "the host's camera encodes nothing, for want of processor time or because LiveKit paused it"
    if after.received == before.received:
        return (
            "LiveKit has paused its track: the host sends, and LiveKit passes nothing on, for want of "
            "bandwidth or processor time"
        )
    if after.decoded == before.decoded:
        return "too little or too late arrives to be decoded, for want of bandwidth or processor time"
    return "pictures arrive and are decoded"


async def _counts(sent: rtc.Track, received: rtc.Track) -> PictureCounts:
    async with asyncio.timeout(STATS_SECONDS):
        out, into = await asyncio.gather(sent.get_stats(), received.get_stats())
    sending = [one.outbound_rtp for one in out if one.HasField("outbound_rtp")]
    receiving = [one.inbound_rtp for one in into if one.HasField("inbound_rtp")]
    return PictureCounts(
        encoded=sum(one.outbound.frames_encoded for one in sending),
        received=sum(one.received.packets_received for one in receiving),
        decoded=sum(one.inbound.frames_decoded for one in receiving),
    )
