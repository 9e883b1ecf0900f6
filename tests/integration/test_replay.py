"""A replay is safe: an event replayed twice, or applied after all, has one effect."""

import asyncio
from typing import Any

import pytest

from deploy.cli.status import inspect
from deploy.dead_letters import GROUPS, replay
from deploy.local.stack import Stack
from shared.clock import SystemClock
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import ParticipantEvent, ParticipantJoined, ParticipantLeft
from tests.integration.dead_letters import Metrics, broker, envelope_of, give_up
from tests.integration.test_attendance import Api, api, connections
from tests.running_stack import RunningStack
from tests.waiting import eventually

__all__ = ["api"]

TAKING_PART = ("attendance", "session.journal", "session.sessions", "egress.connections")


@pytest.fixture
def metrics(api: Api, stack: Stack) -> Metrics:
    return Metrics(api.http, stack)


async def test_every_group_that_is_consumed_is_looked_after(metrics: Metrics) -> None:
    """Whoever adds a group adds it to those that the command lists and replays."""
    assert await metrics.groups() == set(GROUPS)


async def replayed_twice(stack: Stack, metrics: Metrics, envelope: Envelope) -> None:
    """Give the event up in every group that handles it, and replay, two times over; returns when handled."""
    for _ in range(2):
        before = await metrics.handled(type(envelope.event))
        async with broker(stack) as exchange:
            for group in TAKING_PART:
                await give_up(exchange, group, envelope)
        found = await replay(stack.amqp_url, TAKING_PART, {envelope.id})
        assert found == dict.fromkeys(TAKING_PART, 1)

        async def again(before: dict[str, int] = before) -> set[str]:
            now = await metrics.handled(type(envelope.event))
            return {group for group in TAKING_PART if now.get(group, 0) > before.get(group, 0)}

        await eventually(again, lambda groups: groups == set(TAKING_PART))


async def test_an_event_replayed_twice_has_one_effect(api: Api, stack: Stack, metrics: Metrics) -> None:
    session, now = await api.live_session(), SystemClock().now()
    (viewer,) = connections(1, now)
    fields: dict[str, Any] = {"session_id": session, "occurred_at": now, "connection": viewer}
    told: list[ParticipantEvent] = [ParticipantJoined(**fields), ParticipantLeft(**fields)]

    async def look(path: str = "") -> Any:
        return await api.call("GET", f"/sessions/{session}{path}")

    await replayed_twice(stack, metrics, envelope_of(told[0]))
    await eventually(look, lambda data: data["viewer_count"] == 1)
    await replayed_twice(stack, metrics, envelope_of(told[1]))
    await eventually(look, lambda data: data["viewer_count"] == 0)
    (row,) = (await look("/attendance"))["attendance"]
    assert (row["user_id"], row["join_count"], row["watch_duration"]) == (viewer.user_id, 1, 0)
    assert (await look())["max_viewers"] == 1
    assert await journal(api, stack, session) == ["participant.joined.v1", "participant.left.v1"]


async def journal(api: Api, stack: Stack, session: str) -> list[str]:
    """The participants' events in the journal, in their order."""
    admin = (await api.call("POST", "/auth/login", stack.admin.model_dump(), token=""))["access_token"]
    path = f"/admin/sessions/{session}/journal?limit=100"
    names = [entry["name"] for entry in (await api.call("GET", path, token=admin))["entries"]]
    return [name for name in names if name.startswith("participant.")]


async def test_dead_letters_are_told_by_the_status(api: Api, running_stack: RunningStack) -> None:
    stack, data = running_stack.info, running_stack.data

    async def counted() -> int:
        return (await inspect(data)).dead_letters["session.sessions"]

    (viewer,) = connections(1, SystemClock().now())
    event = ParticipantLeft(
        session_id=await api.live_session(), occurred_at=viewer.joined_at, connection=viewer
    )
    async with broker(stack) as exchange:
        await give_up(exchange, "session.sessions", envelope_of(event))
    await eventually(counted, lambda count: count == 1)
    assert set((await inspect(data)).dead_letters) == set(GROUPS)
    await asyncio.wait_for(replay(stack.amqp_url, ["session.sessions"], None), 20)
    await eventually(counted, lambda count: count == 0)
