"""LiveKit's webhooks on the running stack: from the real server, and signed as it signs."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from deploy.local.stack import Stack
from shared.bus import Group
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.contracts.livekit_events import (
    Connection,
    LiveKitEvent,
    LiveKitRoomStarted,
    ParticipantConnectionAborted,
    ParticipantJoined,
    ParticipantLeft,
)
from shared.contracts.states import Role
from shared.ids import new_id
from shared.livekit import JoinGrant, LiveKitApi, TokenMint
from shared.persistence.mongo import Mongo
from tests.contract.api.accounts import Administrator, sign_in
from tests.contract.api.client import Client, connect
from tests.contract.api.fixtures import Fixtures, make_fixtures
from tests.integration.webhook_client import Published, WebhookClient, webhook
from tests.running_stack import RunningStack
from tests.waiting import equal_to, eventually

pytestmark = pytest.mark.timeout(240)

BURST = 180


@pytest.fixture(scope="module")
async def published(stack: Stack) -> AsyncIterator[Published]:
    published = Published()
    bus = RabbitBus(stack.amqp_url, service="test")
    kinds = (LiveKitRoomStarted, ParticipantJoined, ParticipantLeft, ParticipantConnectionAborted)
    await bus.start()
    await bus.subscribe(Group(f"test.webhooks.{new_id()}", dict.fromkeys(kinds, published.take)))
    yield published
    await bus.stop_consuming()
    await bus.close()


@pytest.fixture(scope="module")
async def database(stack: Stack) -> AsyncIterator[Mongo]:
    mongo = Mongo.from_uri(stack.mongodb.egress)
    yield mongo
    mongo.close()


@pytest.fixture(scope="module")
async def webhooks(running_stack: RunningStack) -> AsyncIterator[WebhookClient]:
    connector = aiohttp.TCPConnector(limit=32)
    async with aiohttp.ClientSession(connector=connector) as http:
        yield WebhookClient(http, running_stack)


@pytest.fixture(scope="module")
async def fixtures(stack: Stack) -> AsyncIterator[Fixtures]:
    async with connect(stack.base_url) as http:
        client = Client(http)
        admin = await sign_in(client, stack.admin.email, stack.admin.password)
        yield await make_fixtures(client, Administrator(client, admin.access_token))


async def attendance(fixtures: Fixtures, session_id: str) -> list[dict[str, Any]]:
    data = await fixtures.get(f"/sessions/{session_id}/attendance", fixtures.host)
    return list(data["attendance"])


async def test_the_same_webhook_a_thousand_times_has_one_effect(
    fixtures: Fixtures, webhooks: WebhookClient, database: Mongo, published: Published
) -> None:
    session_id, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    now = datetime.now(UTC)
    body = webhook("participant_joined", session_id, viewer, sid="PA_same", joined=now, told=now)
    sent = [webhooks.post(body, gateway=number % 2 == 1) for number in range(1000)]
    assert set(await asyncio.gather(*sent)) == {200}
    # Whatever a repetition would have caused had come before this one.
    after = webhook("participant_left", session_id, viewer, sid="PA_same", joined=now, told=now)
    assert await webhooks.post(after) == 200
    kinds = [event.name for event in await published.until(session_id, 3)]
    assert sorted(kinds) == ["livekit_room.started.v1", ParticipantJoined.name, ParticipantLeft.name]
    stored = database.collection("webhooks")
    assert await stored.count({"_id": json.loads(body)["id"]}, limit=10) == 1

    async def counted() -> list[tuple[str, int]]:
        return [(row["user_id"], row["join_count"]) for row in await attendance(fixtures, session_id)]

    await eventually(counted, equal_to([(viewer.id, 1)]))
    await fixtures.do("end", session_id)


async def test_a_wrong_signature_has_no_effect(
    fixtures: Fixtures, webhooks: WebhookClient, database: Mongo, published: Published
) -> None:
    session_id, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    now = datetime.now(UTC)
    body = webhook("participant_joined", session_id, viewer, sid="PA_forged", joined=now, told=now)
    forged = webhooks.signature(body, "not-the-secret-but-long-enough-for-it")
    for gateway in (False, True):
        assert await webhooks.post(body, forged, gateway=gateway) == 401
        assert await webhooks.post(body + b" ", webhooks.signature(body), gateway=gateway) == 401
    assert await database.collection("webhooks").find_one({"_id": json.loads(body)["id"]}) is None
    await published.until(session_id, 1)
    assert [event.name for event in published.of(session_id)] == ["livekit_room.started.v1"]
    assert await attendance(fixtures, session_id) == []
    await fixtures.do("end", session_id)


async def test_leaving_told_before_joining_ends_in_the_right_attendance(
    fixtures: Fixtures, webhooks: WebhookClient
) -> None:
    session_id, viewer = await fixtures.live_session(), await fixtures.viewer_of_its_own()
    joined = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=120)
    again, left = joined + timedelta(seconds=60), joined + timedelta(seconds=100)
    told = [
        ("participant_left", "PA_two", again, left),
        ("participant_left", "PA_one", joined, joined + timedelta(seconds=30)),
        ("participant_joined", "PA_two", again, again),
        ("participant_joined", "PA_one", joined, joined),
    ]
    for kind, sid, since, at in told:
        assert await webhooks.post(webhook(kind, session_id, viewer, sid=sid, joined=since, told=at)) == 200

    async def reported() -> list[tuple[str, int, int, bool]]:
        rows = await attendance(fixtures, session_id)
        return [
            (row["user_id"], row["join_count"], row["watch_duration"], row["left_at"] is not None)
            for row in rows
        ]

    await eventually(reported, equal_to([(viewer.id, 2, 70, True)]))
    await fixtures.do("end", session_id)


async def come_and_go(http: aiohttp.ClientSession, stack: Stack, token: str) -> None:
    """Connect to LiveKit's signalling and go before any media: one `participant_connection_aborted`."""
    url = f"{stack.livekit_url}/rtc?protocol=15&access_token={token}"
    async with http.ws_connect(url, timeout=aiohttp.ClientWSTimeout(ws_close=5)) as signalling:
        await signalling.receive(timeout=10)


def tokens(stack: Stack, session_id: str, count: int) -> dict[str, str]:
    """Join tokens by the user they are for."""
    mint = TokenMint(stack.livekit_api_key, stack.livekit_api_secret, SystemClock())
    users = [new_id() for _ in range(count)]
    grants = {user: JoinGrant(session_id, f"{user}:{new_id()}", "Guest", Role.AUDIENCE) for user in users}
    return {user: mint.join_token(grant, lifetime=timedelta(minutes=5)) for user, grant in grants.items()}


def ends(events: Sequence[LiveKitEvent]) -> list[Connection]:
    """Whose connection ended: most are aborted; on a busy machine one may be active before it leaves."""
    kinds = (ParticipantConnectionAborted, ParticipantLeft)
    return [event.connection for event in events if isinstance(event, kinds)]


def sids(connections: Sequence[Connection]) -> set[str]:
    return {connection.participant_sid for connection in connections}


async def test_a_burst_in_one_room_from_the_real_server_loses_none(
    fixtures: Fixtures, stack: Stack, database: Mongo, published: Published
) -> None:
    session_id = await fixtures.live_session()
    guests = tokens(stack, session_id, BURST)
    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(come_and_go(http, stack, token) for token in guests.values()))
    # Where LiveKit's word of an end is late, the reconciler's comes before it.
    events = await published.once(session_id, lambda events: len(sids(ends(events))) == BURST, within=90)
    gone = ends(events)
    assert {connection.user_id for connection in gone} == set(guests)
    told = {"$in": ["participant_connection_aborted", "participant_left"]}
    stored = {"room": session_id, "event": told}
    webhooks = database.collection("webhooks")
    # Of somebody who was active for a moment LiveKit tells both.
    await eventually(lambda: webhooks.count(stored, limit=1000), lambda count: count >= BURST)
    await fixtures.do("end", session_id)


async def test_the_door_stays_open_while_the_broker_is_away(
    fixtures: Fixtures, running_stack: RunningStack, webhooks: WebhookClient, published: Published
) -> None:
    session_id = await fixtures.live_session()
    now = datetime.now(UTC)
    people = [await fixtures.viewer_of_its_own() for _ in range(5)]
    bodies = [
        webhook("participant_joined", session_id, person, sid=f"PA_{person.id}", joined=now, told=now)
        for person in people
    ]
    async with running_stack.held("rabbitmq"):
        assert set(await asyncio.gather(*(webhooks.post(body) for body in bodies))) == {200}
    events = await published.until(session_id, 1 + len(people), within=60)
    joined = [event.connection.user_id for event in events if isinstance(event, ParticipantJoined)]
    assert set(joined) == {person.id for person in people}
    await fixtures.do("end", session_id)


async def test_what_could_not_be_stored_livekit_sends_again(
    running_stack: RunningStack, published: Published
) -> None:
    stack, session_id = running_stack.info, new_id()
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    try:
        async with running_stack.held("mongodb-egress"):
            await livekit.create_room(session_id, empty_timeout=60, departure_timeout=60)
        (event,) = await published.until(session_id, 1, within=60)
        assert isinstance(event, LiveKitRoomStarted)
    finally:
        await livekit.delete_room(session_id)
        await livekit.close()
