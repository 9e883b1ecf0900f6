"""Which mails a session's life brings, from the API to the mail server."""

from datetime import timedelta

import pytest

from services.session.reminders.mails.domain import MailState
from services.session.sessions.domain.session import Session
from services.session.sessions.schemas import RescheduleSessionRequest
from shared.contracts.session_events import SessionCreated, SessionStarted, SessionUpdated
from shared.contracts.states import SessionStatus
from tests.unit.session.hosting import Host
from tests.unit.session.reminders.office import Office


async def scheduled(office: Office, host: Host, people: int = 1, **ahead: float) -> Session:
    """A session in a room with subscribers; the first mail about it is sent."""
    room = await host.room()
    await office.subscribers(room, people)
    session = await host.session(room, scheduled_start_time=office.house.clock.now() + timedelta(**ahead))
    await office.work()
    return session


async def reschedule(office: Office, host: Host, session: Session, **ahead: float) -> None:
    body = RescheduleSessionRequest(scheduled_start_time=office.house.clock.now() + timedelta(**ahead))
    await office.house.session_service.reschedule(session.id, host.caller, None, body)
    await office.work()


async def test_a_session_is_told_of_four_times(office: Office, host: Host) -> None:
    session = await scheduled(office, host, days=3)
    assert office.box.subjects() == ["Scheduled"]
    await office.pass_time(hours=47, minutes=59)
    assert office.box.subjects() == ["Scheduled"]
    await office.pass_time(minutes=1)
    assert office.box.subjects() == ["Scheduled", "In 24 hours"]
    await office.pass_time(hours=23, minutes=45)
    assert office.box.subjects()[2:] == ["In 15 minutes"]
    await host.start(session)
    await office.work()
    assert office.box.subjects()[3:] == ["Live now"]
    await host.end(session)
    await office.pass_time(days=2)
    assert len(office.box.sent) == 4


async def test_what_is_past_when_it_is_planned_is_left_out(office: Office, host: Host) -> None:
    await scheduled(office, host, minutes=10)
    await office.pass_time(minutes=9)
    assert office.box.subjects() == ["Scheduled"]


async def test_a_session_without_a_time_is_told_of_when_it_is_live(office: Office, host: Host) -> None:
    room = await host.room()
    await office.subscribers(room, 1)
    session = await host.session(room)
    await office.work()
    assert office.box.sent == []
    await host.start(session)
    await office.work()
    assert office.box.subjects() == ["Live now"]


async def test_who_subscribes_to_what_is_live_is_not_told_of_it_any_more(office: Office, host: Host) -> None:
    room = await host.room()
    session = await host.session(room)
    await host.start(session)
    await office.house.settle()
    agenda = await office.agendas.get(session.id)
    assert (agenda.announced, agenda.due) == (True, [])
    await office.subscribers(room, 1)
    await office.pass_time(minutes=1)
    assert office.box.sent == []


async def test_another_time_moves_everything(office: Office, host: Host) -> None:
    session = await scheduled(office, host, days=3)
    await reschedule(office, host, session, days=5)
    assert office.box.subjects() == ["Scheduled", "New time"]
    await office.pass_time(days=3)
    assert len(office.box.sent) == 2
    await office.pass_time(days=1)
    await reschedule(office, host, session, hours=25)
    assert office.box.subjects()[2:] == ["In 24 hours", "New time"]
    await office.pass_time(hours=1)
    await office.pass_time(hours=23, minutes=45)
    assert office.box.subjects()[4:] == ["In 24 hours", "In 15 minutes"]


async def test_a_deleted_session_is_called_off_and_an_expired_one_is_not(office: Office, host: Host) -> None:
    deleted = await scheduled(office, host, days=3)
    await office.house.session_service.delete(deleted.id, host.caller, None)
    await office.work()
    assert office.box.subjects() == ["Scheduled", "Called off"]
    await scheduled(office, host, minutes=5)
    await office.pass_time(days=2)
    await office.house.live.settle_due()
    await office.pass_time(hours=1)
    assert office.box.subjects()[2:] == ["Scheduled"]


async def test_a_deleted_room_calls_its_sessions_off(office: Office, host: Host) -> None:
    session = await scheduled(office, host, people=4, days=3)
    await office.house.room_service.delete(session.room_id, host.caller, None)
    await office.work()
    assert office.box.subjects()[4:] == ["Called off"] * 4


async def test_who_was_told_nothing_is_not_told_that_it_is_off(office: Office, host: Host) -> None:
    room = await host.room()
    await office.subscribers(room, 1)
    session = await host.session(room, scheduled_start_time=office.house.clock.now() + timedelta(days=3))
    await office.house.session_service.delete(session.id, host.caller, None)
    await office.work()
    assert office.box.sent == []


async def test_an_old_occasion_is_dropped_after_a_long_outage(office: Office, host: Host) -> None:
    session = await scheduled(office, host, days=3)
    office.house.clock.advance(days=2, hours=13)
    await office.work()
    assert office.box.subjects() == ["Scheduled"]
    await host.start(session)
    await office.house.settle()
    office.house.clock.advance(hours=2)
    await office.work()
    assert office.box.subjects() == ["Scheduled"]


async def test_events_may_come_in_any_order_and_twice(office: Office, host: Host) -> None:
    room = await host.room()
    await office.subscribers(room, 2)
    session = await host.session(room, scheduled_start_time=office.house.clock.now() + timedelta(days=3))
    created = session.state()
    moved = created.model_copy(
        update={"version": 2, "scheduled_start_time": office.house.clock.now() + timedelta(days=4)}
    )
    await office.house.tell(SessionUpdated(session=moved), SessionCreated(session=created))
    await office.house.tell(SessionUpdated(session=moved))
    await office.work()
    kept = await office.agendas.get(session.id)
    assert kept.start_time == moved.scheduled_start_time
    assert len(office.box.sent) == 2
    live = {"version": 3, "status": SessionStatus.LIVE, "started_at": office.house.clock.now()}
    started = moved.model_copy(update=live)
    for _ in range(2):
        await office.house.tell(SessionStarted(session=started))
        await office.work()
    assert office.box.subjects()[2:] == ["Live now"] * 2


async def test_a_mail_that_waits_is_not_sent_when_it_is_not_true_any_more(office: Office, host: Host) -> None:
    office.box.away = True
    session = await scheduled(office, host, days=3)
    await reschedule(office, host, session, days=4)
    office.box.away = False
    await office.pass_time(hours=1)
    assert office.box.subjects() == ["New time"]
    states = [one["state"] for one in await office.mails.collection.find({})]
    assert sorted(states) == [MailState.DROPPED, MailState.SENT]


@pytest.mark.parametrize("people", [1, 3, 7])
async def test_everybody_is_written_to_once(office: Office, host: Host, people: int) -> None:
    """Three at a time."""
    await scheduled(office, host, people=people, days=3)
    assert sorted(office.box.told) == [(f"person{n}@example.com", "Scheduled") for n in range(people)]
    await office.work()
    assert len(office.box.sent) == people
