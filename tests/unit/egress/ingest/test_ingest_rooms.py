"""The room is open as soon as its ingest is: LiveKit Ingress joins it before it reports an encoder."""

from datetime import timedelta

import pytest

from services.egress.drift.periodic_checks import PeriodicChecks
from services.egress.ingest.ingress_drift import IngressDriftCheck
from services.egress.ingest.owners import IngestOwners
from services.egress.ingest.rooms import IngestRooms, IngressesInRooms
from services.egress.ingest.service import IngestOrder, IngestService
from services.egress.webhooks.service import WebhookRepository
from shared.contracts.livekit_events import IngressEnded
from shared.contracts.session_events import SessionCreated
from shared.contracts.states import SessionMode, SessionState, SessionStatus
from shared.errors import Unavailable
from shared.livekit import Ingress
from tests.fakes.fake_encoder_owners import FakeEncoderOwners
from tests.unit.egress.reconciler.builders import HOST, ended, state
from tests.unit.egress.reconciler.fixture import Replica


class LiveKitIngestReplica(Replica):
    """A replica with LiveKit Ingress, and with the reconciler that closes rooms nobody needs."""

    def __init__(self) -> None:
        super().__init__()
        rooms = IngestRooms(self.livekit, self.ingests, self.parts.sessions)
        self.service = IngestService(self.livekit, self.ingests, open_room=rooms.open)
        self.checks = PeriodicChecks(
            [rooms], self.parts.lease, self.parts.ledger, self.clock, period=timedelta(seconds=10)
        )

    async def scheduled(self) -> tuple[SessionState, Ingress]:
        """One whose stream key is asked for before it begins."""
        session = state(mode=SessionMode.RTMP, status=SessionStatus.SCHEDULED)
        await self.follow(SessionCreated(session=session))
        return session, await self.service.renew(IngestOrder(session.id, HOST, "Hanna"))

    async def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            await self.work(1)
            await self.checks.run_once()


@pytest.fixture
async def replica() -> LiveKitIngestReplica:
    replica = LiveKitIngestReplica()
    await replica.ensure_indexes()
    return replica


async def test_an_encoder_that_comes_first_of_all_gets_into_its_room(replica: LiveKitIngestReplica) -> None:
    _, ingress = await replica.scheduled()
    assert replica.livekit.publish_from(ingress).kind == "ingress"


async def test_the_room_waits_for_an_encoder_that_comes_an_hour_later(replica: LiveKitIngestReplica) -> None:
    session, ingress = await replica.scheduled()
    await replica.pass_time(120)
    assert session.id in replica.livekit.rooms
    assert await replica.ledger() == []
    assert replica.livekit.publish_from(ingress)


async def test_a_room_that_livekit_lost_is_opened_again(replica: LiveKitIngestReplica) -> None:
    session, ingress = await replica.scheduled()
    await replica.livekit.delete_room(session.id)
    with pytest.raises(KeyError):
        replica.livekit.publish_from(ingress)
    await replica.pass_time(15)
    assert replica.livekit.publish_from(ingress)
    assert [entry.kind for entry in await replica.ledger()] == ["ingress_room"]


async def test_once_its_session_is_over_the_room_is_closed_for_good(replica: LiveKitIngestReplica) -> None:
    session, _ = await replica.scheduled()
    await replica.end(session)
    await replica.service.close(session.id, remember=True)
    await replica.pass_time(60)
    assert replica.livekit.rooms == {}


async def test_a_live_session_that_lost_its_room_is_left_to_the_reconciler(
    replica: LiveKitIngestReplica,
) -> None:
    session, _ = await replica.scheduled()
    live = session.model_copy(update={"status": SessionStatus.LIVE, "version": session.version + 1})
    await replica.follow(SessionCreated(session=live))
    await replica.livekit.delete_room(session.id)
    await replica.pass_time(15)
    assert session.id not in replica.livekit.rooms
    assert ended(live).id in [one.session_id for one in await replica.lost()]


async def test_an_ingress_whose_worker_died_publishes_no_longer(replica: LiveKitIngestReplica) -> None:
    """LiveKit goes on listing what the worker last reported."""
    session, ingress = await replica.scheduled()
    replica.livekit.publish_from(ingress)
    ingresses = IngressesInRooms(replica.livekit)
    assert [one.status for one in await ingresses.list_ingresses(session.id)] == ["publishing"]
    replica.livekit.kill_ingress(ingress)
    assert [one.status for one in await replica.livekit.list_ingresses(session.id)] == ["publishing"]
    assert [one.status for one in await ingresses.list_ingresses(session.id)] == ["inactive"]


async def test_the_end_of_a_dead_ingress_is_reported(replica: LiveKitIngestReplica) -> None:
    session, ingress = await replica.scheduled()
    webhooks = WebhookRepository(replica.mongo, replica.outbox)
    check = IngressDriftCheck(
        IngressesInRooms(replica.livekit),
        replica.ingests,
        replica.service,
        IngestOwners(
            replica.ingests, replica.service, replica.parts.sessions, FakeEncoderOwners(), replica.clock
        ),
        replica.parts.sessions,
        webhooks,
        replica.clock,
    )
    replica.checks = PeriodicChecks(
        [check], replica.parts.lease, replica.parts.ledger, replica.clock, period=timedelta(seconds=10)
    )
    replica.livekit.publish_from(ingress)
    await replica.ingests.apply(session.id, ingress.ingress_id, replica.clock.now(), publishing=True)
    await replica.pass_time(30)
    assert await replica.ledger() == []
    replica.livekit.kill_ingress(ingress)
    await replica.pass_time(15)
    [entry] = await replica.ledger()
    assert (entry.kind, entry.observed) == ("ingress", "ingress inactive")
    [ended] = [one for one in await replica.told() if isinstance(one, IngressEnded)]
    assert (ended.session_id, ended.ingress_id) == (session.id, ingress.ingress_id)


async def test_without_a_room_there_is_no_ingest(replica: LiveKitIngestReplica) -> None:
    replica.livekit.down()
    with pytest.raises(Unavailable):
        await replica.scheduled()
    replica.livekit.up()
    assert replica.livekit.ingresses == {}


async def test_a_renewal_does_not_adopt_what_it_has_just_deleted(
    replica: LiveKitIngestReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiveKit lists an ingress for a moment after it was deleted."""
    session, first = await replica.scheduled()

    async def deleted_later(ingress_id: str) -> None:
        replica.livekit.calls.append(f"delete {ingress_id}")

    monkeypatch.setattr(replica.livekit, "delete_ingress", deleted_later)
    second = await replica.service.renew(IngestOrder(session.id, HOST, "Hanna"))
    assert f"delete {first.ingress_id}" in replica.livekit.calls
    assert second.stream_key != first.stream_key
