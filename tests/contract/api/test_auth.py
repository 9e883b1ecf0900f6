"""Signing in, staying signed in, and being signed out."""

import asyncio

import pytest

from tests.contract.api.accounts import Person, register
from tests.contract.api.client import Answer, Client
from tests.contract.api.contract import operations
from tests.contract.api.fixtures import Fixtures


async def refresh(client: Client, token: str) -> Answer:
    return await client.call("POST", "/auth/refresh", body={"refresh_token": token})


async def me(client: Client, token: str) -> Answer:
    return await client.call("GET", "/auth/me", token)


@pytest.mark.parametrize(
    ("email", "password"),
    [("host", "wrong"), ("host", ""), ("nobody@example.com", "right"), ("HOST", "right")],
)
async def test_only_the_right_password_of_a_known_address(
    fixtures: Fixtures, email: str, password: str
) -> None:
    known = {"host": fixtures.host.email, "HOST": str(fixtures.host.email).upper()}
    body = {
        "email": known.get(email, email),
        "password": fixtures.host.password if password == "right" else password,
    }
    answer = await fixtures.client.call("POST", "/auth/login", body=body)
    if email == "HOST":
        answer.check_success(operations()["POST /auth/login"])
    elif not password:
        answer.check_bad_fields("password")
    else:
        answer.check_refusal(401, "credentials_invalid")


async def test_a_viewer_is_a_person_without_an_address(fixtures: Fixtures) -> None:
    viewer = await register(fixtures.client, "  Vera  ")
    user = (await me(fixtures.client, viewer.access_token)).check_success(operations()["GET /auth/me"])
    assert (user["id"], user["username"], user["role"]) == (viewer.id, "Vera", "viewer")
    assert user["email"] is user["organization_id"] is None


async def test_a_device_signs_in_again_as_the_same_person(fixtures: Fixtures) -> None:
    viewer = await register(fixtures.client)
    body = {"device_token": viewer.device_token}
    for _ in range(2):
        answer = await fixtures.client.call("POST", "/auth/viewer/device-login", body=body)
        assert answer.data["user"]["id"] == viewer.id
        assert (await me(fixtures.client, answer.data["access_token"])).data["id"] == viewer.id
    answer = await fixtures.client.call("POST", "/auth/viewer/device-login", body={"device_token": "grd_no"})
    answer.check_refusal(401, "device_token_invalid")


async def test_two_tabs_get_the_same_successor(fixtures: Fixtures) -> None:
    viewer = await register(fixtures.client)
    answers = await asyncio.gather(*(refresh(fixtures.client, viewer.refresh_token) for _ in range(4)))
    assert len({answer.data["refresh_token"] for answer in answers}) == 1
    for answer in answers:
        assert (await me(fixtures.client, answer.data["access_token"])).data["id"] == viewer.id


async def test_an_old_token_ends_the_whole_sign_in(fixtures: Fixtures) -> None:
    viewer = await register(fixtures.client)
    second = (await refresh(fixtures.client, viewer.refresh_token)).data["refresh_token"]
    third = (await refresh(fixtures.client, second)).data["refresh_token"]
    assert len({viewer.refresh_token, second, third}) == 3
    (await refresh(fixtures.client, viewer.refresh_token)).check_refusal(401, "refresh_token_reused")
    (await refresh(fixtures.client, third)).check_refusal(401, "refresh_token_invalid")


async def test_logging_out_ends_this_sign_in_alone(fixtures: Fixtures) -> None:
    viewer = await register(fixtures.client)
    body = {"device_token": viewer.device_token}
    other = (await fixtures.client.call("POST", "/auth/viewer/device-login", body=body)).data["refresh_token"]
    body = {"refresh_token": viewer.refresh_token}
    answer = await fixtures.client.call("POST", "/auth/logout", viewer.access_token, body)
    answer.check_success(operations()["POST /auth/logout"])
    (await refresh(fixtures.client, viewer.refresh_token)).check_refusal(401)
    assert (await refresh(fixtures.client, other)).status == 200


async def test_nobody_logs_out_somebody_else(fixtures: Fixtures) -> None:
    viewer, other = await register(fixtures.client), await register(fixtures.client)
    body = {"refresh_token": other.refresh_token}
    answer = await fixtures.client.call("POST", "/auth/logout", viewer.access_token, body)
    answer.check_refusal(401, "refresh_token_invalid")
    assert (await refresh(fixtures.client, other.refresh_token)).status == 200


@pytest.mark.parametrize("token", ["x", "grr_a_1_b", "grr_01890a5d-ac96-774b-bcce-b302099a8057_1_AAAA"])
async def test_forged_refresh_tokens_are_refused(fixtures: Fixtures, token: str) -> None:
    (await refresh(fixtures.client, token)).check_refusal(401, "refresh_token_invalid")


async def test_a_refresh_token_is_no_access_token(fixtures: Fixtures) -> None:
    (await me(fixtures.client, fixtures.viewer.refresh_token)).check_refusal(401)


async def code_of(fixtures: Fixtures, host: Person) -> str:
    body = {"session_id": await fixtures.session(by=host)}
    made = await fixtures.client.call("POST", "/auth/generate-code", host.access_token, body)
    data = made.check_success(operations()["POST /auth/generate-code"])
    assert data["expires_in"] == 60
    return str(data["code"])


async def test_a_code_signs_in_once(fixtures: Fixtures) -> None:
    code = await code_of(fixtures, fixtures.host)
    answers = await asyncio.gather(
        *(fixtures.client.call("POST", "/auth/exchange-code", body={"code": code}) for _ in range(20))
    )
    assert sorted(answer.status for answer in answers) == [200] + [401] * 19
    signed_in = next(answer for answer in answers if answer.status == 200)
    assert signed_in.data["user"]["id"] == fixtures.host.id
    next(answer for answer in answers if answer.status == 401).check_refusal(401, "auth_code_invalid")


async def test_who_is_inactive_is_out(fixtures: Fixtures) -> None:
    host = await fixtures.admin.host(fixtures.organization)
    code = await code_of(fixtures, host)
    await fixtures.admin.change("users", host.id, is_active=False)
    body = {"email": host.email, "password": host.password}
    (await fixtures.client.call("POST", "/auth/login", body=body)).check_refusal(401, "credentials_invalid")
    (await refresh(fixtures.client, host.refresh_token)).check_refusal(401)
    (await fixtures.client.call("POST", "/auth/exchange-code", body={"code": code})).check_refusal(401)
    answer = await me(fixtures.client, host.access_token)
    answer.check_refusal(401)
    # As `me` itself finds out at once, or every endpoint within a second.
    assert answer.body["code"] in {"account_gone", "token_revoked"}


async def test_a_new_password_ends_the_old_sign_ins(fixtures: Fixtures) -> None:
    host = await fixtures.admin.host(fixtures.organization)
    await fixtures.admin.change("users", host.id, password="another password")
    (await refresh(fixtures.client, host.refresh_token)).check_refusal(401)
    body = {"email": host.email, "password": "another password"}
    assert (await fixtures.client.call("POST", "/auth/login", body=body)).status == 200


async def test_who_is_deleted_is_out(fixtures: Fixtures) -> None:
    host = await fixtures.admin.host(fixtures.organization)
    room = await fixtures.room(by=host)
    await fixtures.admin.delete("users", host.id)
    body = {"email": host.email, "password": host.password}
    (await fixtures.client.call("POST", "/auth/login", body=body)).check_refusal(401, "credentials_invalid")
    assert (await fixtures.get(f"/rooms/{room}"))["host"] is None
