"""What the state of a thing forbids: 409 with a code that says which."""

import asyncio

import pytest

from tests.contract.api.client import Answer
from tests.contract.api.fixtures import World

LATER = {"scheduled_start_time": "2035-06-01T20:00:00Z"}


async def call(world: World, method: str, path: str, body: object = None) -> Answer:
    return await world.client.call(method, path, world.host.access_token, body)


@pytest.mark.parametrize(
    ("method", "what", "code"),
    [
        ("POST", "/join", "session_not_live"),
        ("POST", "/end", "session_not_live"),
        ("GET", "/monitor", "session_not_live"),
    ],
)
async def test_a_scheduled_session_refuses(world: World, method: str, what: str, code: str) -> None:
    session = await world.session()
    (await call(world, method, f"/sessions/{session}{what}")).check_refusal(409, code)


@pytest.mark.parametrize(
    ("method", "what", "body", "code"),
    [("DELETE", "", None, "session_live"), ("PATCH", "/reschedule", LATER, "session_not_scheduled")],
)
async def test_a_live_session_refuses(world: World, method: str, what: str, body: object, code: str) -> None:
    session = await world.live_session()
    (await call(world, method, f"/sessions/{session}{what}", body)).check_refusal(409, code)


@pytest.mark.parametrize(
    ("method", "what", "body", "code"),
    [
        ("POST", "/start", None, "session_ended"),
        ("POST", "/go_live", None, "session_ended"),
        ("POST", "/join", None, "session_not_live"),
        ("GET", "/monitor", None, "session_not_live"),
        ("PATCH", "/reschedule", LATER, "session_not_scheduled"),
        ("PATCH", "/settings", {"chat_enabled": True}, "session_ended"),
    ],
)
async def test_an_ended_session_refuses(
    world: World, method: str, what: str, body: object, code: str
) -> None:
    session = await world.ended_session()
    (await call(world, method, f"/sessions/{session}{what}", body)).check_refusal(409, code)


@pytest.mark.parametrize("what", ["start", "go_live", "end"])
async def test_the_same_again_is_answered_the_same(world: World, what: str) -> None:
    session = await (world.live_session() if what == "end" else world.session())
    await world.do(what, session)
    before = await world.get(f"/sessions/{session}")
    await world.do(what, session)
    assert await world.get(f"/sessions/{session}") == before


async def test_a_room_has_one_live_session(world: World) -> None:
    room = await world.room()
    first, second = await world.session(room=room), await world.session(room=room)
    await world.do("start", first)
    (await call(world, "POST", f"/sessions/{second}/start")).check_refusal(409, "room_busy")
    assert (await world.get(f"/rooms/{room}"))["active_session_id"] == first
    await world.do("end", first)
    assert (await world.get(f"/rooms/{room}"))["active_session_id"] is None
    await world.do("start", second)


async def test_of_two_sessions_started_at_once_one_goes_live(world: World) -> None:
    room = await world.room()
    sessions = [await world.session(room=room) for _ in range(4)]
    paths = [f"/sessions/{session}" for session in sessions]
    answers = await asyncio.gather(*(call(world, "POST", f"{path}/start") for path in paths))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    states = [(await world.get(path))["status"] for path in paths]
    assert sorted(states) == ["live", "scheduled", "scheduled", "scheduled"]


async def test_a_preset_in_use_stays(world: World) -> None:
    preset = await world.preset()
    session = await world.session(preset=preset)
    for _ in range(2):
        (await call(world, "DELETE", f"/presets/{preset}")).check_refusal(409, "preset_in_use")
        await world.do("start", session)
    await world.do("end", session)
    assert (await call(world, "DELETE", f"/presets/{preset}")).status == 200
    (await call(world, "GET", f"/presets/{preset}")).check_refusal(404, "preset_not_found")
    assert (await world.get(f"/sessions/{session}"))["preset"]["id"] == preset


async def test_a_room_with_a_live_session_stays(world: World) -> None:
    room = await world.room()
    session = await world.live_session(room=room)
    (await call(world, "DELETE", f"/rooms/{room}")).check_refusal(409, "session_live")
    await world.do("end", session)
    assert (await call(world, "DELETE", f"/rooms/{room}")).status == 200
    (await call(world, "GET", f"/rooms/{room}")).check_refusal(404, "room_not_found")


async def test_a_deleted_session_is_gone(world: World) -> None:
    session = await world.session()
    assert (await call(world, "DELETE", f"/sessions/{session}")).status == 200
    for method, what in (("GET", ""), ("DELETE", ""), ("POST", "/start"), ("POST", "/end")):
        answer = await call(world, method, f"/sessions/{session}{what}")
        answer.check_refusal(404, "session_not_found")


async def test_a_life_is_told_by_its_fields(world: World) -> None:
    session = await world.session(scheduled_start_time="2035-06-01T20:00:00+02:00")
    scheduled = await world.get(f"/sessions/{session}")
    assert (scheduled["status"], scheduled["scheduled_start_time"]) == ("scheduled", "2035-06-01T18:00:00Z")
    assert scheduled["started_at"] is scheduled["ended_at"] is scheduled["duration"] is None
    await world.do("start", session)
    live = await world.get(f"/sessions/{session}")
    assert (live["status"], live["duration"]) == ("live", None)
    assert live["started_at"] >= live["created_at"]
    await world.do("end", session)
    ended = await world.get(f"/sessions/{session}")
    assert (ended["status"], ended["duration"]) == ("ended", 0)
    assert ended["ended_at"] >= ended["started_at"]
