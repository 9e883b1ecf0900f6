"""A session gets one ingress, whoever asks how often, and none once it is over."""

import asyncio
from datetime import timedelta

import pytest

from services.egress.ingest.repository import IngestRepository
from services.egress.ingest.service import IngestOrder, IngestService
from shared.access.encoders import EncoderOwner, owner_of
from shared.errors import Conflict, Unavailable
from shared.ids import new_id
from shared.livekit import Ingress
from shared.persistence.mongo import Mongo
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_livekit import FakeLiveKit

HOST = new_id()
OTHERS = [EncoderOwner(new_id()), EncoderOwner(new_id(), new_id()), EncoderOwner(HOST, new_id())]


def order(session_id: str, owner: EncoderOwner | None = None) -> IngestOrder:
    return IngestOrder(session_id, HOST, "Ada", owner)


class SlowLiveKit(FakeLiveKit):
    """Lets other calls in while it makes an ingress."""

    def __init__(self) -> None:
        super().__init__()
        self.made = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def create_rtmp_ingress(
        self, room: str, identity: str, name: str, participant_name: str
    ) -> Ingress:
        await asyncio.sleep(0)
        ingress = await super().create_rtmp_ingress(room, identity, name, participant_name)
        self.made.set()
        await self.go.wait()
        return ingress


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def livekit() -> SlowLiveKit:
    return SlowLiveKit()


@pytest.fixture
async def ingests(mongo: Mongo, clock: FakeClock) -> IngestRepository:
    repository = IngestRepository(mongo, clock)
    await repository.ensure_indexes()
    return repository


@pytest.fixture
def service(livekit: SlowLiveKit, ingests: IngestRepository) -> IngestService:
    return IngestService(livekit, ingests)


@pytest.fixture
def session_id() -> str:
    return new_id()


async def test_the_first_call_makes_it_and_later_ones_get_the_same(
    service: IngestService, livekit: SlowLiveKit, session_id: str
) -> None:
    first = await service.ensure(IngestOrder(session_id, HOST, "Ada"))
    assert await service.ensure(IngestOrder(session_id, HOST, "Ada")) == first
    assert (first.room, first.identity, first.name) == (session_id, f"{HOST}:ingress", session_id)
    assert first.stream_key not in repr(first)
    assert livekit.calls.count("create_rtmp_ingress") == 1


async def test_calls_at_the_same_time_on_several_replicas_make_one(
    livekit: SlowLiveKit, mongo: Mongo, clock: FakeClock, session_id: str
) -> None:
    replicas = [IngestService(livekit, IngestRepository(mongo, clock)) for _ in range(3)]
    calls = [replicas[number % 3].ensure(IngestOrder(session_id, HOST, "Ada")) for number in range(12)]
    made = await asyncio.gather(*calls)
    assert len({ingress.ingress_id for ingress in made}) == 1
    assert len(livekit.ingresses) == 1


async def test_sessions_do_not_share(service: IngestService, livekit: SlowLiveKit) -> None:
    made = await asyncio.gather(*(service.ensure(IngestOrder(new_id(), HOST, "Ada")) for _ in range(5)))
    assert len({ingress.stream_key for ingress in made}) == 5


async def test_what_livekit_lost_is_made_again(
    service: IngestService, livekit: SlowLiveKit, session_id: str
) -> None:
    first = await service.ensure(IngestOrder(session_id, HOST, "Ada"))
    livekit.ingresses.clear()
    second = await service.ensure(IngestOrder(session_id, HOST, "Ada"))
    assert second.ingress_id != first.ingress_id
    assert await service.ensure(IngestOrder(session_id, HOST, "Ada")) == second


async def test_a_call_that_fails_leaves_the_way_free(
    service: IngestService, livekit: SlowLiveKit, session_id: str
) -> None:
    livekit.down()
    with pytest.raises(Unavailable):
        await service.ensure(IngestOrder(session_id, HOST, "Ada"))
    livekit.up()
    assert await service.ensure(IngestOrder(session_id, HOST, "Ada"))


async def test_an_ingress_whose_maker_died_is_replaced(
    service: IngestService,
    livekit: SlowLiveKit,
    ingests: IngestRepository,
    clock: FakeClock,
    session_id: str,
) -> None:
    assert await ingests.claim(session_id, None)
    orphan = await livekit.create_rtmp_ingress(session_id, f"{HOST}:ingress", session_id, "Ada")
    assert await ingests.claim(session_id, await ingests.find(session_id)) is None
    clock.advance(seconds=15)
    made = await service.ensure(IngestOrder(session_id, HOST, "Ada"))
    assert made.stream_key != orphan.stream_key
    assert list(livekit.ingresses.values()) == [made]
    known = await ingests.find(session_id)
    assert known is not None
    assert known.made_at == clock.now(), "what is revoked from now on ends it"


async def test_a_claim_that_another_took_over_settles_nothing(
    ingests: IngestRepository, clock: FakeClock, session_id: str
) -> None:
    first = await ingests.claim(session_id, None)
    clock.advance(seconds=15)
    second = await ingests.claim(session_id, await ingests.find(session_id))
    assert first
    assert second
    assert await ingests.record_ingress(session_id, first, "IN_1") is False
    await ingests.release(session_id, first)
    assert await ingests.record_ingress(session_id, second, "IN_2") is True
    known = await ingests.find(session_id)
    assert known is not None
    assert (known.ingress_id, known.claimed) == ("IN_2", False)


async def test_the_end_of_the_session_takes_it_away(
    service: IngestService, livekit: SlowLiveKit, session_id: str
) -> None:
    other = await service.ensure(IngestOrder(new_id(), HOST, "Ada"))
    await service.ensure(IngestOrder(session_id, HOST, "Ada"))
    for _ in range(2):
        await service.close(session_id, remember=True)
    assert list(livekit.ingresses.values()) == [other]
    with pytest.raises(Conflict):
        await service.ensure(IngestOrder(session_id, HOST, "Ada"))


async def test_a_session_that_ended_before_the_first_call_gets_none(
    service: IngestService, livekit: SlowLiveKit, session_id: str
) -> None:
    await service.close(session_id, remember=True)
    with pytest.raises(Conflict):
        await service.ensure(IngestOrder(session_id, HOST, "Ada"))
    assert livekit.ingresses == {}


async def test_sessions_without_ingest_leave_no_trace(
    service: IngestService, ingests: IngestRepository, livekit: SlowLiveKit, session_id: str
) -> None:
    await service.close(session_id, remember=False)
    assert await ingests.find(session_id) is None
    assert livekit.calls == []


@pytest.mark.parametrize("owner", [None, OTHERS[0]], ids=["host", "another"])
async def test_an_end_while_it_is_made_leaves_none(
    service: IngestService, livekit: SlowLiveKit, session_id: str, owner: EncoderOwner | None
) -> None:
    livekit.go.clear()
    making = asyncio.create_task(service.ensure(order(session_id, owner)))
    await livekit.made.wait()
    with pytest.raises(Unavailable):
        await service.close(session_id, remember=True)
    livekit.go.set()
    with pytest.raises(Conflict):
        await making
    await service.close(session_id, remember=True)
    assert livekit.ingresses == {}


async def test_livekit_being_away_at_the_end_is_tried_again(
    service: IngestService, livekit: SlowLiveKit, session_id: str
) -> None:
    await service.ensure(IngestOrder(session_id, HOST, "Ada"))
    livekit.down()
    with pytest.raises(Unavailable):
        await service.close(session_id, remember=True)
    livekit.up()
    await service.close(session_id, remember=True)
    assert livekit.ingresses == {}


async def test_what_encoders_do_is_remembered_in_its_order(
    service: IngestService, ingests: IngestRepository, clock: FakeClock, session_id: str
) -> None:
    ingress = await service.ensure(IngestOrder(session_id, HOST, "Ada"))
    other = await service.ensure(IngestOrder(new_id(), HOST, "Ada"))
    now = clock.now()
    await ingests.apply(session_id, ingress.ingress_id, now, publishing=True)
    await ingests.apply(session_id, ingress.ingress_id, now - timedelta(seconds=1), publishing=False)
    await ingests.apply(session_id, other.ingress_id, now, publishing=False)
    opened = {one.session_id: one for one in await ingests.list_open()}
    assert [opened[one].publishing for one in (session_id, other.room)] == [True, False]
    assert await ingests.forget(session_id, other.ingress_id) is False
    assert await ingests.forget(session_id, ingress.ingress_id) is True
    known = await ingests.find(session_id)
    assert known is not None
    assert (known.ingress_id, known.publishing) == (None, False)
    await service.close(other.room, remember=True)
    assert [one.session_id for one in await ingests.list_open()] == [session_id]


async def test_an_ingress_that_is_not_the_sessions_can_be_dropped(
    service: IngestService, livekit: SlowLiveKit, session_id: str
) -> None:
    ingress = await service.ensure(IngestOrder(session_id, HOST, "Ada"))
    stray = await livekit.create_rtmp_ingress(session_id, "u:x", session_id, "X")
    assert await service.drop(session_id, ingress.ingress_id) is False
    assert await service.drop(session_id, stray.ingress_id) is True
    assert list(livekit.ingresses.values()) == [ingress]
    assert await service.ensure(IngestOrder(session_id, HOST, "Ada")) == ingress


@pytest.mark.parametrize("by_key", [False, True])
async def test_what_is_made_while_another_is_dropped_stays(
    service: IngestService,
    livekit: SlowLiveKit,
    session_id: str,
    monkeypatch: pytest.MonkeyPatch,
    by_key: bool,
) -> None:
    """An orphan of the very owner who asks, where the owner is not the host."""
    owner = EncoderOwner(HOST, new_id()) if by_key else EncoderOwner(new_id())
    await service.ensure(order(session_id))
    orphan = await livekit.create_rtmp_ingress(session_id, owner.identity("ingress"), session_id, "Ada")
    delete, asked, go = livekit.delete_ingress, asyncio.Event(), asyncio.Event()

    async def slowly(ingress_id: str) -> None:
        if not asked.is_set():
            asked.set()
            await go.wait()
        await delete(ingress_id)

    monkeypatch.setattr(livekit, "delete_ingress", slowly)
    dropping = asyncio.create_task(service.drop(session_id, orphan.ingress_id))
    await asked.wait()
    made = await service.ensure(order(session_id, owner))
    go.set()
    assert await dropping
    assert made in livekit.ingresses.values()
    assert orphan.ingress_id not in livekit.ingresses
    assert await service.ensure(order(session_id, owner)) == made


async def test_everybody_who_asks_has_an_ingress_of_their_own(
    service: IngestService, ingests: IngestRepository, session_id: str
) -> None:
    hosts = await service.ensure(order(session_id, EncoderOwner(HOST)))
    assert await service.ensure(order(session_id)) == hosts
    made = {owner: await service.ensure(order(session_id, owner)) for owner in OTHERS}
    assert len({hosts.stream_key, *(one.stream_key for one in made.values())}) == 4
    for owner, ingress in made.items():
        assert await service.ensure(order(session_id, owner)) == ingress
        assert owner_of(ingress.identity) == owner
    kept = {one.owner: one.ingress_id for one in await ingests.of_session(session_id)}
    assert kept == {None: hosts.ingress_id} | {owner: one.ingress_id for owner, one in made.items()}


async def test_a_new_key_of_one_leaves_the_others_as_they_are(
    service: IngestService, session_id: str
) -> None:
    hosts, theirs = (
        await service.ensure(order(session_id)),
        await service.ensure(order(session_id, OTHERS[0])),
    )
    renewed = await service.renew(order(session_id, OTHERS[0]))
    assert renewed.stream_key != theirs.stream_key
    assert await service.ensure(order(session_id)) == hosts
    assert await service.renew(order(session_id)) != hosts
    assert await service.ensure(order(session_id, OTHERS[0])) == renewed


@pytest.mark.parametrize("by", [None, OTHERS[2]], ids=["by the host", "by an API key"])
async def test_a_new_key_of_the_host_ends_those_of_api_keys_and_the_other_way_round(
    service: IngestService, livekit: SlowLiveKit, session_id: str, by: EncoderOwner | None
) -> None:
    made = {owner: await service.ensure(order(session_id, owner)) for owner in (None, *OTHERS)}
    renewed = await service.renew(order(session_id, by))
    kept = [made[OTHERS[0]], made[OTHERS[1]], renewed]
    assert sorted(livekit.ingresses) == sorted(one.ingress_id for one in kept)
    other = None if by else OTHERS[2]
    again = await service.ensure(order(session_id, other))
    assert again.stream_key not in {one.stream_key for one in (*made.values(), renewed)}
    assert await service.ensure(order(session_id, by)) == renewed


async def test_a_new_key_of_a_customers_person_ends_all_of_theirs(
    service: IngestService, livekit: SlowLiveKit, session_id: str
) -> None:
    person, key = new_id(), new_id()
    owners = [EncoderOwner(person), EncoderOwner(person, key), EncoderOwner(new_id(), key)]
    made = [await service.ensure(order(session_id, owner)) for owner in owners]
    renewed = await service.renew(order(session_id, owners[1]))
    assert sorted(livekit.ingresses) == sorted([made[2].ingress_id, renewed.ingress_id])


async def test_the_end_takes_all_of_them_away(
    service: IngestService, livekit: SlowLiveKit, session_id: str
) -> None:
    for owner in (None, *OTHERS):
        await service.ensure(order(session_id, owner))
    await service.close(session_id, remember=True)
    assert livekit.ingresses == {}
    for owner in (None, *OTHERS, EncoderOwner(new_id())):
        with pytest.raises(Conflict):
            await service.ensure(order(session_id, owner))


async def test_what_is_withdrawn_is_made_anew_for_who_may_again(
    service: IngestService, ingests: IngestRepository, livekit: SlowLiveKit, session_id: str
) -> None:
    hosts, theirs = (
        await service.ensure(order(session_id)),
        await service.ensure(order(session_id, OTHERS[0])),
    )
    [ingest] = [one for one in await ingests.of_session(session_id) if one.owner]
    await service.withdraw(ingest)
    assert list(livekit.ingresses.values()) == [hosts]
    again = await service.ensure(order(session_id, OTHERS[0]))
    assert again.stream_key != theirs.stream_key


async def test_an_ingest_of_an_older_version_is_the_hosts(
    service: IngestService, ingests: IngestRepository, livekit: SlowLiveKit, mongo: Mongo, session_id: str
) -> None:
    shared = await livekit.create_rtmp_ingress(session_id, f"{HOST}:ingress", session_id, "Ada")
    await mongo.collection("ingests").insert({"_id": session_id, "ingress_id": shared.ingress_id})
    assert await service.ensure(order(session_id)) == shared
    assert (await service.ensure(order(session_id, OTHERS[0]))) != shared
    [hosts] = [one for one in await ingests.list_open() if one.owner is None]
    assert (hosts.session_id, hosts.made_at) == (session_id, None)
