"""Services isolate people and organizations for direct callers as they do behind the gateway."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

import pytest

from deploy.local.stack import Stack
from services.gateway.routing.table import TABLE
from shared.ids import new_id
from tests.contract.api.accounts import Person
from tests.contract.api.cases import Case, PreparedCall, PreparedCalls, cases, name
from tests.contract.api.client import Answer, Client, connect
from tests.contract.api.fixtures import Fixtures

_SERVICE = {f"{operation.method} {operation.path}": operation.upstream for operation in TABLE}
HOSTING = cases(lambda operation: operation.access in {"host", "moderator"})
OWNED = [case for case in HOSTING if case.operation.takes_id or "session_id" in case.operation.fields]
WRITES = [case for case in HOSTING if case.operation.method != "GET"]


@pytest.fixture(scope="module")
async def services(stack: Stack) -> AsyncIterator[Mapping[str, Client]]:
    async with AsyncExitStack() as open_:
        yield {
            name: Client(
                await open_.enter_async_context(connect(f"http://127.0.0.1:{stack.processes[name].port}"))
            )
            for name in ("session", "egress", "attendance")
        }


async def call(
    services: Mapping[str, Client], prepared: PreparedCall, by: Person | None, **headers: str
) -> Answer:
    client = services[_SERVICE[prepared.operation.key]]
    token = by.access_token if by else None
    return await client.call(
        prepared.operation.method, prepared.path, token, prepared.body or None, headers=headers
    )


@pytest.mark.parametrize("case", OWNED, ids=name)
async def test_for_another_organization_it_does_not_exist(
    services: Mapping[str, Client], prepared_calls: PreparedCalls, case: Case
) -> None:
    prepared, fixtures = await prepared_calls.of(case), prepared_calls.fixtures
    (await call(services, prepared, fixtures.outsider)).check_refusal(404)
    # Nor does the library of whoever asks make it theirs.
    widened = {"X-Greenroom-Library": fixtures.foreign_library, "X-Greenroom-Organization": new_id()}
    (await call(services, prepared, fixtures.outsider, **widened)).check_refusal(404)


@pytest.mark.parametrize("case", HOSTING, ids=name)
async def test_nobody_and_viewers_may_not_host(
    services: Mapping[str, Client], prepared_calls: PreparedCalls, case: Case
) -> None:
    prepared = await prepared_calls.of(case)
    (await call(services, prepared, None)).check_refusal(401, "unauthenticated")
    (await call(services, prepared, prepared_calls.fixtures.viewer)).check_refusal(403)


@pytest.mark.parametrize("case", OWNED, ids=name)
async def test_a_colleague_may_not_act_for_the_host(
    services: Mapping[str, Client], prepared_calls: PreparedCalls, case: Case
) -> None:
    (await call(services, await prepared_calls.of(case), prepared_calls.fixtures.colleague)).check_refusal(
        403, "not_the_host"
    )


@pytest.mark.parametrize("case", [case for case in WRITES if case.operation.mirrored], ids=name)
async def test_another_organization_s_library_lets_nothing_be_written(
    services: Mapping[str, Client], prepared_calls: PreparedCalls, case: Case
) -> None:
    prepared, fixtures = await prepared_calls.of(case), prepared_calls.fixtures
    answer = await call(
        services, prepared, fixtures.host, **{"X-Greenroom-Library": fixtures.foreign_library}
    )
    answer.check_refusal(404)


async def test_the_key_of_another_organization_lets_nobody_in(fixtures: Fixtures) -> None:
    headers = {"X-API-Key": await fixtures.admin.api_key(fixtures.outsider)}
    path = f"/sessions/{await fixtures.session()}/tokens"
    body = {"external_user_id": "c-1", "name": "Carla"}
    (await fixtures.client.call("POST", path, body=body, headers=headers)).check_refusal(404)


async def test_a_refresh_token_rotates_for_two_tabs_and_not_for_a_thief(
    services: Mapping[str, Client], fixtures: Fixtures
) -> None:
    session, stolen = services["session"], (await fixtures.viewer_of_its_own()).refresh_token

    async def refresh(token: str) -> Answer:
        return await session.call("POST", "/auth/refresh", body={"refresh_token": token})

    tabs = await asyncio.gather(*(refresh(stolen) for _ in range(2)))
    (second,) = {answer.data["refresh_token"] for answer in tabs}
    third = (await refresh(second)).data["refresh_token"]
    (await refresh(stolen)).check_refusal(401, "refresh_token_reused")
    (await refresh(third)).check_refusal(401, "refresh_token_invalid")


async def test_a_code_signs_in_once(services: Mapping[str, Client], fixtures: Fixtures) -> None:
    session, body = services["session"], {"session_id": await fixtures.session()}
    made = await session.call("POST", "/auth/generate-code", fixtures.host.access_token, body)
    code = {"code": made.data["code"]}
    answers = await asyncio.gather(
        *(session.call("POST", "/auth/exchange-code", body=code) for _ in range(20))
    )
    assert sorted(answer.status for answer in answers) == [200] + [401] * 19
