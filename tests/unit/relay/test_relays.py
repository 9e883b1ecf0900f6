"""Who may publish, and what becomes of the relay of one who does."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.relay.relay import Relaying
from services.relay.relay_orders import Order
from services.relay.service import RelayService
from services.relay.transcoder_process import FLOWING, flowed
from shared.errors import Conflict, NotFound, Unavailable
from shared.livekit import WebhookSigner
from shared.livekit.webhook_sender import WebhookSender
from shared.testing.fake_clock import FakeClock

KEY = "the stream key"
ORDER = Order("IN_1", "the room", "host:ingress", "http://livekit/whip")


class Orders:
    """Knows one key, unless it is revoked or away."""

    def __init__(self) -> None:
        self.revoked = self.away = False

    async def ask(self, stream_key: str) -> Order:
        if self.away:
            raise Unavailable("away")
        if stream_key != KEY or self.revoked:
            raise NotFound("There is no such stream key", code="stream_key_unknown")
        return ORDER


class Pump:
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


class House:
    def __init__(self, folder: Path) -> None:
        self.orders, self.pump, self.folder = Orders(), Pump(), folder
        clock = FakeClock()
        self.reports = WebhookSender("http://door", folder, WebhookSigner("key", "secret" * 6, clock), clock)
        self.relays = RelayService(
            self.orders,
            lambda key: Relaying(key, f"rtmp://server/{key}", self.orders, self.pump, self.reports, clock),
        )

    async def flowing(self) -> None:
        async with asyncio.timeout(20):
            await self.pump.flowing.wait()

    async def told(self, count: int) -> list[dict[str, Any]]:
        """What was reported, once it is so much."""
        async with asyncio.timeout(20):
            while len(files := sorted(self.folder.glob("*.json"))) < count:
                await asyncio.sleep(0.01)
        return [json.loads(file.read_bytes()) for file in files]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_media_flows_from_publishing_to_its_end_and_both_are_told(house: House) -> None:
    await house.relays.publish(KEY, "1")
    await house.flowing()
    [started] = await house.told(1)
    house.relays.publishing_ended(KEY, "1")
    [_, ended] = await house.told(2)
    await house.relays.close()
    assert (started["event"], ended["event"]) == ("ingress_started", "ingress_ended")
    assert started["ingressInfo"]["ingressId"] == "IN_1"
    assert started["ingressInfo"]["roomName"] == "the room"
    assert started["ingressInfo"]["state"]["status"] == "ENDPOINT_PUBLISHING"
    assert int(ended["ingressInfo"]["state"]["endedAt"]) > 10**18


async def test_an_unknown_key_is_refused(house: House) -> None:
    with pytest.raises(NotFound):
        await house.relays.publish("another key", "1")
    assert house.pump.targets == []


async def test_a_second_encoder_is_refused_and_the_first_goes_on(house: House) -> None:
    await house.relays.publish(KEY, "1")
    await house.flowing()
    with pytest.raises(Conflict):
        await house.relays.publish(KEY, "2")
    house.relays.publishing_ended(KEY, "2")
    await house.relays.still_publishing(KEY, "1")
    assert len(await house.told(1)) == 1
    assert len(house.pump.targets) == 1
    await house.relays.close()


async def test_a_relay_tries_until_the_room_is_open(house: House) -> None:
    house.pump.failures = 2
    await house.relays.publish(KEY, "1")
    await house.flowing()
    assert house.pump.targets == [ORDER.whip_url] * 3
    await house.relays.close()


async def test_a_revoked_key_ends_the_relay(house: House) -> None:
    house.pump.failures = 100
    await house.relays.publish(KEY, "1")
    await house.told(1)
    house.orders.revoked = True
    [_, ended] = await house.told(2)
    assert ended["event"] == "ingress_ended"
    with pytest.raises(NotFound):
        await house.relays.still_publishing(KEY, "1")


async def test_nobody_is_sent_away_because_the_egress_service_is_away(house: House) -> None:
    house.pump.failures = 1
    await house.relays.publish(KEY, "1")
    house.orders.away = True
    await house.flowing()
    await house.relays.close()


async def test_an_encoder_of_an_earlier_life_is_relayed_again(house: House) -> None:
    await house.relays.still_publishing(KEY, "7")
    await house.flowing()
    house.relays.publishing_ended(KEY, "7")
    assert [one["event"] for one in await house.told(2)] == ["ingress_started", "ingress_ended"]
    await house.relays.close()


async def test_after_its_end_another_may_publish(house: House) -> None:
    await house.relays.publish(KEY, "1")
    await house.flowing()
    house.relays.publishing_ended(KEY, "1")
    await house.told(2)
    house.pump.flowing.clear()
    await house.relays.publish(KEY, "2")
    await house.flowing()
    await house.relays.close()
    assert len(await house.told(4)) == 4


async def test_media_that_stands_still_is_noticed() -> None:
    told = asyncio.StreamReader()
    told.feed_data(f"{FLOWING}\n{FLOWING}\n".encode())
    with pytest.raises(Unavailable, match="stands still"):
        await flowed(told, within=0.05)


async def test_the_last_word_of_what_flowed_is_why_it_ended() -> None:
    told = asyncio.StreamReader()
    told.feed_data(f"{FLOWING}\n{FLOWING}\nConnection refused\n".encode())
    assert await flowed(told, within=5) == "Connection refused"
