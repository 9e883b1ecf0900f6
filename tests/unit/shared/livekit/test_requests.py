"""What our adapters ask LiveKit for, byte by byte as it reads them, and what they make of its answers."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from livekit.protocol import egress as egress_protocol
from livekit.protocol import ingress as ingress_protocol
from livekit.protocol import models as models_protocol

from shared.contracts.states import Layout
from shared.egress.engine import EncodingOptions
from shared.errors import Unavailable
from shared.livekit import (
    LiveKitApi,
    LiveKitEgressClient,
    LiveKitRefused,
    RoomCompositeOrder,
    S3Output,
    WorkerAnswer,
)
from tests.metric_samples import grows
from tests.unit.shared.livekit.twirp import Called, Twirp

KEY, SECRET = "APIkey", "a-secret-of-at-least-thirty-two-bytes"
START, STOP, LIST, UPDATE = (
    f"livekit.Egress/{name}"
    for name in ("StartRoomCompositeEgress", "StopEgress", "ListEgress", "UpdateStream")
)
CREATE, DELETE, INGRESSES = (
    f"livekit.Ingress/{name}" for name in ("CreateIngress", "DeleteIngress", "ListIngress")
)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * 10**9
RECORDS, ADMINISTERS = {"roomRecord": True}, {"ingressAdmin": True}


@pytest.fixture
def server() -> Twirp:
    return Twirp(SECRET)


@pytest.fixture
async def url(server: Twirp) -> AsyncIterator[str]:
    async with server.serving() as address:
        yield address


@pytest.fixture
async def livekit(url: str) -> AsyncIterator[LiveKitApi]:
    api = LiveKitApi(url, KEY, SECRET)
    yield api
    await api.close()


@pytest.fixture
def egresses(livekit: LiveKitApi) -> LiveKitEgressClient:
    return livekit.egresses()


def order(*, s3: S3Output | None = None) -> RoomCompositeOrder:
    return RoomCompositeOrder(
        room="room",
        encoding=EncodingOptions(
            layout=Layout.SINGLE_SPEAKER,
            width=640,
            height=360,
            frame_rate=25,
            video_kbps=800,
            audio_kbps=96,
            segment_seconds=4,
        ),
        segments_prefix="hls/room/key",
        file_path="recordings/room/key.mp4",
        playlist_name="index.m3u8",
        live_playlist_name="live.m3u8",
        s3=s3,
    )


S3 = S3Output(bucket="media", region="eu", endpoint="https://s3", access_key="AKIA", secret="hidden")
WRITES_TO = {
    "s3": {
        "accessKey": "AKIA",
        "secret": "hidden",
        "region": "eu",
        "endpoint": "https://s3",
        "bucket": "media",
        "forcePathStyle": True,
    }
}


@pytest.mark.parametrize("s3", [None, S3])
async def test_a_start(server: Twirp, egresses: LiveKitEgressClient, s3: S3Output | None) -> None:
    server.answer(START, egress_protocol.EgressInfo(egress_id="EG_1"))
    assert await egresses.start_room_composite(order(s3=s3)) == "EG_1"
    where = WRITES_TO if s3 else {}
    asked = {
        "roomName": "room",
        "layout": "single-speaker",
        "advanced": {
            "width": 640,
            "height": 360,
            "framerate": 25,
            "audioCodec": "AAC",
            "audioBitrate": 96,
            "audioFrequency": 48000,
            "videoCodec": "H264_MAIN",
            "videoBitrate": 800,
            "keyFrameInterval": 4.0,
        },
        "segmentOutputs": [
            {
                "protocol": "HLS_PROTOCOL",
                "filenamePrefix": "hls/room/key/segment",
                "playlistName": "hls/room/key/index.m3u8",
                "livePlaylistName": "hls/room/key/live.m3u8",
                "segmentDuration": 4,
                "disableManifest": True,
                **where,
            }
        ],
        "imageOutputs": [
            {
                "captureInterval": 5,
                "width": 640,
                "height": 360,
                "filenamePrefix": "hls/room/key/preview",
                "filenameSuffix": "IMAGE_SUFFIX_NONE_OVERWRITE",
                "imageCodec": "IC_JPEG",
                "disableManifest": True,
                **where,
            }
        ],
        "fileOutputs": [
            {
                "fileType": "MP4",
                "filepath": "recordings/room/key.mp4",
                "disableManifest": True,
                **where,
            }
        ],
    }
    assert server.calls == [Called(START, asked, RECORDS)]


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        ((503, "unavailable"), Unavailable),
        ((408, "deadline_exceeded"), Unavailable),
        ((429, "resource_exhausted"), Unavailable),
        ((400, "invalid_argument"), LiveKitRefused),
    ],
)
async def test_a_start_that_fails(
    server: Twirp, egresses: LiveKitEgressClient, answer: tuple[int, str], raised: type[Exception]
) -> None:
    server.answer(START, answer)
    with pytest.raises(raised):
        await egresses.start_room_composite(order())
    assert len(server.calls) == 1, "the outcome may be that it began"


async def test_a_stop(server: Twirp, egresses: LiveKitEgressClient) -> None:
    server.answer(STOP, egress_protocol.EgressInfo(), (412, "failed_precondition"), (404, "not_found"))
    for _ in range(3):
        await egresses.stop_egress("EG_1")
    assert server.calls == [Called(STOP, {"egressId": "EG_1"}, RECORDS)] * 3
    server.answer(STOP, (408, "deadline_exceeded"))
    await egresses.stop_egress("EG_1")
    with pytest.raises(Unavailable):
        await egresses.stop_egress("EG_1")


def listed(status: str) -> egress_protocol.EgressInfo:
    return egress_protocol.EgressInfo(
        egress_id="EG_1",
        room_name="room",
        status=status,
        started_at=NOON_NS,
        error="Chrome crashed",
        room_composite=egress_protocol.RoomCompositeEgressRequest(
            segment_outputs=[egress_protocol.SegmentedFileOutput(filename_prefix="hls/room/key/segment")],
            file_outputs=[egress_protocol.EncodedFileOutput(filepath="recordings/room/key.mp4")],
        ),
    )


@pytest.mark.parametrize("status", egress_protocol.EgressStatus.keys())
async def test_a_list_of_a_room_in_pages(server: Twirp, egresses: LiveKitEgressClient, status: str) -> None:
    more = models_protocol.TokenPagination(token="next")
    server.answer(
        LIST,
        egress_protocol.ListEgressResponse(items=[listed(status)], next_page_token=more),
        egress_protocol.ListEgressResponse(items=[egress_protocol.EgressInfo(egress_id="EG_2")]),
    )
    first, second = await egresses.list_egresses("room")
    assert (first.egress_id, first.room, f"EGRESS_{first.status.upper()}") == ("EG_1", "room", status)
    assert (first.started_at, first.ended_at, first.error) == (NOON, None, "Chrome crashed")
    assert first.paths == ["hls/room/key/segment", "recordings/room/key.mp4"]
    assert (second.egress_id, second.status, second.paths) == ("EG_2", "starting", [])
    assert server.calls == [
        Called(LIST, {"roomName": "room"}, RECORDS),
        Called(LIST, {"roomName": "room", "pageToken": {"token": "next"}}, RECORDS),
    ]


async def test_a_list_of_what_runs(server: Twirp, egresses: LiveKitEgressClient) -> None:
    server.answer(LIST, egress_protocol.ListEgressResponse())
    assert await egresses.list_active_egresses() == []
    assert server.calls == [Called(LIST, {"active": True}, RECORDS)]


INGRESS = ingress_protocol.IngressInfo(
    ingress_id="IN_1",
    name="room",
    stream_key="hidden",
    url="rtmp://livekit/live",
    room_name="room",
    participant_identity="u:ingress",
    state=ingress_protocol.IngressState(
        status=ingress_protocol.IngressState.Status.ENDPOINT_PUBLISHING, started_at=NOON_NS
    ),
)


async def test_an_ingress_is_made(server: Twirp, livekit: LiveKitApi) -> None:
    server.answer(CREATE, INGRESS)
    made = await livekit.create_rtmp_ingress("room", "u:ingress", name="room", participant_name="Ada")
    assert (made.ingress_id, made.url, made.stream_key) == ("IN_1", "rtmp://livekit/live", "hidden")
    assert "hidden" not in repr(made)
    asked = {  # RTMP is the first of the inputs, and so is not written.
        "name": "room",
        "roomName": "room",
        "participantIdentity": "u:ingress",
        "participantName": "Ada",
    }
    assert server.calls == [Called(CREATE, asked, ADMINISTERS)]
    assert ingress_protocol.IngressInput.RTMP_INPUT == 0


async def test_an_ingress_is_deleted(server: Twirp, livekit: LiveKitApi) -> None:
    server.answer(DELETE, INGRESS, (404, "not_found"))
    for _ in range(2):
        await livekit.delete_ingress("IN_1")
    assert server.calls == [Called(DELETE, {"ingressId": "IN_1"}, ADMINISTERS)] * 2


async def test_ingresses_are_listed_in_pages(server: Twirp, livekit: LiveKitApi) -> None:
    more = models_protocol.TokenPagination(token="next")
    server.answer(
        INGRESSES,
        ingress_protocol.ListIngressResponse(items=[INGRESS], next_page_token=more),
        ingress_protocol.ListIngressResponse(items=[ingress_protocol.IngressInfo(ingress_id="IN_2")]),
    )
    first, second = await livekit.list_ingresses("room")
    assert (first.room, first.name, first.identity) == ("room", "room", "u:ingress")
    assert (first.status, first.started_at, first.ended_at) == ("publishing", NOON, None)
    assert (second.ingress_id, second.status, second.started_at) == ("IN_2", "inactive", None)
    await livekit.list_ingresses()
    assert [one.asked for one in server.calls] == [
        {"roomName": "room"},
        {"roomName": "room", "pageToken": {"token": "next"}},
        {},
    ]
    assert {one.method for one in server.calls} == {INGRESSES}
    assert [one.grants for one in server.calls] == [ADMINISTERS] * 3


# What LiveKit 1.13.5 with LiveKit Egress 1.14.0 answers; "no response" after 3 s.
NO_STREAM = (400, "invalid_argument", "twirp error unknown: UpdateStream called on non-streaming egress")
NOBODY = (503, "unavailable", "twirp error unknown: no response from servers")
FROZEN = (408, "deadline_exceeded", "twirp error unknown: request timed out")
ENDED = (412, "failed_precondition", "egress with status EGRESS_ENDING cannot be stopped")
RUNNING = [
    (NO_STREAM, WorkerAnswer.ANSWERS),
    (NOBODY, WorkerAnswer.SILENT),
    (FROZEN, WorkerAnswer.SILENT),
    ((412, "failed_precondition", "egress with status EGRESS_ENDING cannot be updated"), WorkerAnswer.SILENT),
    ((404, "not_found", "egress does not exist"), WorkerAnswer.UNLISTED),
]


@pytest.mark.parametrize(("answer", "meaning"), RUNNING)
async def test_whether_the_worker_of_a_running_egress_is_there(
    server: Twirp, egresses: LiveKitEgressClient, answer: tuple[int, str, str], meaning: WorkerAnswer
) -> None:
    server.answer(UPDATE, answer)
    assert await egresses.worker_answers("EG_1", ending=False) is meaning
    assert server.calls == [Called(UPDATE, {"egressId": "EG_1"}, RECORDS)]


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [(egress_protocol.EgressInfo(egress_id="EG_1"), WorkerAnswer.ANSWERS), (ENDED, WorkerAnswer.SILENT)],
)
async def test_whether_the_worker_of_an_ending_egress_is_there(
    server: Twirp,
    egresses: LiveKitEgressClient,
    answer: egress_protocol.EgressInfo | tuple[int, str, str],
    meaning: WorkerAnswer,
) -> None:
    server.answer(STOP, answer)
    assert await egresses.worker_answers("EG_1", ending=True) is meaning


@pytest.mark.parametrize("answer", [(500, "internal", "boom"), (429, "resource_exhausted", "slow down")])
async def test_a_livekit_that_is_away_says_nothing_of_workers(
    server: Twirp, egresses: LiveKitEgressClient, answer: tuple[int, str, str]
) -> None:
    server.answer(UPDATE, answer)
    with pytest.raises(Unavailable):
        await egresses.worker_answers("EG_1", ending=False)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (egress_protocol.EgressInfo(), "ok"),
        ((404, "not_found"), "not_found"),
        ((403, "permission_denied"), "refused"),
        ((503, "unavailable"), "unavailable"),
    ],
)
async def test_calls_are_measured(
    server: Twirp,
    egresses: LiveKitEgressClient,
    answer: egress_protocol.EgressInfo | tuple[int, str],
    outcome: str,
) -> None:
    server.answer(STOP, answer)
    measured = grows("greenroom_livekit_call_seconds_count", method="stop_egress", outcome=outcome)
    with measured, suppress(Unavailable, LiveKitRefused):
        await egresses.stop_egress("EG_1")


async def test_a_call_without_an_answer_is_measured() -> None:
    nobody = LiveKitApi("http://127.0.0.1:1", KEY, SECRET)
    measured = grows("greenroom_livekit_call_seconds_count", method="list_rooms", outcome="unavailable")
    with measured, pytest.raises(Unavailable):
        await nobody.ping()
    await nobody.close()
