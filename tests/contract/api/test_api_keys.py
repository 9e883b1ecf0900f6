"""API keys act for the host who owns them, in each of their three forms."""

import asyncio
import time
from typing import Any

import pytest

from shared.ids import new_id
from tests.contract.api.client import Answer, Client
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.token_signing import FORMS, management_token, shown


async def me(client: Client, key: str, form: str = "X-API-Key") -> Answer:
    return await client.call("GET", "/auth/me", headers=shown(key, form))


@pytest.mark.parametrize("form", FORMS)
async def test_a_key_acts_for_its_owner(fixtures: Fixtures, form: str) -> None:
    key = await fixtures.admin.api_key(fixtures.host)
    assert (await me(fixtures.client, key, form)).data["id"] == fixtures.host.id


async def test_a_key_hosts_what_its_organization_has(fixtures: Fixtures) -> None:
    key = {"X-API-Key": await fixtures.admin.api_key(fixtures.colleague)}
    room, session = await fixtures.room(), await fixtures.session()
    answer = await fixtures.client.call("PATCH", f"/rooms/{room}", body={"title": "By key"}, headers=key)
    assert answer.data["title"] == "By key"
    assert (await fixtures.client.call("POST", f"/sessions/{session}/start", headers=key)).status == 200


async def test_a_key_does_nothing_in_another_organization(fixtures: Fixtures) -> None:
    key = {"X-API-Key": await fixtures.admin.api_key(fixtures.outsider)}
    path = f"/rooms/{await fixtures.room()}"
    (await fixtures.client.call("PATCH", path, body={"title": "By key"}, headers=key)).check_refusal(404)


async def test_a_key_does_what_its_scopes_say(fixtures: Fixtures) -> None:
    id_, secret = (await fixtures.admin.api_key(fixtures.host)).split(".")
    await fixtures.admin.change("api-keys", id_, scopes=["read"])
    key = {"X-API-Key": f"{id_}.{secret}"}
    deadline = time.monotonic() + 5
    path = f"/rooms/{await fixtures.room()}"
    while (
        answer := await fixtures.client.call("PATCH", path, body={"title": "By key"}, headers=key)
    ).status == 200:
        assert time.monotonic() < deadline, "the key still writes"
        await asyncio.sleep(0.05)
    answer.check_refusal(403, "scope_missing")
    assert (await fixtures.client.call("GET", path, headers=key)).status == 200


async def test_a_key_of_an_administrator_administers_nothing(fixtures: Fixtures) -> None:
    host = await fixtures.admin.host(fixtures.organization)
    await fixtures.admin.change("users", host.id, is_admin=True)
    key = {"X-API-Key": await fixtures.admin.api_key(host)}
    answer = await fixtures.client.call("GET", "/admin/users", headers=key)
    answer.check_refusal(403, "admin_required")


@pytest.mark.parametrize("bad", ["{id}.wrong", "{id}", "{id}.", ".{secret}", "x.{secret}", "{secret}.{id}"])
@pytest.mark.parametrize("form", ["X-API-Key", "Basic"])
async def test_a_bad_key_is_refused(fixtures: Fixtures, form: str, bad: str) -> None:
    id, _, secret = (await fixtures.admin.api_key(fixtures.host)).partition(".")
    answer = await me(fixtures.client, bad.format(id=id, secret=secret), form)
    answer.check_refusal(401, "api_key_invalid")


FORGERIES: dict[str, dict[str, Any]] = {
    "expired": {"iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": 1_700_003_600},
    "no end": {"exp": None},
    "an end too far": {"exp": int(time.time()) + 15 * 86400},
    "not yet valid": {"nbf": int(time.time()) + 3600},
    "issued in the future": {"iat": int(time.time()) + 3600},
    "another secret": {"secret": "another secret, as long as the right one is, or longer"},
    "alg none": {"algorithm": "none"},
    "another algorithm": {"algorithm": "HS512"},
    "another type": {"type": "app"},
    "no type": {"type": None},
    "another version": {"version": 1},
    "an unknown key": {"access_key": new_id()},
    "no key": {"access_key": None},
    "no id": {"access_key": "nope"},
}


@pytest.mark.filterwarnings("ignore:The HMAC key is")
@pytest.mark.parametrize("changed", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_management_token_is_refused(fixtures: Fixtures, changed: dict[str, Any]) -> None:
    key = await fixtures.admin.api_key(fixtures.host)
    for path in ("/auth/me", "/rooms"):
        answer = await fixtures.client.call("GET", path, management_token(key, **changed))
        answer.check_refusal(401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_the_secret_of_another_key_signs_nothing_for_this_one(fixtures: Fixtures) -> None:
    ours, theirs = (
        await fixtures.admin.api_key(fixtures.host),
        await fixtures.admin.api_key(fixtures.outsider),
    )
    forged = management_token(theirs, access_key=ours.partition(".")[0])
    (await fixtures.client.call("GET", "/auth/me", forged)).check_refusal(401, "management_token_invalid")


async def test_a_management_token_ends_at_its_end(fixtures: Fixtures) -> None:
    token = management_token(await fixtures.admin.api_key(fixtures.host), exp=time.time() + 2)
    answer = await fixtures.client.call("GET", "/auth/me", token)
    assert answer.data["id"] == fixtures.host.id
    async with asyncio.timeout(10):
        while answer.status == 200:
            answer = await fixtures.client.call("GET", "/auth/me", token)
    answer.check_refusal(401, "token_expired")
