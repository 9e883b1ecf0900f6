"""People and sessions on the running stack, made through its API."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.stack import Stack
from tests.contract.api.accounts import Administrator, sign_in
from tests.contract.api.client import Client, connect
from tests.contract.api.fixtures import Fixtures, make_fixtures


@pytest.fixture(scope="module")
async def fixtures(stack: Stack) -> AsyncIterator[Fixtures]:
    async with connect(stack.base_url) as http:
        client = Client(http)
        admin = await sign_in(client, stack.admin.email, stack.admin.password)
        yield await make_fixtures(client, Administrator(client, admin.access_token))
