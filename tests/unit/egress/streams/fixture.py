"""Streams and recordings without doors: everything behind them, on an engine and a storage in memory."""

from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from services.egress.app import media_options
from services.egress.drift.periodic_checks import PeriodicChecks
from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.repository import EgressRepository
from services.egress.engines.livekit import LiveKitEngine
from services.egress.reconciler.build import ReconcilerParts
from services.egress.recordings.domain import Recording
from services.egress.recordings.repository import RecordingRepository
from services.egress.settings import EgressSettings
from services.egress.streams.domain import Stream
from services.egress.streams.repository import StreamRepository
from services.egress.streams_and_recordings import Backends, StreamsAndRecordings
from shared.access.identity import Caller
from shared.contracts.event import Event
from shared.contracts.livekit_events import EgressEnded, EgressUpdated, FileResult, TrackPublished
from shared.contracts.session_events import SessionEnded, SessionEvent, SessionStarted, SessionUpdated
from shared.contracts.states import SessionState, SessionStatus, StreamRequest, UserRole
from shared.contracts.stream_and_recording_events import RecordingEvent, StreamChanged
from shared.egress.engine import EgressInfo, EgressStatus, Engine
from shared.egress.keys import file_key, key_of, segments_prefix
from shared.egress.segments import Segment, SegmentRepository
from shared.files.storage import Storage
from shared.http.idempotency import Reservation
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.rotating_secret import RotatingSecret
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_livekit import FakeLiveKit
from tests.fakes.fake_session_owner import FakeSessionOwner
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.egress.reconciler.builders import T0, state
from tests.unit.egress.streams.fakes import FakeEngine

SECRET = "a secret that tests share with nobody"
SIGNING = RotatingSecret(SECRET)


class Replica:
    """One replica; give two the same parts to have them share the work."""

    def __init__(
        self,
        like: "Replica | None" = None,
        *,
        mongo: Mongo | None = None,
        engine: Engine | None = None,
        keeps_records: bool = True,
        **settings: Any,
    ) -> None:
        self.mongo: Mongo = like.mongo if like else mongo or memory_mongo()
        self.clock: FakeClock = like.clock if like else FakeClock(T0)
        self.livekit = FakeLiveKit(self.clock)
        self.owner: FakeSessionOwner = like.owner if like else FakeSessionOwner()
        self.bus = MemoryBus(clock=self.clock)
        self.engine: FakeEngine = like.engine if like else FakeEngine(self.clock)
        self.engine.keeps_records = keeps_records
        if not keeps_records:
            self.engine.checked_every = LiveKitEngine.checked_every
        self.storage: Storage = like.storage if like else Storage.from_url("memory:")
        self.outbox = Outbox(self.bus, self.clock, source="/greenroom/egress")
        self.reconciler = ReconcilerParts(
            self.livekit, self.mongo, self.outbox, self.owner, self.clock, timedelta(seconds=10)
        )
        given = EgressSettings(
            internal_secret=SecretStr(SECRET), public_url="https://live.example", **settings
        )
        backends = Backends(livekit=self.livekit, storage=self.storage, mongo=self.mongo, outbox=self.outbox)
        sessions, ledger = self.reconciler.sessions, self.reconciler.ledger
        self.parts = StreamsAndRecordings(
            media_options(given),
            backends,
            engine or self.engine,
            self.livekit,
            sessions,
            ledger,
            self.clock,
        )
        self.checks = PeriodicChecks(
            self.parts.checks,
            self.reconciler.lease,
            self.reconciler.ledger,
            self.clock,
            period=timedelta(seconds=10),
        )
        self.egresses = EgressRepository(self.mongo, self.outbox, self.clock)
        self.streams = StreamRepository(self.mongo, self.outbox, self.clock)
        self.recordings = RecordingRepository(self.mongo, self.outbox, self.clock)
        self.segments = SegmentRepository(self.mongo)

    async def ensure_indexes(self) -> None:
        for store in (*self.reconciler.stores, *self.parts.stores):
            await store.ensure_indexes()

    async def follow(self, event: SessionEvent) -> None:
        self.owner.sessions[event.session.id] = event.session
        await self.parts.streams.follow(event)

    async def go_live(self, *, stream: bool = True, record: bool = False, **given: Any) -> SessionState:
        wish = StreamRequest(wanted=stream, record=record, attempt=1 if stream else 0)
        session = state(stream=wish, listed=True, **given)
        await self.livekit.create_room(session.id, empty_timeout=60, departure_timeout=60)
        await self.follow(SessionStarted(session=session))
        return session

    async def again(self, session: SessionState, *, record: bool | None = None) -> SessionState:
        """The stream is asked for once more, with a recording, without one, or as before."""
        newest = self.owner.sessions[session.id]
        asked = newest.stream.record if record is None else record
        update = {"wanted": True, "record": asked, "attempt": newest.stream.attempt + 1}
        wish = newest.stream.model_copy(update=update)
        changed = newest.model_copy(update={"version": newest.version + 1, "stream": wish})
        await self.follow(SessionUpdated(session=changed))
        return changed

    async def end(self, session: SessionState) -> None:
        newest = self.owner.sessions[session.id]
        update = {"version": newest.version + 1, "status": SessionStatus.ENDED}
        await self.follow(SessionEnded(session=newest.model_copy(update=update)))

    async def work(self, seconds: float = 0) -> None:
        """All that is due now, and whatever becomes due while so much time goes by."""
        await self._settle()
        passed = 0.0
        while passed < seconds:
            self.clock.advance(seconds=0.5)
            passed += 0.5
            await self._settle()

    async def go_round(self, seconds: float) -> None:
        """PeriodicChecks of the reconciler every two seconds, with no worker between them."""
        for _ in range(int(seconds / 2)):
            await self.reconciler.lease.run_once()
            await self.checks.run_once()
            self.clock.advance(seconds=2)
        await self.reconciler.lease.run_once()
        await self.checks.run_once()

    async def repaired(self) -> list[tuple[str, str, str]]:
        """The drift ledger, the oldest first: kind, believed, observed."""
        entries, _ = await self.reconciler.ledger.list_newest()
        return [(one.kind, one.believed, one.observed) for one in reversed(entries)]

    async def _settle(self) -> None:
        for _ in range(10):
            if not await self.egresses.due(self.clock.now(), 100):
                return
            await self.parts.worker.run_once()

    async def stream(self, session: SessionState) -> Stream:
        return await self.streams.get(session.id)

    async def planned(self, session: SessionState) -> list[PlannedEgress]:
        return await self.egresses.of_session(session.id)

    async def active(self, egress_id: str = "EG_0000") -> EgressInfo:
        """The engine says that it runs."""
        seen = self.engine.be(egress_id, EgressStatus.ACTIVE)
        await self.parts.egresses.follow(EgressUpdated(**_told(seen), occurred_at=self.clock.now()))
        await self.work()
        return seen

    async def ended(
        self,
        egress_id: str = "EG_0000",
        status: EgressStatus = EgressStatus.COMPLETE,
        error: str | None = None,
        **told: Any,
    ) -> None:
        """The engine says that it is over."""
        seen = self.engine.be(egress_id, status, error)
        await self.parts.egresses.follow(EgressEnded(**_told(seen), occurred_at=self.clock.now(), **told))
        await self.work()

    async def complete(self, egress_id: str, content: bytes = b"moov", duration: float = 12.4) -> None:
        """It ends with its file stored."""
        info = self.engine.egresses[egress_id]
        path = file_key(info.session_id, str(info.key))
        await self.storage.put(path, content)
        await self.storage.put(f"{path}.jpg", b"jpeg")
        await self.ended(egress_id, files=(FileResult(filename=path, size=len(content), duration=duration),))

    async def track(self, session: SessionState) -> None:
        """The host publishes a track."""
        event = TrackPublished(
            session_id=session.id,
            occurred_at=self.clock.now(),
            participant_sid="PA_1",
            identity=f"{session.host_id}:phone",
            user_id=session.host_id,
            track_sid=f"TR_{new_id()}",
            type="video",
            source="camera",
        )
        await self.parts.streams.revive(event)

    async def segment(self, session: SessionState, key: str, n: int, **given: Any) -> Segment:
        """Another segment is stored."""
        epoch = given.get("epoch", 1)
        path = f"{segments_prefix(session.id, key)}/{epoch}/{n:06d}.ts"
        segment = Segment(
            **{
                "key": key,
                "session_id": session.id,
                "epoch": epoch,
                "n": n,
                "path": path,
                "starts_at": self.clock.now(),
                "duration": 2.0,
                "size": 100_000,
            }
            | given
        )
        await self.storage.put(segment.path, f"segment {epoch}/{n}".encode())
        await self.segments.add_many([segment])
        return segment

    async def told(self) -> list[Event]:
        await self.outbox.publish_once()
        await self.outbox.clear_once()
        # The repositories of the tests relay the same collections once more.
        return list({envelope.id: envelope.event for envelope in self.bus.published}.values())

    async def stream_events(self) -> list[StreamChanged]:
        return [one for one in await self.told() if isinstance(one, StreamChanged)]

    async def recording_events(self) -> list[RecordingEvent]:
        return [one for one in await self.told() if isinstance(one, RecordingEvent)]

    async def record(self, session: SessionState, id: str | None = None) -> Recording:
        """The host starts a recording."""
        reservation = Reservation.fresh()
        made = await self.parts.recordings.start(reservation, session.id, host_of(session))
        return await self.recordings.get(made.id)


def host_of(session: SessionState, **given: Any) -> Caller:
    fields: dict[str, Any] = {
        "user_id": session.host_id,
        "sign_in_id": "s",
        "organization_id": session.organization_id,
        "role": UserRole.HOST,
        "username": "Hanna",
    }
    return Caller(**(fields | given))


def key_for(recording: Recording) -> str:
    return key_of(recording.id)


def _told(seen: EgressInfo) -> dict[str, Any]:
    return {
        "session_id": seen.session_id,
        "egress_id": seen.egress_id,
        "egress_key": seen.key,
        "status": seen.status.value,
        "error": seen.error,
        "started_at": seen.started_at,
        "ended_at": seen.ended_at,
    }
