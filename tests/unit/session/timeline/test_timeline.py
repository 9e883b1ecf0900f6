"""The timeline: entries in the order of time, with causes, latencies and gaps, in plain words."""

import json
from typing import Any

import pytest

from services.session.journal.domain import EntryKind, JournalEntry
from services.session.journal.period import JournalPeriod, JournalPlace
from services.session.journal.repository import JournalRepository
from services.session.journal.service import JournalService, journal_group
from services.session.timeline.entries import Cause, GapName, TimelineEntry, timeline
from services.session.timeline.service import TimelineService
from services.session.timeline.words import WORDS, describe
from shared.bus.codec import decode
from shared.contracts.livekit_events import LiveKitRoomStarted
from shared.contracts.session_events import SessionCreated, SessionEnded, SessionStarted
from shared.contracts.states import EndReason, RecordingStatus, StreamStatus
from shared.contracts.stream_and_recording_events import RecordingChanged, StreamChanged
from shared.errors import NotFound
from shared.ids import new_id
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.session.backend import Backend
from tests.unit.session.builders import HOST, live_session, session, user
from tests.unit.session.journal.test_event_views import SAMPLES
from tests.unit.session.timeline.journals import at, entry, left, recording, repaired, stream

ONE = live_session()


def shown(*entries: JournalEntry, whole: bool = True, **given: Any) -> list[TimelineEntry]:
    causes = {one.request_id: one for one in reversed(entries) if one.request_id}
    return timeline(entries, causes, given.get("before"), {HOST: "Hanna"}, whole=whole)


def created(seconds: float = 0, **given: Any) -> JournalEntry:
    return entry(SessionCreated(session=ONE.state()), seconds, **given)


def test_every_event_of_the_journal_has_words() -> None:
    group = journal_group(JournalService(JournalRepository(memory_mongo()), None, None))  # type: ignore[arg-type]
    assert {event.name for event in group.events} == WORDS.keys()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["headers"]["ce-type"])
def test_samples_of_all_events_are_told(sample: dict[str, Any]) -> None:
    if sample["headers"]["ce-type"] in WORDS:
        told = describe(JournalEntry.of(decode(sample["headers"], json.dumps(sample["data"]).encode())), {})
        assert told != sample["headers"]["ce-type"]


def test_a_webhook_has_livekits_time_its_arrival_and_its_way_to_the_journal() -> None:
    event = left(ONE, 1)
    [one] = shown(entry(event, 1.25, recorded_at=at(1.5)), before=created())
    assert (one.entry.kind, one.occurred_at) == (EntryKind.WEBHOOK, at(1))
    assert (one.latencies.arrival, one.latencies.journal) == (250, 250)
    assert one.gaps == []


def test_entries_of_earlier_releases_have_no_time_of_recording() -> None:
    [one] = shown(created())
    assert one.latencies.journal is None


def test_an_effect_names_its_call_and_how_long_it_took() -> None:
    call = entry(SessionStarted(session=ONE.state()), 1, by="POST /sessions/{id}/start", request_id="r-1")
    effect = entry(StreamChanged(stream=stream(ONE, StreamStatus.STARTING)), 1.08, request_id="r-1")
    first, second = shown(call, effect, before=created())
    assert first.cause is None
    assert second.cause == Cause(id=call.place, what="POST /sessions/{id}/start", milliseconds=80)


def test_how_long_an_egress_took_to_start_and_to_its_first_segment() -> None:
    given: dict[str, Any] = {"planned_at": at(1), "started_at": at(1.5), "playable_at": at(4.5)}
    plays = entry(StreamChanged(stream=stream(ONE, StreamStatus.ACTIVE, **given)), 4.5)
    done = recording(ONE, RecordingStatus.COMPLETED, created_at=at(1), started_at=at(2))
    told = shown(plays, entry(RecordingChanged(recording=done), 40), before=created())
    assert [(one.latencies.egress_start, one.latencies.first_segment) for one in told] == [
        (500, 3500),
        (1000, None),
    ]


def gap_names(*entries: JournalEntry, **given: Any) -> list[list[GapName]]:
    return [[gap.name for gap in one.gaps] for one in shown(*entries, **given)]


def test_gaps_are_named() -> None:
    assert gap_names(entry(left(ONE, 1), 21), before=created(20)) == [[GapName.WEBHOOK_LATE]]
    again = LiveKitRoomStarted(session_id=ONE.id, occurred_at=at(1), room_sid="RM_1")
    assert gap_names(entry(again, 21), before=created(20)) == [[]]
    lost = entry(repaired(ONE, "missed_leave"), 25)
    assert gap_names(lost, before=created(20)) == [[GapName.WEBHOOK_LOST]]
    assert gap_names(created(0, recorded_at=at(42))) == [[GapName.JOURNAL_LATE]]
    assert gap_names(created(), entry(left(ONE, 90), 90)) == [[], [GapName.QUIET]]
    assert gap_names(entry(left(ONE, 9), 9)) == [[GapName.EXPIRED]]
    assert gap_names(entry(left(ONE, 9), 9), created(9.1)) == [[], []]


def test_a_pause_is_none_if_something_is_filtered_out() -> None:
    assert gap_names(created(), entry(left(ONE, 90), 90), whole=False) == [[], []]
    assert gap_names(entry(left(ONE, 9), 9), whole=False) == [[]]


def test_other_repairs_are_no_lost_webhooks() -> None:
    assert gap_names(entry(repaired(ONE, "permission"), 25), before=created(20)) == [[]]


def test_estimated_times_are_marked() -> None:
    over = live_session()
    over.end(at(70), EndReason.ROOM_LOST, at=at(40), estimated=True)
    guessed, exact = entry(repaired(ONE, "egress"), 2), entry(repaired(ONE, "egress", estimated=False), 3)
    told = shown(guessed, exact, entry(SessionEnded(session=over.state()), 70), before=created())
    assert [one.estimated for one in told] == [True, False, True]


async def timelines(backend: Backend, *entries: JournalEntry) -> TimelineService:
    journal = JournalRepository(backend.mongo)
    await journal.add(entries)
    return TimelineService(journal, backend.sessions, backend.users)


async def test_it_is_paged_in_the_order_of_time(backend: Backend) -> None:
    moments = [5, 1, 3, 3, 2]
    entries = [entry(left(ONE, seconds), seconds) for seconds in moments]
    service = await timelines(backend, *entries)
    in_order = sorted(entries, key=lambda one: (one.at, one.place))
    found, after = [], None
    while True:
        page = await service.read(ONE.id, JournalPeriod(), after=after, limit=2)
        found += [one.entry for one in page.entries]
        if page.next is None:
            break
        after = page.next
    assert found == in_order
    narrowed = JournalPeriod(since=at(2), until=at(5))
    page = await service.read(ONE.id, narrowed, after=JournalPlace.of(in_order[2]), limit=9)
    assert [one.entry for one in page.entries] == in_order[3:4]
    page = await service.read(ONE.id, JournalPeriod(kinds=[EntryKind.COMMAND]), after=None, limit=9)
    assert page.entries == []


async def test_it_names_who_called(backend: Backend) -> None:
    await backend.users.add(user(id=HOST, username="Hanna"), [])
    service = await timelines(backend, created(by="POST /rooms/{id}/sessions"))
    page = await service.read(ONE.id, JournalPeriod(), after=None, limit=9)
    assert page.names == {HOST: "Hanna"}


async def test_a_deleted_session_an_old_one_and_none(backend: Backend) -> None:
    service = await timelines(backend, created())
    deleted = await service.read(ONE.id, JournalPeriod(), after=None, limit=9)
    assert (deleted.session, len(deleted.entries)) == (None, 1)
    assert deleted.note == "The session was deleted; what happened to it is kept for 90 days"
    old = session()
    await backend.sessions.add(old, [])
    page = await service.read(old.id, JournalPeriod(), after=None, limit=9)
    assert (page.session, page.note) == (old, "Nothing is left of what happened: it is kept for 90 days")
    with pytest.raises(NotFound, match="nor was there one in the last 90 days"):
        await service.read(new_id(), JournalPeriod(), after=None, limit=9)
