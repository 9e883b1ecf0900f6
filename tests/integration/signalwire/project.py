"""A SignalWire project: an organization of its own, with the published client, unmodified."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import aiohttp
import pytest
from requests import Response
from signalwire.rest import RestClient, SignalWireRestError

from deploy.local.stack import Stack
from tests.contract.api.accounts import Administrator, sign_in
from tests.contract.api.client import Client, connect
from tests.contract.signalwire.published_schemas import answer_faults

NOT_FOUND = (404, {"error": "Not Found"})

Call: TypeAlias = Callable[[RestClient], Any]


@dataclass(frozen=True)
class Project:
    """`id` and `token` are those of an API key; `http` is for everything but the API."""

    id: str
    token: str
    client: RestClient
    http: aiohttp.ClientSession

    async def call(self, operation_id: str, made: Call) -> Any:
        """What a call of the client answers, which must be exactly what is published for the operation."""
        statuses: list[int] = []

        def note(response: Response, *_: object, **__: object) -> None:
            statuses.append(response.status_code)

        self.client._http._session.hooks["response"] = [note]
        answered = await self.run(made)
        body = None if statuses == [204] else answered
        wrong = answer_faults(operation_id, statuses[-1], body)
        assert not wrong, (wrong, body)
        return answered

    async def run(self, made: Call) -> Any:
        """The same unchecked; the client blocks, hence in a thread."""
        return await asyncio.to_thread(made, self.client)

    async def refused(self, made: Call) -> SignalWireRestError:
        with pytest.raises(SignalWireRestError) as caught:
            await self.run(made)
        return caught.value

    async def room_token(self, **fields: Any) -> str:
        made = await self.call("create_room_token", lambda client: client.video.room_tokens.create(**fields))
        return str(made["token"])

    async def sessions(self, room_name: str, status: str) -> list[dict[str, Any]]:
        listed = await self.call(
            "list_room_sessions",
            lambda client: client.video.room_sessions.list(room_name=room_name, status=status),
        )
        found: list[dict[str, Any]] = listed["data"]
        return found

    async def members(self, room_name: str, status: str) -> list[dict[str, Any]]:
        """Those of the newest session with this status; none if there is no such session."""
        sessions = await self.sessions(room_name, status)
        if not sessions:
            return []
        listed = await self.call(
            "list_room_session_members",
            lambda client: client.video.room_sessions.list_members(sessions[0]["id"]),
        )
        found: list[dict[str, Any]] = listed["data"]
        return found


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
        yield Project(id, token, RestClient(project=id, token=token, host=address), http)
