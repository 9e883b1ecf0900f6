"""Operations that a resource's state forbids: 409 with a code."""

import asyncio
from datetime import datetime, timedelta

import pytest

from tests.contract.api.client import Answer
from tests.contract.api.fixtures import Fixtures

LATER = {"scheduled_start_time": "2035-06-01T20:00:00Z"}


async def call(fixtures: Fixtures, method: str, path: str, body: object = None) -> Answer:
    return await fixtures.client.call(method, path, fixtures.host.access_token, body)


@pytest.mark.parametrize(
    ("method", "what", "code"),
    [
        ("POST", "/join", "session_not_live"),
        ("POST", "/end", "session_not_live"),
        ("GET", "/monitor", "session_not_live"),
    ],
)
async def test_a_scheduled_session_refuses(fixtures: Fixtures, method: str, what: str, code: str) -> None:
    session = await fixtures.session()
    (await call(fixtures, method, f"/sessions/{session}{what}")).check_refusal(409, code)


@pytest.mark.parametrize(
    ("method", "what", "body", "code"),
    [("DELETE", "", None, "session_live"), ("PATCH", "/reschedule", LATER, "session_not_scheduled")],
)
async def test_a_live_session_refuses(
    fixtures: Fixtures, method: str, what: str, body: object, code: str
) -> None:
    session = await fixtures.live_session()
    (await call(fixtures, method, f"/sessions/{session}{what}", body)).check_refusal(409, code)


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
    fixtures: Fixtures, method: str, what: str, body: object, code: str
) -> None:
    session = await fixtures.ended_session()
    (await call(fixtures, method, f"/sessions/{session}{what}", body)).check_refusal(409, code)


@pytest.mark.parametrize("what", ["start", "go_live", "end"])
async def test_the_same_again_is_answered_the_same(fixtures: Fixtures, what: str) -> None:
    session = await (fixtures.live_session() if what == "end" else fixtures.session())
    await fixtures.do(what, session)
    before = await fixtures.get(f"/sessions/{session}")
    await fixtures.do(what, session)
    assert await fixtures.get(f"/sessions/{session}") == before


async def test_a_room_has_one_live_session(fixtures: Fixtures) -> None:
    room = await fixtures.room()
    first, second = await fixtures.session(room=room), await fixtures.session(room=room)
    await fixtures.do("start", first)
    (await call(fixtures, "POST", f"/sessions/{second}/start")).check_refusal(409, "room_busy")
    assert (await fixtures.get(f"/rooms/{room}"))["active_session_id"] == first
    await fixtures.do("end", first)
    assert (await fixtures.get(f"/rooms/{room}"))["active_session_id"] is None
    await fixtures.do("start", second)


async def test_of_two_sessions_started_at_once_one_goes_live(fixtures: Fixtures) -> None:
    room = await fixtures.room()
    sessions = [await fixtures.session(room=room) for _ in range(4)]
    paths = [f"/sessions/{session}" for session in sessions]
    answers = await asyncio.gather(*(call(fixtures, "POST", f"{path}/start") for path in paths))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    states = [(await fixtures.get(path))["status"] for path in paths]
    assert sorted(states) == ["live", "scheduled", "scheduled", "scheduled"]


async def test_a_preset_in_use_stays(fixtures: Fixtures) -> None:
    preset = await fixtures.preset()
    session = await fixtures.session(preset=preset)
    for _ in range(2):
        (await call(fixtures, "DELETE", f"/presets/{preset}")).check_refusal(409, "preset_in_use")
        await fixtures.do("start", session)
    await fixtures.do("end", session)
    assert (await call(fixtures, "DELETE", f"/presets/{preset}")).status == 200
    (await call(fixtures, "GET", f"/presets/{preset}")).check_refusal(404, "preset_not_found")
    assert (await fixtures.get(f"/sessions/{session}"))["preset"]["id"] == preset


async def test_a_room_with_a_live_session_stays(fixtures: Fixtures) -> None:
    room = await fixtures.room()
    session = await fixtures.live_session(room=room)
    (await call(fixtures, "DELETE", f"/rooms/{room}")).check_refusal(409, "session_live")
    await fixtures.do("end", session)
    assert (await call(fixtures, "DELETE", f"/rooms/{room}")).status == 200
    (await call(fixtures, "GET", f"/rooms/{room}")).check_refusal(404, "room_not_found")


async def test_a_deleted_session_is_gone(fixtures: Fixtures) -> None:
    session = await fixtures.session()
    assert (await call(fixtures, "DELETE", f"/sessions/{session}")).status == 200
    for method, what in (("GET", ""), ("DELETE", ""), ("POST", "/start"), ("POST", "/end")):
        answer = await call(fixtures, method, f"/sessions/{session}{what}")
        answer.check_refusal(404, "session_not_found")


async def test_a_life_is_told_by_its_fields(fixtures: Fixtures) -> None:
    session = await fixtures.session(scheduled_start_time="2035-06-01T20:00:00+02:00")
    scheduled = await fixtures.get(f"/sessions/{session}")
    assert (scheduled["status"], scheduled["scheduled_start_time"]) == ("scheduled", "2035-06-01T18:00:00Z")
    assert scheduled["started_at"] is scheduled["ended_at"] is scheduled["duration"] is None
    await fixtures.do("start", session)
    live = await fixtures.get(f"/sessions/{session}")
    assert (live["status"], live["duration"]) == ("live", None)
    started_at = datetime.fromisoformat(live["started_at"])
    assert started_at >= datetime.fromisoformat(live["created_at"])
    await fixtures.do("end", session)
    ended = await fixtures.get(f"/sessions/{session}")
    assert (ended["status"], ended["started_at"]) == ("ended", live["started_at"])
    lasted = datetime.fromisoformat(ended["ended_at"]) - started_at
    assert lasted >= timedelta(0)
    assert ended["duration"] == int(lasted.total_seconds())
