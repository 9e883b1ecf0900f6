"""POST /rooms/{id}/tokens: a customer's backend lets its people into a room, with its API key."""

from dataclasses import dataclass
from typing import Any

import pytest

from shared.ids import new_id
from tests.contract.api.client import Answer
from tests.contract.api.fixtures import Fixtures


@dataclass(frozen=True)
class RoomBackend:
    """The customer's: its key, and a room of its organization's whose sessions are automatic."""

    fixtures: Fixtures
    key: str
    room: str

    async def issue(self, room: str | None = None, **body: Any) -> Answer:
        return await self.send(body, room, {"X-API-Key": self.key})

    async def send(
        self, body: Any, room: str | None = None, headers: dict[str, str] | None = None, by: str | None = None
    ) -> Answer:
        path = f"/rooms/{room or self.room}/tokens"
        return await self.fixtures.client.call("POST", path, by, body, headers=headers or {})


@pytest.fixture(scope="module")
async def backend(fixtures: Fixtures) -> RoomBackend:
    room = await fixtures.room(auto_session=True)
    return RoomBackend(fixtures, await fixtures.admin.api_key(fixtures.host), room)


async def test_the_tokens_and_whose_they_are(backend: RoomBackend) -> None:
    answer = await backend.issue(external_user_id="c-1", name="C" * 100, role="guest", metadata="{}")
    data = answer.data
    assert (answer.status, data["room_name"]) == (201, data["session_id"])
    assert (data["user"]["external_user_id"], data["user"]["username"]) == ("c-1", "C" * 100)
    me = await backend.fixtures.client.call("GET", "/auth/me", data["access_token"])
    assert me.data["id"] == data["user"]["id"]
    session = await backend.fixtures.get(f"/sessions/{data['session_id']}")
    assert (session["status"], session["room_id"]) == ("scheduled", backend.room)


async def test_nothing_has_to_be_said(backend: RoomBackend) -> None:
    first, second = await backend.issue(), await backend.issue()
    assert (first.status, first.data["user"]["username"]) == (201, "Guest")
    assert first.data["session_id"] == second.data["session_id"]
    assert first.data["user"]["id"] != second.data["user"]["id"]


async def test_the_same_call_again_is_for_the_same_person(backend: RoomBackend) -> None:
    headers = {"X-API-Key": backend.key, "Idempotency-Key": new_id()}
    first, second = [await backend.send({}, headers=headers) for _ in range(2)]
    assert first.data["user"]["id"] == second.data["user"]["id"]


@pytest.mark.parametrize(
    "bad",
    [
        {"external_user_id": ""},
        {"name": "x" * 101},
        {"role": "co_host"},
        {"publish": "screen"},
        {"ttl_seconds": 59},
        {"ttl_seconds": 86_401},
        {"join_from": "tomorrow"},
        {"join_from": "2090-01-02T00:00:00Z", "join_until": "2090-01-01T00:00:00Z"},
        {"remove_after_seconds_elapsed": 0},
        {"remove_after_seconds_elapsed": 200_001},
        {"metadata": "x" * 4097},
        {"end_session_on_leave": "yes"},
    ],
)
async def test_every_bad_field_is_named(backend: RoomBackend, bad: dict[str, Any]) -> None:
    (await backend.issue(**bad)).check_bad_fields(list(bad)[-1])


async def test_only_a_key_of_the_organization_may(backend: RoomBackend) -> None:
    fixtures = backend.fixtures
    (await backend.send({})).check_refusal(401)
    for person in (fixtures.viewer, fixtures.host, fixtures.colleague):
        (await backend.send({}, by=person.access_token)).check_refusal(403)
    foreign = RoomBackend(fixtures, await fixtures.admin.api_key(fixtures.outsider), backend.room)
    (await foreign.issue()).check_refusal(404)
    (await backend.issue(new_id())).check_refusal(404)
    (await backend.issue("nope")).check_refusal(404)


async def test_a_room_without_automatic_sessions_needs_a_live_one(backend: RoomBackend) -> None:
    room = await backend.fixtures.room()
    (await backend.issue(room)).check_refusal(409, "session_not_live")
    session = await backend.fixtures.session(room=room)
    await backend.fixtures.do("start", session)
    assert (await backend.issue(room)).data["session_id"] == session


async def test_a_disabled_or_deleted_room_lets_nobody_in(backend: RoomBackend) -> None:
    fixtures = backend.fixtures
    room = await fixtures.room(auto_session=True)
    session = (await backend.issue(room)).data["session_id"]
    token = fixtures.host.access_token
    await fixtures.client.call("PATCH", f"/rooms/{room}", token, {"enabled": False})
    (await backend.issue(room)).check_refusal(403, "room_disabled")
    await fixtures.eventually(f"/sessions/{session}", lambda found: found["status"] == "expired")
    await fixtures.client.call("DELETE", f"/rooms/{room}", token)
    (await backend.issue(room)).check_refusal(404)
