"""The journal: an entry an event, in the order they came, by kind."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.session.journal.domain import EntryKind, JournalEntry
from services.session.journal.event_filter import EventFilter
from services.session.journal.period import JournalPeriod, JournalPlace
from services.session.journal.repository import JournalRepository
from shared.access.room_permissions import is_visible_person
from shared.contracts.attendance_events import ParticipantLeaveRequested, ViewersCounted
from shared.contracts.chat_and_poll_events import ChatMessageDeleted, PollCreated
from shared.contracts.event import Envelope, Event
from shared.contracts.livekit_events import Connection, LiveKitRoomFinished, ParticipantJoined, TrackPublished
from shared.contracts.states import ChatDeletionState, Role
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from tests.fakes.fake_clock import FakeClock
from tests.query_plans import Watched, WatchedMongo, explain
from tests.unit.session.builders import poll

SESSION = new_id()


@pytest.fixture
async def journal(mongo: Mongo) -> JournalRepository:
    made = JournalRepository(mongo)
    await made.ensure_indexes()
    return made


def entry(clock: FakeClock, event: Event | None = None, actor: str | None = None) -> JournalEntry:
    at = clock.advance(seconds=1)
    counted = ViewersCounted(session_id=SESSION, version=1, viewer_count=1, max_viewers=1)
    return JournalEntry.of(
        Envelope(
            id=new_id(),
            source="/greenroom/test",
            time=at,
            event=event or counted,
            operation="POST /sessions/{id}/end" if actor else None,
            actor=actor,
        )
    )


async def test_entries_come_back_whole_and_in_order(journal: JournalRepository, clock: FakeClock) -> None:
    entries = [entry(clock, actor="user:1"), entry(clock), entry(clock)]
    await journal.add(entries[:2])
    await journal.add(entries[2:])
    assert await journal.list_page(SESSION, None, 0, 10) == (entries, 3)
    assert await journal.list_page(SESSION, None, 1, 1) == (entries[1:2], 3)


async def test_the_same_event_twice_is_one_entry(journal: JournalRepository, clock: FakeClock) -> None:
    first, second = entry(clock), entry(clock)
    await journal.add([first])
    await journal.add([first, second])
    assert await journal.list_page(SESSION, None, 0, 10) == ([first, second], 2)


async def test_entries_are_told_apart_by_what_caused_them(
    journal: JournalRepository, clock: FakeClock
) -> None:
    finished = LiveKitRoomFinished(session_id=SESSION, occurred_at=clock.now(), room_sid="RM_1")
    entries = {
        EntryKind.EVENT: entry(clock),
        EntryKind.COMMAND: entry(clock, actor="key:1"),
        EntryKind.WEBHOOK: entry(clock, finished),
    }
    await journal.add(list(entries.values()))
    for kind, wanted in entries.items():
        assert await journal.list_page(SESSION, kind, 0, 10) == ([wanted], 1)


def joined(clock: FakeClock, **fields: Any) -> JournalEntry:
    own: dict[str, Any] = {
        "participant_sid": f"PA_{new_id()}",
        "identity": "x:y",
        "user_id": new_id(),
        "username": "Vera",
        "role": Role.AUDIENCE,
        "joined_at": clock.now(),
    }
    connection = Connection(**own | fields)
    return entry(clock, ParticipantJoined(session_id=SESSION, occurred_at=clock.now(), connection=connection))


def track(clock: FakeClock, identity: str, user_id: str) -> JournalEntry:
    published = TrackPublished(
        session_id=SESSION,
        occurred_at=clock.now(),
        participant_sid=f"PA_{new_id()}",
        identity=identity,
        user_id=user_id,
        track_sid="TR_1",
        type="video",
        source="camera",
    )
    return entry(clock, published)


def asked_poll(clock: FakeClock, user_id: str) -> JournalEntry:
    asked = poll(session_id=SESSION, user_id=user_id)
    return entry(clock, PollCreated(poll=asked.state()))


def deleted_message(clock: FakeClock, user_id: str) -> JournalEntry:
    deletion = ChatDeletionState(
        id=new_id(), session_id=SESSION, user_id=user_id, deleted_by=user_id, deleted_at=clock.now()
    )
    return entry(clock, ChatMessageDeleted(deletion=deletion))


async def pages(journal: JournalRepository, **wanted: Any) -> list[JournalEntry]:
    """All of the entries, page by page."""
    found: list[JournalEntry] = []
    cursor = None
    names = wanted.pop("names", ["viewers.counted.v1", "participant.joined.v1", "recording.changed.v1"])
    while True:
        page, cursor = await journal.page_after(
            SESSION, EventFilter(names=names, **wanted), cursor=cursor, limit=2
        )
        found += page
        if cursor is None:
            return found


async def test_pages_by_cursor_have_each_entry_once_while_others_are_added(
    journal: JournalRepository, clock: FakeClock
) -> None:
    entries = [entry(clock) for _ in range(4)]
    await journal.add(entries[:3])
    wanted = EventFilter(names=["viewers.counted.v1"])
    first, cursor = await journal.page_after(SESSION, wanted, cursor=None, limit=2)
    await journal.add(entries[3:])
    second, end = await journal.page_after(SESSION, wanted, cursor=cursor, limit=2)
    assert (first + second, end) == (entries, None)
    assert await journal.page_after(SESSION, wanted, cursor=second[-1].place, limit=2) == ([], None)
    assert await pages(journal) == entries


async def test_entries_are_found_by_what_they_are_about(journal: JournalRepository, clock: FakeClock) -> None:
    ada, bob = joined(clock, external_user_id="c-1"), joined(clock)
    she = ada.data["connection"]["user_id"]
    away = ParticipantLeaveRequested(
        session_id=SESSION, user_id=she, identity="x:y", requested_at=clock.now()
    )
    leaving, counted = entry(clock, away), entry(clock)
    await journal.add([ada, counted, bob, leaving])
    names = ["viewers.counted.v1", "participant.joined.v1", "participant.leave_requested.v1"]
    assert await pages(journal, names=names, user_id=she) == [ada, leaving]
    assert await pages(journal, external_user_id="c-1") == [ada]
    assert bob.connection_id is not None
    assert await pages(journal, connection_id=bob.connection_id) == [bob]
    assert await pages(journal, names=["participant.joined.v1"]) == [ada, bob]
    assert await pages(journal, names=[]) == []
    assert await pages(journal, recording_id=new_id()) == []


CONNECTIONS: list[dict[str, Any]] = [
    {},
    {"identity": f"{new_id()}:{new_id()}"},
    {"identity": "x:whipper"},
    {"hidden": True},
    {"recorder": True},
    {"identity": "x:whip"},
    {"identity": f"x:whip:{new_id()}"},
    {"identity": f"{new_id()}:ingress"},
    *({"kind": kind} for kind in ("ingress", "egress", "agent", "sip", "connector")),
]


async def test_the_people_are_those_whom_the_others_see(journal: JournalRepository, clock: FakeClock) -> None:
    """Not monitors, recorders, machines or encoders: as connections are listed."""
    entries = [joined(clock, **fields) for fields in CONNECTIONS]
    await journal.add(entries)
    people = [one for one in entries if is_visible_person(Connection(**one.data["connection"]))]
    assert await pages(journal) == people
    assert len(people) == 3


async def test_an_encoders_tracks_are_left_out(journal: JournalRepository, clock: FakeClock) -> None:
    hers, encoders = track(clock, "x:y", new_id()), track(clock, "x:whip:key", new_id())
    await journal.add([encoders, hers])
    assert await pages(journal, names=["track.published.v1"]) == [hers]


async def test_a_persons_entries_are_found_wherever_they_say_who(
    journal: JournalRepository, clock: FakeClock
) -> None:
    """By our id and by the customer's own, which only connections have."""
    she, other = new_id(), new_id()
    of_each = [
        [
            joined(clock, user_id=user, external_user_id=external),
            track(clock, f"{user}:y", user),
            asked_poll(clock, user),
            deleted_message(clock, user),
        ]
        for user, external in ((she, "c-1"), (other, "c-2"))
    ]
    await journal.add([entry for entries in of_each for entry in entries])
    names = [entry.name for entry in of_each[0]]
    assert await pages(journal, names=names, user_id=she) == of_each[0]
    assert await pages(journal, names=names, external_user_id="c-1") == of_each[0]
    assert await pages(journal, names=names, external_user_id="c-1", user_id=other) == []
    assert await pages(journal, names=names, external_user_id="c-3") == []


async def test_what_an_earlier_release_stored_is_read(journal: JournalRepository, clock: FakeClock) -> None:
    kept = joined(clock)
    await journal.add([kept])
    await journal.collection.update({"_id": kept.id}, {"$unset": {"connection_id": ""}})
    assert await pages(journal) == [replace(kept, connection_id=None)]


async def test_entries_are_paged_by_time_however_late_they_came(
    journal: JournalRepository, clock: FakeClock
) -> None:
    first, second, third = (entry(clock) for _ in range(3))
    same = replace(entry(clock), at=second.at)
    await journal.add([third, first, second, same])
    found: list[JournalEntry] = []
    after, more = None, True
    while more:
        page, more = await journal.page_by_time(SESSION, JournalPeriod(), after=after, limit=1)
        found, after = found + page, JournalPlace.of(page[-1])
    assert found == [first, second, same, third]
    narrowed = JournalPeriod(since=second.at, until=third.at, kinds=[EntryKind.EVENT])
    assert await journal.page_by_time(SESSION, narrowed, after=None, limit=9) == ([second, same], False)
    assert await journal.page_by_time(SESSION, narrowed, after=JournalPlace.of(second), limit=9) == (
        [same],
        False,
    )
    assert await journal.last_before(SESSION, same) == second
    assert await journal.last_before(SESSION, first) is None


async def test_causes_and_the_latest_of_a_name(journal: JournalRepository, clock: FakeClock) -> None:
    call, effect, other = (
        replace(entry(clock), request_id=request_id) for request_id in ("r-1", "r-1", "r-2")
    )
    await journal.add([call, effect, other])
    assert await journal.causes(SESSION, {"r-1", "r-9"}, call.at, other.at) == {"r-1": call}
    assert await journal.causes(SESSION, {"r-1"}, effect.at, other.at) == {"r-1": effect}
    names = {"viewers.counted.v1"}
    assert await journal.latest(SESSION, names, limit=2) == [effect, other]
    assert await journal.latest(SESSION, names, limit=2, where={"request_id": "r-1"}) == [call, effect]
    assert await journal.latest(SESSION, {"session.ended.v1"}, limit=2) == []
    assert await journal.has_any(SESSION)
    assert not await journal.has_any(new_id())


async def test_a_page_by_time_has_its_index(real_mongo: Mongo, clock: FakeClock) -> None:
    """Other sessions are not looked at."""
    journal = JournalRepository(WatchedMongo(real_mongo))
    await journal.ensure_indexes()
    await journal.add([entry(clock) for _ in range(3)])
    await journal.add([replace(entry(clock), session_id=new_id()) for _ in range(20)])
    await journal.page_by_time(SESSION, JournalPeriod(), after=None, limit=9)
    assert isinstance(journal.collection, Watched)
    asked = journal.collection.asked[-1]
    plan = await explain(journal.collection, asked.query, sort=asked.sort, limit=asked.limit)
    assert plan["executionStats"]["totalDocsExamined"] <= 3


async def test_another_sessions_entries_are_its_own(journal: JournalRepository, clock: FakeClock) -> None:
    await journal.add([entry(clock)])
    assert await journal.list_page(new_id(), None, 0, 10) == ([], 0)


async def test_what_happened_long_ago_goes(journal: JournalRepository) -> None:
    lifetimes = [index.expire_after_seconds for index in journal.indexes if index.expire_after_seconds]
    assert lifetimes == [timedelta(days=90).total_seconds()]
