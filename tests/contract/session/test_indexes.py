"""Every list is served by an index: no more is read than is skipped and shown."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.session.catalog.presets.repository import PresetRepository
from services.session.catalog.rooms.repository import RoomFilter, RoomRepository
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.organizations.repository import of_organization
from services.session.polls.repository import PollRepository
from services.session.sessions.repository import SessionRepository
from services.session.sessions.session_filter import SessionFilter
from services.session.stage.requests.domain import StageRequest
from services.session.stage.requests.repository import StageRequestRepository
from shared.contracts.states import RequestKind
from shared.ids import new_id
from shared.persistence.mongo import Index, Mongo
from shared.persistence.outbox import Outbox
from shared.persistence.repository import Repository
from tests.fakes.fake_clock import FakeClock
from tests.fakes.memory_bus import MemoryBus
from tests.query_plans import Asked, Watched, WatchedMongo, explain, stages_of
from tests.unit.session.builders import (
    HOST,
    LIBRARY,
    ORGANIZATION,
    T0,
    live_session,
    poll,
    preset,
    room,
    session,
    user,
)

MANY, SKIP, LIMIT = 30, 3, 4
ROOM, SESSION = new_id(), new_id()
Listing = Callable[[Any], Awaitable[Any]]

LISTS: dict[str, tuple[type[Repository[Any]], Listing]] = {
    "rooms": (RoomRepository, lambda rooms: rooms.list_public(None, SKIP, LIMIT)),
    "rooms of a library": (RoomRepository, lambda rooms: rooms.list_public(LIBRARY, SKIP, LIMIT)),
    "my rooms": (RoomRepository, lambda rooms: rooms.list_of_host(HOST, None, SKIP, LIMIT)),
    "my rooms of a library": (RoomRepository, lambda rooms: rooms.list_of_host(HOST, LIBRARY, SKIP, LIMIT)),
    "my rooms of a name": (
        RoomRepository,
        lambda rooms: rooms.list_of_host(HOST, None, SKIP, LIMIT, RoomFilter(name="Room-7")),
    ),
    "presets": (PresetRepository, lambda presets: presets.list_of_user(HOST, None, SKIP, LIMIT)),
    "presets of a library": (
        PresetRepository,
        lambda presets: presets.list_of_user(HOST, LIBRARY, SKIP, LIMIT),
    ),
    "sessions": (SessionRepository, lambda sessions: sessions.list_public(None, SKIP, LIMIT)),
    "sessions of a library": (SessionRepository, lambda sessions: sessions.list_public(LIBRARY, SKIP, LIMIT)),
    "live": (SessionRepository, lambda sessions: sessions.list_public(None, SKIP, LIMIT, live=True)),
    "live of a library": (
        SessionRepository,
        lambda sessions: sessions.list_public(LIBRARY, SKIP, LIMIT, live=True),
    ),
    "sessions of a room": (SessionRepository, lambda sessions: sessions.list_of_room(ROOM, SKIP, LIMIT)),
    "my sessions": (SessionRepository, lambda sessions: my_sessions(sessions)),
    "my sessions of a library": (SessionRepository, lambda sessions: my_sessions(sessions, LIBRARY)),
    "my sessions in a state": (SessionRepository, lambda sessions: my_sessions(sessions, status=["live"])),
    "my sessions of a name": (SessionRepository, lambda sessions: my_sessions(sessions, room_name="weekly")),
    "who waits for a place on stage": (
        StageRequestRepository,
        lambda requests: requests.list_pending(ROOM, RequestKind.HAND, SKIP, LIMIT),
    ),
    "polls of a session": (PollRepository, lambda polls: polls.list_of_session(SESSION, SKIP, LIMIT)),
    "users": (
        UserRepository,
        lambda users: users.page(of_organization(ORGANIZATION), skip=SKIP, limit=LIMIT),
    ),
}
MAKERS: dict[type[Repository[Any]], Callable[[int], Any]] = {
    RoomRepository: lambda number: room(listed=number % 2 == 0, name=f"room-{number}"),
    PresetRepository: lambda _: preset(),
    SessionRepository: lambda number: live_session() if number % 2 else session(room_id=ROOM),
    PollRepository: lambda number: poll(session_id=SESSION if number % 2 else new_id()),
    UserRepository: lambda _: user(),
    StageRequestRepository: lambda number: hand(ROOM if number % 2 else new_id()),
}


def hand(session_id: str) -> StageRequest:
    return StageRequest(
        id=new_id(),
        session_id=session_id,
        kind=RequestKind.HAND,
        user_id=new_id(),
        name="Vera",
        created_at=T0,
        updated_at=T0,
    )


async def my_sessions(sessions: SessionRepository, library_id: str | None = None, **wanted: Any) -> Any:
    return await sessions.list_of_host(HOST, library_id, SessionFilter(**wanted), cursor=None, limit=LIMIT)


async def asked(repository: Repository[Any], listing: Listing) -> Asked:
    """The one read that the list makes."""
    watched = repository.collection
    assert isinstance(watched, Watched)
    watched.asked.clear()
    await listing(repository)
    assert len(watched.asked) == 1
    return watched.asked[0]


def serves(index: Index, read: Asked) -> bool:
    """Whether the index yields what matches, and in order: equalities first, then the sort."""
    equal = len(read.query)
    return {name for name, _ in index.fields[:equal]} == read.query.keys() and list(
        index.fields[equal:]
    ) == read.sort


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_has_an_index_of_its_own(mongo_in_memory: Mongo, name: str) -> None:
    kind, listing = LISTS[name]
    repository = kind(WatchedMongo(mongo_in_memory), *_parts())
    read = await asked(repository, listing)
    assert any(serves(index, read) for index in repository.indexes)


@pytest.mark.parametrize("name", LISTS)
async def test_the_server_reads_no_more_than_it_must(real_mongo: Mongo, name: str) -> None:
    kind, listing = LISTS[name]
    repository = kind(WatchedMongo(real_mongo), *_parts())
    await repository.ensure_indexes()
    for number in range(MANY):
        await repository.add(MAKERS[kind](number), [])
    read = await asked(repository, listing)
    plan = await explain(repository.collection, read.query, sort=read.sort, skip=SKIP, limit=LIMIT)
    stages = list(stages_of(plan["queryPlanner"]["winningPlan"]))
    assert "IXSCAN" in stages
    assert "COLLSCAN" not in stages
    examined = plan["executionStats"]["totalDocsExamined"]
    # A server that sorts by itself what the index finds in order reads all that matches, and no other.
    most = SKIP + LIMIT if "SORT" not in stages else len(await repository.collection.find(read.query))
    assert examined <= most


def _parts() -> tuple[Outbox, FakeClock]:
    clock = FakeClock()
    return Outbox(MemoryBus(), clock, source="/greenroom/session"), clock
