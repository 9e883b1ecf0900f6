"""Our own ingresses do what LiveKit's do, and tell the relay where the media goes."""

import asyncio
from dataclasses import replace

import jwt
import pytest

from services.egress.ingest.embedded.repository import IngressRepository
from services.egress.ingest.embedded.service import EmbeddedIngresses
from services.egress.ingest.repository import IngestRepository
from services.egress.ingest.service import IngestOrder, IngestService
from shared.access.encoders import EncoderOwner
from shared.errors import NotFound, Unavailable
from shared.ids import new_id
from shared.livekit import TokenMint
from shared.livekit.ports import IngressAudio, IngressInput, IngressVideo
from shared.persistence.mongo import Mongo
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_encoder_owners import FakeEncoderOwners

HOST = new_id()
SECRET = "a secret of at least thirty-two bytes"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def owners() -> FakeEncoderOwners:
    return FakeEncoderOwners()


@pytest.fixture
async def ingresses(mongo: Mongo, clock: FakeClock, owners: FakeEncoderOwners) -> EmbeddedIngresses:
    repository = IngressRepository(mongo)
    await repository.ensure_indexes()
    mint = TokenMint("key", SECRET, clock)
    return EmbeddedIngresses(repository, mint, "rtmp://here/live", owners, clock)


@pytest.fixture
async def ingests(mongo: Mongo, ingresses: EmbeddedIngresses) -> IngestService:
    repository = IngestRepository(mongo, FakeClock())
    await repository.ensure_indexes()
    return IngestService(ingresses, repository)


async def test_a_session_gets_one_ingress_with_a_key_of_its_own(ingests: IngestService) -> None:
    session_id = new_id()
    first = await ingests.ensure(IngestOrder(session_id, HOST, "Ada"))
    assert await ingests.ensure(IngestOrder(session_id, HOST, "Ada")) == first
    other = await ingests.ensure(IngestOrder(new_id(), HOST, "Ada"))
    assert first.url == "rtmp://here/live"
    assert len(first.stream_key) >= 32
    assert first.stream_key != other.stream_key
    assert first.stream_key not in repr(first)


async def test_the_relay_is_told_where_the_media_goes(
    ingests: IngestService, ingresses: EmbeddedIngresses
) -> None:
    session_id = new_id()
    ingress = await ingests.ensure(IngestOrder(session_id, HOST, "Ada"))
    order = await ingresses.order(ingress.stream_key)
    assert order.ingress == ingress
    claims = jwt.decode(
        order.token, SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_nbf": False}
    )
    assert (claims["sub"], claims["name"]) == (f"{HOST}:ingress", "Ada")
    assert (claims["video"]["room"], claims["video"]["canPublish"]) == (session_id, True)
    assert claims["video"]["canSubscribe"] is False
    assert order.token not in repr(order)


async def test_a_key_is_worth_nothing_once_the_session_is_over(
    ingests: IngestService, ingresses: EmbeddedIngresses
) -> None:
    session_id = new_id()
    ingress = await ingests.ensure(IngestOrder(session_id, HOST, "Ada"))
    await ingests.close(session_id, remember=True)
    with pytest.raises(NotFound):
        await ingresses.order(ingress.stream_key)
    assert await ingresses.list_ingresses(session_id) == []


async def test_a_renewed_key_takes_the_place_of_the_old_one(
    ingests: IngestService, ingresses: EmbeddedIngresses
) -> None:
    session_id = new_id()
    old = await ingests.ensure(IngestOrder(session_id, HOST, "Ada"))
    new = await ingests.renew(IngestOrder(session_id, HOST, "Ada"))
    assert new.stream_key != old.stream_key
    assert await ingests.ensure(IngestOrder(session_id, HOST, "Ada")) == new
    assert (await ingresses.order(new.stream_key)).ingress == new
    with pytest.raises(NotFound):
        await ingresses.order(old.stream_key)


async def test_renewed_at_once_by_several_there_is_one_in_the_end(
    ingests: IngestService, ingresses: EmbeddedIngresses
) -> None:
    session_id = new_id()
    await ingests.ensure(IngestOrder(session_id, HOST, "Ada"))
    made = await asyncio.gather(*(ingests.renew(IngestOrder(session_id, HOST, "Ada")) for _ in range(4)))
    [left] = await ingresses.list_ingresses(session_id)
    assert left in made
    assert await ingests.ensure(IngestOrder(session_id, HOST, "Ada")) == left


async def test_an_unknown_key_has_no_order(ingresses: EmbeddedIngresses) -> None:
    with pytest.raises(NotFound):
        await ingresses.order("nobody's")


async def test_what_is_sent_is_known_while_it_is_sent(
    ingests: IngestService, ingresses: EmbeddedIngresses, clock: FakeClock
) -> None:
    session_id = new_id()
    ingress = await ingests.ensure(IngestOrder(session_id, HOST, "Ada"))
    sent = IngressInput(IngressVideo("hevc", 1280, 720), IngressAudio("aac", 48_000, 2))
    broken = replace(sent, problem="The encoder's picture cannot be decoded (hevc)")
    for report in (None, sent, broken, sent):
        await ingresses.order(ingress.stream_key, report)
        [known] = await ingresses.list_ingresses(session_id)
        assert (known.status, known.input) == ("publishing", report)
    clock.advance(seconds=30)
    [known] = await ingresses.list_ingresses(session_id)
    assert (known.status, known.input) == ("inactive", None)


async def test_a_key_is_as_good_as_who_asked_for_it(
    ingests: IngestService, ingresses: EmbeddedIngresses, owners: FakeEncoderOwners
) -> None:
    session_id, co_host = new_id(), EncoderOwner(new_id())
    hosts = await ingests.ensure(IngestOrder(session_id, HOST, "Ada"))
    theirs = await ingests.ensure(IngestOrder(session_id, HOST, "Ada", co_host))
    assert (await ingresses.order(theirs.stream_key)).ingress == theirs
    owners.refused.add(co_host)
    with pytest.raises(NotFound):
        await ingresses.order(theirs.stream_key)
    assert (await ingresses.order(hosts.stream_key)).ingress == hosts
    owners.away = True
    with pytest.raises(Unavailable):
        await ingresses.order(hosts.stream_key)
