"""The endpoints: the gateway, and each service reached directly, as nobody outside should be able to."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from deploy.local.stack import Stack
from shared.ids import new_id
from tests.contract.api.client import Answer, Client, connect


@dataclass(frozen=True)
class Endpoint:
    """The gateway or a service, and an operation of it that needs a signed-in caller."""

    name: str
    client: Client
    path: str

    async def call(self, token: str | None = None, **headers: str) -> Answer:
        """401 where nobody is recognized; else what the caller's rights make of it: 200, 403 or 404."""
        return await self.client.call("GET", self.path, token, headers=headers)


@asynccontextmanager
async def all_endpoints(stack: Stack) -> AsyncIterator[list[Endpoint]]:
    asking = {
        "session": "/auth/me",
        "egress": "/admin/drift",
        "attendance": f"/sessions/{new_id()}/viewers",
    }
    async with AsyncExitStack() as open_:
        endpoints = []
        for service, path in asking.items():
            url = f"http://127.0.0.1:{stack.processes[service].port}"
            client = Client(await open_.enter_async_context(connect(url)))
            endpoints.append(Endpoint(service, client, path))
            through = Client(await open_.enter_async_context(connect(stack.base_url)))
            endpoints.append(Endpoint(f"gateway to {service}", through, path))
        yield endpoints


async def statuses(endpoints: list[Endpoint], token: str) -> dict[str, int]:
    return {endpoint.name: (await endpoint.call(token)).status for endpoint in endpoints}
