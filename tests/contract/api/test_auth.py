"""Signing in, staying signed in, and being signed out."""

import asyncio

import pytest

from tests.contract.api.accounts import Person, register
from tests.contract.api.client import Answer, Client
from tests.contract.api.contract import operations
from tests.contract.api.fixtures import World


async def refresh(client: Client, token: str) -> Answer:
    return await client.call("POST", "/auth/refresh", body={"refresh_token": token})


async def me(client: Client, token: str) -> Answer:
    return await client.call("GET", "/auth/me", token)


@pytest.mark.parametrize(
    ("email", "password"),
    [("host", "wrong"), ("host", ""), ("nobody@example.com", "right"), ("HOST", "right")],
)
async def test_only_the_right_password_of_a_known_address(world: World, email: str, password: str) -> None:
    known = {"host": world.host.email, "HOST": str(world.host.email).upper()}
    body = {
        "email": known.get(email, email),
        "password": world.host.password if password == "right" else password,
    }
    answer = await world.client.call("POST", "/auth/login", body=body)
    if email == "HOST":
        answer.check_success(operations()["POST /auth/login"])
    elif not password:
        answer.check_bad_fields("password")
    else:
        answer.check_refusal(401, "credentials_invalid")


async def test_a_viewer_is_a_person_without_an_address(world: World) -> None:
    viewer = await register(world.client, "  Vera  ")
    user = (await me(world.client, viewer.access_token)).check_success(operations()["GET /auth/me"])
    assert (user["id"], user["username"], user["role"]) == (viewer.id, "Vera", "viewer")
    assert user["email"] is user["organization_id"] is None


async def test_a_device_signs_in_again_as_the_same_person(world: World) -> None:
    viewer = await register(world.client)
    body = {"device_token": viewer.device_token}
    for _ in range(2):
        answer = await world.client.call("POST", "/auth/viewer/device-login", body=body)
        assert answer.data["user"]["id"] == viewer.id
        assert (await me(world.client, answer.data["access_token"])).data["id"] == viewer.id
    answer = await world.client.call("POST", "/auth/viewer/device-login", body={"device_token": "grd_no"})
    answer.check_refusal(401, "device_token_invalid")


async def test_two_tabs_get_the_same_successor(world: World) -> None:
    viewer = await register(world.client)
    answers = await asyncio.gather(*(refresh(world.client, viewer.refresh_token) for _ in range(4)))
    assert len({answer.data["refresh_token"] for answer in answers}) == 1
    for answer in answers:
        assert (await me(world.client, answer.data["access_token"])).data["id"] == viewer.id


async def test_an_old_token_ends_the_whole_sign_in(world: World) -> None:
    viewer = await register(world.client)
    second = (await refresh(world.client, viewer.refresh_token)).data["refresh_token"]
    third = (await refresh(world.client, second)).data["refresh_token"]
    assert len({viewer.refresh_token, second, third}) == 3
    (await refresh(world.client, viewer.refresh_token)).check_refusal(401, "refresh_token_reused")
    (await refresh(world.client, third)).check_refusal(401, "refresh_token_invalid")


async def test_logging_out_ends_this_sign_in_alone(world: World) -> None:
    viewer = await register(world.client)
    body = {"device_token": viewer.device_token}
    other = (await world.client.call("POST", "/auth/viewer/device-login", body=body)).data["refresh_token"]
    body = {"refresh_token": viewer.refresh_token}
    answer = await world.client.call("POST", "/auth/logout", viewer.access_token, body)
    answer.check_success(operations()["POST /auth/logout"])
    (await refresh(world.client, viewer.refresh_token)).check_refusal(401)
    assert (await refresh(world.client, other)).status == 200


async def test_nobody_logs_out_somebody_else(world: World) -> None:
    viewer, other = await register(world.client), await register(world.client)
    body = {"refresh_token": other.refresh_token}
    answer = await world.client.call("POST", "/auth/logout", viewer.access_token, body)
    answer.check_refusal(401, "refresh_token_invalid")
    assert (await refresh(world.client, other.refresh_token)).status == 200


@pytest.mark.parametrize("token", ["x", "grr_a_1_b", "grr_01890a5d-ac96-774b-bcce-b302099a8057_1_AAAA"])
async def test_forged_refresh_tokens_are_refused(world: World, token: str) -> None:
    (await refresh(world.client, token)).check_refusal(401, "refresh_token_invalid")


async def test_a_refresh_token_is_no_access_token(world: World) -> None:
    (await me(world.client, world.viewer.refresh_token)).check_refusal(401)


async def code_of(world: World, host: Person) -> str:
    body = {"session_id": await world.session(by=host)}
    made = await world.client.call("POST", "/auth/generate-code", host.access_token, body)
    data = made.check_success(operations()["POST /auth/generate-code"])
    assert data["expires_in"] == 60
    return str(data["code"])


async def test_a_code_signs_in_once(world: World) -> None:
    code = await code_of(world, world.host)
    answers = await asyncio.gather(
        *(world.client.call("POST", "/auth/exchange-code", body={"code": code}) for _ in range(20))
    )
    assert sorted(answer.status for answer in answers) == [200] + [401] * 19
    signed_in = next(answer for answer in answers if answer.status == 200)
    assert signed_in.data["user"]["id"] == world.host.id
    next(answer for answer in answers if answer.status == 401).check_refusal(401, "auth_code_invalid")


async def test_who_is_inactive_is_out(world: World) -> None:
    host = await world.admin.host(world.organization)
    code = await code_of(world, host)
    await world.admin.change("users", host.id, is_active=False)
    body = {"email": host.email, "password": host.password}
    (await world.client.call("POST", "/auth/login", body=body)).check_refusal(401, "credentials_invalid")
    (await refresh(world.client, host.refresh_token)).check_refusal(401)
    (await world.client.call("POST", "/auth/exchange-code", body={"code": code})).check_refusal(401)
    answer = await me(world.client, host.access_token)
    answer.check_refusal(401)
    # As `me` itself finds out at once, or every door within a second.
    assert answer.body["code"] in {"account_gone", "token_revoked"}


async def test_a_new_password_ends_the_old_sign_ins(world: World) -> None:
    host = await world.admin.host(world.organization)
    await world.admin.change("users", host.id, password="another password")
    (await refresh(world.client, host.refresh_token)).check_refusal(401)
    body = {"email": host.email, "password": "another password"}
    assert (await world.client.call("POST", "/auth/login", body=body)).status == 200


async def test_who_is_deleted_is_out(world: World) -> None:
    host = await world.admin.host(world.organization)
    room = await world.room(by=host)
    await world.admin.delete("users", host.id)
    body = {"email": host.email, "password": host.password}
    (await world.client.call("POST", "/auth/login", body=body)).check_refusal(401, "credentials_invalid")
    assert (await world.get(f"/rooms/{room}"))["host"] is None
