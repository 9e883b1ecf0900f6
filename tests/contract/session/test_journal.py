"""The journal: an entry an event, in the order they came, by kind."""

from datetime import timedelta

import pytest

from services.session.journal.domain import EntryKind, JournalEntry
from services.session.journal.repository import JournalRepository
from shared.contracts.attendance_events import ViewersCounted
from shared.contracts.event import Envelope, Event
from shared.contracts.livekit_events import LiveKitRoomFinished
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from tests.fakes.fake_clock import FakeClock

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


async def test_another_sessions_entries_are_its_own(journal: JournalRepository, clock: FakeClock) -> None:
    await journal.add([entry(clock)])
    assert await journal.list_page(new_id(), None, 0, 10) == ([], 0)


async def test_what_happened_long_ago_goes(journal: JournalRepository) -> None:
    lifetimes = [index.expire_after_seconds for index in journal.indexes if index.expire_after_seconds]
    assert lifetimes == [timedelta(days=90).total_seconds()]
