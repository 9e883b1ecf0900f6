"""Several hosts act at the same time on two replicas of the session service: no change is half made."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from deploy.local.stack import Stack
from shared.ids import new_id
from shared.livekit import LiveKitApi
from tests.contract.api.accounts import Person
from tests.contract.api.client import Answer, Client
from tests.contract.api.fixtures import Fixtures

Replicas = tuple[Client, Client]
STARTS = 20


async def co_hosted(fixtures: Fixtures, session: str) -> tuple[Person, Person]:
    """Its host, and a colleague who co-hosts it."""
    body = {"user_id": fixtures.colleague.id}
    path = f"/sessions/{session}/co_hosts"
    answer = await fixtures.client.call("POST", path, fixtures.host.access_token, body)
    assert answer.status == 201, answer
    return fixtures.host, fixtures.colleague


async def at_once(replicas: Replicas, calls: list[tuple[str, str, Person, Any]]) -> list[Answer]:
    """Every call, each second one to the other replica."""
    return await asyncio.gather(
        *(
            replicas[number % 2].call(method, path, by.access_token, body)
            for number, (method, path, by, body) in enumerate(calls)
        )
    )


async def test_of_many_starts_in_a_room_one_wins(
    fixtures: Fixtures, two_sessions: Replicas, stack: Stack
) -> None:
    room, preset = await fixtures.room(), await fixtures.preset()
    sessions = [await fixtures.session(room=room, preset=preset) for _ in range(STARTS)]
    calls = [("POST", f"/sessions/{session}/start", fixtures.host, None) for session in sessions]
    answers = await at_once(two_sessions, calls)
    assert Counter(answer.status for answer in answers) == {200: 1, 409: STARTS - 1}
    assert {answer.body.get("code") for answer in answers if answer.status == 409} == {"room_busy"}
    (won,) = [answer.data["session"]["id"] for answer in answers if answer.status == 200]
    assert (await fixtures.get(f"/rooms/{room}"))["active_session_id"] == won
    states = [(await fixtures.get(f"/sessions/{session}"))["status"] for session in sessions]
    assert Counter(states) == {"live": 1, "scheduled": STARTS - 1}
    livekit = LiveKitApi(stack.livekit_url, stack.livekit_api_key, stack.livekit_api_secret)
    try:
        assert [one.name for one in await livekit.list_rooms(sessions)] == [won]
    finally:
        await livekit.close()


async def test_a_hundred_duplicates_make_one_thing(fixtures: Fixtures, two_sessions: Replicas) -> None:
    host = await fixtures.admin.host(fixtures.organization)
    key, body = {"Idempotency-Key": new_id()}, {"title": "Once"}
    ask = [
        two_sessions[n % 2].call("POST", "/rooms", host.access_token, body, headers=key) for n in range(100)
    ]
    answers = await asyncio.gather(*ask)
    # Who waited for the first one for too long is told so, and may ask again.
    assert {answer.status for answer in answers} <= {201, 409}
    again = await two_sessions[0].call("POST", "/rooms", host.access_token, body, headers=key)
    made = [again, *(answer for answer in answers if answer.status == 201)]
    assert len({answer.data["room"]["id"] for answer in made}) == 1
    assert (await fixtures.get("/rooms/my", host))["total"] == 1


async def test_many_starts_of_a_session_are_one(fixtures: Fixtures, two_sessions: Replicas) -> None:
    session = await fixtures.session()
    hosts = await co_hosted(fixtures, session)
    calls = [("POST", f"/sessions/{session}/start", hosts[n // 2 % 2], None) for n in range(STARTS)]
    answers = await at_once(two_sessions, calls)
    assert {answer.status for answer in answers} == {200}
    assert len({answer.data["session"]["started_at"] for answer in answers}) == 1


async def test_two_hosts_who_edit_at_once_leave_one_of_their_edits(
    fixtures: Fixtures, two_sessions: Replicas
) -> None:
    session = await fixtures.live_session()
    hosts = await co_hosted(fixtures, session)
    edits: list[dict[str, Any]] = [
        {"chat_enabled": False, "stage_enabled": True, "max_join_limit": 2},
        {"chat_enabled": True, "stage_enabled": False, "max_join_limit": 5},
    ]
    path = f"/sessions/{session}/settings"
    calls = [("PATCH", path, host, edit) for _ in range(5) for host, edit in zip(hosts, edits, strict=True)]
    assert {answer.status for answer in await at_once(two_sessions, calls)} == {200}
    shown = await fixtures.get(f"/sessions/{session}", fixtures.host)
    assert {name: shown[f"effective_{name}"] for name in edits[0]} in edits


async def test_two_hosts_who_end_and_edit_at_once_end_it_once(
    fixtures: Fixtures, two_sessions: Replicas
) -> None:
    session = await fixtures.live_session()
    hosts = await co_hosted(fixtures, session)
    user = (await fixtures.viewer_of_its_own()).id
    calls: list[tuple[str, str, Person, Any]] = []
    for host in hosts * 2:
        calls += [
            ("POST", f"/sessions/{session}/end", host, None),
            ("PATCH", f"/sessions/{session}/settings", host, {"chat_enabled": False}),
            ("POST", f"/sessions/{session}/moderators", host, {"user_id": user}),
        ]
    answers = await at_once(two_sessions, calls)
    assert {answer.status for answer in answers[::3]} == {200}
    assert {answer.status for answer in answers} <= {200, 201, 409}
    shown = await fixtures.get(f"/sessions/{session}", fixtures.host)
    lasted = datetime.fromisoformat(shown["ended_at"]) - datetime.fromisoformat(shown["started_at"])
    assert (shown["status"], shown["duration"]) == ("ended", lasted // timedelta(seconds=1))
    ended = [entry for entry in await _journal(fixtures, session) if entry["name"] == "session.ended.v1"]
    assert len(ended) == 1
    # What was answered with success came before the end, and is there.
    if any(answer.status == 201 for answer in answers):
        listed = await fixtures.get(f"/sessions/{session}/participants", fixtures.host)
        assert user in {one["user_id"] for one in listed["participants"]}


async def _journal(fixtures: Fixtures, session: str) -> list[dict[str, Any]]:
    """Once the end is written there."""
    path = f"/admin/sessions/{session}/journal?limit=100"
    async with asyncio.timeout(10):
        while True:
            found = (await fixtures.client.call("GET", path, fixtures.admin.access_token)).data
            entries: list[dict[str, Any]] = next(value for value in found.values() if isinstance(value, list))
            if any(entry["name"] == "session.ended.v1" for entry in entries):
                return entries
            await asyncio.sleep(0.05)
