"""A deleted API key stops working within a second in all its forms, and so do all sign-ins behind it."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from deploy.local.credentials import load_credentials
from shared.clock import SystemClock
from shared.http.internal import InternalCalls
from shared.runtime.rotating_secret import RotatingSecret
from tests.contract.api.accounts import Person
from tests.contract.api.client import Answer
from tests.contract.api.endpoints import Endpoint, all_endpoints, statuses
from tests.contract.api.fixtures import Fixtures
from tests.contract.api.token_signing import FORMS, shown
from tests.running_stack import RunningStack

WITHIN = 10.0


@pytest.fixture(scope="module")
async def endpoints(running_stack: RunningStack) -> AsyncIterator[list[Endpoint]]:
    async with all_endpoints(running_stack.info) as endpoints:
        yield endpoints


@dataclass(frozen=True)
class Backend:
    """A customer's, with an API key that may be deleted."""

    fixtures: Fixtures
    key: str
    session: str

    async def post(self, path: str, form: str = "X-API-Key", **body: object) -> Answer:
        answer = await self.fixtures.client.call("POST", path, body=body, headers=shown(self.key, form))
        assert answer.status < 300, answer
        return answer

    async def code(self) -> str:
        return str((await self.post("/auth/generate-code", session_id=self.session)).data["code"])

    async def exchange(self, code: str) -> Answer:
        return await self.fixtures.client.call("POST", "/auth/exchange-code", body={"code": code})

    async def delete_key(self) -> None:
        await self.fixtures.admin.delete("api-keys", self.key.partition(".")[0])


@pytest.fixture
async def backend(fixtures: Fixtures) -> Backend:
    return Backend(fixtures, await fixtures.admin.api_key(fixtures.host), await fixtures.live_session())


async def closed_to(endpoints: list[Endpoint], token: str) -> None:
    async with asyncio.timeout(WITHIN):
        while set((await statuses(endpoints, token)).values()) != {401}:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("form", FORMS)
async def test_no_request_passes_that_comes_a_second_later(backend: Backend, form: str) -> None:
    client, headers = backend.fixtures.client, shown(backend.key, form)
    assert (await client.call("GET", "/auth/me", headers=headers)).data["id"] == backend.fixtures.host.id
    await backend.delete_key()
    deleted_at = time.monotonic()
    while True:
        asked_at = time.monotonic()
        answer = await client.call("GET", "/auth/me", headers=headers)
        if answer.status == 401:
            return
        assert answer.status == 200
        assert asked_at - deleted_at < 1.0


@pytest.mark.parametrize("form", FORMS)
async def test_a_write_with_a_deleted_key_does_nothing(backend: Backend, form: str) -> None:
    fixtures, headers = backend.fixtures, shown(backend.key, form)
    room = await fixtures.room(title="Before")
    await backend.delete_key()
    async with asyncio.timeout(WITHIN):
        while (await fixtures.client.call("GET", "/auth/me", headers=headers)).status != 401:
            await asyncio.sleep(0.02)
    answer = await fixtures.client.call("PATCH", f"/rooms/{room}", body={"title": "After"}, headers=headers)
    answer.check_refusal(401)
    assert (await fixtures.get(f"/rooms/{room}"))["title"] == "Before"


async def test_its_own_tokens_end_at_the_services_too(
    backend: Backend, endpoints: list[Endpoint], running_stack: RunningStack
) -> None:
    secret_of_calls = RotatingSecret(load_credentials(running_stack.data).internal_secret)
    calls = InternalCalls(secret_of_calls, SystemClock())
    session = next(endpoint for endpoint in endpoints if endpoint.name == "session")
    id, _, secret = backend.key.partition(".")
    exchanged = await session.client.call(
        "POST",
        "/internal/api-keys/exchange",
        body={"id": id, "secret": secret},
        headers={"Authorization": calls.sign("session")},
    )
    token = exchanged.data["access_token"]
    assert 401 not in (await statuses(endpoints, token)).values()
    await backend.delete_key()
    await closed_to(endpoints, token)


async def test_the_customer_s_people_are_out(backend: Backend, endpoints: list[Endpoint]) -> None:
    path = f"/sessions/{backend.session}/tokens"
    issued = await backend.post(path, external_user_id="c-1", name="Carla", ttl_seconds=86400)
    let_in = issued.data["access_token"]
    assert 401 not in (await statuses(endpoints, let_in)).values()
    await backend.delete_key()
    await closed_to(endpoints, let_in)


@pytest.mark.parametrize("form", FORMS)
async def test_its_codes_are_void(backend: Backend, form: str) -> None:
    made = await backend.post("/auth/generate-code", form, session_id=backend.session)
    await backend.delete_key()
    (await backend.exchange(made.data["code"])).check_refusal(401, "auth_code_invalid")


async def test_whom_it_signed_in_is_out(backend: Backend, endpoints: list[Endpoint]) -> None:
    data = (await backend.exchange(await backend.code())).data
    person = Person(data["user"]["id"], data["access_token"], data["refresh_token"])
    body = {"session_id": backend.session}
    further = await backend.fixtures.client.call("POST", "/auth/generate-code", person.access_token, body)
    await backend.delete_key()
    (await backend.exchange(further.data["code"])).check_refusal(401, "auth_code_invalid")
    refresh = {"refresh_token": person.refresh_token}
    answer = await backend.fixtures.client.call("POST", "/auth/refresh", body=refresh)
    answer.check_refusal(401, "api_key_gone")
    await closed_to(endpoints, person.access_token)
    # Whoever signed in with the password is no matter of the key.
    assert (await backend.fixtures.get("/auth/me", backend.fixtures.host))["id"] == person.id
