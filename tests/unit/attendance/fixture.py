"""The attendance service without HTTP and RabbitMQ: everything behind them, on the database given."""

from collections.abc import Sequence

from services.attendance.app import AttendanceParts
from services.attendance.recompute.worker import RecomputeWorker
from services.attendance.reports.routes import AttendanceQuery
from services.attendance.reports.service import AttendanceReport
from shared.contracts.attendance_events import ViewersCounted
from shared.contracts.event import Event
from shared.contracts.session_events import SessionStarted
from shared.contracts.states import SessionState
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_session_owner import FakeSessionOwner
from tests.fakes.memory_bus import MemoryBus
from tests.unit.attendance.builders import T0, envelope, host


class Replica(AttendanceParts):
    """One replica; give two the same `mongo` and `clock` to have them share the work."""

    def __init__(self, mongo: Mongo, *, replica: str = "one", clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock(T0)
        self.bus = MemoryBus()
        self.outbox = Outbox(self.bus, self.clock, source="/greenroom/attendance")
        self.owner = FakeSessionOwner()
        super().__init__(mongo, self.outbox, self.owner, self.clock, replica)
        self.worker = RecomputeWorker(self.queue, self.recompute, period=0.05, adopt_after=5)
        self.group = self.groups[0]

    async def ensure_indexes(self) -> None:
        for store in self.stores:
            await store.ensure_indexes()

    async def see(self, *events: Event) -> None:
        """Handle the events as one batch, and recompute."""
        await self.handle(events)
        await self.worker.run_once()

    async def handle(self, events: Sequence[Event]) -> None:
        await self.group.handle([envelope(event) for event in events])

    async def go_live(self, state: SessionState) -> None:
        await self.see(SessionStarted(session=state))

    async def told(self) -> list[ViewersCounted]:
        """Every count published so far."""
        await self.outbox.publish_once()
        return [one.event for one in self.bus.published if isinstance(one.event, ViewersCounted)]

    async def report(self, session_id: str, **given: object) -> AttendanceReport:
        query = AttendanceQuery.model_validate(given)
        return await self.reports.page(session_id, host(), None, query.q, skip=query.skip, limit=query.limit)
