"""After a sign-in ends, its access tokens are refused within two seconds, by every endpoint."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.local.stack import Stack
from shared.ids import new_secret
from tests.contract.api.accounts import Person, register
from tests.contract.api.endpoints import Endpoint, all_endpoints, statuses
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.token_signing import FORMS, shown

# Of the polling; a request under way may hold one up.
WITHIN = 3.0


@pytest.fixture(scope="module")
async def endpoints(stack: Stack) -> AsyncIterator[list[Endpoint]]:
    async with all_endpoints(stack) as endpoints:
        yield endpoints


async def closed_to(endpoints: list[Endpoint], token: str) -> None:
    """Wait until every endpoint refuses the token; raises TimeoutError."""
    async with asyncio.timeout(WITHIN):
        while set((await statuses(endpoints, token)).values()) != {401}:
            await asyncio.sleep(0.02)


async def open_to(endpoints: list[Endpoint], token: str) -> None:
    assert 401 not in (await statuses(endpoints, token)).values()


async def test_a_token_ends_with_its_sign_in(fixtures: Fixtures, endpoints: list[Endpoint]) -> None:
    leaving, staying = await register(fixtures.client), await register(fixtures.client)
    for person in (leaving, staying):
        await open_to(endpoints, person.access_token)
    body = {"refresh_token": leaving.refresh_token}
    assert (await fixtures.client.call("POST", "/auth/logout", leaving.access_token, body)).status == 200
    await closed_to(endpoints, leaving.access_token)
    (await fixtures.client.call("GET", "/auth/me", leaving.access_token)).check_refusal(401, "token_revoked")
    await open_to(endpoints, staying.access_token)


async def test_a_new_password_ends_the_tokens_of_before(
    fixtures: Fixtures, endpoints: list[Endpoint]
) -> None:
    host = await fixtures.admin.host(fixtures.organization)
    await fixtures.admin.change("users", host.id, password=new_secret())
    await closed_to(endpoints, host.access_token)


async def test_a_reused_refresh_token_ends_the_thief_s_access_too(
    fixtures: Fixtures, endpoints: list[Endpoint]
) -> None:
    viewer = await register(fixtures.client)
    stolen = viewer.refresh_token
    for _ in range(2):
        body = {"refresh_token": viewer.refresh_token}
        data = (await fixtures.client.call("POST", "/auth/refresh", body=body)).data
        viewer = Person(viewer.id, data["access_token"], data["refresh_token"])
    reused = await fixtures.client.call("POST", "/auth/refresh", body={"refresh_token": stolen})
    reused.check_refusal(401, "refresh_token_reused")
    await closed_to(endpoints, viewer.access_token)


@pytest.mark.parametrize("end", ["deactivated", "deleted"])
async def test_who_is_gone_is_out_by_every_way(
    fixtures: Fixtures, endpoints: list[Endpoint], end: str
) -> None:
    host = await fixtures.admin.host(fixtures.organization)
    key = await fixtures.admin.api_key(host)
    await open_to(endpoints, host.access_token)
    if end == "deactivated":
        await fixtures.admin.change("users", host.id, is_active=False)
    else:
        await fixtures.admin.delete("users", host.id)
    await closed_to(endpoints, host.access_token)
    for form in FORMS:
        async with asyncio.timeout(WITHIN):
            while (await fixtures.client.call("GET", "/auth/me", headers=shown(key, form))).status != 401:
                await asyncio.sleep(0.02)
    body = {"refresh_token": host.refresh_token}
    (await fixtures.client.call("POST", "/auth/refresh", body=body)).check_refusal(401)
    login = {"email": host.email, "password": host.password}
    (await fixtures.client.call("POST", "/auth/login", body=login)).check_refusal(401, "credentials_invalid")


async def test_a_customer_s_person_who_is_gone_is_out(fixtures: Fixtures, endpoints: list[Endpoint]) -> None:
    path = f"/sessions/{await fixtures.live_session()}/tokens"
    body = {"external_user_id": "gone", "name": "Gus", "ttl_seconds": 86400}
    headers = shown(await fixtures.admin.api_key(fixtures.host), "X-API-Key")
    let_in = (await fixtures.client.call("POST", path, body=body, headers=headers)).data
    await open_to(endpoints, let_in["access_token"])
    await fixtures.admin.change("users", let_in["user"]["id"], is_active=False)
    await closed_to(endpoints, let_in["access_token"])


async def test_an_administrator_no_more_administers_nothing(
    fixtures: Fixtures, endpoints: list[Endpoint]
) -> None:
    host = await fixtures.admin.host(fixtures.organization)
    await fixtures.admin.change("users", host.id, is_admin=True)
    body = {"refresh_token": host.refresh_token}
    token = (await fixtures.client.call("POST", "/auth/refresh", body=body)).data["access_token"]
    assert (await fixtures.client.call("GET", "/admin/users", token)).status == 200
    await fixtures.admin.change("users", host.id, is_admin=False)
    await closed_to(endpoints, token)
