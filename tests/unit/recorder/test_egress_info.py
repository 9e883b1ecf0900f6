"""Reports against LiveKit's own protobuf definitions, and against our own reader of its webhooks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from livekit.protocol.egress import EgressStatus as Theirs
from livekit.protocol.webhook import WebhookEvent

from services.recorder.jobs.egress_info import event_id, webhook
from shared.egress.engine import EgressOrder, EgressStatus, EncodingOptions
from shared.egress.jobs import Gap, Job, Result, job_of
from shared.ids import new_id
from shared.livekit import WebhookSigner, WebhookVerifier, parse
from tests.fakes.fake_clock import FakeClock

NOW = datetime(2030, 1, 1, 12, 30, 15, 250_000, tzinfo=UTC)
SECRET = "a secret that is long enough for HS256"
KEY = new_id().replace("-", "")
FRESH = job_of(
    EgressOrder(
        key=KEY,
        session_id=new_id(),
        segments_prefix=f"hls/s/{KEY}",
        file_key=f"recordings/s/{KEY}.mp4",
        encoding=EncodingOptions(),
    ),
    NOW,
)
ENDED = replace(
    FRESH,
    status=EgressStatus.COMPLETE,
    started_at=NOW,
    ended_at=NOW + timedelta(seconds=70),
    gaps=(Gap(after_seconds=4.0, seconds=9.5),),
    result=Result(duration=60.25, segments=31, segments_size=9_000_000, file_size=8_000_000),
)


def as_livekit_reads(event: str, job: Job) -> WebhookEvent:
    """Unknown fields and wrong types raise."""
    return ParseDict(webhook(event, job, NOW), WebhookEvent())


@pytest.mark.parametrize("status", list(EgressStatus))
def test_every_state_is_livekits(status: EgressStatus) -> None:
    told = as_livekit_reads("egress_updated", replace(ENDED, status=status))
    assert Theirs.Name(told.egress_info.status) == f"EGRESS_{status.value.upper()}"


def test_a_fresh_egress_leaves_out_what_is_zero() -> None:
    told = webhook("egress_started", FRESH, NOW)
    assert told["createdAt"] == str(int(NOW.timestamp()))
    assert set(told["egressInfo"]) == {"egressId", "roomName", "updatedAt", "roomComposite"}
    assert as_livekit_reads("egress_started", FRESH).egress_info.status == Theirs.EGRESS_STARTING


def test_an_ended_egress_tells_what_it_left() -> None:
    info = as_livekit_reads("egress_ended", ENDED).egress_info
    (file,) = info.file_results
    assert (file.filename, file.size, file.duration) == (ENDED.file_key, 8_000_000, 60_250_000_000)
    assert file.started_at == int(NOW.timestamp()) * 10**9 + 250_000_000
    (segments,) = info.segment_results
    assert (segments.playlist_name, segments.segment_count) == ("index.m3u8", 31)
    assert info.room_composite.file_outputs[0].filepath == ENDED.file_key
    assert info.room_composite.segment_outputs[0].filename_prefix == ENDED.segments_prefix
    assert info.details == "9.5 s are missing in 1 place"


def test_our_own_door_reads_it_as_livekits() -> None:
    clock = FakeClock(NOW)
    body = orjson.dumps(webhook("egress_ended", replace(ENDED, error="disk"), NOW))
    signer = WebhookSigner("key", SECRET, clock)
    WebhookVerifier({"key": SECRET}, clock).verify(body, signer.sign(body))
    read = parse(body)
    assert read.egress_info is not None
    assert (read.egress_info.egress_id, read.egress_info.status) == (ENDED.egress_id, "egress_complete")
    assert (read.room_name, read.egress_info.error) == (ENDED.session_id, "disk")


def test_what_is_told_again_has_the_same_id() -> None:
    assert event_id("egress_ended", ENDED) == event_id("egress_ended", replace(ENDED, epoch=7))
    ids = {event_id("egress_updated", replace(ENDED, status=status)) for status in EgressStatus}
    assert len(ids) == len(EgressStatus)
    assert all(one.startswith("EV_") for one in ids)


def test_it_is_what_livekit_itself_would_write() -> None:
    """Protobuf JSON read and written again is the same."""
    told = webhook("egress_ended", ENDED, NOW)
    assert MessageToDict(ParseDict(told, WebhookEvent())) == told
