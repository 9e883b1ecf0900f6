"""Who may publish, and what becomes of the relay of one who does."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.relay import FLOWING
from services.relay.relay import Relay, RelayTarget
from services.relay.service import RelayService
from services.relay.transcoder_process import last_line
from shared.errors import Conflict, NotFound, Unavailable
from shared.livekit import WebhookSigner
from shared.livekit.webhook_sender import WebhookSender
from tests.fakes.fake_clock import FakeClock

KEY = "the stream key"
TARGET = RelayTarget("IN_1", "the room", "host:ingress", "http://livekit/whip")


class StreamKeys:
    """Knows one key, unless it is revoked or away."""

    def __init__(self) -> None:
        self.revoked = self.away = False

    async def resolve(self, stream_key: str) -> RelayTarget:
        if self.away:
            raise Unavailable("away")
        if stream_key != KEY or self.revoked:
            raise NotFound("There is no such stream key", code="stream_key_unknown")
        return TARGET


class Transcoder:
    """Flows until it is stopped; fails as often as `failures` says, first."""

    def __init__(self) -> None:
        self.failures = 0
        self.flowing = asyncio.Event()
        self.targets: list[str] = []

    async def __call__(
        self, source: str, target: str, stopped: asyncio.Event, flowing: Callable[[], None]
    ) -> None:
        assert source == f"rtmp://server/{KEY}"
        self.targets.append(target)
        if self.failures:
            self.failures -= 1
            raise Unavailable("no such room yet")
        flowing()
        self.flowing.set()
        await stopped.wait()


class Fixture:
    def __init__(self, folder: Path) -> None:
        self.stream_keys, self.transcoder, self.folder = StreamKeys(), Transcoder(), folder
        clock = FakeClock()
        self.sender = WebhookSender("http://door", folder, WebhookSigner("key", "secret" * 6, clock), clock)
        self.relays = RelayService(
            self.stream_keys,
            lambda key: Relay(
                key, f"rtmp://server/{key}", self.stream_keys, self.transcoder, self.sender, clock
            ),
        )

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
    assert fixture.transcoder.targets == []


async def test_a_second_encoder_is_refused_and_the_first_goes_on(fixture: Fixture) -> None:
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    with pytest.raises(Conflict):
        await fixture.relays.publish(KEY, "2")
    fixture.relays.publishing_ended(KEY, "2")
    await fixture.relays.still_publishing(KEY, "1")
    assert len(await fixture.webhooks(1)) == 1
    assert len(fixture.transcoder.targets) == 1
    await fixture.relays.close()


async def test_a_relay_tries_until_the_room_is_open(fixture: Fixture) -> None:
    fixture.transcoder.failures = 2
    await fixture.relays.publish(KEY, "1")
    await fixture.flowing()
    assert fixture.transcoder.targets == [TARGET.whip_url] * 3
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


async def test_media_that_stands_still_is_noticed() -> None:
    output = asyncio.StreamReader()
    output.feed_data(f"{FLOWING}\n{FLOWING}\n".encode())
    with pytest.raises(Unavailable, match="stands still"):
        await last_line(output, timeout=0.05)


async def test_the_last_word_of_what_flowed_is_why_it_ended() -> None:
    output = asyncio.StreamReader()
    output.feed_data(f"{FLOWING}\n{FLOWING}\nConnection refused\n".encode())
    assert await last_line(output, timeout=5) == "Connection refused"


def test_the_transcoder_starts_without_what_the_relay_needs() -> None:
    """There is a process for each encoder, and the encoder waits for it."""
    loaded = "import sys, services.relay.transcoder; print(*{'aiohttp', 'structlog'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True).strip() == ""
