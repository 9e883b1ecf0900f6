"""Probes that show whether the system works: each on its own session, repeated."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from shared.ids import new_id
from tests.chaos.caller import Caller
from tests.chaos.load import Account
from tests.chaos.webhook_sender import WebhookSender

EVERY = 0.25
LOOK_EVERY = 0.05
KINDS = ("read", "write", "start", "webhook", "event")


@dataclass
class Probe:
    """Tries of one operation: Unix times at which one had succeeded, and at which one had failed."""

    successes: list[float] = field(default_factory=list)
    failures: list[float] = field(default_factory=list)

    def worked_after(self, moment: float) -> float | None:
        return next((time for time in self.successes if time > moment), None)


class Probes:
    """All probes on one room and one live session of `account`."""

    def __init__(self, caller: Caller, webhooks: WebhookSender, account: Account):
        self._caller, self._webhooks, self._account = caller, webhooks, account
        self.results: dict[str, Probe] = {}
        self._room = self._session = ""
        self._present = 0

    def waiting(self, moment: float) -> list[str]:
        """The kinds that have not succeeded after `moment`."""
        return [kind for kind in KINDS if not (one := self.results.get(kind)) or not one.worked_after(moment)]

    async def prepare(self) -> None:
        """Open a new room and go live in it. Raises RuntimeError where that does not work."""
        self._present = 0
        self._room = (await self._made("/rooms", {"title": "Probe"}))["room"]["id"]
        self._session = await self._new_session(self._room)
        await self._made(f"/sessions/{self._session}/start")

    async def finish(self) -> None:
        """End the session."""
        await self._made(f"/sessions/{self._session}/end")

    async def run(self) -> None:
        """Try everything until cancelled, the results starting empty."""
        self.results = {kind: Probe() for kind in KINDS}
        tries = (self._read, self._write, self._start, self._webhook, self._event)
        async with asyncio.TaskGroup() as group:
            for kind, attempt in zip(KINDS, tries, strict=True):
                group.create_task(_over_and_over(self.results[kind], attempt))

    async def _read(self) -> bool:
        return (await self._caller.once("probe read", "GET", f"/sessions/{self._session}")).ok

    async def _write(self) -> bool:
        body = {"description": new_id()}
        answer = await self._caller.once(
            "probe write", "PATCH", f"/rooms/{self._room}", token=self._account.token, body=body
        )
        return answer.ok

    async def _start(self) -> bool:
        """A whole session: created, started, joined, ended."""
        token, body = self._account.token, {"title": "Probe", "preset_id": self._account.preset_id}
        room = await self._caller.once("probe start", "POST", "/rooms", token=token, body={"title": "Probe"})
        if not room.ok:
            return False
        path = f"/rooms/{room.data['room']['id']}/sessions"
        made = await self._caller.once("probe start", "POST", path, token=token, body=body)
        if not made.ok:
            return False
        session = made.data["session"]["id"]
        for what in ("start", "join", "end"):
            path = f"/sessions/{session}/{what}"
            if not (await self._caller.once("probe start", "POST", path, token=token)).ok:
                return False
        return True

    async def _webhook(self) -> bool:
        """Webhooks alone: a track, which only the journal records; sent until it is acknowledged."""
        await self._webhooks.published(self._session, self._account.user_id)
        return True

    async def _event(self) -> bool:
        """Through everything: webhook, egress, broker, attendance, broker, session, and read there."""
        await self._webhooks.joined(self._session, new_id())
        self._present += 1
        while True:
            answer = await self._caller.once("probe event", "GET", f"/sessions/{self._session}")
            if answer.ok and answer.data["viewer_count"] == self._present:
                return True
            await asyncio.sleep(LOOK_EVERY)

    async def _new_session(self, room: str) -> str:
        body = {"title": "Probe", "preset_id": self._account.preset_id}
        return str((await self._made(f"/rooms/{room}/sessions", body))["session"]["id"])

    async def _made(self, path: str, body: object = None) -> dict[str, Any]:
        answer = await self._caller.surely("prepare", "POST", path, token=self._account.token, body=body)
        if not answer.ok:
            raise RuntimeError(f"POST {path} was answered {answer.call.status} {answer.call.code}")
        return dict(answer.data or {})


async def _over_and_over(probe: Probe, attempt: Callable[[], Awaitable[bool]]) -> None:
    while True:
        (probe.successes if await attempt() else probe.failures).append(time.time())
        await asyncio.sleep(EVERY)
