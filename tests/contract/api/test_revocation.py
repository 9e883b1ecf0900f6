"""A sign-in that is over: its access tokens are refused within two seconds, at the gateway and behind it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.local.stack import Stack
from shared.ids import new_id, new_secret
from tests.contract.api.client import Client, connect
from tests.contract.api.people import Person, register
from tests.contract.api.world import World

WITHIN = 2.0


@pytest.fixture
async def doors(client: Client, stack: Stack) -> AsyncIterator[dict[str, Client]]:
    """The gateway, and the services that take users' tokens, each reached directly."""
    session, attendance = (
        f"http://127.0.0.1:{stack.processes[name].port}" for name in ("session", "attendance")
    )
    async with connect(session) as to_session, connect(attendance) as to_attendance:
        yield {"gateway": client, "session": Client(to_session), "attendance": Client(to_attendance)}


async def status(door: Client, name: str, person: Person) -> int:
    """200 or 404 where the token is taken, 401 where not."""
    path = f"/sessions/{new_id()}/viewers" if name == "attendance" else "/auth/me"
    return (await door.call("GET", path, person.access_token)).status


async def test_a_token_ends_with_its_sign_in(world: World, doors: dict[str, Client]) -> None:
    leaving, staying = await register(world.client), await register(world.client)
    for person in (leaving, staying):
        assert {await status(door, name, person) for name, door in doors.items()} == {200, 404}
    body = {"refresh_token": leaving.refresh_token}
    assert (await world.client.call("POST", "/auth/logout", leaving.access_token, body)).status == 200
    async with asyncio.timeout(WITHIN + 1):
        while {await status(door, name, leaving) for name, door in doors.items()} != {401}:
            await asyncio.sleep(0.05)
    (await world.client.call("GET", "/auth/me", leaving.access_token)).check_refusal(401, "token_revoked")
    assert {await status(door, name, staying) for name, door in doors.items()} == {200, 404}


async def test_a_new_password_ends_the_tokens_of_before(world: World, doors: dict[str, Client]) -> None:
    host = await world.admin.host(world.organization)
    await world.admin.change("users", host.id, password=new_secret())
    async with asyncio.timeout(WITHIN + 1):
        while {await status(door, name, host) for name, door in doors.items()} != {401}:
            await asyncio.sleep(0.05)


async def test_a_reused_refresh_token_ends_the_thief_s_access_too(
    world: World, doors: dict[str, Client]
) -> None:
    viewer = await register(world.client)
    stolen = viewer.refresh_token
    for _ in range(2):
        body = {"refresh_token": viewer.refresh_token}
        data = (await world.client.call("POST", "/auth/refresh", body=body)).data
        viewer = Person(viewer.id, data["access_token"], data["refresh_token"])
    reused = await world.client.call("POST", "/auth/refresh", body={"refresh_token": stolen})
    reused.check_refusal(401, "refresh_token_reused")
    async with asyncio.timeout(WITHIN + 1):
        while {await status(door, name, viewer) for name, door in doors.items()} != {401}:
            await asyncio.sleep(0.05)
