"""So many requests a second, whatever becomes of each: reads of every service, and writes with a key."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shared.ids import new_id
from tests.chaos.caller import Answer, Caller
from tests.chaos.load import Account

READ, WRITE = "steady read", "steady write"
# Beyond so many at a time the machine is too slow for the rate, and those that are due are left out: a queue
# of hundreds would only wait for the deadline.
AT_ONCE = 24


@dataclass
class SteadyLoad:
    """`rooms` and `sessions` are the ids of what was acknowledged, by title; `left_out` was never sent.

    No call is repeated: each has to succeed by itself.
    """

    caller: Caller
    accounts: list[Account]
    rate: float
    rng: random.Random
    rooms: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    left_out: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """At work while the block runs; at its end everything is answered."""
        room = await self._room()
        if not room.ok:
            raise RuntimeError(f"POST /rooms was answered {room.call.status} {room.call.code}")
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(group, stopping))
            try:
                yield
            finally:
                stopping.set()

    async def _send(self, group: asyncio.TaskGroup, stopping: asyncio.Event) -> None:
        under_way: set[asyncio.Task[Answer]] = set()
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not stopping.is_set():
            due += 1 / self.rate
            await asyncio.sleep(due - loop.time())
            if len(under_way) >= AT_ONCE:
                self.left_out += 1
                continue
            task = group.create_task(self._one())
            under_way.add(task)
            task.add_done_callback(under_way.discard)

    async def _one(self) -> Answer:
        """Three in four read."""
        kinds: list[tuple[float, Callable[[], Awaitable[Answer]]]] = [
            (0.75, self._read),
            (0.2, self._room),
            (0.05, self._session),
        ]
        weights = [weight for weight, _ in kinds]
        [(_, make)] = self.rng.choices(kinds, weights)
        return await make()

    async def _read(self) -> Answer:
        room = self.rng.choice(list(self.rooms.values())[-200:])
        paths = ["/rooms", "/sessions/live", f"/rooms/{room}"]
        own = [f"/rooms/{room}/sessions", "/rooms/my?limit=5", "/recordings/my", "/streams/my"]
        if self.sessions:
            session = self.rng.choice(list(self.sessions.values())[-200:])
            paths.append(f"/sessions/{session}")
            own += [f"/sessions/{session}/attendance/stats", f"/sessions/{session}/recordings"]
        token = None if self.rng.random() < 0.5 else self.accounts[0].token
        path = self.rng.choice(own if token else paths)
        return await self.caller.once(READ, "GET", path, token=token)

    async def _room(self) -> Answer:
        title = f"Steady {new_id()}"
        answer = await self._write("/rooms", {"title": title})
        if answer.ok:
            self.rooms[title] = answer.data["room"]["id"]
        return answer

    async def _session(self) -> Answer:
        title, room = f"Steady {new_id()}", self.rng.choice(list(self.rooms.values())[-200:])
        body = {"title": title, "preset_id": self.accounts[0].preset_id}
        answer = await self._write(f"/rooms/{room}/sessions", body)
        if answer.ok:
            self.sessions[title] = answer.data["session"]["id"]
        return answer

    async def _write(self, path: str, body: object) -> Answer:
        headers = {"Idempotency-Key": new_id()}
        return await self.caller.once(
            WRITE, "POST", path, token=self.accounts[0].token, body=body, headers=headers
        )
