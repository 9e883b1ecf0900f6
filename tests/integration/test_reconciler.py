"""Connections with wrong permissions, and the drift ledger's entries about their correction."""

import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from shared.ids import new_id
from shared.livekit import LiveKitParticipant
from tests.chaos.media.participant_pool import participant_pool
from tests.chaos.media.setup import Environment, prepared_environment, settle
from tests.running_stack import RunningStack

pytestmark = pytest.mark.timeout(360)

# A second is promised; where all tests run at once it may take longer.
AT_ONCE = 8.0
KEY_PATH = "/sessions/{}/tokens"


@pytest.fixture
async def environment(running_stack: RunningStack) -> AsyncIterator[Environment]:
    async with prepared_environment(running_stack) as made:
        yield made


class Backend:
    """A customer's backend: gives its person a role in a session, and with it a token."""

    def __init__(self, running: RunningStack, http: aiohttp.ClientSession, token: str):
        self._key = f"{running.info.api_key.id}.{running.info.api_key.secret}"
        self._http = http
        self._token = token
        self._person = f"customer-{new_id()}"

    async def session(self) -> str:
        """A live session of the host to whom the API key belongs."""
        room = (await self._call("/rooms", {"title": "Rights"}))["room"]["id"]
        preset = await self._call("/presets", {"name": "Plain", "type": "whip", "primary_color": "#336699"})
        body = {"title": "Rights", "preset_id": preset["id"]}
        session = (await self._call(f"/rooms/{room}/sessions", body))["session"]["id"]
        await self._call(f"/sessions/{session}/start", {})
        return str(session)

    async def role(self, session: str, role: str) -> str:
        """Give the person this role; a join token that says so."""
        body = {"external_user_id": self._person, "name": "Vera", "role": role}
        answer = await self._call(KEY_PATH.format(session), body, {"X-API-Key": self._key})
        return str(answer["livekit_token"])

    async def _call(self, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
        sent = headers or {"Authorization": f"Bearer {self._token}"}
        async with self._http.post(path, json=body, headers=sent) as response:
            answer = await response.json()
            assert response.status < 300, answer
            return answer["data"]


@pytest.fixture
async def backend(running_stack: RunningStack) -> AsyncIterator[Backend]:
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(running_stack.info.base_url, timeout=timeout) as http:
        async with http.post("/auth/login", json=running_stack.info.host.model_dump()) as response:
            token = (await response.json())["data"]["access_token"]
        yield Backend(running_stack, http, token)


async def connected(environment: Environment, session: str, sid: str) -> LiveKitParticipant:
    """The connection as LiveKit has it."""
    (found,) = [one for one in await environment.livekit.list_participants(session) if one.sid == sid]
    return found


async def may_publish(environment: Environment, session: str, sid: str) -> list[str]:
    there = await connected(environment, session, sid)
    return ["may still publish"] if there.permissions.publishes else []


async def test_an_old_token_gives_no_old_rights(environment: Environment, backend: Backend) -> None:
    session = await backend.session()
    old = await backend.role(session, "co_host")
    await backend.role(session, "audience")
    async with participant_pool(environment.stack.info.livekit_url) as people:
        await people.join({"Vera": old})
        joined = time.monotonic()
        sid = people.last["Vera"].sid
        verdict = await settle("corrected", lambda: may_publish(environment, session, sid), joined, AT_ONCE)
        assert verdict.faults == []
        await ledger_tells(environment, session, sid)


async def test_who_lost_a_role_loses_its_rights_where_they_are(
    environment: Environment, backend: Backend
) -> None:
    session = await backend.session()
    token = await backend.role(session, "co_host")
    async with participant_pool(environment.stack.info.livekit_url) as people:
        await people.join({"Vera": token})
        sid = people.last["Vera"].sid
        assert await may_publish(environment, session, sid) != []
        await backend.role(session, "audience")
        demoted = time.monotonic()
        verdict = await settle("corrected", lambda: may_publish(environment, session, sid), demoted, AT_ONCE)
        assert verdict.faults == []


async def ledger_tells(environment: Environment, session: str, sid: str) -> None:
    """Of the correction, under every filter that fits and under none that does not."""

    async def entries(**filters: object) -> list[dict[str, Any]]:
        query = "&".join(f"{name}={value}" for name, value in ({"session_id": session} | filters).items())
        found = await environment.api.get(f"/admin/drift?{query.replace('+', '%2B')}", environment.admin)
        return list(found["drift"]) if found else []

    async def missing() -> list[str]:
        return [] if await entries(kind="permission") else ["no entry"]

    assert (await settle("written", missing, time.monotonic(), AT_ONCE)).faults == []
    (entry,) = await entries(kind="permission")
    assert (entry["participant"]["sid"], entry["participant"]["username"]) == (sid, "Vera")
    assert "publishes nothing" in entry["believed"]
    at = datetime.fromisoformat(entry["at"])
    assert entry in await entries(since=at.isoformat())
    assert entry in await entries(limit=1, page=1)
    assert await entries(kind="ghost") == []
    assert await entries(kind="permission", since=(at + timedelta(seconds=60)).isoformat()) == []
