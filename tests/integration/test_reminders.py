"""Two replicas of the session service: the one that sends reminders is killed, the next one restarted."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.session.identity.accounts.domain import User
from services.session.identity.accounts.repository import UserRepository
from services.session.reminders.mails.domain import MailState
from services.session.reminders.mails.repository import MailRepository
from services.session.reminders.scheduler import LEASE
from services.session.reminders.subscriptions.domain import Subscription
from services.session.reminders.subscriptions.repository import SubscriptionRepository
from shared.clock import SystemClock
from shared.contracts.states import UserRole
from shared.ids import new_id
from shared.persistence.lease import LeaseStore
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.fakes.memory_bus import MemoryBus
from tests.integration.second_session_service import second_session
from tests.running_stack import RunningStack

PEOPLE = 400
# After how many mails the sender is killed, and after how many the next one is told to stop.
KILLED_AT, STOPPED_AT = 40, 160
WITHIN = 60.0

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def mongo(running_stack: RunningStack) -> AsyncIterator[Mongo]:
    made = Mongo.from_uri(running_stack.info.mongodb.session)
    yield made
    made.close()


@pytest.fixture
async def http(running_stack: RunningStack) -> AsyncIterator[aiohttp.ClientSession]:
    """The stack's host, signed in."""
    stack = running_stack.info
    async with aiohttp.ClientSession(stack.base_url) as made:
        async with made.post("/auth/login", json=stack.host.model_dump()) as answer:
            token = (await answer.json())["data"]["access_token"]
        made.headers["Authorization"] = f"Bearer {token}"
        yield made


async def post(http: aiohttp.ClientSession, path: str, **body: Any) -> Any:
    async with http.post(path, json=body) as answer:
        assert answer.status == 201, await answer.text()
        return (await answer.json())["data"]


async def subscribe(mongo: Mongo, room_id: str, domain: str) -> None:
    """Many people with an address at `domain`."""
    clock = SystemClock()
    now = clock.now()
    users = UserRepository(mongo, Outbox(MemoryBus(), clock, source="/greenroom/tests"), clock)
    people = [
        User(
            id=new_id(),
            username="Vera",
            role=UserRole.VIEWER,
            email=f"person{number}@{domain}",
            created_at=now,
            updated_at=now,
        )
        for number in range(PEOPLE)
    ]
    await users.add_many([(person, []) for person in people])
    await SubscriptionRepository(mongo).add_many(
        [
            Subscription(
                room_id=room_id, user_id=one.id, recipient=one.id, email=None, active=True, created_at=now
            )
            for one in people
        ]
    )


class MailBox:
    """What the development mail server has for one domain."""

    def __init__(self, url: str, domain: str):
        self._url = url
        self._domain = domain

    async def all(self) -> list[dict[str, Any]]:
        async with aiohttp.ClientSession(self._url) as http:
            query = {"to": self._domain, "limit": str(2 * PEOPLE)}
            async with http.get("/api/mails", params=query) as answer:
                return list((await answer.json())["mails"])

    async def count(self) -> int:
        query = {"to": self._domain, "limit": "0"}
        async with aiohttp.ClientSession(self._url) as http, http.get("/api/mails", params=query) as answer:
            return int((await answer.json())["total"])

    async def has(self, count: int) -> None:
        async with asyncio.timeout(WITHIN):
            while await self.count() < count:
                await asyncio.sleep(0.01)


async def end_the_sender(mongo: Mongo, number: signal.Signals) -> int:
    """The lease names its process; returns its id."""
    lease = await LeaseStore(mongo).find(LEASE)
    assert lease is not None
    pid = int(lease["holder"].split(":")[1])
    os.kill(pid, number)
    return pid


async def test_each_mail_arrives_once_though_its_senders_die(
    running_stack: RunningStack, mongo: Mongo, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    domain = f"{new_id()}.example"
    mail_url = running_stack.info.mail_url
    assert mail_url is not None
    box = MailBox(mail_url, domain)
    room = (await post(http, "/rooms", title="A room"))["room"]["id"]
    preset = await post(http, "/presets", name="Plain", type="whip", primary_color="#336699")
    await subscribe(mongo, room, domain)
    async with second_session(running_stack, tmp_path):
        start = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="seconds")
        body = {"title": "A show", "preset_id": preset["id"], "scheduled_start_time": start}
        session = (await post(http, f"/rooms/{room}/sessions", **body))["session"]["id"]
        await box.has(KILLED_AT)
        ended = [await end_the_sender(mongo, signal.SIGKILL)]
        await box.has(STOPPED_AT)
        assert await box.count() < PEOPLE, "it was faster than its death"
        ended.append(await end_the_sender(mongo, signal.SIGTERM))
        await box.has(PEOPLE)
        await all_sent(mongo, session)
    for pid in ended:
        # That of the stack comes back: others use it, too.
        await running_stack.replaced("session", pid)
    mails = await box.all()
    assert {one["to"] for one in mails} == {f"person{number}@{domain}" for number in range(PEOPLE)}
    assert len(mails) == PEOPLE
    # Only what was in hand at its death may have been handed in twice, as the same mail.
    twice = sum(one["copies"] - 1 for one in mails)
    print(f"{PEOPLE} mails, {twice} of them handed in twice under their Message-ID")  # noqa: T201
    assert twice <= 4


async def all_sent(mongo: Mongo, session_id: str) -> None:
    """Nothing is left that would be sent later."""
    mails = MailRepository(mongo).collection
    of_session = {"session_id": session_id, "state": MailState.SENT.value}
    async with asyncio.timeout(WITHIN):
        while await mails.count(of_session, limit=2 * PEOPLE) < PEOPLE:
            await asyncio.sleep(0.1)
