"""A revocation has all rooms looked at: a few at a time, twice each, and again only where somebody was."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from services.session.enforcement import service
from services.session.enforcement.dirty_sessions import DirtySessions
from services.session.enforcement.revocations import RevocationObserver
from services.session.enforcement.service import Enforcer
from shared.access.permissions import encoder_grant
from shared.access.revocations import Revocations, Revoked
from shared.access.room_permissions import revoked_by
from shared.ids import new_id
from shared.livekit import LiveKitParticipant
from tests.unit.session.actors import Host
from tests.unit.session.backend import Backend

ROOMS = 6
AT_ONCE = 2


class Lists:
    """Counts the lists of each room, and the most that were under way together."""

    def __init__(self, backend: Backend) -> None:
        self._list = backend.livekit.list_participants
        self._now = self.most = 0
        self.of: Counter[str] = Counter()

    async def __call__(self, room: str) -> list[LiveKitParticipant]:
        self.of[room] += 1
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            await asyncio.sleep(0.01)
            return await self._list(room)
        finally:
            self._now -= 1


async def test_all_rooms_are_looked_at_a_few_at_a_time(
    backend: Backend, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_LISTED_AT_ONCE", AT_ONCE)
    monkeypatch.setattr(service, "_RECHECK_DELAYS", (0.05, 0.05))
    sessions = [await host.live_session() for _ in range(ROOMS)]
    lists = Lists(backend)
    monkeypatch.setattr(backend.livekit, "list_participants", lists)
    co_host = new_id()
    backend.livekit.connect(encoder_grant(room=sessions[0].id, identity=f"{co_host}:whip", name=""))
    dirty, revocations = DirtySessions(), Revocations(backend.clock)
    enforcer = Enforcer(backend.sessions, backend.livekit, dirty, revoked_by(revocations))
    observer = RevocationObserver(backend.sessions, dirty)
    revocations.listen(observer.on_revoked)
    backend.clock.advance(seconds=1)
    now = backend.clock.now()
    others = len(asyncio.all_tasks())
    tasks = [asyncio.create_task(enforcer.run()), asyncio.create_task(observer.run())]
    revocations.add([Revoked(id=co_host, at=now, until=now + timedelta(hours=1))])
    expected = {one.id: 2 for one in sessions} | {sessions[0].id: 3}
    async with asyncio.timeout(10):
        while any(lists.of[room] < times for room, times in expected.items()):
            await asyncio.sleep(0.01)
    # Nothing is left to do: no check is queued, and none waits for its time.
    async with asyncio.timeout(10):
        while len(asyncio.all_tasks()) > others + len(tasks):
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert lists.of == expected
    assert lists.most == AT_ONCE
    assert backend.livekit.participants[sessions[0].id] == {}
