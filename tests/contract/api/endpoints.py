"""The ways in: the gateway, and each service reached directly, as nobody outside should be able to."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from deploy.local.stack import Stack
from shared.ids import new_id
from tests.contract.api.client import Answer, Client, connect


@dataclass(frozen=True)
class Door:
    """One way in, and an operation there that asks who calls."""

    name: str
    client: Client
    path: str

    async def knock(self, token: str | None = None, **headers: str) -> Answer:
        """401 where nobody is recognized; else what the caller's rights make of it: 200, 403 or 404."""
        return await self.client.call("GET", self.path, token, headers=headers)


@asynccontextmanager
async def all_doors(stack: Stack) -> AsyncIterator[list[Door]]:
    asking = {
        "session": "/auth/me",
        "egress": "/admin/drift",
        "attendance": f"/sessions/{new_id()}/viewers",
    }
    async with AsyncExitStack() as open_:
        doors = []
        for service, path in asking.items():
            url = f"http://127.0.0.1:{stack.processes[service].port}"
            client = Client(await open_.enter_async_context(connect(url)))
            doors.append(Door(service, client, path))
            through = Client(await open_.enter_async_context(connect(stack.base_url)))
            doors.append(Door(f"gateway to {service}", through, path))
        yield doors


async def statuses(doors: list[Door], token: str) -> dict[str, int]:
    return {door.name: (await door.knock(token)).status for door in doors}
