"""Places on stage and the requests for them, as they are kept."""

import asyncio

import pytest

from services.session.sessions.domain.stage import GRACE, free_absent_seats, take_seat
from services.session.sessions.repository import SessionRepository
from services.session.stage.requests.domain import StageRequest, open_key
from services.session.stage.requests.repository import StageRequestRepository
from shared.contracts.states import RequestKind, StageSeat
from shared.errors import Conflict
from shared.ids import new_id
from shared.persistence.mongo import Duplicate, Mongo
from shared.persistence.outbox import Outbox
from tests.fakes.fake_clock import FakeClock
from tests.unit.session.builders import T0, live_session, preset_state

PLACES, GUESTS = 5, 50
HAND, JOIN = RequestKind.HAND, RequestKind.JOIN


@pytest.fixture
async def requests(mongo: Mongo, outbox: Outbox, clock: FakeClock) -> StageRequestRepository:
    made = StageRequestRepository(mongo, outbox, clock)
    await made.ensure_indexes()
    return made


def request(session_id: str, kind: RequestKind = HAND, user_id: str | None = None) -> StageRequest:
    who = user_id or new_id()
    return StageRequest(
        id=new_id(),
        session_id=session_id,
        kind=kind,
        user_id=who,
        name="Vera",
        open_key=open_key(session_id, kind, who),
        created_at=T0,
        updated_at=T0,
    )


def place() -> StageSeat:
    return StageSeat(id=new_id(), name="Vera", joined_stage_at=T0, request_id=new_id())


async def add(requests: StageRequestRepository, *made: StageRequest) -> None:
    for one in made:
        await requests.add(one, one.created())


async def test_two_replicas_give_exactly_as_many_places_as_there_are(
    mongo: Mongo, outbox: Outbox, clock: FakeClock
) -> None:
    replicas = [SessionRepository(mongo, outbox, clock) for _ in range(2)]
    made = live_session(preset=preset_state(max_join_limit=PLACES))
    await replicas[0].add(made, made.created())
    guests = [new_id() for _ in range(GUESTS)]

    async def come(number: int, guest: str) -> None:
        await replicas[number % 2].change(made.id, lambda one: take_seat(one, T0, guest, place()))

    done = await asyncio.gather(*(come(*guest) for guest in enumerate(guests)), return_exceptions=True)
    assert [one.code for one in done if isinstance(one, Conflict)] == ["stage_full"] * (GUESTS - PLACES)
    came = {guest for guest, outcome in zip(guests, done, strict=True) if outcome is None}
    assert (await replicas[0].get(made.id)).stage.keys() == came
    assert len(came) == PLACES


async def test_fifty_at_once_all_find_their_place_where_there_is_room(sessions: SessionRepository) -> None:
    made = live_session(preset=preset_state(max_join_limit=GUESTS))
    await sessions.add(made, made.created())
    guests = [new_id() for _ in range(GUESTS)]

    async def come(guest: str) -> None:
        await sessions.change(made.id, lambda one: take_seat(one, T0, guest, place()))

    await asyncio.gather(*(come(guest) for guest in guests))
    assert (await sessions.get(made.id)).stage.keys() == set(guests)


async def test_places_come_back_as_they_were_kept(sessions: SessionRepository) -> None:
    made = live_session()
    await sessions.add(made, made.created())
    changed = await sessions.change(made.id, lambda one: take_seat(one, T0, "vera", place()))
    assert await sessions.get(made.id) == changed
    assert await sessions.on_stage(made.id) == {"vera"}
    assert await sessions.on_stage(new_id()) == set()


async def test_who_may_be_absent_is_found_when_it_is_time(sessions: SessionRepository) -> None:
    made = live_session()
    await sessions.add(made, made.created())
    await sessions.change(made.id, lambda one: take_seat(one, T0, "vera", place()))
    assert await sessions.ids_with_absent(T0, 10) == []
    assert await sessions.ids_with_absent(T0 + GRACE, 10) == [made.id]
    await sessions.change(made.id, lambda one: free_absent_seats(one, T0 + GRACE, {"vera"}))
    assert await sessions.ids_with_absent(T0 + GRACE, 10) == []


async def test_a_person_has_one_pending_of_a_kind(requests: StageRequestRepository) -> None:
    session, vera = new_id(), new_id()
    first = request(session, user_id=vera)
    await add(requests, first, request(session, JOIN, vera), request(new_id(), user_id=vera))
    with pytest.raises(Duplicate):
        await add(requests, request(session, user_id=vera))
    assert await requests.find_pending(session, HAND, vera) == first
    await requests.change(first.id, lambda one: one.reject(T0))
    assert await requests.find_pending(session, HAND, vera) is None
    second = request(session, user_id=vera)
    await add(requests, second)
    assert await requests.find_latest(session, HAND, vera) == second
    await requests.remove(second.id, StageRequest.lower)
    assert await requests.find_latest(session, HAND, vera) == await requests.get(first.id)
    await add(requests, request(session, user_id=vera))


async def test_who_waits_is_listed_the_first_to_ask_first(requests: StageRequestRepository) -> None:
    session = new_id()
    made = [request(session) for _ in range(5)]
    await add(requests, *made, request(session, JOIN), request(new_id()))
    await requests.change(made[1].id, lambda one: one.approve(T0))
    assert await requests.list_pending(session, HAND, 1, 2) == ([made[2], made[3]], 4)
    assert await requests.has_asked(session, made[0].user_id)
    assert not await requests.has_asked(session, made[1].user_id)
    await requests.remove_session(session)
    assert await requests.list_pending(session, HAND, 0, 10) == ([], 0)
