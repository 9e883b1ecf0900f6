"""Idempotency-Key: the same call made again has one effect."""

import asyncio
from typing import Any

import pytest

from shared.ids import new_id
from tests.contract.api.cases import CASES, PreparedCall
from tests.contract.api.client import Answer
from tests.contract.api.fixtures import Fixtures

# Where in the data the id of what is made is.
MADE = {
    "POST /auth/viewer/register": ("user", "id"),
    "POST /rooms": ("room", "id"),
    "POST /presets": ("id",),
    "POST /rooms/{id}/sessions": ("session", "id"),
    "POST /sessions/{id}/chat": ("id",),
    "POST /sessions/{id}/polls": ("id",),
    "POST /sessions/{id}/start": ("session", "id"),
    "POST /sessions/{id}/go_live": ("session", "id"),
    "POST /sessions/{id}/co_hosts": ("id",),
    "POST /sessions/{id}/moderators": ("id",),
    "POST /sessions/{id}/ban": ("id",),
    "POST /sessions/{id}/raise_hand": ("id",),
    "POST /sessions/{id}/join_requests": ("id",),
}
# What a session has once, or once of each person, whatever the key.
ONCE = {
    f"POST /sessions/{{id}}/{what}"
    for what in ("start", "go_live", "co_hosts", "moderators", "ban", "raise_hand", "join_requests")
}
WITH_BODY = [key for key in MADE if CASES[key].operation.body]


async def call(prepared: PreparedCall, key: str, body: dict[str, Any] | None = None) -> Answer:
    headers = {"Idempotency-Key": key}
    sent = prepared.body if body is None else body
    client, method = prepared.fixtures.client, prepared.operation.method
    return await client.call(method, prepared.path, prepared.token, sent or None, headers=headers)


def made(operation: str, answer: Answer) -> str:
    data = answer.check_success(CASES[operation].operation)
    for step in MADE[operation]:
        data = data[step]
    return str(data)


@pytest.mark.parametrize("operation", MADE)
async def test_the_same_key_makes_one_thing(fixtures: Fixtures, operation: str) -> None:
    prepared, key = await CASES[operation].prepare(fixtures), new_id()
    first, second = await call(prepared, key), await call(prepared, key)
    assert made(operation, first) == made(operation, second)


@pytest.mark.parametrize("operation", MADE)
async def test_duplicates_at_the_same_time_make_one_thing(fixtures: Fixtures, operation: str) -> None:
    prepared, key = await CASES[operation].prepare(fixtures), new_id()
    answers = await asyncio.gather(*(call(prepared, key) for _ in range(5)))
    assert len({made(operation, answer) for answer in answers}) == 1


async def test_a_repeated_room_is_one_room(fixtures: Fixtures) -> None:
    host = await fixtures.admin.host(fixtures.organization)
    prepared = PreparedCall(fixtures, CASES["POST /rooms"].operation, host, body={"title": "Once"})
    await asyncio.gather(*(call(prepared, "the same key") for _ in range(5)))
    assert (await fixtures.get("/rooms/my", host))["total"] == 1


@pytest.mark.parametrize("operation", WITH_BODY)
async def test_the_same_key_with_another_body_is_refused(fixtures: Fixtures, operation: str) -> None:
    prepared, key = await CASES[operation].prepare(fixtures), new_id()
    made(operation, await call(prepared, key))
    other = prepared.body | {"another": "field"}
    (await call(prepared, key, other)).check_bad_fields("Idempotency-Key")


@pytest.mark.parametrize("operation", MADE)
async def test_another_key_makes_another_thing(fixtures: Fixtures, operation: str) -> None:
    prepared = await CASES[operation].prepare(fixtures)
    ids = {made(operation, await call(prepared, new_id())) for _ in range(2)}
    assert len(ids) == (1 if operation in ONCE else 2)


async def test_keys_are_everybodys_own(fixtures: Fixtures) -> None:
    key, operation = new_id(), CASES["POST /rooms"].operation
    rooms = {
        (await call(PreparedCall(fixtures, operation, person, body={"title": "Mine"}), key)).data["room"][
            "id"
        ]
        for person in (fixtures.host, fixtures.colleague, fixtures.outsider)
    }
    assert len(rooms) == 3


async def test_a_refused_call_may_be_corrected_under_the_same_key(fixtures: Fixtures) -> None:
    prepared, key = await CASES["POST /rooms"].prepare(fixtures), new_id()
    (await call(prepared, key, {"title": "no"})).check_bad_fields("title")
    assert (await call(prepared, key)).status == 201


async def test_tokens_are_minted_again(fixtures: Fixtures) -> None:
    prepared, key = await CASES["POST /auth/viewer/register"].prepare(fixtures), new_id()
    answers = [await call(prepared, key) for _ in range(2)]
    for answer in answers:
        assert (await fixtures.client.call("GET", "/auth/me", answer.data["access_token"])).status == 200
    login = {"device_token": answers[1].data["device_token"]}
    assert (await fixtures.client.call("POST", "/auth/viewer/device-login", body=login)).status == 200


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_bad_key_is_refused(fixtures: Fixtures, key: str) -> None:
    prepared = await CASES["POST /rooms"].prepare(fixtures)
    (await call(prepared, key)).check_bad_fields("Idempotency-Key")
