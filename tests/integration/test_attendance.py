"""Attendance through the real parts: events on RabbitMQ in, answers of the gateway out."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import jwt
import pytest

from deploy.local.stack import Stack
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.contracts.event import Envelope, Event
from shared.contracts.livekit_events import Connection, ParticipantEvent, ParticipantJoined, ParticipantLeft
from shared.contracts.states import Role
from shared.ids import new_id
from tests.running_stack import RunningStack
from tests.waiting import eventually

CROWD = 600
IN_FLIGHT = 100


@dataclass
class Api:
    """The gateway, as the stack's host sees it."""

    http: aiohttp.ClientSession
    token: str

    async def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Any:
        """The answer's data; fails unless it is a success."""
        async with self.http.request(method, path, json=body, headers=self._headers(token)) as response:
            answer = await response.json()
            assert response.status < 300, answer
            return answer["data"]

    async def status(self, method: str, path: str, *, token: str | None = None) -> int:
        async with self.http.request(method, path, headers=self._headers(token)) as response:
            return response.status

    def _headers(self, token: str | None) -> dict[str, str]:
        bearer = token or self.token
        return {"Authorization": f"Bearer {bearer}"} if bearer else {}

    async def live_session(self) -> str:
        room = (await self.call("POST", "/rooms", {"title": "Attended"}))["room"]["id"]
        presets = await self.call("GET", "/presets")
        preset = presets["presets"][0]["id"] if presets["presets"] else await self._preset()
        body = {"title": "Attended", "preset_id": preset}
        session = (await self.call("POST", f"/rooms/{room}/sessions", body))["session"]["id"]
        await self.call("POST", f"/sessions/{session}/start")
        return str(session)

    async def _preset(self) -> str:
        return str(
            (
                await self.call(
                    "POST", "/presets", {"name": "Plain", "type": "whip", "primary_color": "#336699"}
                )
            )["id"]
        )


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[Api]:
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(stack.base_url, timeout=timeout) as http:
        signing_in = Api(http, "")
        body = stack.host.model_dump()
        token = (await signing_in.call("POST", "/auth/login", body))["access_token"]
        yield Api(http, token)


@pytest.fixture
async def bus(stack: Stack) -> AsyncIterator[RabbitBus]:
    bus = RabbitBus(stack.amqp_url, service="attendance test")
    await bus.start()
    yield bus
    await bus.stop_consuming()
    await bus.close()


async def publish(bus: RabbitBus, events: Iterable[Event]) -> None:
    limit = asyncio.Semaphore(IN_FLIGHT)

    async def one(event: Event) -> None:
        async with limit:
            now = SystemClock().now()
            await bus.publish(Envelope(new_id(), "/greenroom/test", now, event))

    await asyncio.gather(*(one(event) for event in events))


def connections(number: int, joined_at: datetime, **fields: Any) -> list[Connection]:
    users = [new_id() for _ in range(number)]
    return [
        Connection(
            participant_sid=f"PA_{user[-12:]}",
            identity=f"{user}:phone",
            user_id=user,
            username=f"Viewer {position:05}",
            role=Role.AUDIENCE,
            joined_at=joined_at,
            **fields,
        )
        for position, user in enumerate(users)
    ]


def joins(session_id: str, people: Iterable[Connection]) -> list[ParticipantEvent]:
    return [
        ParticipantJoined(session_id=session_id, occurred_at=one.joined_at, connection=one) for one in people
    ]


def leaves(session_id: str, people: Iterable[Connection], at: datetime) -> list[ParticipantEvent]:
    return [ParticipantLeft(session_id=session_id, occurred_at=at, connection=one) for one in people]


async def test_reports_follow_the_events(api: Api, bus: RabbitBus) -> None:
    session = await api.live_session()
    now = SystemClock().now()
    early = connections(3, now - timedelta(seconds=100))
    monitor = connections(1, now, hidden=True)
    await publish(bus, joins(session, early + monitor))
    viewers = await eventually(
        lambda: api.call("GET", f"/sessions/{session}/viewers"), lambda data: data["total"] == 3
    )
    assert {one["user_id"] for one in viewers["viewers"]} == {one.user_id for one in early}
    assert {one["role"] for one in viewers["viewers"]} == {"audience"}

    await publish(bus, leaves(session, early[:1], now - timedelta(seconds=40)))
    report = await eventually(
        lambda: api.call("GET", f"/sessions/{session}/attendance"),
        lambda data: sorted(bool(row["left_at"]) for row in data["attendance"]) == [False, False, True],
    )
    (gone,) = [row for row in report["attendance"] if row["left_at"]]
    assert (report["total"], report["currently_watching"]) == (3, 2)
    assert (gone["watch_duration"], gone["join_count"]) == (60, 1)
    assert (await api.call("GET", f"/sessions/{session}/attendance?q=VIEWER%2000001"))["total"] == 1
    await eventually(lambda: api.call("GET", f"/sessions/{session}"), lambda data: data["viewer_count"] == 2)

    await api.call("POST", f"/sessions/{session}/end")
    stats = await eventually(
        lambda: api.call("GET", f"/sessions/{session}/attendance/stats"),
        lambda data: (data["currently_watching"], data["peak_viewers"]) == (0, 3),
    )
    assert stats["total_attendees"] == 3
    await eventually(
        lambda: api.call("GET", f"/sessions/{session}"),
        lambda data: (data["viewer_count"], data["max_viewers"]) == (0, 3),
    )


async def test_leaving_shows_without_a_webhook(api: Api, bus: RabbitBus) -> None:
    session = await api.live_session()
    token = (await api.call("POST", "/auth/viewer/register", {"display_name": "Leaver"}))["access_token"]
    me = await api.call("GET", "/auth/me", token=token)
    user_id, sign_in = me["id"], _sign_in_of(token)
    one = connections(1, SystemClock().now())[0]
    mine = one.model_copy(update={"user_id": user_id, "identity": f"{user_id}:{sign_in}"})
    await publish(bus, joins(session, [mine]))
    ask = lambda: api.call("GET", f"/sessions/{session}/viewers", token=token)  # noqa: E731
    await eventually(ask, lambda data: data["total"] == 1)
    assert await api.call("POST", f"/sessions/{session}/leave", token=token) is None
    await eventually(ask, lambda data: data["total"] == 0, within=10)
    assert await api.call("POST", f"/sessions/{session}/leave", token=token) is None
    assert await api.status("GET", f"/sessions/{session}/attendance", token=token) == 403


async def test_unknown_sessions(api: Api) -> None:
    unknown = f"/sessions/{new_id()}"
    for method, path in (
        ("POST", "/leave"),
        ("GET", "/viewers"),
        ("GET", "/attendance"),
        ("GET", "/attendance/stats"),
    ):
        assert await api.status(method, unknown + path) == 404


async def test_a_killed_service_forgets_and_doubles_nothing(
    running_stack: RunningStack, api: Api, bus: RabbitBus
) -> None:
    session = await api.live_session()
    now = SystemClock().now()
    people = connections(CROWD, now - timedelta(seconds=30))
    everything = joins(session, people) + leaves(session, people[::2], now - timedelta(seconds=10))
    publishing = asyncio.create_task(publish(bus, everything))
    await eventually(
        lambda: api.call("GET", f"/sessions/{session}/attendance?limit=1"), lambda data: data["total"] > 0
    )
    await running_stack.restart("attendance")
    await publishing
    path = f"/sessions/{session}/attendance/stats"
    present = CROWD - len(people[::2])
    exact = (CROWD, present)
    await eventually(
        lambda: api.call("GET", path),
        lambda data: (data["total_attendees"], data["currently_watching"]) == exact,
        within=90,
    )
    counted = await eventually(
        lambda: api.call("GET", f"/sessions/{session}"),
        lambda data: data["viewer_count"] == present,
    )
    assert counted["max_viewers"] >= present


def _sign_in_of(token: str) -> str:

    return str(jwt.decode(token, options={"verify_signature": False})["sid"])
