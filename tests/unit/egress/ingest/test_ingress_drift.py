"""Ingresses left over, lost, or publishing when nobody told so: brought to the truth and written down."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from google.protobuf.json_format import MessageToJson
from livekit.protocol.ingress import IngressInfo, IngressState
from livekit.protocol.webhook import WebhookEvent

from services.egress.drift.domain import DriftEntry
from services.egress.drift.periodic_checks import PeriodicChecks
from services.egress.ingest.embedded.repository import IngressRepository
from services.egress.ingest.embedded.service import EmbeddedIngresses
from services.egress.ingest.ingress_drift import IngressDriftCheck
from services.egress.ingest.owners import IngestOwners, ingest_group
from services.egress.ingest.service import IngestOrder, IngestService
from services.egress.webhooks.domain import translate
from services.egress.webhooks.service import WebhookRepository
from shared.access.encoders import EncoderOwner
from shared.access.revocations import Revoked
from shared.access.room_permissions import revoked_by
from shared.contracts.event import Envelope
from shared.contracts.livekit_events import IngressEnded, IngressEvent, IngressStarted
from shared.contracts.session_events import SessionCreated, SessionEnded, SessionUpdated
from shared.contracts.states import Role, SessionMode, SessionState, SessionStatus
from shared.errors import NotFound
from shared.ids import new_id
from shared.livekit import Ingress, TokenMint, parse
from shared.livekit.ports import Ingresses
from shared.persistence.outbox import Outbox
from tests.fakes.fake_encoder_owners import FakeEncoderOwners
from tests.unit.egress.reconciler.builders import HOST, ended, state
from tests.unit.egress.reconciler.fixture import Replica

CO_HOST = new_id()
CONTROLLED = state().preset.model_copy(update={"host_add_co_host": True})


class IngestReplica(Replica):
    """A replica with ingests; `embedded`: with our own ingresses instead of LiveKit's."""

    def __init__(self, *, embedded: bool = False) -> None:
        super().__init__()
        self.encoder_owners = FakeEncoderOwners()
        mint = TokenMint("key", "a secret of at least thirty-two bytes", self.clock)
        self.own = EmbeddedIngresses(
            IngressRepository(self.mongo), mint, "rtmp://here/live", self.encoder_owners, self.clock
        )
        self.ingresses: Ingresses = self.own if embedded else self.livekit
        self.service = IngestService(self.ingresses, self.ingests)
        self.owners = IngestOwners(
            self.ingests,
            self.service,
            self.parts.sessions,
            self.encoder_owners,
            self.clock,
            revoked_by(self.revocations),
        )
        self.revocations.listen(self.owners.on_revoked)
        self.outbox = Outbox(self.bus, self.clock, source="/greenroom/egress")
        webhooks = WebhookRepository(self.mongo, self.outbox)
        check = IngressDriftCheck(
            self.ingresses,
            self.ingests,
            self.service,
            self.owners,
            self.parts.sessions,
            webhooks,
            self.clock,
        )
        self.checks = PeriodicChecks(
            [check], self.parts.lease, self.parts.ledger, self.clock, period=timedelta(seconds=10)
        )

    async def session(self, status: SessionStatus = SessionStatus.LIVE) -> tuple[SessionState, Ingress]:
        """One in mode rtmp, with its ingress."""
        session = state(mode=SessionMode.RTMP, status=status)
        await self.follow(SessionCreated(session=session))
        return session, await self.service.ensure(IngestOrder(session.id, HOST, "Hanna"))

    def be(self, ingress: Ingress, status: str, **times: object) -> None:
        """LiveKit says so when it is asked; nobody is told."""
        found = self.livekit.ingresses[ingress.ingress_id]
        self.livekit.ingresses[ingress.ingress_id] = replace(found, status=status, **times)  # type: ignore[arg-type]

    async def hear_of(self, kind: type[IngressEvent], session: SessionState, ingress: Ingress) -> None:
        """A webhook comes through."""
        event = kind(
            session_id=session.id, occurred_at=self.clock.now(), ingress_id=ingress.ingress_id, status=""
        )
        await self.service.follow(event)

    async def go_round(self, seconds: float) -> None:
        for _ in range(int(seconds / 2)):
            await self.parts.lease.run_once()
            await self.checks.run_once()
            self.clock.advance(seconds=2)
        await self.parts.lease.run_once()
        await self.checks.run_once()

    async def heard(self) -> list[IngressEvent]:
        """What everybody heard of ingresses."""
        await self.outbox.publish_once()
        return [one.event for one in self.bus.published if isinstance(one.event, IngressEvent)]

    async def entry(self) -> DriftEntry:
        (entry,), _ = await self.parts.ledger.list_newest()
        return entry


@pytest.fixture
async def replica() -> IngestReplica:
    return IngestReplica()


async def test_what_is_right_is_left_alone(replica: IngestReplica) -> None:
    session, ingress = await replica.session()
    await replica.session(SessionStatus.SCHEDULED)
    await replica.livekit.create_rtmp_ingress("lobby", "u:x", "somebody else's", "X")
    await replica.livekit.create_rtmp_ingress(new_id(), "u:x", "somebody else's", "X")
    replica.be(ingress, "publishing")
    await replica.hear_of(IngressStarted, session, ingress)
    await replica.go_round(60)
    replica.be(ingress, "buffering")
    await replica.go_round(60)
    assert await replica.ledger() == []
    assert len(replica.livekit.ingresses) == 4


async def test_publishing_of_which_no_webhook_told_is_told(replica: IngestReplica) -> None:
    session, ingress = await replica.session(SessionStatus.SCHEDULED)
    since = replica.clock.now()
    replica.be(ingress, "publishing", started_at=since)
    await replica.go_round(10)
    assert await replica.heard() == [], "the webhook may be on its way"
    await replica.go_round(4)
    (told,) = await replica.heard()
    assert isinstance(told, IngressStarted)
    assert (told.session_id, told.ingress_id, told.occurred_at) == (session.id, ingress.ingress_id, since)
    entry = await replica.entry()
    assert (entry.kind, entry.believed, entry.observed, entry.estimated) == (
        "ingress",
        "ingress idle",
        "ingress publishing",
        False,
    )
    await replica.go_round(60)
    assert len(await replica.heard()) == 1


async def test_an_end_of_which_no_webhook_told_is_told(replica: IngestReplica) -> None:
    session, ingress = await replica.session()
    await replica.hear_of(IngressStarted, session, ingress)
    replica.be(ingress, "error")
    await replica.go_round(12)
    (told,) = await replica.heard()
    assert isinstance(told, IngressEnded)
    assert told.status == "error"
    assert (await replica.entry()).estimated, "LiveKit did not say when"


async def test_late_news_do_not_undo_newer_ones(replica: IngestReplica) -> None:
    session, ingress = await replica.session()
    old = IngressStarted(
        session_id=session.id,
        occurred_at=replica.clock.now(),
        ingress_id=ingress.ingress_id,
        status="publishing",
    )
    replica.clock.advance(seconds=1)
    await replica.hear_of(IngressEnded, session, ingress)
    await replica.service.follow(old)
    await replica.go_round(60)
    assert await replica.ledger() == []


async def test_one_that_livekit_lost_is_forgotten_and_made_again_when_it_is_asked_for(
    replica: IngestReplica,
) -> None:
    session, ingress = await replica.session()
    await replica.hear_of(IngressStarted, session, ingress)
    replica.livekit.ingresses.clear()
    await replica.go_round(12)
    entry = await replica.entry()
    assert (entry.kind, entry.believed, entry.observed) == (
        "ingress_lost",
        "ingress publishing",
        "no such ingress",
    )
    (told,) = await replica.heard()
    assert isinstance(told, IngressEnded)
    await replica.go_round(60)
    assert len(await replica.ledger()) == 1
    assert (
        await replica.service.ensure(IngestOrder(session.id, HOST, "Hanna"))
    ).ingress_id != ingress.ingress_id


async def test_one_that_outlived_its_session_is_deleted(replica: IngestReplica) -> None:
    session, ingress = await replica.session()
    await replica.follow(SessionEnded(session=ended(session)))
    await replica.go_round(8)
    assert ingress.ingress_id in replica.livekit.ingresses, "it may be about to go"
    await replica.go_round(4)
    assert replica.livekit.ingresses == {}
    entry = await replica.entry()
    assert (entry.kind, entry.believed, entry.estimated) == ("ingress_leftover", "session over", False)
    await replica.go_round(60)
    assert len(await replica.ledger()) == 1


@pytest.mark.parametrize("known", [True, False])
async def test_one_beside_the_sessions_own_is_deleted(replica: IngestReplica, known: bool) -> None:
    session, ingress = await replica.session()
    room = session.id if known else new_id()
    stray = await replica.livekit.create_rtmp_ingress(room, "u:x", room, "X")
    await replica.go_round(12)
    assert list(replica.livekit.ingresses) == [ingress.ingress_id]
    assert (await replica.entry()).action == f"ingress {stray.ingress_id} deleted"


async def test_one_that_is_just_being_made_is_left_alone(replica: IngestReplica) -> None:
    session = state(mode=SessionMode.RTMP)
    await replica.follow(SessionCreated(session=session))
    await replica.ingests.claim(session.id, None)
    await replica.livekit.create_rtmp_ingress(session.id, "u:x", session.id, "X")
    await replica.go_round(12)
    assert len(replica.livekit.ingresses) == 1
    assert await replica.ledger() == []


async def test_an_encoder_at_our_own_door_is_known_by_the_relays_questions() -> None:
    replica = IngestReplica(embedded=True)
    session, ingress = await replica.session()
    for _ in range(7):
        await replica.own.order(ingress.stream_key)
        await replica.go_round(2)
    (told,) = await replica.heard()
    assert isinstance(told, IngressStarted)
    await replica.go_round(30)
    assert [type(one) for one in await replica.heard()] == [IngressStarted, IngressEnded]
    await replica.follow(SessionEnded(session=ended(session)))
    await replica.go_round(12)
    with pytest.raises(NotFound):
        await replica.own.order(ingress.stream_key)


async def test_an_encoder_that_leaves_our_own_door_is_not_taken_to_be_there_still() -> None:
    replica = IngestReplica(embedded=True)
    session, ingress = await replica.session()
    await replica.hear_of(IngressStarted, session, ingress)
    for _ in range(10):
        await replica.own.order(ingress.stream_key)
        await replica.go_round(2)
    await replica.hear_of(IngressEnded, session, ingress)
    await replica.go_round(60)
    assert await replica.ledger() == []


async def test_what_livekit_ingress_tells_is_heard(replica: IngestReplica) -> None:
    """Its webhooks, written with LiveKit's own definitions, to the belief that rounds compare with."""
    session, ingress = await replica.session()
    heard = ingest_group(replica.service, replica.owners).handlers
    for name, status, publishing in (
        ("ingress_started", IngressState.Status.ENDPOINT_PUBLISHING, True),
        ("ingress_ended", IngressState.Status.ENDPOINT_INACTIVE, False),
        ("ingress_started", IngressState.Status.ENDPOINT_PUBLISHING, True),
        ("ingress_ended", IngressState.Status.ENDPOINT_ERROR, False),
    ):
        replica.clock.advance(seconds=1)
        now = int(replica.clock.now().timestamp() * 1e9)
        info = IngressInfo(ingress_id=ingress.ingress_id, room_name=session.id)
        info.state.CopyFrom(IngressState(status=status, started_at=now, ended_at=now))
        webhook = WebhookEvent(event=name, id="EV_1", created_at=now // 10**9, ingress_info=info)
        event = translate(parse(MessageToJson(webhook).encode()), replica.clock.now())
        assert isinstance(event, IngressEvent)
        assert type(event) in heard
        await replica.service.follow(event)
        known = await replica.ingests.find(session.id)
        assert known is not None
        assert known.publishing is publishing


async def co_hosts(replica: IngestReplica, session: SessionState) -> Ingress:
    return await replica.service.ensure(IngestOrder(session.id, HOST, "Cora", EncoderOwner(CO_HOST)))


async def test_an_ingress_ends_with_its_owners_role(replica: IngestReplica) -> None:
    session, hosts = await replica.session()
    with_co_host = session.model_copy(update={"roles": {CO_HOST: Role.CO_HOST}, "preset": CONTROLLED})
    theirs = await co_hosts(replica, session)
    heard = ingest_group(replica.service, replica.owners).handlers[SessionUpdated]
    envelope = partial(Envelope, id="1", source="/tests", time=replica.clock.now())
    await heard(envelope(event=SessionUpdated(session=with_co_host)))
    assert replica.livekit.ingresses.keys() == {hosts.ingress_id, theirs.ingress_id}
    await heard(envelope(event=SessionUpdated(session=session)))
    assert theirs.ingress_id in replica.livekit.ingresses, "the session service says that they still may"
    replica.encoder_owners.refused.add(EncoderOwner(CO_HOST))
    await heard(envelope(event=SessionUpdated(session=session)))
    assert replica.livekit.ingresses.keys() == {hosts.ingress_id}


async def test_an_ingress_whose_owner_lost_their_role_unheard_is_found(replica: IngestReplica) -> None:
    session, hosts = await replica.session()
    await co_hosts(replica, session)
    replica.encoder_owners.refused.add(EncoderOwner(CO_HOST))
    await replica.go_round(4)
    assert replica.livekit.ingresses.keys() == {hosts.ingress_id}
    [entry] = await replica.ledger()
    assert entry.kind == "ingress_revoked"


@pytest.mark.parametrize("heard", [True, False])
async def test_a_guests_ingress_ends_where_no_guests_are_admitted_any_longer(
    replica: IngestReplica, heard: bool
) -> None:
    """And those of the host and of a registered co-host go on."""
    session, hosts = await replica.session()
    registered = EncoderOwner(new_id())
    roles = {CO_HOST: Role.CO_HOST, registered.user_id: Role.CO_HOST}
    changes = {"roles": roles, "preset": CONTROLLED, "version": session.version + 1}
    session = session.model_copy(update=changes)
    await replica.follow(SessionUpdated(session=session))
    theirs = await replica.service.ensure(IngestOrder(session.id, HOST, "Rita", registered))
    await replica.service.ensure(IngestOrder(session.id, HOST, "Gus", EncoderOwner(CO_HOST), is_guest=True))
    await replica.owners.follow(SessionUpdated(session=session))
    assert len(replica.livekit.ingresses) == 3
    replica.encoder_owners.refused.add(EncoderOwner(CO_HOST))
    closed = session.model_copy(update={"registered_only": True, "version": session.version + 1})
    if heard:
        await replica.owners.follow(SessionUpdated(session=closed))
    else:
        await replica.follow(SessionUpdated(session=closed))
        await replica.go_round(4)
    assert replica.livekit.ingresses.keys() == {hosts.ingress_id, theirs.ingress_id}


@pytest.mark.parametrize("revoked", ["person", "key"])
async def test_an_ingress_ends_with_its_owners_account_or_api_key(
    replica: IngestReplica, revoked: str
) -> None:
    session, hosts = await replica.session()
    owner = EncoderOwner(HOST, new_id())
    await replica.service.ensure(IngestOrder(session.id, HOST, "Hanna", owner))
    others = state(mode=SessionMode.RTMP, host_id=CO_HOST)
    await replica.follow(SessionCreated(session=others))
    kept = await replica.service.ensure(IngestOrder(others.id, CO_HOST, "Cora"))
    replica.encoder_owners.refused |= {owner, None} if revoked == "person" else {owner}
    replica.clock.advance(seconds=1)
    now = replica.clock.now()
    working = asyncio.create_task(replica.owners.run())
    replica.revocations.add(
        [
            Revoked(
                id=HOST if revoked == "person" else str(owner.key_id), at=now, until=now + timedelta(days=1)
            )
        ]
    )
    left = {kept.ingress_id} if revoked == "person" else {kept.ingress_id, hosts.ingress_id}
    async with asyncio.timeout(10):
        while replica.livekit.ingresses.keys() != left:
            await asyncio.sleep(0)
    working.cancel()
