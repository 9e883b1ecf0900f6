"""The fixtures that all cases share, on the running stack, reached through its gateway."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.stack import Stack
from tests.contract.api.accounts import Administrator, sign_in
from tests.contract.api.cases import PreparedCalls
from tests.contract.api.client import Client, connect
from tests.contract.api.fixtures import Fixtures, make_fixtures
from tests.contract.api.replicas import both_session_services
from tests.running_stack import RunningStack


@pytest.fixture(scope="session")
async def client(stack: Stack) -> AsyncIterator[Client]:
    async with connect(stack.base_url) as http:
        yield Client(http)


@pytest.fixture(scope="module", autouse=True)
async def no_stream_goes_on(client: Client) -> AsyncIterator[None]:
    yield
    await client.end_streamed()


@pytest.fixture(scope="session")
async def admin(client: Client, stack: Stack) -> Administrator:
    person = await sign_in(client, stack.admin.email, stack.admin.password)
    return Administrator(client, person.access_token)


@pytest.fixture(scope="session")
async def fixtures(client: Client, admin: Administrator) -> Fixtures:
    return await make_fixtures(client, admin)


@pytest.fixture(scope="session")
async def prepared_calls(fixtures: Fixtures) -> PreparedCalls:
    return PreparedCalls(fixtures)


@pytest.fixture(scope="module")
async def two_sessions(running_stack: RunningStack) -> AsyncIterator[tuple[Client, Client]]:
    """The session service and a second replica of it, each reached directly."""
    async with both_session_services(running_stack) as clients:
        yield clients
