"""The attendance service without its doors: everything behind them, on the database given."""

import asyncio
from collections.abc import Sequence

from services.attendance.attendances.repository import AttendanceRepository
from services.attendance.audiences.changes import Changes
from services.attendance.audiences.derivation import Derivation
from services.attendance.audiences.marks import MarkRepository
from services.attendance.audiences.repository import AudienceRepository
from services.attendance.audiences.ticker import Ticker
from services.attendance.presence import consumers
from services.attendance.presence.leaves import LeaveRepository
from services.attendance.presence.repository import PresenceRepository
from services.attendance.presence.service import PresenceService
from services.attendance.reports.schemas import AttendanceListResponse, AttendanceQuery
from services.attendance.reports.service import ReportService
from services.attendance.sessions.repository import SessionRepository
from services.attendance.sessions.service import SessionViews
from services.attendance.users.repository import UserRepository
from services.attendance.users.service import UserViews
from shared.contracts.attendance_events import ViewersCounted
from shared.contracts.event import Event
from shared.contracts.session_events import SessionStarted
from shared.contracts.states import SessionState
from shared.errors import Unavailable
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.testing.fake_clock import FakeClock
from shared.testing.memory_bus import MemoryBus
from tests.unit.attendance.events import T0, envelope, host


class FakeOwner:
    """The session service's answers; `away` while it does not give any."""

    def __init__(self) -> None:
        self.sessions: dict[str, SessionState] = {}
        self.asked: list[str] = []
        self.away = False

    async def ask(self, session_id: str) -> SessionState | None:
        self.asked.append(session_id)
        if self.away:
            raise Unavailable("away")
        return self.sessions.get(session_id)


class World:
    """One replica; give two the same `mongo` and `clock` to have them share the work."""

    def __init__(self, mongo: Mongo, *, replica: str = "one", clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock(T0)
        self.bus = MemoryBus()
        self.outbox = Outbox(self.bus, self.clock, source="/greenroom/attendance")
        self.owner = FakeOwner()
        turns = asyncio.Lock()
        self.sessions = SessionRepository(mongo)
        self.users = UserRepository(mongo)
        self.presences = PresenceRepository(mongo, turns)
        self.attendances = AttendanceRepository(mongo, turns)
        self.audiences = AudienceRepository(mongo, self.outbox, self.clock)
        self.leaves = LeaveRepository(mongo, self.outbox, self.clock)
        self.marks = MarkRepository(mongo)
        self.changes = Changes(self.marks, self.clock, replica)
        self.views = SessionViews(self.sessions, self.presences, self.owner, self.changes)
        self.presence = PresenceService(self.presences, self.leaves, self.views, self.changes, self.clock)
        self.derivation = Derivation(
            self.sessions, self.presences, self.attendances, self.audiences, self.leaves
        )
        self.ticker = Ticker(self.changes, self.derivation, period=0.05, adopt_after=5)
        self.reports = ReportService(
            self.views, self.presences, self.attendances, self.audiences, self.users, self.clock
        )
        self.user_views = UserViews(self.users)
        self.group = consumers.group(self.views, self.presence)

    async def ensure_indexes(self) -> None:
        stores = (self.sessions, self.users, self.presences, self.attendances, self.audiences, self.marks)
        for store in (*stores, self.leaves):
            await store.ensure_indexes()

    async def see(self, *events: Event) -> None:
        """Handle the events as one batch, and recompute."""
        await self.handle(events)
        await self.ticker.tick()

    async def handle(self, events: Sequence[Event]) -> None:
        await self.group.handle([envelope(event) for event in events])

    async def go_live(self, state: SessionState) -> None:
        await self.see(SessionStarted(session=state))

    async def told(self) -> list[ViewersCounted]:
        """Every count published so far."""
        await self.outbox.publish_once()
        return [one.event for one in self.bus.published if isinstance(one.event, ViewersCounted)]

    async def report(self, session_id: str, **query: object) -> AttendanceListResponse:
        return await self.reports.list(session_id, host(), None, AttendanceQuery.model_validate(query))
