"""A SignalWire project: an organization of its own, with the published client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import aiohttp
import pytest
from signalwire.rest import RestClient, SignalWireRestError

from deploy.local.stack import Stack
from tests.contract.api.accounts import Administrator, Person, sign_in
from tests.contract.api.client import Client, connect
from tests.contract.signalwire.published_schemas import answer_faults

NOT_FOUND = (404, {"error": "Not Found"})

Call: TypeAlias = Callable[[RestClient], Any]


@dataclass(frozen=True)
class Project:
    """`host` is whom its API key acts for."""

    host: Person
    id: str
    token: str
    client: RestClient
    http: aiohttp.ClientSession

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": aiohttp.encode_basic_auth(self.id, self.token)}

    async def call(self, made: Call) -> Any:
        """What a call of the client answers; it blocks, hence in a thread."""
        return await asyncio.to_thread(made, self.client)

    async def answer(
        self, operation_id: str, method: str, path: str, body: Any = None, **query: str | int
    ) -> Any:
        """The answer of an operation, which must be exactly as it is published."""
        async with self.http.request(
            method, f"/api/video{path}", json=body, params=query, headers=self.headers
        ) as response:
            answered = await response.json() if response.status != 204 else None
            wrong = answer_faults(operation_id, response.status, answered)
            assert not wrong, (wrong, answered)
            return answered


@asynccontextmanager
async def a_project(stack: Stack) -> AsyncIterator[Project]:
    async with connect(stack.base_url) as http:
        client = Client(http)
        administrator = Administrator(
            client, (await sign_in(client, stack.admin.email, stack.admin.password)).access_token
        )
        host = await administrator.host(await administrator.organization())
        id, _, token = (await administrator.api_key(host)).partition(".")
        address = stack.base_url.removeprefix("http://")
        yield Project(host, id, token, RestClient(project=id, token=token, host=address), http)


async def refused(project: Project, made: Call) -> SignalWireRestError:
    with pytest.raises(SignalWireRestError) as caught:
        await project.call(made)
    return caught.value
