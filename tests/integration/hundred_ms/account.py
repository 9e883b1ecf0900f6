"""A 100ms account: an organization of its own, with the published client's requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.local.stack import Stack
from tests.contract.api.accounts import Administrator, sign_in
from tests.contract.api.client import Client, connect
from tests.integration.gateway.hundred_ms.published_client import HundredMsClient, HundredMsError


@dataclass(frozen=True)
class Account:
    client: HundredMsClient

    async def room(self, name: str, **settings: Any) -> str:
        """The id of a room of this name."""
        return str((await self.client.post("/rooms", {"name": name, **settings}))["id"])

    async def token(self, room_id: str, role: str, user_id: str) -> str:
        """A join token for a role's room code."""
        code = (await self.client.post(f"/room-codes/room/{room_id}/role/{role}"))["code"]
        exchanged = await self.client.post("/token", {"code": code, "user_id": user_id})
        return str(exchanged["token"])

    async def peers(self, room_id: str) -> dict[str, Any]:
        """Those of the room's newest session by their user ids; none without one."""
        found = (await self.client.get("/sessions", {"room_id": room_id}))["data"]
        return {peer["user_id"]: peer for peer in found[0]["peers"].values()} if found else {}

    async def refused(self, path: str, payload: Mapping[str, Any] | None = None) -> int:
        """The status of a get, or of a post if there is a payload, in the published form."""
        with pytest.raises(HundredMsError) as caught:
            await (self.client.get(path) if payload is None else self.client.post(path, payload))
        body = caught.value.body
        assert set(body) == {"code", "message", "details"}
        assert body["code"] == caught.value.status
        return caught.value.status


@asynccontextmanager
async def an_account(stack: Stack) -> AsyncIterator[Account]:
    async with connect(stack.base_url) as http:
        client = Client(http)
        administrator = Administrator(
            client, (await sign_in(client, stack.admin.email, stack.admin.password)).access_token
        )
        host = await administrator.host(await administrator.organization())
        id, _, secret = (await administrator.api_key(host)).partition(".")
        yield Account(HundredMsClient(http, stack.base_url, id, secret))
