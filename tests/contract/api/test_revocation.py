"""A sign-in that is over: its access tokens are refused within a second or two, at every door."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.local.stack import Stack
from shared.ids import new_secret
from tests.contract.api.accounts import Person, register
from tests.contract.api.endpoints import Door, all_doors, statuses
from tests.contract.api.fixtures import World
from tests.contract.api.token_signing import FORMS, shown

# Of the polling; a request under way may hold one up.
WITHIN = 3.0


@pytest.fixture(scope="module")
async def doors(stack: Stack) -> AsyncIterator[list[Door]]:
    async with all_doors(stack) as doors:
        yield doors


async def closed_to(doors: list[Door], token: str) -> None:
    """Wait until every door refuses the token; raises TimeoutError."""
    async with asyncio.timeout(WITHIN):
        while set((await statuses(doors, token)).values()) != {401}:
            await asyncio.sleep(0.02)


async def open_to(doors: list[Door], token: str) -> None:
    assert 401 not in (await statuses(doors, token)).values()


async def test_a_token_ends_with_its_sign_in(world: World, doors: list[Door]) -> None:
    leaving, staying = await register(world.client), await register(world.client)
    for person in (leaving, staying):
        await open_to(doors, person.access_token)
    body = {"refresh_token": leaving.refresh_token}
    assert (await world.client.call("POST", "/auth/logout", leaving.access_token, body)).status == 200
    await closed_to(doors, leaving.access_token)
    (await world.client.call("GET", "/auth/me", leaving.access_token)).check_refusal(401, "token_revoked")
    await open_to(doors, staying.access_token)


async def test_a_new_password_ends_the_tokens_of_before(world: World, doors: list[Door]) -> None:
    host = await world.admin.host(world.organization)
    await world.admin.change("users", host.id, password=new_secret())
    await closed_to(doors, host.access_token)


async def test_a_reused_refresh_token_ends_the_thief_s_access_too(world: World, doors: list[Door]) -> None:
    viewer = await register(world.client)
    stolen = viewer.refresh_token
    for _ in range(2):
        body = {"refresh_token": viewer.refresh_token}
        data = (await world.client.call("POST", "/auth/refresh", body=body)).data
        viewer = Person(viewer.id, data["access_token"], data["refresh_token"])
    reused = await world.client.call("POST", "/auth/refresh", body={"refresh_token": stolen})
    reused.check_refusal(401, "refresh_token_reused")
    await closed_to(doors, viewer.access_token)


@pytest.mark.parametrize("end", ["deactivated", "deleted"])
async def test_who_is_gone_is_out_by_every_way(world: World, doors: list[Door], end: str) -> None:
    host = await world.admin.host(world.organization)
    key = await world.admin.api_key(host)
    await open_to(doors, host.access_token)
    if end == "deactivated":
        await world.admin.change("users", host.id, is_active=False)
    else:
        await world.admin.delete("users", host.id)
    await closed_to(doors, host.access_token)
    for form in FORMS:
        async with asyncio.timeout(WITHIN):
            while (await world.client.call("GET", "/auth/me", headers=shown(key, form))).status != 401:
                await asyncio.sleep(0.02)
    body = {"refresh_token": host.refresh_token}
    (await world.client.call("POST", "/auth/refresh", body=body)).check_refusal(401)
    login = {"email": host.email, "password": host.password}
    (await world.client.call("POST", "/auth/login", body=login)).check_refusal(401, "credentials_invalid")


async def test_a_customer_s_person_who_is_gone_is_out(world: World, doors: list[Door]) -> None:
    path = f"/sessions/{await world.live_session()}/tokens"
    body = {"external_user_id": "gone", "name": "Gus", "ttl_seconds": 86400}
    headers = shown(await world.admin.api_key(world.host), "X-API-Key")
    let_in = (await world.client.call("POST", path, body=body, headers=headers)).data
    await open_to(doors, let_in["access_token"])
    await world.admin.change("users", let_in["user"]["id"], is_active=False)
    await closed_to(doors, let_in["access_token"])


async def test_an_administrator_no_more_administers_nothing(world: World, doors: list[Door]) -> None:
    host = await world.admin.host(world.organization)
    await world.admin.change("users", host.id, is_admin=True)
    body = {"refresh_token": host.refresh_token}
    token = (await world.client.call("POST", "/auth/refresh", body=body)).data["access_token"]
    assert (await world.client.call("GET", "/admin/users", token)).status == 200
    await world.admin.change("users", host.id, is_admin=False)
    await closed_to(doors, token)
