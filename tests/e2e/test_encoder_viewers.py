"""What viewers get of an encoder that sends few pictures, a key picture every ten seconds, and stereo."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from operator import not_

import numpy as np
import pytest
from livekit import rtc

from deploy.local.stack import Stack
from shared.clock import SystemClock
from shared.contracts.states import Role
from shared.ids import new_id
from shared.livekit import JoinGrant, TokenMint
from tests.e2e.test_encoders import EncoderSession, broadcast, encoder, encoder_host
from tests.waiting import eventually

__all__ = ["broadcast", "encoder_host"]

pytestmark = pytest.mark.timeout(360)

# It is two seconds, and sixteen until LiveKit itself misses a participant; all tests run side by side.
AT_ONCE, DEADLINE = 8.0, 30.0
LATE_VIEWERS = 6
KEYS_EVERY = 2.0


async def sending(session: EncoderSession) -> dict[str, str]:
    """The encoders in the room: identities by connection."""
    present = await session.livekit.list_participants(session.id)
    return {one.sid: one.identity for one in present if one.identity.endswith(":ingress")}


def few_pictures(url: str) -> tuple[str, ...]:
    """Three a second; the tone is on the left."""
    picture = ("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=3")
    sound = ("-f", "lavfi", "-i", "aevalsrc=0.5*sin(880*PI*t)|0:sample_rate=48000:channel_layout=stereo")
    codecs = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-pix_fmt", "yuv420p", "-c:a", "aac")
    return ("ffmpeg", "-loglevel", "error", "-re", *picture, *sound, *codecs, "-f", "flv", url)


class Viewer:
    """Sees and hears a room, as its host does."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self._tracks: dict[int, rtc.Track] = {}
        self.room.on("track_subscribed", self._subscribed)

    def _subscribed(self, track: rtc.Track, *_: object) -> None:
        self._tracks[track.kind] = track

    async def join(self, stack: Stack, session_id: str, host_id: str) -> None:
        mint = TokenMint(stack.livekit_api_key, stack.livekit_api_secret, SystemClock())
        grant = JoinGrant(session_id, f"{host_id}:{new_id()}", "Viewer", Role.HOST)
        await self.room.connect(stack.livekit_url, mint.join_token(grant, lifetime=timedelta(minutes=5)))

    async def track(self, kind: "rtc.TrackKind.ValueType") -> rtc.Track:
        async def found() -> rtc.Track | None:
            return self._tracks.get(kind)

        track = await eventually(found, bool, DEADLINE)
        assert track is not None
        return track

    async def key_pictures(self) -> int:
        """How many it has decoded."""
        statistics = await (await self.track(rtc.TrackKind.KIND_VIDEO)).get_stats()
        inbound = [one.inbound_rtp for one in statistics if one.HasField("inbound_rtp")]
        return sum(one.inbound.key_frames_decoded for one in inbound)

    async def see(self) -> None:
        """Wait for a picture, also over a connection that the SDK has to make once more."""
        await eventually(self.key_pictures, bool, 3 * DEADLINE)

    async def loudness(self) -> tuple[float, float]:
        """Of each channel, in the next second."""
        stream = rtc.AudioStream(await self.track(rtc.TrackKind.KIND_AUDIO), num_channels=2)
        heard: list[np.ndarray] = []
        async for event in stream:
            heard.append(np.frombuffer(event.frame.data, np.int16).reshape(-1, 2).astype(float))
            if sum(map(len, heard)) >= 48_000:
                break
        await stream.aclose()
        left, right = np.sqrt((np.concatenate(heard) ** 2).mean(axis=0))
        return float(left), float(right)


@pytest.fixture
async def viewers(stack: Stack) -> AsyncIterator["Viewers"]:
    async with AsyncExitStack() as present:
        yield Viewers(stack, present)


class Viewers:
    def __init__(self, stack: Stack, present: AsyncExitStack):
        self._stack = stack
        self._present = present

    async def join(self, session: EncoderSession) -> Viewer:
        viewer = Viewer()
        [identity] = (await sending(session)).values()
        await viewer.join(self._stack, session.id, identity.partition(":")[0])
        self._present.push_async_callback(viewer.room.disconnect)
        return viewer


async def test_who_comes_later_has_a_key_picture_made_and_the_encoder_is_gone_at_once(
    broadcast: EncoderSession, viewers: Viewers
) -> None:
    async with encoder(few_pictures(broadcast.rtmp_address)):
        await eventually(lambda: sending(broadcast), bool, DEADLINE)
        first = await viewers.join(broadcast)
        await first.see()

        async def asked_for() -> bool:
            """Whether more come while others join than by time alone."""
            began, before = time.monotonic(), await first.key_pictures()
            for _ in range(LATE_VIEWERS):
                await (await viewers.join(broadcast)).see()
                # LiveKit passes on one request in so long.
                await asyncio.sleep(0.6)
            by_time = (time.monotonic() - began) / KEYS_EVERY + 1
            return await first.key_pictures() - before > by_time

        await eventually(asked_for, bool, 4 * DEADLINE)
        left, right = await first.loudness()
        assert left > 1000 > 20 * right
    await eventually(lambda: sending(broadcast), not_, AT_ONCE)


async def test_an_encoder_that_is_heard_from_its_middle_goes_on(
    broadcast: EncoderSession, viewers: Viewers
) -> None:
    async with encoder(few_pictures(broadcast.rtmp_address)) as publishing:
        await eventually(lambda: sending(broadcast), bool, DEADLINE)
        await (await viewers.join(broadcast)).see()
        [(connection, identity)] = (await sending(broadcast)).items()
        assert await broadcast.livekit.remove_participant(broadcast.id, identity)
        await eventually(
            lambda: sending(broadcast), lambda found: bool(found) and connection not in found, DEADLINE
        )
        await (await viewers.join(broadcast)).see()
        health = await broadcast.call("GET", "/stream_health")
        assert health["ingress"]["problem"] is None
        assert publishing.returncode is None
