"""LiveKit Egress as its webhooks report it: from a webhook to a recording."""

from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson, ParseDict
from livekit.protocol.webhook import WebhookEvent

from services.egress.webhooks.domain import translate
from shared.contracts.livekit_events import EgressEvent
from shared.contracts.states import RecordingStatus, SessionState, StreamStatus
from shared.egress.engine import EgressStatus
from shared.livekit import parse
from tests.unit.egress.streams.fixture import Replica

ROOT = "/mnt/media"


@pytest.fixture
async def replica() -> Replica:
    replica = Replica(keeps_records=False)
    await replica.ensure_indexes()
    return replica


async def told(replica: Replica, session: SessionState, event: str, status: str, **more: Any) -> None:
    """A webhook of LiveKit's about the first egress, in its protobuf JSON; zero values are left out."""
    [order] = replica.engine.begun
    now = int(replica.clock.now().timestamp() * 1e9)
    folder = f"{ROOT}/{order.segments_prefix}"
    info = {
        "egressId": "EG_0000",
        "roomId": "RM_x8Jq2mWcVt5s",
        "roomName": session.id,
        "startedAt": str(now),
        "updatedAt": str(now),
        "roomComposite": {
            "roomName": session.id,
            "layout": "grid",
            "segmentOutputs": [
                {
                    "filenamePrefix": f"{folder}/segment",
                    "playlistName": f"{folder}/index.m3u8",
                    "livePlaylistName": f"{folder}/live.m3u8",
                }
            ],
            "fileOutputs": [{"filepath": f"{ROOT}/{order.file_key}"}],
        },
        **({"status": status} if status else {}),
        **more,
    }
    body = {"event": event, "id": f"EV_{event}_{status}", "createdAt": str(now // 10**9), "egressInfo": info}
    translated = translate(parse(as_livekit_writes(body)), replica.clock.now())
    assert isinstance(translated, EgressEvent)
    assert translated.egress_key == order.key
    await replica.parts.egresses.follow(translated)
    await replica.work()


def as_livekit_writes(body: dict[str, Any]) -> bytes:
    """Through LiveKit's own definitions, which refuse what is none of their fields."""
    return MessageToJson(ParseDict(body, WebhookEvent())).encode()


async def live(replica: Replica) -> SessionState:
    session = await replica.go_live(record=True)
    await replica.work()
    return session


async def test_a_stream_and_its_recording(replica: Replica) -> None:
    session = await live(replica)
    [order] = replica.engine.begun
    await told(replica, session, "egress_started", "")
    assert (await replica.stream(session)).status is StreamStatus.STARTING
    await told(replica, session, "egress_updated", "EGRESS_ACTIVE")
    await replica.storage.put(f"{order.segments_prefix}/live.m3u8", b"#EXTM3U\n")
    await replica.work(1)
    stream = await replica.stream(session)
    assert (stream.status, stream.hls_path) == (StreamStatus.ACTIVE, f"/hls/{session.id}/live.m3u8")

    await replica.end(session)
    await replica.work()
    assert replica.engine.stopped == ["EG_0000"]
    await told(replica, session, "egress_updated", "EGRESS_ENDING")
    await replica.storage.put(str(order.file_key), b"moov")
    await told(
        replica,
        session,
        "egress_ended",
        "EGRESS_COMPLETE",
        endedAt=str(int(replica.clock.now().timestamp() * 1e9)),
        fileResults=[{"filename": f"{ROOT}/{order.file_key}", "size": "4", "duration": "61400000000"}],
        segmentResults=[{"playlistName": "index.m3u8", "segmentCount": "31"}],
    )
    recording = await replica.recordings.find_where({"session_id": session.id})
    assert recording is not None
    assert (recording.status, recording.duration, recording.file_size) == (RecordingStatus.COMPLETED, 61, 4)
    assert (await replica.stream(session)).status is StreamStatus.ENDED


@pytest.mark.parametrize(("more", "gap"), [({"startedAt": 14}, 14), ({}, 2)])
async def test_the_gap_before_a_part_ends_with_the_first_of_its_media(
    replica: Replica, more: dict[str, int], gap: int
) -> None:
    """LiveKit Egress accepts it, loads its page, and begins its file some seconds later."""
    session = await live(replica)
    broke_off = replica.clock.now()
    await told(replica, session, "egress_ended", "EGRESS_FAILED", error="signal: killed")
    await replica.work(2)
    _, order = replica.engine.begun
    await replica.storage.put(str(order.file_key), b"moov")
    at = {name: str(int((broke_off.timestamp() + after) * 1e9)) for name, after in more.items()}
    result = {"filename": f"{ROOT}/{order.file_key}", "size": "4", "duration": "8000000000", **at}
    seen = replica.engine.egresses["EG_0001"]
    info = {
        "egressId": "EG_0001",
        "roomName": session.id,
        "startedAt": str(int((broke_off.timestamp() + 2) * 1e9)),
        "status": "EGRESS_COMPLETE",
        "roomComposite": {"fileOutputs": [{"filepath": f"{ROOT}/{order.file_key}"}]},
        "fileResults": [result],
    }
    body = {"event": "egress_ended", "id": "EV_2", "createdAt": "1", "egressInfo": info}
    ended = translate(parse(as_livekit_writes(body)), replica.clock.now())
    assert isinstance(ended, EgressEvent)
    assert ended.egress_key == seen.key
    await replica.parts.egresses.follow(ended)
    await replica.work()
    recording = await replica.recordings.find_where({"session_id": session.id, "part": 2})
    assert recording is not None
    assert recording.error == f"{gap} s are missing before it: part 1 broke off"


async def test_livekits_details_are_no_errors(replica: Replica) -> None:
    """They say why an egress ended, of each."""
    session = await live(replica)
    [order] = replica.engine.begun
    await replica.storage.put(str(order.file_key), b"moov")
    await replica.end(session)
    await told(replica, session, "egress_ended", "EGRESS_COMPLETE", details="End reason: Source closed")
    recording = await replica.recordings.find_where({"session_id": session.id})
    assert recording is not None
    assert (recording.status, recording.error) == (RecordingStatus.COMPLETED, None)


LIMIT, NO_START = "Session limit reached", "Start signal not received"
NOTHING_CAME = "Nothing was recorded: it ended before any media came"
ENDS = [
    ("EGRESS_COMPLETE", "", True, RecordingStatus.COMPLETED, None),
    ("EGRESS_LIMIT_REACHED", LIMIT, True, RecordingStatus.COMPLETED, LIMIT),
    ("EGRESS_ABORTED", NO_START, False, RecordingStatus.FAILED, NOTHING_CAME),
]


@pytest.mark.parametrize(("status", "error", "stored", "recorded", "why"), ENDS)
@pytest.mark.parametrize("coalesced", [True, False])
async def test_each_end(
    replica: Replica,
    status: str,
    error: str,
    stored: bool,
    recorded: RecordingStatus,
    why: str | None,
    coalesced: bool,
) -> None:
    """With all that comes before it, and, updates being coalesced, with nothing."""
    session = await live(replica)
    [order] = replica.engine.begun
    if not coalesced:
        await told(replica, session, "egress_started", "")
        await told(replica, session, "egress_updated", "EGRESS_ACTIVE")
        await told(replica, session, "egress_updated", "EGRESS_ENDING")
        assert (await replica.stream(session)).status is StreamStatus.ENDING
    if stored:
        await replica.storage.put(str(order.file_key), b"moov")
    result = {"filename": f"{ROOT}/{order.file_key}", "size": "4", "duration": "8000000000"}
    more: dict[str, Any] = {"error": error} if error else {}
    await told(replica, session, "egress_ended", status, **more, fileResults=[result] if stored else [])
    stream = await replica.stream(session)
    assert (stream.status, stream.error) == (StreamStatus.FAILED, error or "The stream ended by itself")
    recording = await replica.recordings.find_where({"session_id": session.id})
    assert recording is not None
    assert (recording.status, recording.error) == (recorded, why)
    assert (recording.duration, recording.file_size) == ((8, 4) if stored else (None, None))
    await replica.end(session)
    await replica.work(20)
    assert replica.engine.stopped == []


ORDERS = [
    "ended",
    "ended ending active started",
    "ending ended started active",
    "active started ended ending",
]


@pytest.mark.parametrize("order", ORDERS)
async def test_in_whatever_order_they_come_the_end_is_the_same(replica: Replica, order: str) -> None:
    session = await live(replica)
    await replica.end(session)
    await replica.work()
    [begun] = replica.engine.begun
    await replica.storage.put(str(begun.file_key), b"moov")
    words = {
        "started": ("egress_started", ""),
        "active": ("egress_updated", "EGRESS_ACTIVE"),
        "ending": ("egress_updated", "EGRESS_ENDING"),
        "ended": ("egress_ended", "EGRESS_COMPLETE"),
    }
    for one in order.split():
        await told(replica, session, *words[one])
    assert (await replica.stream(session)).status is StreamStatus.ENDED
    recording = await replica.recordings.find_where({"session_id": session.id})
    assert recording is not None
    assert recording.status is RecordingStatus.COMPLETED


async def test_news_in_the_wrong_order(replica: Replica) -> None:
    session = await live(replica)
    await told(replica, session, "egress_ended", "EGRESS_FAILED", error="Chrome crashed")
    await told(replica, session, "egress_updated", "EGRESS_ACTIVE")
    await told(replica, session, "egress_started", "")
    [failed, _] = await replica.planned(session)
    assert (failed.status, failed.error) == (EgressStatus.FAILED, "Chrome crashed")


async def test_a_handler_that_is_killed_is_replaced_and_its_recording_goes_on(replica: Replica) -> None:
    """Egress's main process lives on, and reports that what it had begun has failed."""
    session = await live(replica)
    await told(replica, session, "egress_updated", "EGRESS_ACTIVE")
    await replica.work(20)
    await told(replica, session, "egress_ended", "EGRESS_FAILED", error="signal: killed")
    stream = await replica.stream(session)
    assert (stream.status, stream.broke_off_error) == (StreamStatus.STARTING, "signal: killed")
    await replica.work(2)
    assert [order.key for order in replica.engine.begun] == [one.key for one in stream.parts]
    recordings = {one.part: one for one in await replica.recordings.list_where({"session_id": session.id})}
    assert recordings[1].error == "signal: killed: what it had recorded is lost; part 2 goes on"
    assert (recordings[2].status, recordings[2].key) == (
        RecordingStatus.RECORDING,
        replica.engine.begun[1].key,
    )


async def test_the_webhook_comes_before_the_answer(replica: Replica) -> None:
    replica.engine.hides = 1
    session = await live(replica)
    await told(replica, session, "egress_updated", "EGRESS_ACTIVE")
    [egress] = await replica.planned(session)
    assert (egress.egress_id, egress.status, egress.asked_at) == ("EG_0000", EgressStatus.ACTIVE, None)


async def test_it_begins_again_with_the_next_track(replica: Replica) -> None:
    session = await live(replica)
    await told(replica, session, "egress_updated", "EGRESS_ACTIVE")
    await told(replica, session, "egress_ended", "EGRESS_COMPLETE")
    assert (await replica.stream(session)).status is StreamStatus.FAILED
    await replica.track(session)
    await replica.work()
    assert [order.segments_prefix is not None for order in replica.engine.begun] == [True, True]
    assert (await replica.stream(session)).status is StreamStatus.STARTING
    await replica.track(session)
    await replica.work()
    assert len(replica.engine.begun) == 2


async def test_an_egress_of_somebody_elses_is_not_ours(replica: Replica) -> None:
    session = await live(replica)
    body = {
        "event": "egress_ended",
        "id": "EV_other",
        "createdAt": "1795258225",
        "egressInfo": {
            "egressId": "EG_other",
            "roomName": session.id,
            "status": "EGRESS_FAILED",
            "roomComposite": {"fileOutputs": [{"filepath": "/tmp/other.mp4"}]},  # noqa: S108
        },
    }
    translated = translate(parse(as_livekit_writes(body)), replica.clock.now())
    assert isinstance(translated, EgressEvent)
    await replica.parts.egresses.follow(translated)
    await replica.work()
    assert (await replica.stream(session)).status is StreamStatus.STARTING
