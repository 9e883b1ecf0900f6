"""What is known of sessions: the newest state that events reported, in whatever order and however often."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from services.attendance.sessions.domain import SessionView
from services.attendance.sessions.projection import AttendanceSessionProjection
from services.egress.sessions.projection import EgressSessionProjection, KnownSession
from shared.contracts.session_events import SessionDeleted, SessionUpdated
from shared.contracts.states import SessionState
from shared.errors import Unavailable
from shared.persistence.mongo import Document, Mongo
from shared.session_projection.projection import SessionProjection
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_session_owner import FakeSessionOwner
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.egress.reconciler.builders import HOST, T0, VIEWER, ended, state

Make = Callable[[Mongo, FakeSessionOwner], SessionProjection[Any]]


def of_egress(mongo: Mongo, owner: FakeSessionOwner) -> EgressSessionProjection:
    return EgressSessionProjection(mongo, owner, FakeClock(T0))


@pytest.fixture(params=[of_egress, AttendanceSessionProjection], ids=["egress", "attendance"])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def updated(older: SessionState, by: int = 1) -> SessionState:
    return older.model_copy(update={"version": older.version + by})


async def version(sessions: SessionProjection[Any], session_id: str) -> tuple[int, bool] | None:
    known = await sessions.stored(session_id)
    return None if known is None else (known.version, known.deleted)


async def test_what_is_known_is_not_written_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = make(memory_mongo(), FakeSessionOwner())
    written: list[object] = []
    bulk = sessions.collection.bulk

    async def noted(operations: list[Any]) -> Any:
        written.extend(operations)
        return await bulk(operations)

    monkeypatch.setattr(sessions.collection, "bulk", noted)
    older = state()
    newer = updated(older)
    await asyncio.gather(*(sessions.follow(SessionUpdated(session=older)) for _ in range(3)))
    for one in (older, newer, older, newer):
        await sessions.follow(SessionUpdated(session=one))
    assert len(written) == 2
    assert await version(sessions, older.id) == (newer.version, False)
    # A deletion is of the version that was before, and holds.
    for _ in range(2):
        await sessions.follow(SessionDeleted(session=newer))
    await sessions.follow(SessionUpdated(session=updated(newer)))
    assert len(written) == 3
    assert await version(sessions, older.id) == (newer.version, True)


async def test_replicas_that_race_store_the_newest(make: Make) -> None:
    mongo, owner, first = memory_mongo(), FakeSessionOwner(), state()
    states = [updated(first, by) for by in range(6)]
    await asyncio.gather(*(make(mongo, owner).follow(SessionUpdated(session=one)) for one in states))
    assert await version(make(mongo, owner), first.id) == (states[-1].version, False)


async def test_of_several_in_a_batch_the_newest_is_stored(make: Make) -> None:
    sessions, first, other = make(memory_mongo(), FakeSessionOwner()), state(), state()
    events = [updated(first, 2), first, updated(first), other]
    await sessions.follow(*(SessionUpdated(session=one) for one in events))
    assert await version(sessions, first.id) == (first.version + 2, False)
    assert set(await sessions.known([first.id, other.id, "unknown"])) == {first.id, other.id}


async def test_one_that_no_event_has_reported_is_asked_for_once(make: Make) -> None:
    owner, session = FakeSessionOwner(), state()
    sessions = make(memory_mongo(), owner)
    assert await sessions.find(session.id) is None
    owner.sessions[session.id] = session
    assert await sessions.stored(session.id) is None
    for _ in range(2):
        found = await sessions.find(session.id)
        assert found is not None
        assert found.version == session.version
    assert len(owner.asked) == 2


async def test_what_an_earlier_release_stored_is_asked_for_once(make: Make) -> None:
    """It did not know whom a session admits."""
    owner, closed = FakeSessionOwner(), state(registered_only=True)
    sessions = make(memory_mongo(), owner)
    await sessions.follow(SessionUpdated(session=closed))
    gone = {"$unset": {"registered_only": "", "state.registered_only": ""}}
    await sessions.collection.update_many({}, gone)
    owner.away = True
    with pytest.raises(Unavailable):
        await sessions.find(closed.id)
    owner.away, owner.sessions[closed.id] = False, closed
    for _ in range(2):
        assert admits_guests(await sessions.find(closed.id)) is False
    assert len(owner.asked) == 2
    # A deleted one stays deleted, whatever it was.
    await sessions.follow(SessionDeleted(session=closed))
    await sessions.collection.update_many({}, gone)
    assert await version(sessions, closed.id) == (closed.version, True)
    assert len(owner.asked) == 2


@pytest.mark.parametrize("before", [True, False], ids=["known", "new"])
async def test_what_an_earlier_release_reports_is_asked_for(make: Make, before: bool) -> None:
    """Its events do not say whom a session admits."""
    owner, closed = FakeSessionOwner(), state(registered_only=True)
    sessions = make(memory_mongo(), owner)
    if before:
        await sessions.follow(SessionUpdated(session=closed))
    now = updated(closed)
    reported = SessionState.model_validate(now.model_dump(mode="json", exclude={"registered_only"}))
    await sessions.follow(SessionUpdated(session=reported))
    owner.away = True
    with pytest.raises(Unavailable):
        await sessions.find(closed.id)
    owner.away, owner.sessions[closed.id] = False, now
    for _ in range(2):
        assert admits_guests(await sessions.find(closed.id)) is False
    assert len(owner.asked) == 2


def admits_guests(known: Any) -> bool:
    return not (known.state if isinstance(known, KnownSession) else known).registered_only


async def test_live_ones_of_an_earlier_release_are_listed_whether_the_owner_answers_or_not() -> None:
    owner, closed = FakeSessionOwner(), state(registered_only=True)
    sessions = of_egress(memory_mongo(), owner)
    await sessions.follow(SessionUpdated(session=closed))
    await sessions.collection.update_many({}, {"$unset": {"state.registered_only": ""}})
    owner.away, owner.sessions[closed.id] = True, closed
    assert [admits_guests(one) for one in await sessions.list_live()] == [True]
    owner.away = False
    assert [admits_guests(one) for one in await sessions.list_live()] == [False]


async def test_what_observers_are_told() -> None:
    class Observer:
        def __init__(self) -> None:
            self.seen: list[tuple[list[int], list[int]]] = []

        async def changed(self, before: Mapping[str, SessionView], after: Mapping[str, SessionView]) -> None:
            versions = [one.version for one in before.values()], [one.version for one in after.values()]
            self.seen.append(versions)

    observer, older = Observer(), state()
    sessions = AttendanceSessionProjection(memory_mongo(), FakeSessionOwner(), observer)
    for one in (older, updated(older), older):
        await sessions.follow(SessionUpdated(session=one))
    await sessions.follow()
    assert observer.seen == [([], [2]), ([2], [3]), ([3], [2])]


async def test_the_live_ones_are_listed_until_they_end() -> None:
    sessions, session = of_egress(memory_mongo(), FakeSessionOwner()), state()
    await sessions.follow(SessionUpdated(session=session))
    assert [one.id for one in await sessions.list_live()] == [session.id]
    await sessions.follow(SessionUpdated(session=ended(session)))
    assert await sessions.list_live() == []
    (document,) = await sessions.collection.find({})
    assert (document["over_at"], "live" in document) == (T0, False)


async def test_documents_of_earlier_releases_are_read() -> None:
    mongo, session = memory_mongo(), state()
    documents: list[Document] = [
        {
            "_id": "attendance",
            "version": 4,
            "organization_id": session.organization_id,
            "library_id": session.library_id,
            "host_id": HOST,
            "status": "live",
            "ended_at": None,
            "roles": [{"user_id": VIEWER, "role": "co_host"}],
        },
        {
            "_id": "egress",
            "version": 4,
            "deleted": False,
            "state": session.model_dump(mode="json"),
            "live": True,
        },
    ]
    await mongo.collection("sessions").insert_many(documents)
    view = await AttendanceSessionProjection(mongo, FakeSessionOwner()).stored("attendance")
    assert view is not None
    assert (view.version, view.staff, view.deleted) == (4, frozenset({HOST, VIEWER}), False)
    known = EgressSessionProjection(mongo, FakeSessionOwner(), FakeClock(T0))
    assert await known.list_live() == [KnownSession(session)]
