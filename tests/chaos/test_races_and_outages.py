"""Races and outages: concurrent commands, deletion during use, a service dying within a command."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.local.stack import Stack
from shared.contracts.session_events import SessionCallRefused
from shared.ids import new_id
from shared.livekit import LiveKitApi
from tests.chaos.api_reader import Api
from tests.chaos.caller import Answer, Caller, Outcome, connect
from tests.chaos.load import Tenant, make_tenant
from tests.chaos.webhook_sender import WebhookSender
from tests.running_stack import RunningStack
from tests.waiting import equal_to, eventually

pytestmark = pytest.mark.timeout(240)

TIMES = 8


@dataclass(frozen=True)
class Scenario:
    """A tenant with two hosts; the second one acts by an API key for the first one's sessions."""

    caller: Caller
    tenant: Tenant
    stack: Stack
    key: str

    @property
    def token(self) -> str:
        return self.tenant.accounts[0].token

    async def session(self, room: str | None = None) -> str:
        """The id of a scheduled session, in a new room where none is given."""
        room = room or (await self.made("/rooms", {"title": "A room"}))["room"]["id"]
        body = {"title": "A session", "preset_id": self.tenant.accounts[0].preset_id}
        return str((await self.made(f"/rooms/{room}/sessions", body))["session"]["id"])

    async def made(self, path: str, body: object = None) -> dict[str, Any]:
        answer = await self.caller.surely("prepare", "POST", path, token=self.token, body=body)
        assert answer.ok, answer
        return dict(answer.data or {})

    async def act(self, what: str, session: str, *, by_key: bool = False, **options: Any) -> Answer:
        """POST /sessions/{id}/<what> once, by the host or by the API key."""
        who: dict[str, Any] = {"headers": {"X-API-Key": self.key}} if by_key else {"token": self.token}
        return await self.caller.once(what, "POST", f"/sessions/{session}/{what}", **who, **options)

    async def delete(self, session: str) -> Answer:
        return await self.caller.once("delete", "DELETE", f"/sessions/{session}", token=self.token)

    async def status(self, session: str) -> str | None:
        """What anybody sees; None for a session that is not there."""
        found = await Api(self.caller).get(f"/sessions/{session}")
        return str(found["status"]) if found else None

    async def events(self, session: str) -> list[str]:
        lines = await Api(self.caller).pages(
            f"/admin/sessions/{session}/journal", "entries", self.tenant.admin
        )
        return [line["name"] for line in lines]

    async def rooms_open(self, sessions: Sequence[str]) -> set[str]:
        """Those of the sessions that have a LiveKit room."""
        livekit = LiveKitApi(
            self.stack.livekit_url, self.stack.livekit_api_key, self.stack.livekit_api_secret
        )
        try:
            return {room.name for room in await livekit.list_rooms(sessions)}
        finally:
            await livekit.close()


@pytest.fixture(scope="module")
async def scenario(stack: Stack) -> AsyncIterator[Scenario]:
    async with connect(stack.base_url) as http:
        caller = Caller(http)
        tenant = await make_tenant(caller, stack, 1)
        body = {"user_id": tenant.accounts[0].user_id, "name": "a second pair of hands"}
        key = await caller.surely("prepare", "POST", "/admin/api-keys", token=tenant.admin, body=body)
        yield Scenario(caller, tenant, stack, f"{key.data['id']}.{key.data['secret']}")


def refused(answers: Sequence[Answer]) -> set[str]:
    """The codes of the refusals; everybody got a clear answer."""
    assert all(answer.outcome is not Outcome.UNKNOWN for answer in answers), answers
    return {answer.call.code for answer in answers if not answer.ok}


async def test_two_hosts_start_and_end_at_once(scenario: Scenario) -> None:
    for _ in range(TIMES):
        session = await scenario.session()
        starts = [scenario.act("start", session, by_key=by_key) for by_key in (False, True)]
        ends = [scenario.act("end", session, by_key=by_key) for by_key in (False, True)]
        answers = await asyncio.gather(*starts, *ends)
        assert refused(answers[:2]) <= {"session_ended"}
        assert refused(answers[2:]) <= {"session_not_live"}
        ended = any(answer.ok for answer in answers[2:])
        assert await scenario.status(session) == ("ended" if ended else "live")
        wanted = ["session.created.v1", "session.started.v1"] + ["session.ended.v1"] * ended

        async def told(session: str = session) -> list[str]:
            changes = [name for name in await scenario.events(session) if name.startswith("session.")]
            return [name for name in changes if name != SessionCallRefused.name]

        await eventually(told, equal_to(wanted))
        await scenario.act("end", session)

        async def room_open(session: str = session) -> set[str]:
            return await scenario.rooms_open([session])

        await eventually(room_open, lambda rooms: not rooms)


async def test_two_sessions_of_a_room_start_at_once(scenario: Scenario) -> None:
    for _ in range(TIMES):
        room = (await scenario.made("/rooms", {"title": "One stage"}))["room"]["id"]
        sessions = [await scenario.session(room) for _ in range(3)]
        answers = await asyncio.gather(*(scenario.act("start", session) for session in sessions))
        assert refused(answers) == {"room_busy"}
        states = [await scenario.status(session) for session in sessions]
        assert states == ["live" if answer.ok else "scheduled" for answer in answers]
        assert states.count("live") == 1
        live = {session for session, answer in zip(sessions, answers, strict=True) if answer.ok}
        assert await scenario.rooms_open(sessions) == live
        await scenario.act("end", *live)


async def test_a_session_is_deleted_while_people_join(scenario: Scenario) -> None:
    session = await scenario.session()
    await scenario.made(f"/sessions/{session}/start")
    viewers = [await scenario.made("/auth/viewer/register", {"display_name": "Vera"}) for _ in range(6)]
    over, answers = asyncio.Event(), list[Answer]()
    webhooks = WebhookSender(scenario.caller, scenario.stack)

    async def join_and_come(viewer: dict[str, Any]) -> None:
        while not over.is_set():
            path = f"/sessions/{session}/join"
            answers.append(await scenario.caller.once("join", "POST", path, token=viewer["access_token"]))
            await webhooks.joined(session, viewer["user"]["id"])

    async def admitted() -> bool:
        return any(answer.ok for answer in answers)

    async def found_nothing() -> bool:
        return any(answer.call.code == "session_not_found" for answer in answers)

    async with asyncio.TaskGroup() as people:
        for viewer in viewers:
            people.create_task(join_and_come(viewer))
        await eventually(admitted, equal_to(True))
        assert refused([await scenario.delete(session)]) == {"session_live"}
        assert (await scenario.act("end", session)).ok
        assert (await scenario.delete(session)).ok
        await eventually(found_nothing, equal_to(True))
        over.set()
    assert refused(answers) - {"session_not_live"} == {"session_not_found"}
    assert await scenario.status(session) is None
    path = f"/sessions/{session}/attendance"
    await eventually(lambda: Api(scenario.caller).get(path, scenario.token), equal_to(None))
    names = await scenario.events(session)
    assert (names.count("session.ended.v1"), names.count("session.deleted.v1")) == (1, 1)
    await eventually(lambda: scenario.rooms_open([session]), lambda rooms: not rooms)


async def test_a_session_is_deleted_while_it_starts(scenario: Scenario) -> None:
    for _ in range(TIMES):
        session = await scenario.session()
        started, deleted = await asyncio.gather(scenario.act("start", session), scenario.delete(session))
        codes = refused([started, deleted])
        assert started.ok != deleted.ok, (started, deleted)
        assert codes <= {"session_live", "session_not_found"}
        assert await scenario.status(session) == ("live" if started.ok else None)
        assert await scenario.rooms_open([session]) == ({session} if started.ok else set())
        await scenario.act("end", session)


async def test_the_service_dies_in_the_middle_of_start(
    scenario: Scenario, running_stack: RunningStack
) -> None:
    sessions = [await scenario.session() for _ in range(12)]
    keys = {session: {"Idempotency-Key": new_id()} for session in sessions}

    async def start(session: str) -> Answer:
        path, host = f"/sessions/{session}/start", scenario.token
        return await scenario.caller.once("start", "POST", path, token=host, headers=keys[session])

    starting = [asyncio.create_task(start(session)) for session in sessions]
    await asyncio.wait(starting, return_when=asyncio.FIRST_COMPLETED)
    pid = running_stack.kill("session")
    answers = await asyncio.gather(*starting)
    await running_stack.replaced("session", pid)
    for session, answer in zip(sessions, answers, strict=True):
        assert answer.outcome is not Outcome.REFUSED, answer
        assert await scenario.status(session) in ({"live"} if answer.ok else {"scheduled", "live"})
    await _the_same_call_settles_it(scenario, sessions, keys)


async def _the_same_call_settles_it(
    scenario: Scenario, sessions: Sequence[str], keys: dict[str, dict[str, str]]
) -> None:
    """Asked again with the same key, each start is acknowledged, and happened once."""
    again = await asyncio.gather(
        *(
            scenario.caller.surely(
                "start", "POST", f"/sessions/{session}/start", token=scenario.token, headers=keys[session]
            )
            for session in sessions
        )
    )
    assert all(answer.ok for answer in again), again
    for session in sessions:
        assert await scenario.status(session) == "live"

        async def starts(session: str = session) -> int:
            return (await scenario.events(session)).count("session.started.v1")

        await eventually(starts, equal_to(1))
        assert (await scenario.act("end", session)).ok
