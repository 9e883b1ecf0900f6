"""Backup, destroy, restore: a platform made from the file and the secrets alone goes on.

The stack's own databases are only read. Its services make room for others with the same secrets, on empty
databases and a broker that has lost everything.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from deploy.local.stack import Stack
from services.egress.recordings.domain import Recording
from services.egress.recordings.repository import RecordingRepository
from shared.clock import SystemClock
from shared.contracts.states import RecordingStatus
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.contract.shared.databases import fresh_database
from tests.fakes.memory_bus import MemoryBus
from tests.integration.own_services import own_services
from tests.integration.test_rotation import Client, bearer
from tests.publishers.publisher import Publisher
from tests.running_stack import RunningStack
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)

SERVICES = ("session", "egress", "attendance")
URI = "GREENROOM_MONGODB_URI"
SECONDS = 90


async def greenroom(*arguments: str) -> tuple[int, str]:
    """The command's exit status and all its output."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", *arguments),
        env=dict(os.environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(SECONDS):
        output, _ = await command.communicate()
    return command.returncode or 0, output.decode()


def at(uris: dict[str, str]) -> list[str]:
    """The options that name the databases."""
    return [part for service in SERVICES for part in (f"--{service}", uris[service])]


@pytest.fixture
def original(running_stack: RunningStack) -> dict[str, str]:
    return running_stack.info.mongodb.model_dump()


@pytest.fixture
def empty(original: dict[str, str]) -> Iterator[dict[str, str]]:
    """Databases that hold nothing yet."""
    with ExitStack() as fresh:
        yield {service: fresh.enter_context(fresh_database(original[service])) for service in SERVICES}


@dataclass
class Platform:
    """What a customer has of it: an API key, and what was made with it."""

    running: RunningStack
    client: Client

    @property
    def key(self) -> dict[str, str]:
        key = self.running.info.api_key
        return {"X-API-Key": f"{key.id}.{key.secret}"}

    async def call(self, method: str, path: str, **body: Any) -> Any:
        return await self.client.call(method, path, self.key, **body)

    async def scheduled(self, title: str) -> str:
        preset = await self.call("POST", "/presets", name=title, type="whip", primary_color="#102030")
        room = (await self.call("POST", "/rooms", title=title))["room"]["id"]
        made = await self.call("POST", f"/rooms/{room}/sessions", title=title, preset_id=preset["id"])
        return str(made["session"]["id"])

    async def attended(self, session: str) -> dict[str, Any]:
        """Somebody registers, joins the live session and is counted; their sign-in."""
        viewer: dict[str, Any] = await self.client.call("POST", "/auth/viewer/register", display_name="Vera")
        joined = await self.client.call("POST", f"/sessions/{session}/join", bearer(viewer["access_token"]))
        person = Publisher("Vera", viewer["user"]["id"])
        try:
            await person.join(joined["livekit_url"], joined["livekit_token"])
            await eventually(lambda: self.attendance(session), lambda ids: viewer["user"]["id"] in ids)
        finally:
            await person.close()
        return viewer

    async def attendance(self, session: str) -> list[str]:
        shown = await self.call("GET", f"/sessions/{session}/attendance")
        return [one["user_id"] for one in shown["attendance"]]

    async def state(self, session: str) -> dict[str, Any]:
        """All that is shown of a session that is over."""
        shown = await self.call("GET", f"/sessions/{session}")
        return {
            "session": {name: shown[name] for name in ("title", "status", "started_at", "ended_at")},
            "attendance": await self.call("GET", f"/sessions/{session}/attendance"),
            "chat": await self.call("GET", f"/sessions/{session}/chat"),
            "polls": await self.call("GET", f"/sessions/{session}/polls"),
            "recordings": await self.call("GET", f"/sessions/{session}/recordings"),
        }

    async def audited(self) -> list[str]:
        """What the audit log has of commands and administrators, the newest first."""
        admin = self.running.info.admin.model_dump()
        token = (await self.client.call("POST", "/auth/login", None, **admin))["access_token"]
        log = await self.client.call("GET", "/admin/audit", bearer(token))
        return [entry["operation"] for entry in log["calls"]]

    async def sign_in(self) -> dict[str, Any]:
        host = self.running.info.host.model_dump()
        signed_in: dict[str, Any] = await self.client.call("POST", "/auth/login", None, **host)
        return signed_in


@pytest.fixture
async def platform(running_stack: RunningStack) -> AsyncIterator[Platform]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as http:
        yield Platform(running_stack, Client(http, running_stack.info.base_url))


async def over(platform: Platform, egress: str) -> str:
    """A session that had an audience, a chat, a poll with a vote, and a recording."""
    session = await platform.scheduled("Before")
    await platform.call("POST", f"/sessions/{session}/start")
    viewer = bearer((await platform.attended(session))["access_token"])
    await platform.call("POST", f"/sessions/{session}/chat", message="Välkommen")
    poll = {"question": "Again?", "options": ["Yes", "No"]}
    made = await platform.call("POST", f"/sessions/{session}/polls", **poll)
    vote = {"option_id": made["options"][0]["id"]}
    await platform.client.call("POST", f"/polls/{made['id']}/vote", viewer, **vote)
    await add_recording(egress, platform.running.info, await platform.call("GET", f"/sessions/{session}"))
    await platform.call("POST", f"/sessions/{session}/end")
    return session


async def add_recording(uri: str, stack: Stack, session: dict[str, Any]) -> None:
    mongo, clock = Mongo.from_uri(uri), SystemClock()
    try:
        recordings = RecordingRepository(mongo, Outbox(MemoryBus(), clock, source="/test"), clock)
        recording = Recording(
            id=new_id(),
            organization_id=stack.organization_id,
            library_id=stack.library_id,
            session_id=session["id"],
            host_id=session["host_id"],
            name="Recorded",
            status=RecordingStatus.FAILED,
            storage_type="local",
            created_at=clock.now(),
            updated_at=clock.now(),
        )
        await recordings.add(recording, [])
    finally:
        mongo.close()


async def lose_the_broker(running: RunningStack) -> None:
    """RabbitMQ starts again without users' queues, exchanges and messages."""
    async with running.held("rabbitmq"):
        shutil.rmtree(running.data.data_of("rabbitmq") / "mnesia")


async def test_backup_destroy_restore_and_it_goes_on(
    running_stack: RunningStack,
    platform: Platform,
    original: dict[str, str],
    empty: dict[str, str],
    tmp_path: Path,
) -> None:
    before = await over(platform, original["egress"])
    planned = await platform.scheduled("Planned")
    await eventually(lambda: platform.state(before), lambda it: it["session"]["status"] == "ended")
    await eventually(lambda: platform.state(before), lambda it: it["attendance"]["attendance"][0]["left_at"])
    shown = await platform.state(before)
    signed_in = await platform.sign_in()
    file = tmp_path / "backup.zip"
    status, output = await greenroom("backup", str(file), *at(original))
    assert status == 0, output
    assert file.stat().st_mode & 0o077 == 0

    async with own_services(running_stack, SERVICES, tmp_path) as services:
        _, (status, output) = await asyncio.gather(
            lose_the_broker(running_stack), greenroom("restore", str(file), *at(empty))
        )
        assert status == 0, output
        await services.restart({service: {URI: empty[service]} for service in SERVICES})

        assert await platform.state(before) == shown
        await eventually(platform.audited, lambda operations: "greenroom restore" in operations)
        await platform.client.call("POST", "/auth/refresh", refresh_token=signed_in["refresh_token"])
        me = await platform.client.call("GET", "/auth/me", bearer((await platform.sign_in())["access_token"]))
        assert me["email"] == running_stack.info.host.email
        await platform.call("POST", f"/sessions/{planned}/start")
        viewer = await platform.attended(planned)
        await platform.call("POST", f"/sessions/{planned}/end")
        ended = await eventually(lambda: platform.state(planned), lambda it: it["session"]["ended_at"])
        assert ended["session"]["status"] == "ended"
        assert await platform.attendance(planned) == [viewer["user"]["id"]]
        status, output = await greenroom("restore", str(file), *at(empty))
        assert (status, "is not empty" in output) == (1, True), output
