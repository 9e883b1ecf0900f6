"""Tokens for rooms on the real LiveKit: who gets in when, when sessions start and end, who is removed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from livekit import rtc

from deploy.local.stack import Stack
from tests.contract.api.client import Answer
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.room_connections import Attendee, RoomConnections, room_connections
from tests.running_stack import RunningStack
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

DEADLINE = 60.0
# A token's times are whole seconds, and LiveKit reports a leave within one.
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Turn:
    """When LiveKit was last asked and gave one answer, and when it had first given the other."""

    last: datetime
    first: datetime


@dataclass(frozen=True)
class Customer:
    """A customer's backend, with its API key, and its people's connections. `livekit` is an http URL."""

    fixtures: Fixtures
    people: RoomConnections
    livekit: str
    key: str

    async def call(self, method: str, path: str, body: Any = None) -> Answer:
        return await self.fixtures.client.call(method, path, body=body, headers={"X-API-Key": self.key})

    async def room(self, **fields: Any) -> str:
        answer = await self.call("POST", "/rooms", {"title": "A meeting", "auto_session": True, **fields})
        assert answer.status == 201, answer
        return str(answer.data["room"]["id"])

    async def token(self, room: str, **fields: Any) -> dict[str, Any]:
        answer = await self.call("POST", f"/rooms/{room}/tokens", fields)
        assert answer.status == 201, answer
        data: dict[str, Any] = answer.data
        return data

    async def session(self, token: dict[str, Any]) -> dict[str, Any]:
        data: dict[str, Any] = (await self.call("GET", f"/sessions/{token['session_id']}")).data
        return data

    async def until(self, token: dict[str, Any], status: str, within: float = DEADLINE) -> dict[str, Any]:
        return await eventually(
            lambda: self.session(token), lambda session: session["status"] == status, within=within
        )

    async def enter(self, token: dict[str, Any]) -> Attendee:
        return await self.people.enter(token["livekit_token"])

    async def refused(self, token: dict[str, Any]) -> bool:
        """Whether LiveKit does not let them in."""
        try:
            await self.enter(token)
        except rtc.ConnectError:
            return True
        return False

    async def turns(self, token: dict[str, Any], wanted: bool) -> Turn:
        """Ask LiveKit whether it accepts the token until the answer is as wanted, which it is not yet."""
        last = datetime.min.replace(tzinfo=UTC)
        query = {"access_token": token["livekit_token"]}
        async with aiohttp.ClientSession() as http, asyncio.timeout(DEADLINE):
            while True:
                asked = datetime.now(UTC)
                async with http.get(f"{self.livekit}/rtc/validate", params=query) as answer:
                    if (answer.status == 200) is wanted:
                        return Turn(last, datetime.now(UTC))
                last = asked
                await asyncio.sleep(0.05)


@pytest.fixture
async def customer(stack: Stack, fixtures: Fixtures) -> AsyncIterator[Customer]:
    async with room_connections(stack) as people:
        livekit = stack.livekit_url.replace("ws", "http", 1)
        yield Customer(fixtures, people, livekit, await fixtures.admin.api_key(fixtures.host))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_session_begins_with_the_first_and_ends_with_the_last(customer: Customer) -> None:
    room = await customer.room(max_members=2)
    tokens = await asyncio.gather(
        *(customer.token(room, role="guest", external_user_id=f"c-{number}") for number in range(3))
    )
    first, second, third = tokens
    assert len({token["session_id"] for token in tokens}) == 1
    assert (await customer.session(first))["status"] == "scheduled"
    since = datetime.now(UTC)
    one = await customer.enter(first)
    live = await customer.until(first, "live")
    assert since - SECOND <= moment(live["started_at"]) <= datetime.now(UTC)
    other = await customer.enter(second)
    assert await customer.refused(third)
    await other.leave()
    before = datetime.now(UTC)
    await one.leave()
    after = datetime.now(UTC)
    ended = await customer.until(first, "ended")
    assert before - SECOND <= moment(ended["ended_at"]) <= after + SECOND
    assert await customer.refused(third)
    assert (await customer.token(room))["session_id"] != first["session_id"]


async def test_the_door_opens_and_closes_in_time(customer: Customer) -> None:
    now = datetime.now(UTC)
    opens, closes = now + timedelta(seconds=10), now + timedelta(seconds=11)
    room = await customer.room(join_from=opens.isoformat())
    early = await customer.token(room)
    assert await customer.refused(early)
    late = await customer.token(await customer.room(), join_until=closes.isoformat())
    opened, closed = await asyncio.gather(customer.turns(early, True), customer.turns(late, False))
    # Each between the last answer of one kind and the first of the other.
    assert opened.last <= opens + SECOND
    assert opens <= opened.first
    assert closed.last <= closes
    assert closes - SECOND <= closed.first
    await customer.enter(early)
    await customer.until(early, "live")


async def test_guests_publish_what_their_token_says(customer: Customer) -> None:
    room = await customer.room()
    guest, mute, viewer = [
        await customer.token(room, **fields)
        for fields in ({"role": "guest"}, {"role": "guest", "publish": "video"}, {"role": "audience"})
    ]
    one, other, third = [await customer.enter(token) for token in (guest, mute, viewer)]
    await one.until_published(time.monotonic())
    await asyncio.gather(other.publishes_nothing(), third.publishes_nothing())
    listed = await other.listed()
    assert listed is not None
    assert (other.role, third.role) == ("stage", "audience")
    assert {source.value for source in listed.permissions.can_publish_sources or ()} == {
        "camera",
        "screen_share",
    }


async def test_people_are_removed_when_their_time_is_over(
    customer: Customer, running_stack: RunningStack
) -> None:
    room = await customer.room()
    brief = await customer.token(room, external_user_id="brief", remove_after_seconds_elapsed=4)
    until = datetime.now(UTC) + timedelta(seconds=15)
    dated = await customer.token(room, remove_at=until.isoformat())
    stays = await customer.token(room)
    since = time.monotonic()
    one, other, third = [await customer.enter(token) for token in (brief, dated, stays)]
    await running_stack.restart("session")
    async with asyncio.timeout(DEADLINE):
        await one.until_removed()
    assert time.monotonic() - since >= 3
    async with asyncio.timeout(DEADLINE):
        await other.until_removed()
    assert datetime.now(UTC) >= until
    assert await third.listed() is not None
    again = await customer.enter(await customer.token(room, external_user_id="brief"))
    async with asyncio.timeout(DEADLINE):
        await again.until_removed()


async def test_a_recorder_neither_takes_a_place_nor_keeps_the_session(customer: Customer) -> None:
    room = await customer.room(record_on_start=True, max_members=1)
    token = await customer.token(room, role="guest")
    one = await customer.enter(token)
    await customer.until(token, "live")
    await eventually(lambda: customer.session(token), lambda session: session["hls_url"], within=DEADLINE)
    recordings = (await customer.call("GET", f"/sessions/{token['session_id']}/recordings")).data
    assert len(recordings["recordings"]) == 1
    await one.leave()
    await customer.until(token, "ended")


async def test_it_ends_with_whoever_ends_it(customer: Customer) -> None:
    room = await customer.room()
    teacher = await customer.token(room, role="host", end_session_on_leave=True)
    pupil = await customer.token(room, role="guest")
    one, other = await customer.enter(teacher), await customer.enter(pupil)
    await customer.until(teacher, "live")
    before = datetime.now(UTC)
    await one.leave()
    ended = await customer.until(teacher, "ended")
    assert before - SECOND <= moment(ended["ended_at"]) <= before + timedelta(seconds=4)
    async with asyncio.timeout(DEADLINE):
        await other.until_removed()


async def test_livekit_may_restart_before_anybody_joins(
    customer: Customer, running_stack: RunningStack
) -> None:
    room = await customer.room()
    token = await customer.token(room)
    await running_stack.restart("livekit")
    one = await eventually(lambda: entered(customer, token), bool, within=DEADLINE)
    assert one is not None
    await customer.until(token, "live")
    await customer.call("POST", f"/sessions/{token['session_id']}/end")


async def entered(customer: Customer, token: dict[str, Any]) -> Attendee | None:
    try:
        return await customer.enter(token)
    except rtc.ConnectError:
        return None
