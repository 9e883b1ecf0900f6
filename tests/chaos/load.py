"""The load: an organization of its own, its hosts, viewers and readers, started and brought to an end."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from deploy.local.stack import Stack
from shared.ids import new_id, new_secret
from tests.chaos.caller import Caller
from tests.chaos.ledger import Ledger
from tests.chaos.simulated_users import Host, LoadContext, Reader, Viewer
from tests.chaos.webhook_sender import WebhookSender


@dataclass(frozen=True)
class Size:
    """How many hosts, viewers and readers; `pace` stretches their pauses."""

    hosts: int = 3
    viewers: int = 8
    readers: int = 1
    pace: float = 1.0


@dataclass(frozen=True)
class Account:
    """A signed-in host of the load's organization."""

    user_id: str
    token: str
    preset_id: str


@dataclass(frozen=True)
class Tenant:
    """The load's own organization, with its administrator's token and its hosts."""

    admin: str
    accounts: list[Account]


async def make_tenant(caller: Caller, stack: Stack, hosts: int) -> Tenant:
    """An organization with this many hosts, one preset each."""
    admin = await _sign_in(caller, stack.admin.email, stack.admin.password)
    made = await _must(caller, "/admin/organizations", {"name": f"Chaos {new_id()}"}, admin["access_token"])
    accounts = [await _host(caller, admin["access_token"], made["id"]) for _ in range(hosts)]
    return Tenant(admin["access_token"], accounts)


@asynccontextmanager
async def under_load(
    caller: Caller, stack: Stack, accounts: list[Account], size: Size, rng: random.Random
) -> AsyncIterator[Ledger]:
    """Everybody is at work for as long as the block runs, and has finished what they began at its end."""
    ledger, stopping = Ledger(), asyncio.Event()
    context = LoadContext(caller, WebhookSender(caller, stack), ledger, stopping, size.pace)
    actors: list[Host | Viewer | Reader] = [
        Host(context, one.token, one.user_id, one.preset_id, _of(rng)) for one in accounts[: size.hosts]
    ]
    actors += [Viewer(context, _of(rng)) for _ in range(size.viewers)]
    actors += [Reader(context, _of(rng)) for _ in range(size.readers)]
    async with asyncio.TaskGroup() as group:
        for actor in actors:
            group.create_task(actor.run())
        try:
            yield ledger
        finally:
            stopping.set()


def _of(rng: random.Random) -> random.Random:
    return random.Random(rng.random())


async def _host(caller: Caller, admin: str, organization_id: str) -> Account:
    email, password = f"{new_id()}@example.com", new_secret()
    body = {"email": email, "password": password, "username": "Hanna", "organization_id": organization_id}
    await _must(caller, "/admin/users", body, admin)
    signed_in = await _sign_in(caller, email, password)
    preset = {"name": "Talk", "type": "whip", "primary_color": "#2f6f4f", "max_join_limit": 100}
    made = await _must(caller, "/presets", preset, signed_in["access_token"])
    return Account(signed_in["user"]["id"], signed_in["access_token"], made["id"])


async def _sign_in(caller: Caller, email: str, password: str) -> dict[str, Any]:
    return await _must(caller, "/auth/login", {"email": email, "password": password})


async def _must(caller: Caller, path: str, body: object, token: str | None = None) -> dict[str, Any]:
    answer = await caller.surely("prepare", "POST", path, body=body, token=token)
    if not answer.ok:
        raise RuntimeError(f"POST {path} was answered {answer.call.status} {answer.call.code}")
    return dict(answer.data)
