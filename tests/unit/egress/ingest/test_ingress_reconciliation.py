"""Ingresses left over, lost, or publishing when nobody told so: brought to the truth and written down."""

from dataclasses import replace
from datetime import timedelta

import pytest
from google.protobuf.json_format import MessageToJson
from livekit.protocol.ingress import IngressInfo, IngressState
from livekit.protocol.webhook import WebhookEvent

from services.egress.drift.domain import DriftEntry
from services.egress.drift.periodic_checks import PeriodicChecks
from services.egress.ingest.embedded.repository import IngressRepository
from services.egress.ingest.embedded.service import EmbeddedIngresses
from services.egress.ingest.ingress_reconciliation import IngressReconciliation
from services.egress.ingest.repository import IngestRepository
from services.egress.ingest.service import IngestService, ingest_group
from services.egress.webhooks.domain import translate
from services.egress.webhooks.repository import WebhookRepository
from shared.contracts.livekit_events import IngressEnded, IngressEvent, IngressStarted
from shared.contracts.session_events import SessionCreated, SessionEnded
from shared.contracts.states import SessionMode, SessionState, SessionStatus
from shared.errors import NotFound
from shared.ids import new_id
from shared.livekit import Ingress, TokenMint, parse
from shared.livekit.ports import Ingresses
from shared.persistence.outbox import Outbox
from tests.unit.egress.reconciler.builders import HOST, ended, state
from tests.unit.egress.reconciler.fixture import House


class Door(House):
    """The reconciler's house with ingests; `embedded` has our own ingresses in the place of LiveKit's."""

    def __init__(self, *, embedded: bool = False) -> None:
        super().__init__()
        self.ingests = IngestRepository(self.mongo, self.clock)
        mint = TokenMint("key", "a secret of at least thirty-two bytes", self.clock)
        self.own = EmbeddedIngresses(
            IngressRepository(self.mongo), mint, "rtmp://here/live", "ws://livekit", self.clock
        )
        self.ingresses: Ingresses = self.own if embedded else self.livekit
        self.service = IngestService(self.ingresses, self.ingests)
        self.outbox = Outbox(self.bus, self.clock, source="/greenroom/egress")
        webhooks = WebhookRepository(self.mongo, self.outbox)
        check = IngressReconciliation(
            self.ingresses, self.ingests, self.service, self.parts.sessions, webhooks, self.clock
        )
        self.checks = PeriodicChecks(
            [check], self.parts.lease, self.parts.ledger, self.clock, period=timedelta(seconds=10)
        )

    async def session(self, status: SessionStatus = SessionStatus.LIVE) -> tuple[SessionState, Ingress]:
        """One in mode rtmp, with its ingress."""
        session = state(mode=SessionMode.RTMP, status=status)
        await self.follow(SessionCreated(session=session))
        return session, await self.service.ensure(session.id, HOST, "Hanna")

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
            await self.parts.lease.look()
            await self.checks.run_once()
            self.clock.advance(seconds=2)
        await self.parts.lease.look()
        await self.checks.run_once()

    async def heard(self) -> list[IngressEvent]:
        """What everybody heard of ingresses."""
        await self.outbox.publish_once()
        return [one.event for one in self.bus.published if isinstance(one.event, IngressEvent)]

    async def entry(self) -> DriftEntry:
        (entry,), _ = await self.parts.ledger.list_newest()
        return entry


@pytest.fixture
async def door() -> Door:
    return Door()


async def test_what_is_right_is_left_alone(door: Door) -> None:
    session, ingress = await door.session()
    await door.session(SessionStatus.SCHEDULED)
    await door.livekit.create_rtmp_ingress("lobby", "u:x", "somebody else's", "X")
    await door.livekit.create_rtmp_ingress(new_id(), "u:x", "somebody else's", "X")
    door.be(ingress, "publishing")
    await door.hear_of(IngressStarted, session, ingress)
    await door.go_round(60)
    door.be(ingress, "buffering")
    await door.go_round(60)
    assert await door.ledger() == []
    assert len(door.livekit.ingresses) == 4


async def test_publishing_of_which_no_webhook_told_is_told(door: Door) -> None:
    session, ingress = await door.session(SessionStatus.SCHEDULED)
    since = door.clock.now()
    door.be(ingress, "publishing", started_at=since)
    await door.go_round(10)
    assert await door.heard() == [], "the webhook may be on its way"
    await door.go_round(4)
    (told,) = await door.heard()
    assert isinstance(told, IngressStarted)
    assert (told.session_id, told.ingress_id, told.occurred_at) == (session.id, ingress.ingress_id, since)
    entry = await door.entry()
    assert (entry.kind, entry.believed, entry.observed, entry.estimated) == (
        "ingress",
        "ingress idle",
        "ingress publishing",
        False,
    )
    await door.go_round(60)
    assert len(await door.heard()) == 1


async def test_an_end_of_which_no_webhook_told_is_told(door: Door) -> None:
    session, ingress = await door.session()
    await door.hear_of(IngressStarted, session, ingress)
    door.be(ingress, "error")
    await door.go_round(12)
    (told,) = await door.heard()
    assert isinstance(told, IngressEnded)
    assert told.status == "error"
    assert (await door.entry()).estimated, "LiveKit did not say when"


async def test_late_news_do_not_undo_newer_ones(door: Door) -> None:
    session, ingress = await door.session()
    old = IngressStarted(
        session_id=session.id,
        occurred_at=door.clock.now(),
        ingress_id=ingress.ingress_id,
        status="publishing",
    )
    door.clock.advance(seconds=1)
    await door.hear_of(IngressEnded, session, ingress)
    await door.service.follow(old)
    await door.go_round(60)
    assert await door.ledger() == []


async def test_one_that_livekit_lost_is_forgotten_and_made_again_when_it_is_asked_for(door: Door) -> None:
    session, ingress = await door.session()
    await door.hear_of(IngressStarted, session, ingress)
    door.livekit.ingresses.clear()
    await door.go_round(12)
    entry = await door.entry()
    assert (entry.kind, entry.believed, entry.observed) == (
        "ingress_lost",
        "ingress publishing",
        "no such ingress",
    )
    (told,) = await door.heard()
    assert isinstance(told, IngressEnded)
    await door.go_round(60)
    assert len(await door.ledger()) == 1
    assert (await door.service.ensure(session.id, HOST, "Hanna")).ingress_id != ingress.ingress_id


async def test_one_that_outlived_its_session_is_deleted(door: Door) -> None:
    session, ingress = await door.session()
    await door.follow(SessionEnded(session=ended(session)))
    await door.go_round(8)
    assert ingress.ingress_id in door.livekit.ingresses, "it may be about to go"
    await door.go_round(4)
    assert door.livekit.ingresses == {}
    entry = await door.entry()
    assert (entry.kind, entry.believed, entry.estimated) == ("ingress_leftover", "session over", False)
    await door.go_round(60)
    assert len(await door.ledger()) == 1


@pytest.mark.parametrize("known", [True, False])
async def test_one_beside_the_sessions_own_is_deleted(door: Door, known: bool) -> None:
    session, ingress = await door.session()
    room = session.id if known else new_id()
    stray = await door.livekit.create_rtmp_ingress(room, "u:x", room, "X")
    await door.go_round(12)
    assert list(door.livekit.ingresses) == [ingress.ingress_id]
    assert (await door.entry()).action == f"ingress {stray.ingress_id} deleted"


async def test_one_that_is_just_being_made_is_left_alone(door: Door) -> None:
    session = state(mode=SessionMode.RTMP)
    await door.follow(SessionCreated(session=session))
    await door.ingests.claim(session.id, None)
    await door.livekit.create_rtmp_ingress(session.id, "u:x", session.id, "X")
    await door.go_round(12)
    assert len(door.livekit.ingresses) == 1
    assert await door.ledger() == []


async def test_an_encoder_at_our_own_door_is_known_by_the_relays_questions() -> None:
    door = Door(embedded=True)
    session, ingress = await door.session()
    for _ in range(7):
        await door.own.order(ingress.stream_key)
        await door.go_round(2)
    (told,) = await door.heard()
    assert isinstance(told, IngressStarted)
    await door.go_round(30)
    assert [type(one) for one in await door.heard()] == [IngressStarted, IngressEnded]
    await door.follow(SessionEnded(session=ended(session)))
    await door.go_round(12)
    with pytest.raises(NotFound):
        await door.own.order(ingress.stream_key)


async def test_an_encoder_that_leaves_our_own_door_is_not_taken_to_be_there_still() -> None:
    door = Door(embedded=True)
    session, ingress = await door.session()
    await door.hear_of(IngressStarted, session, ingress)
    for _ in range(10):
        await door.own.order(ingress.stream_key)
        await door.go_round(2)
    await door.hear_of(IngressEnded, session, ingress)
    await door.go_round(60)
    assert await door.ledger() == []


async def test_what_livekit_ingress_tells_is_heard(door: Door) -> None:
    """Its webhooks, written with LiveKit's own definitions, to the belief that rounds compare with."""
    session, ingress = await door.session()
    heard = ingest_group(door.service).handlers
    for name, status, publishing in (
        ("ingress_started", IngressState.Status.ENDPOINT_PUBLISHING, True),
        ("ingress_ended", IngressState.Status.ENDPOINT_INACTIVE, False),
        ("ingress_started", IngressState.Status.ENDPOINT_PUBLISHING, True),
        ("ingress_ended", IngressState.Status.ENDPOINT_ERROR, False),
    ):
        door.clock.advance(seconds=1)
        now = int(door.clock.now().timestamp() * 1e9)
        info = IngressInfo(ingress_id=ingress.ingress_id, room_name=session.id)
        info.state.CopyFrom(IngressState(status=status, started_at=now, ended_at=now))
        webhook = WebhookEvent(event=name, id="EV_1", created_at=now // 10**9, ingress_info=info)
        event = translate(parse(MessageToJson(webhook).encode()), door.clock.now())
        assert isinstance(event, IngressEvent)
        assert type(event) in heard
        await door.service.follow(event)
        known = await door.ingests.find(session.id)
        assert known is not None
        assert known.publishing is publishing
