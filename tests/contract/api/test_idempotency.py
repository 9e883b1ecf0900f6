"""Idempotency-Key: the same call made again has one effect."""

import asyncio
from typing import Any

import pytest

from shared.ids import new_id
from tests.contract.api.cases import CASES, Scene
from tests.contract.api.client import Answer
from tests.contract.api.fixtures import World

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


async def call(scene: Scene, key: str, body: dict[str, Any] | None = None) -> Answer:
    headers = {"Idempotency-Key": key}
    sent = scene.body if body is None else body
    client, method = scene.world.client, scene.operation.method
    return await client.call(method, scene.path, scene.token, sent or None, headers=headers)


def made(operation: str, answer: Answer) -> str:
    data = answer.check_success(CASES[operation].operation)
    for step in MADE[operation]:
        data = data[step]
    return str(data)


@pytest.mark.parametrize("operation", MADE)
async def test_the_same_key_makes_one_thing(world: World, operation: str) -> None:
    scene, key = await CASES[operation].scene(world), new_id()
    first, second = await call(scene, key), await call(scene, key)
    assert made(operation, first) == made(operation, second)


@pytest.mark.parametrize("operation", MADE)
async def test_duplicates_at_the_same_time_make_one_thing(world: World, operation: str) -> None:
    scene, key = await CASES[operation].scene(world), new_id()
    answers = await asyncio.gather(*(call(scene, key) for _ in range(5)))
    assert len({made(operation, answer) for answer in answers}) == 1


async def test_a_repeated_room_is_one_room(world: World) -> None:
    host = await world.admin.host(world.organization)
    scene = Scene(world, CASES["POST /rooms"].operation, host, body={"title": "Once"})
    await asyncio.gather(*(call(scene, "the same key") for _ in range(5)))
    assert (await world.get("/rooms/my", host))["total"] == 1


@pytest.mark.parametrize("operation", WITH_BODY)
async def test_the_same_key_with_another_body_is_refused(world: World, operation: str) -> None:
    scene, key = await CASES[operation].scene(world), new_id()
    made(operation, await call(scene, key))
    other = scene.body | {"another": "field"}
    (await call(scene, key, other)).check_bad_fields("Idempotency-Key")


@pytest.mark.parametrize("operation", MADE)
async def test_another_key_makes_another_thing(world: World, operation: str) -> None:
    scene = await CASES[operation].scene(world)
    ids = {made(operation, await call(scene, new_id())) for _ in range(2)}
    assert len(ids) == (1 if operation in ONCE else 2)


async def test_keys_are_everybodys_own(world: World) -> None:
    key, operation = new_id(), CASES["POST /rooms"].operation
    rooms = {
        (await call(Scene(world, operation, person, body={"title": "Mine"}), key)).data["room"]["id"]
        for person in (world.host, world.colleague, world.outsider)
    }
    assert len(rooms) == 3


async def test_a_refused_call_may_be_corrected_under_the_same_key(world: World) -> None:
    scene, key = await CASES["POST /rooms"].scene(world), new_id()
    (await call(scene, key, {"title": "no"})).check_bad_fields("title")
    assert (await call(scene, key)).status == 201


async def test_tokens_are_minted_again(world: World) -> None:
    scene, key = await CASES["POST /auth/viewer/register"].scene(world), new_id()
    answers = [await call(scene, key) for _ in range(2)]
    for answer in answers:
        assert (await world.client.call("GET", "/auth/me", answer.data["access_token"])).status == 200
    login = {"device_token": answers[1].data["device_token"]}
    assert (await world.client.call("POST", "/auth/viewer/device-login", body=login)).status == 200


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_bad_key_is_refused(world: World, key: str) -> None:
    scene = await CASES["POST /rooms"].scene(world)
    (await call(scene, key)).check_bad_fields("Idempotency-Key")
