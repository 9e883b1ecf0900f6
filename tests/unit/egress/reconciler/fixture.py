"""The reconciler without doors: everything behind them, on the database given and a clock that tests turn."""

from datetime import timedelta

from services.egress.drift.domain import DriftEntry, Kind
from services.egress.ingest.repository import IngestRepository
from services.egress.reconciler.build import ReconcilerParts
from services.egress.reconciler.room_check import RoomRules
from shared.access.revocations import Revocations
from shared.access.room_permissions import revoked_by
from shared.contracts.event import Event
from shared.contracts.livekit_events import ParticipantEvent
from shared.contracts.reconciler_events import DriftRepaired, LiveKitRoomLost, RosterObserved
from shared.contracts.session_events import SessionDeleted, SessionEnded, SessionEvent, SessionStarted
from shared.contracts.states import Role, SessionState
from shared.livekit import LiveKitParticipant
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_livekit import FakeLiveKit
from tests.fakes.fake_session_owner import FakeSessionOwner
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.egress.reconciler.builders import HOST, T0, VIEWER, ended, grant

PERIOD = timedelta(seconds=10)


class Replica:
    """One replica; give two the same parts to have them share the work."""

    def __init__(self, mongo: Mongo | None = None, like: "Replica | None" = None) -> None:
        self.mongo: Mongo = like.mongo if like else mongo or memory_mongo()
        self.clock: FakeClock = like.clock if like else FakeClock(T0)
        self.livekit: FakeLiveKit = like.livekit if like else FakeLiveKit(self.clock)
        self.owner: FakeSessionOwner = like.owner if like else FakeSessionOwner()
        self.bus: MemoryBus = like.bus if like else MemoryBus(clock=self.clock)
        self.outbox = Outbox(self.bus, self.clock, source="/greenroom/egress")
        self.ingests = IngestRepository(self.mongo, self.clock)
        self.revocations = Revocations(self.clock)
        self.parts = ReconcilerParts(
            self.livekit,
            self.mongo,
            self.outbox,
            self.owner,
            self.clock,
            PERIOD,
            steady=self._steady,
            rules=RoomRules(self.ingests.awaits_encoder, revoked_by(self.revocations)),
        )

    def _steady(self) -> float:
        return self.clock.now().timestamp()

    async def ensure_indexes(self) -> None:
        for store in self.parts.stores:
            await store.ensure_indexes()

    async def go_live(self, session: SessionState) -> None:
        """As the session service does: first the room, then the state."""
        await self.livekit.create_room(session.id, empty_timeout=60, departure_timeout=60)
        await self.follow(SessionStarted(session=session))

    async def end(self, session: SessionState) -> None:
        """The state only: its room stays."""
        await self.follow(SessionEnded(session=ended(session)))

    async def follow(self, event: SessionEvent) -> None:
        self.owner.sessions[event.session.id] = event.session
        if isinstance(event, SessionDeleted):
            del self.owner.sessions[event.session.id]
        await self.parts.sessions.follow(event)

    async def hear(self, *events: ParticipantEvent) -> None:
        await self.parts.connections.follow(events)

    def host(self, session: SessionState) -> LiveKitParticipant:
        """The host connects."""
        return self.livekit.connect(grant(session, HOST, Role.HOST))

    def viewer(
        self, session: SessionState, user: str = VIEWER, role: Role = Role.AUDIENCE
    ) -> LiveKitParticipant:
        """Somebody connects with a token for this role."""
        return self.livekit.connect(grant(session, user, role))

    async def work(self, seconds: float = 1) -> None:
        """Let time pass, second by second, with whatever the replica finds to do in it."""
        passed = 0.0
        while passed < seconds:
            self.clock.advance(seconds=1)
            passed += 1
            await self.parts.lease.run_once()
            await self.parts.reconciler.run_once()

    async def told(self) -> list[Event]:
        await self.outbox.publish_once()
        await self.outbox.clear_once()
        return [envelope.event for envelope in self.bus.published]

    async def rosters(self, session: SessionState) -> list[RosterObserved]:
        told = await self.told()
        return [one for one in told if isinstance(one, RosterObserved) and one.key == session.id]

    async def lost(self) -> list[LiveKitRoomLost]:
        return [one for one in await self.told() if isinstance(one, LiveKitRoomLost)]

    async def repaired(self) -> list[DriftRepaired]:
        return [one for one in await self.told() if isinstance(one, DriftRepaired)]

    async def ledger(self) -> list[DriftEntry]:
        """All entries, the newest first."""
        entries, total = await self.parts.ledger.list_newest()
        assert total == len(entries)
        return entries

    async def kinds(self) -> list[Kind]:
        """What was repaired, in the order it was."""
        return [Kind(entry.kind) for entry in reversed(await self.ledger())]
