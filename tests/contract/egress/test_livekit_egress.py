"""LiveKit Egress as far as the real server goes without a worker, and our requests in its own words."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from livekit.protocol import egress as egress_protocol

from deploy.local.stack import Stack
from services.egress.engines.livekit import LiveKitEngine, StorageTarget, composite
from shared.contracts.states import StreamStatus
from shared.egress.engine import EgressOrder, EncodingOptions
from shared.egress.keys import file_key, key_of, segments_prefix
from shared.errors import Unavailable
from shared.ids import new_id
from shared.livekit import LiveKitApi, LiveKitEgressClient, LiveKitParticipant
from shared.livekit.egress_api import DEADLINE, room_composite_request
from tests.unit.egress.streams.fixture import Replica

# Seconds. An answer is promised within 5; this is for a machine that is busy.
BUSY = 15.0

S3 = {
    "region": "eu-central-1",
    "endpoint": "https://s3.example",
    "access_key_id": "AKIA",
    "secret_access_key": "a secret of tests",
}


def order(session_id: str, *, stream: bool = True, file: bool = True) -> EgressOrder:
    key = key_of(new_id())
    return EgressOrder(
        key=key,
        session_id=session_id,
        segments_prefix=segments_prefix(session_id, key) if stream else None,
        file_key=file_key(session_id, key) if file else None,
        encoding=EncodingOptions(),
    )


async def nobody(room: str) -> list[LiveKitParticipant]:
    del room
    return []


def engine_of(client: LiveKitEgressClient) -> LiveKitEngine:
    return LiveKitEngine(client, "file:///out", {}, list_participants=nobody)


def said(of: EgressOrder, url: str, options: dict[str, str] | None = None) -> dict[str, Any]:
    """The request as LiveKit's protobuf JSON has it."""
    request = room_composite_request(composite(of, StorageTarget(url, options or {})))
    told: dict[str, Any] = MessageToDict(request)
    assert ParseDict(told, egress_protocol.RoomCompositeEgressRequest()) == request
    return told


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[LiveKitEgressClient]:
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    yield livekit.egresses()
    await livekit.close()


@pytest.fixture
async def room(stack: Stack) -> AsyncIterator[str]:
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    name = new_id()
    await livekit.create_room(name, empty_timeout=60, departure_timeout=60)
    yield name
    await livekit.delete_room(name)
    await livekit.close()


async def test_without_a_worker_the_answer_comes_within_five_seconds(
    client: LiveKitEgressClient, room: str
) -> None:
    engine = engine_of(client)
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await engine.start(order(room))
    assert time.monotonic() - started < BUSY
    assert DEADLINE < 5.0
    assert await engine.list(room) == []


async def test_many_at_once_do_not_wait_for_each_other(client: LiveKitEgressClient, room: str) -> None:
    engine = engine_of(client)
    started = time.monotonic()
    outcomes = await asyncio.gather(*(engine.start(order(room)) for _ in range(10)), return_exceptions=True)
    assert time.monotonic() - started < BUSY
    assert all(isinstance(one, Unavailable) for one in outcomes)


async def test_stopping_what_there_is_not_is_fine(client: LiveKitEgressClient) -> None:
    await engine_of(client).stop("EG_doesnotexist")


async def test_a_room_that_there_is_not_has_no_egress(client: LiveKitEgressClient) -> None:
    engine = engine_of(client)
    room = new_id()
    assert await engine.list(room) == []
    assert room not in {one.session_id for one in await engine.list_running()}


def test_a_stream_and_a_file_are_one_egress() -> None:
    session = new_id()
    wanted = order(session)
    folder = f"/var/greenroom/hls/{session}/{wanted.key}"
    assert said(wanted, "file:///var/greenroom") == {
        "roomName": session,
        "layout": "grid",
        "advanced": {
            "width": 1280,
            "height": 720,
            "framerate": 30,
            "audioCodec": "AAC",
            "audioBitrate": 128,
            "audioFrequency": 48000,
            "videoCodec": "H264_MAIN",
            "videoBitrate": 2500,
            "keyFrameInterval": 2.0,
        },
        "segmentOutputs": [
            {
                "protocol": "HLS_PROTOCOL",
                "filenamePrefix": f"{folder}/segment",
                "playlistName": f"{folder}/index.m3u8",
                "livePlaylistName": f"{folder}/live.m3u8",
                "segmentDuration": 2,
                "disableManifest": True,
            }
        ],
        "imageOutputs": [
            {
                "captureInterval": 5,
                "width": 640,
                "height": 360,
                "filenamePrefix": f"{folder}/preview",
                "filenameSuffix": "IMAGE_SUFFIX_NONE_OVERWRITE",
                "imageCodec": "IC_JPEG",
                "disableManifest": True,
            }
        ],
        "fileOutputs": [
            {
                "fileType": "MP4",
                "filepath": f"/var/greenroom/recordings/{session}/{wanted.key}.mp4",
                "disableManifest": True,
            }
        ],
    }


def test_what_is_not_wanted_is_not_asked_for() -> None:
    assert "fileOutputs" not in said(order(new_id(), file=False), "file:///var/greenroom")
    file_alone = said(order(new_id(), stream=False), "file:///var/greenroom")
    assert not {"segmentOutputs", "imageOutputs"} & file_alone.keys()


def test_a_bucket_is_given_with_what_it_takes_to_write_to_it() -> None:
    session = new_id()
    wanted = order(session)
    told = said(wanted, "s3://media/live", S3)
    assert told["fileOutputs"][0]["filepath"] == f"live/recordings/{session}/{wanted.key}.mp4"
    assert told["segmentOutputs"][0]["filenamePrefix"] == f"live/hls/{session}/{wanted.key}/segment"
    for output in (told["fileOutputs"][0], told["segmentOutputs"][0]):
        assert output["s3"] == {
            "accessKey": "AKIA",
            "secret": "a secret of tests",
            "region": "eu-central-1",
            "endpoint": "https://s3.example",
            "bucket": "media",
            "forcePathStyle": True,
        }
    assert "secret" not in repr(StorageTarget("s3://media/live", S3).s3)


class Counted(LiveKitEngine):
    """Counts how often LiveKit is asked to start."""

    asked = 0

    async def start(self, order: EgressOrder) -> str:
        self.asked += 1
        return await super().start(order)


async def test_a_hundred_wishes_without_a_worker_ask_once(client: LiveKitEgressClient, room: str) -> None:
    engine = Counted(client, "file:///out", {}, list_participants=nobody)
    replica = Replica(engine=engine)
    await replica.ensure_indexes()
    session = await replica.go_live(id=room)
    started = time.monotonic()
    await replica.work()
    assert time.monotonic() - started < BUSY
    for _ in range(100):
        await replica.again(session)
    await replica.work(engine.start_expires_after.total_seconds() - 2)
    assert engine.asked == 1
    stream = await replica.stream(session)
    assert stream.status is StreamStatus.STARTING
    assert "no egress worker" in str(stream.error)
    await replica.end(session)
    await replica.work(40)
    assert (await replica.stream(session)).status is StreamStatus.ENDED
    assert engine.asked == 1
