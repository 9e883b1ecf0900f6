"""An engine in memory: it starts what it is told to, and can be slow, away, or say nothing of what it did."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.egress.engines.livekit import LiveKitEngine
from shared.clock import Clock
from shared.egress.engine import EgressInfo, EgressOrder, EgressStatus
from shared.errors import BadGateway, Unavailable

START_EXPIRES_AFTER = LiveKitEngine.start_expires_after


class FakeEngine:
    """`begun` are the orders that were really begun.

    It begins, and does not say so, `hides` times; it does not begin, and says nothing, `loses` times. It has
    the problem that it `reports`. As LiveKit does, it goes on listing egresses whose worker is `dead`. Those
    `present` have a participant in their room, which counts if the engine does not list them.
    """

    start_expires_after = START_EXPIRES_AFTER
    checked_every = timedelta(seconds=8)
    keeps_records = True

    def __init__(self, clock: Clock):
        self.begun: list[EgressOrder] = []
        self.asked: list[str] = []
        self.stopped: list[str] = []
        self.egresses: dict[str, EgressInfo] = {}
        self.remade: list[str] = []
        self.dead: set[str] = set()
        self.present: set[str] = set()
        self.reports: str | None = None
        self.away = False
        self.hides = 0
        self.loses = 0
        self.refuses = False
        self.go = asyncio.Event()
        self.go.set()
        self.reached = asyncio.Event()
        self._clock = clock

    async def start(self, order: EgressOrder) -> str:
        self.asked.append(order.key)
        if self.away:
            raise Unavailable("away")
        if self.refuses:
            raise BadGateway("no such layout")
        if self.loses:
            self.loses -= 1
            raise Unavailable("no answer, and nothing was begun")
        self.reached.set()
        egress_id = self.begin(order)
        await self.go.wait()
        if self.hides:
            self.hides -= 1
            raise Unavailable("no answer, but it was begun")
        return egress_id

    def begin(self, order: EgressOrder) -> str:
        egress_id = f"EG_{len(self.begun):04d}"
        self.begun.append(order)
        self.egresses[egress_id] = EgressInfo(
            egress_id=egress_id,
            session_id=order.session_id,
            key=order.key,
            status=EgressStatus.STARTING,
            error=None,
            started_at=self._clock.now(),
            ended_at=None,
        )
        return egress_id

    async def stop(self, egress_id: str) -> None:
        if self.away or egress_id in self.dead:
            raise Unavailable("away")
        self.stopped.append(egress_id)

    async def list(self, session_id: str) -> Sequence[EgressInfo]:
        if self.away:
            raise Unavailable("away")
        return [one for one in self.egresses.values() if one.session_id == session_id]

    async def list_running(self) -> Sequence[EgressInfo]:
        if self.away:
            raise Unavailable("away")
        return [one for one in self.egresses.values() if not one.status.over]

    async def answers(
        self, egress_id: str, session_id: str, status: EgressStatus, *, by_presence: bool = True
    ) -> bool | None:
        """LiveKit asks the worker; our own engine knows of none that is dead."""
        if self.away:
            raise Unavailable("away")
        if self.keeps_records:
            return None
        if egress_id not in self.egresses:
            return by_presence and egress_id in self.present
        return egress_id not in self.dead

    async def problem(self, *, starting: bool) -> str | None:
        return self.reports

    async def remake(self, key: str) -> bool:
        self.remade.append(key)
        return True

    def be(self, egress_id: str, status: EgressStatus, error: str | None = None) -> EgressInfo:
        """It goes on; nobody is told."""
        ended_at: datetime | None = self._clock.now() if status.over else None
        changed = replace(self.egresses[egress_id], status=status, error=error, ended_at=ended_at)
        self.egresses[egress_id] = changed
        return changed

    @property
    def running(self) -> Sequence[str]:
        """The keys of those that are not over, and that nobody has stopped."""
        return [
            str(one.key)
            for one in self.egresses.values()
            if not one.status.over and one.egress_id not in self.stopped
        ]
