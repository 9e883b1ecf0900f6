"""API keys act for the host who owns them, in both of their forms, until they are deleted."""

import asyncio
import base64
import time

import pytest

from tests.contract.api.client import Answer, Client
from tests.contract.api.people import Person
from tests.contract.api.world import World


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(key.replace(".", ":", 1).encode()).decode()


async def me(client: Client, key: str, form: str = "X-API-Key") -> Answer:
    headers = {"X-API-Key": key} if form == "X-API-Key" else {"Authorization": basic(key)}
    return await client.call("GET", "/auth/me", headers=headers)


@pytest.mark.parametrize("form", ["X-API-Key", "Basic"])
async def test_a_key_acts_for_its_owner(world: World, form: str) -> None:
    key = await world.admin.api_key(world.host)
    assert (await me(world.client, key, form)).data["id"] == world.host.id


async def test_a_key_hosts_what_its_organization_has(world: World) -> None:
    key = {"X-API-Key": await world.admin.api_key(world.colleague)}
    room, session = await world.room(), await world.session()
    answer = await world.client.call("PATCH", f"/rooms/{room}", body={"title": "By key"}, headers=key)
    assert answer.data["title"] == "By key"
    assert (await world.client.call("POST", f"/sessions/{session}/start", headers=key)).status == 200


async def test_a_key_does_nothing_in_another_organization(world: World) -> None:
    key = {"X-API-Key": await world.admin.api_key(world.outsider)}
    path = f"/rooms/{await world.room()}"
    (await world.client.call("PATCH", path, body={"title": "By key"}, headers=key)).check_refusal(404)


async def test_a_key_does_what_its_scopes_say(world: World) -> None:
    id_, secret = (await world.admin.api_key(world.host)).split(".")
    await world.admin.change("api-keys", id_, scopes=["read"])
    key = {"X-API-Key": f"{id_}.{secret}"}
    deadline = time.monotonic() + 5
    path = f"/rooms/{await world.room()}"
    while (
        answer := await world.client.call("PATCH", path, body={"title": "By key"}, headers=key)
    ).status == 200:
        assert time.monotonic() < deadline, "the key still writes"
        await asyncio.sleep(0.05)
    answer.check_refusal(403, "scope_missing")
    assert (await world.client.call("GET", path, headers=key)).status == 200


async def test_a_key_of_an_administrator_administers_nothing(world: World) -> None:
    host = await world.admin.host(world.organization)
    await world.admin.change("users", host.id, is_admin=True)
    key = {"X-API-Key": await world.admin.api_key(host)}
    answer = await world.client.call("GET", "/admin/users", headers=key)
    answer.check_refusal(403, "admin_required")


@pytest.mark.parametrize("bad", ["{id}.wrong", "{id}", "{id}.", ".{secret}", "x.{secret}", "{secret}.{id}"])
@pytest.mark.parametrize("form", ["X-API-Key", "Basic"])
async def test_a_bad_key_is_refused(world: World, form: str, bad: str) -> None:
    id, _, secret = (await world.admin.api_key(world.host)).partition(".")  # noqa: A001
    answer = await me(world.client, bad.format(id=id, secret=secret), form)
    answer.check_refusal(401, "api_key_invalid")


async def stops_within_a_second(client: Client, key: str, owner: Person, since: float) -> None:
    """Poll until the key is refused; a success that was asked for a second after `since` is a failure."""
    while True:
        asked_at = time.monotonic()
        answer = await me(client, key)
        if answer.status == 401:
            return answer.check_refusal(401)
        assert answer.data["id"] == owner.id
        assert asked_at - since < 1.0
        await asyncio.sleep(0.02)


async def test_a_deleted_key_stops_within_a_second(world: World) -> None:
    key = await world.admin.api_key(world.host)
    assert (await me(world.client, key)).status == 200
    await world.admin.delete("api-keys", key.partition(".")[0])
    await stops_within_a_second(world.client, key, world.host, time.monotonic())


async def test_a_key_stops_with_its_owner(world: World) -> None:
    host = await world.admin.host(world.organization)
    key = await world.admin.api_key(host)
    assert (await me(world.client, key)).status == 200
    await world.admin.change("users", host.id, is_active=False)
    await stops_within_a_second(world.client, key, host, time.monotonic())
