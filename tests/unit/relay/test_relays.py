"""Who may publish, and what becomes of the relay of one who does."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.relay import relay
from services.relay.input_report import AudioInput, InputReport, VideoInput
from services.relay.relay import Relay, RelayTarget
from services.relay.service import RelayService
from services.relay.transcoder_process import Reported, lines
from shared.errors import Conflict, NotFound, Unavailable
from shared.livekit import WebhookSigner
from shared.livekit.webhook_sender import WebhookSender
from shared.runtime.tasks import until_first_ends
from tests.fakes.fake_clock import FakeClock

KEY = "the stream key"
TARGET = RelayTarget("IN_1", "the room", "host:ingress", "a token")
H264 = InputReport(video=VideoInput("h264", 640, 360), audio=AudioInput("aac", 48_000, 2))
BROKEN = InputReport(video=VideoInput("hevc", 0, 0), problem="The encoder's picture cannot be decoded (hevc)")


class StreamKeys:
    """Knows one key, unless it is revoked or away."""

    def __init__(self) -> None:
        self.revoked = self.away = False
        self.reports: list[InputReport | None] = []

    async def resolve(self, stream_key: str, report: InputReport | None = None) -> RelayTarget:
        self.reports.append(report)
        if self.away:
            raise Unavailable("away")
        if stream_key != KEY or self.revoked:
            raise NotFound("There is no such stream key", code="stream_key_unknown")
        return TARGET


class Transcoder:
    """Passes `report` on until it is stopped; fails as often as `failures` says, first."""

    def __init__(self) -> None:
        self.failures = 0
        self.report = H264
        self.started: Callable[[], None] = lambda: None
        self.flowing, self.interrupt = asyncio.Event(), asyncio.Event()
        self.reported: Reported = lambda _: None
        self.tokens: list[str] = []

    async def __call__(self, source: str, token: str, stopped: asyncio.Event, reported: Reported) -> None:
        assert source == f"rtmp://server/{KEY}"
        self.tokens.append(token)
        self.started()
        if self.failures:
            self.failures -= 1
            raise Unavailable("no such room yet")
        self.reported = reported
        reported(self.report)
        self.flowing.set()
        await until_first_ends(stopped.wait(), self.interrupt.wait())
        if self.interrupt.is_set():
            self.interrupt.clear()
            raise Unavailable("LiveKit is gone")


class Fixture:
    def __init__(self, folder: Path) -> None:
        self.stream_keys, self.transcoder, self.folder = StreamKeys(), Transcoder(), folder
        self.clock = clock = FakeClock()
        self.sender = WebhookSender("http://door", folder, WebhookSigner("key", "secret" * 6, clock), clock)
        self.relays = RelayService(
            self.stream_keys,
            lambda key: Relay(
                key, f"rtmp://server/{key}", self.stream_keys, self.transcoder, self.sender, clock
            ),
        )
        # As the RTMP server tells us of our player.
        self.transcoder.started = lambda: self.relays.playing(KEY)

    async def flowing(self) -> None:
        async with asyncio.timeout(20):
            await self.transcoder.flowing.wait()

    async def webhooks(self, count: int) -> list[dict[str, Any]]:
        """What was reported, once it is so much."""
        async with asyncio.timeout(20):
            while len(files := sorted(self.folder.glob("*.json"))) < count:
                await asyncio.sleep(0.01)
        return [json.loads(file.read_bytes()) for file in files]


@pytest.fixture
def fixture(tmp_path: Path) -> Fixture:
    return Fixture(tmp_path)


async def test_media_flows_from_publishing_to_its_end_and_both_are_reported(fixture: Fixture) -> None:
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    [started] = await fixture.webhooks(1)
    fixture.relays.publishing_ended(KEY, "1")
    [_, ended] = await fixture.webhooks(2)
    await fixture.relays.close()
    assert (started["event"], ended["event"]) == ("ingress_started", "ingress_ended")
    assert started["ingressInfo"]["ingressId"] == "IN_1"
    assert started["ingressInfo"]["roomName"] == "the room"
    assert started["ingressInfo"]["state"]["status"] == "ENDPOINT_PUBLISHING"
    assert int(ended["ingressInfo"]["state"]["endedAt"]) > 10**18


async def test_an_unknown_key_is_refused(fixture: Fixture) -> None:
    with pytest.raises(NotFound):
        await fixture.relays.publish("another key", "1")
    assert fixture.transcoder.tokens == []


async def test_a_second_encoder_is_refused_and_the_first_goes_on(fixture: Fixture) -> None:
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    with pytest.raises(Conflict):
        await fixture.relays.publish(KEY, "2")
    fixture.relays.publishing_ended(KEY, "2")
    await fixture.relays.still_publishing(KEY, "1")
    assert len(await fixture.webhooks(1)) == 1
    assert len(fixture.transcoder.tokens) == 1
    await fixture.relays.close()


async def test_a_relay_tries_until_the_room_is_open(fixture: Fixture) -> None:
    fixture.transcoder.failures = 2
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    assert fixture.transcoder.tokens == [TARGET.token] * 3
    await fixture.relays.close()


async def test_a_revoked_key_ends_the_relay(fixture: Fixture) -> None:
    fixture.transcoder.failures = 100
    await fixture.relays.publish(KEY, "1")
    await fixture.webhooks(1)
    fixture.stream_keys.revoked = True
    [_, ended] = await fixture.webhooks(2)
    assert ended["event"] == "ingress_ended"
    with pytest.raises(NotFound):
        await fixture.relays.still_publishing(KEY, "1")


async def test_nobody_is_sent_away_because_the_egress_service_is_away(fixture: Fixture) -> None:
    fixture.transcoder.failures = 1
    await fixture.relays.publish(KEY, "1")
    fixture.stream_keys.away = True
    await fixture.flowing()
    await fixture.relays.close()


async def test_an_encoder_of_an_earlier_life_is_relayed_again(fixture: Fixture) -> None:
    await fixture.relays.still_publishing(KEY, "7")
    await fixture.flowing()
    fixture.relays.publishing_ended(KEY, "7")
    assert [one["event"] for one in await fixture.webhooks(2)] == ["ingress_started", "ingress_ended"]
    await fixture.relays.close()


async def test_after_its_end_another_may_publish(fixture: Fixture) -> None:
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    fixture.relays.publishing_ended(KEY, "1")
    await fixture.webhooks(2)
    await fixture.relays.close()
    fixture.transcoder.flowing.clear()
    await fixture.relays.publish(KEY, "2")
    await fixture.flowing()
    await fixture.relays.close()
    assert len(await fixture.webhooks(4)) == 4


async def test_what_the_encoder_sends_is_reported_with_each_question(fixture: Fixture) -> None:
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    await fixture.relays.still_publishing(KEY, "1")
    assert fixture.stream_keys.reports == [None, H264]
    await fixture.relays.close()


async def test_an_encoder_whose_beginning_was_missed_starts_again_if_its_picture_cannot_be_decoded(
    fixture: Fixture,
) -> None:
    """The RTMP server keeps the headers of H.264 and AAC alone."""
    fixture.transcoder.report = BROKEN
    await fixture.relays.still_publishing(KEY, "1")
    await fixture.flowing()
    for _ in range(2):
        with pytest.raises(Conflict, match=r"cannot be decoded \(hevc\); the encoder has to start again"):
            await fixture.relays.still_publishing(KEY, "1")
    fixture.relays.publishing_ended(KEY, "1")
    await fixture.webhooks(2)
    await fixture.relays.close()


async def test_one_that_can_be_decoded_after_all_goes_on(fixture: Fixture) -> None:
    fixture.transcoder.report = BROKEN
    await fixture.relays.still_publishing(KEY, "1")
    await fixture.flowing()
    fixture.transcoder.reported(H264)
    await fixture.relays.still_publishing(KEY, "1")
    await fixture.relays.close()


async def test_what_was_said_before_an_interruption_sends_nobody_away_after_it(fixture: Fixture) -> None:
    fixture.transcoder.report = BROKEN
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    fixture.transcoder.report = H264
    fixture.transcoder.flowing.clear()
    fixture.transcoder.interrupt.set()
    async with asyncio.timeout(20):
        while not fixture.transcoder.flowing.is_set():
            await fixture.relays.still_publishing(KEY, "1")
            await asyncio.sleep(0.01)
    await fixture.relays.close()


async def test_one_whose_beginning_the_server_did_not_play_in_time_starts_again(
    fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_PLAYING_SECONDS", 0.01)
    fixture.transcoder.report = BROKEN
    fixture.transcoder.started = lambda: None
    await fixture.relays.publish(KEY, "1")
    fixture.relays.playing(KEY)
    await fixture.flowing()
    with pytest.raises(Conflict, match="has to start again"):
        await fixture.relays.still_publishing(KEY, "1")
    await fixture.relays.close()


async def test_one_that_was_heard_from_its_beginning_goes_on_with_what_can_be_decoded(
    fixture: Fixture,
) -> None:
    fixture.transcoder.report = BROKEN
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    await fixture.relays.still_publishing(KEY, "1")
    assert fixture.stream_keys.reports[-1] == BROKEN
    await fixture.relays.close()


async def test_an_encoder_may_begin_once_the_server_plays_to_us(fixture: Fixture) -> None:
    played = asyncio.Event()
    fixture.transcoder.started = played.set
    publishing = asyncio.create_task(fixture.relays.publish(KEY, "1"))
    async with asyncio.timeout(20):
        await played.wait()
    assert not publishing.done()
    fixture.relays.playing(KEY)
    await publishing
    await fixture.relays.close()


def said(*reports: dict[str, Any]) -> asyncio.StreamReader:
    output = asyncio.StreamReader()
    output.feed_data(b"".join(json.dumps(one).encode() + b"\n" for one in reports))
    return output


async def test_media_that_stands_still_is_noticed() -> None:
    reading = lines(said({"problem": None}, {"problem": None}), first=20, next_one=0.05)
    assert await anext(reading) == await anext(reading) == {"problem": None}
    with pytest.raises(Unavailable, match="stands still"):
        await anext(reading)


async def test_media_that_never_flows_is_noticed() -> None:
    with pytest.raises(Unavailable, match="no media flows"):
        await anext(lines(asyncio.StreamReader(), first=0.05))


def test_the_transcoder_starts_without_what_the_relay_needs() -> None:
    """There is a process for each encoder, and the encoder waits for it."""
    loaded = (
        "import sys, services.relay.media.transcoder; print(*{'structlog', 'pydantic'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True).strip() == ""


async def test_an_encoder_that_comes_back_waits_for_the_end_of_its_last_relay(fixture: Fixture) -> None:
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    fixture.relays.publishing_ended(KEY, "1")
    await fixture.relays.publish(KEY, "2")
    events = [one["event"] for one in await fixture.webhooks(3)]
    assert sorted(events) == ["ingress_ended", "ingress_started", "ingress_started"]
    await fixture.relays.close()


async def test_an_encoder_that_left_unnoticed_keeps_its_key_from_nobody(fixture: Fixture) -> None:
    """The RTMP server does not report who leaves while it asks whether they may publish."""
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    with pytest.raises(Conflict):
        await fixture.relays.publish(KEY, "2")
    fixture.clock.advance(seconds=6)
    await fixture.relays.still_publishing(KEY, "1")
    fixture.clock.advance(seconds=6)
    with pytest.raises(Conflict):
        await fixture.relays.publish(KEY, "2")
    fixture.clock.advance(seconds=6)
    await fixture.relays.publish(KEY, "2")
    await fixture.webhooks(3)
    await fixture.relays.close()


async def test_a_revoked_key_stops_what_flows(fixture: Fixture) -> None:
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    fixture.stream_keys.revoked = True
    with pytest.raises(NotFound):
        await fixture.relays.still_publishing(KEY, "1")
    assert [one["event"] for one in await fixture.webhooks(2)] == ["ingress_started", "ingress_ended"]
    await fixture.relays.close()


async def test_a_question_that_an_encoder_has_outrun_starts_no_relay(fixture: Fixture) -> None:
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    resolve = fixture.stream_keys.resolve

    async def leaves_meanwhile(stream_key: str, report: InputReport | None = None) -> RelayTarget:
        fixture.relays.publishing_ended(KEY, "1")
        await fixture.webhooks(2)
        return await resolve(stream_key, report)

    fixture.stream_keys.resolve = leaves_meanwhile  # type: ignore[method-assign]
    await fixture.relays.still_publishing(KEY, "1")
    fixture.stream_keys.resolve = resolve  # type: ignore[method-assign]
    await fixture.relays.publish(KEY, "2")
    await fixture.webhooks(3)
    await fixture.relays.close()
