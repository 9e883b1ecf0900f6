"""Which mails a session's life brings, from the API to the mail server."""

from datetime import timedelta

import pytest

from services.session.reminders.mails.domain import MailState
from services.session.sessions.domain.session import Session
from services.session.sessions.schemas import RescheduleSessionRequest
from shared.contracts.session_events import SessionCreated, SessionStarted, SessionUpdated
from shared.contracts.states import SessionStatus
from tests.unit.session.actors import Host
from tests.unit.session.reminders.fixtures import Reminders


async def scheduled(reminders: Reminders, host: Host, people: int = 1, **ahead: float) -> Session:
    """A session in a room with subscribers; the first mail about it is sent."""
    room = await host.room()
    await reminders.subscribers(room, people)
    session = await host.session(
        room, scheduled_start_time=reminders.backend.clock.now() + timedelta(**ahead)
    )
    await reminders.work()
    return session


async def reschedule(reminders: Reminders, host: Host, session: Session, **ahead: float) -> None:
    body = RescheduleSessionRequest(scheduled_start_time=reminders.backend.clock.now() + timedelta(**ahead))
    await reminders.backend.session_service.reschedule(session.id, host.caller, None, body)
    await reminders.work()


async def test_a_session_is_told_of_four_times(reminders: Reminders, host: Host) -> None:
    session = await scheduled(reminders, host, days=3)
    assert reminders.box.subjects() == ["Scheduled"]
    await reminders.pass_time(hours=47, minutes=59)
    assert reminders.box.subjects() == ["Scheduled"]
    await reminders.pass_time(minutes=1)
    assert reminders.box.subjects() == ["Scheduled", "In 24 hours"]
    await reminders.pass_time(hours=23, minutes=45)
    assert reminders.box.subjects()[2:] == ["In 15 minutes"]
    await host.start(session)
    await reminders.work()
    assert reminders.box.subjects()[3:] == ["Live now"]
    await host.end(session)
    await reminders.pass_time(days=2)
    assert len(reminders.box.sent) == 4


async def test_what_is_past_when_it_is_planned_is_left_out(reminders: Reminders, host: Host) -> None:
    await scheduled(reminders, host, minutes=10)
    await reminders.pass_time(minutes=9)
    assert reminders.box.subjects() == ["Scheduled"]


async def test_a_session_without_a_time_is_told_of_when_it_is_live(reminders: Reminders, host: Host) -> None:
    room = await host.room()
    await reminders.subscribers(room, 1)
    session = await host.session(room)
    await reminders.work()
    assert reminders.box.sent == []
    await host.start(session)
    await reminders.work()
    assert reminders.box.subjects() == ["Live now"]


async def test_who_subscribes_to_what_is_live_is_not_told_of_it_any_more(
    reminders: Reminders, host: Host
) -> None:
    room = await host.room()
    session = await host.session(room)
    await host.start(session)
    await reminders.backend.settle()
    schedule = await reminders.schedules.get(session.id)
    assert (schedule.announced, schedule.due) == (True, [])
    await reminders.subscribers(room, 1)
    await reminders.pass_time(minutes=1)
    assert reminders.box.sent == []


async def test_another_time_moves_everything(reminders: Reminders, host: Host) -> None:
    session = await scheduled(reminders, host, days=3)
    await reschedule(reminders, host, session, days=5)
    assert reminders.box.subjects() == ["Scheduled", "New time"]
    await reminders.pass_time(days=3)
    assert len(reminders.box.sent) == 2
    await reminders.pass_time(days=1)
    await reschedule(reminders, host, session, hours=25)
    assert reminders.box.subjects()[2:] == ["In 24 hours", "New time"]
    await reminders.pass_time(hours=1)
    await reminders.pass_time(hours=23, minutes=45)
    assert reminders.box.subjects()[4:] == ["In 24 hours", "In 15 minutes"]


async def test_a_deleted_session_is_called_off_and_an_expired_one_is_not(
    reminders: Reminders, host: Host
) -> None:
    deleted = await scheduled(reminders, host, days=3)
    await reminders.backend.session_service.delete(deleted.id, host.caller, None)
    await reminders.work()
    assert reminders.box.subjects() == ["Scheduled", "Called off"]
    await scheduled(reminders, host, minutes=5)
    await reminders.pass_time(days=2)
    await reminders.backend.live.apply_due_timeouts()
    await reminders.pass_time(hours=1)
    assert reminders.box.subjects()[2:] == ["Scheduled"]


async def test_a_deleted_room_calls_its_sessions_off(reminders: Reminders, host: Host) -> None:
    session = await scheduled(reminders, host, people=4, days=3)
    await reminders.backend.room_service.delete(session.room_id, host.caller, None)
    await reminders.work()
    assert reminders.box.subjects()[4:] == ["Called off"] * 4


async def test_who_was_told_nothing_is_not_told_that_it_is_off(reminders: Reminders, host: Host) -> None:
    room = await host.room()
    await reminders.subscribers(room, 1)
    session = await host.session(room, scheduled_start_time=reminders.backend.clock.now() + timedelta(days=3))
    await reminders.backend.session_service.delete(session.id, host.caller, None)
    await reminders.work()
    assert reminders.box.sent == []


async def test_an_old_occasion_is_dropped_after_a_long_outage(reminders: Reminders, host: Host) -> None:
    session = await scheduled(reminders, host, days=3)
    reminders.backend.clock.advance(days=2, hours=13)
    await reminders.work()
    assert reminders.box.subjects() == ["Scheduled"]
    await host.start(session)
    await reminders.backend.settle()
    reminders.backend.clock.advance(hours=2)
    await reminders.work()
    assert reminders.box.subjects() == ["Scheduled"]


async def test_events_may_come_in_any_order_and_twice(reminders: Reminders, host: Host) -> None:
    room = await host.room()
    await reminders.subscribers(room, 2)
    session = await host.session(room, scheduled_start_time=reminders.backend.clock.now() + timedelta(days=3))
    created = session.state()
    moved = created.model_copy(
        update={"version": 2, "scheduled_start_time": reminders.backend.clock.now() + timedelta(days=4)}
    )
    await reminders.backend.publish(SessionUpdated(session=moved), SessionCreated(session=created))
    await reminders.backend.publish(SessionUpdated(session=moved))
    await reminders.work()
    kept = await reminders.schedules.get(session.id)
    assert kept.start_time == moved.scheduled_start_time
    assert len(reminders.box.sent) == 2
    live = {"version": 3, "status": SessionStatus.LIVE, "started_at": reminders.backend.clock.now()}
    started = moved.model_copy(update=live)
    for _ in range(2):
        await reminders.backend.publish(SessionStarted(session=started))
        await reminders.work()
    assert reminders.box.subjects()[2:] == ["Live now"] * 2


async def test_a_mail_that_waits_is_not_sent_when_it_is_not_true_any_more(
    reminders: Reminders, host: Host
) -> None:
    reminders.box.away = True
    session = await scheduled(reminders, host, days=3)
    await reschedule(reminders, host, session, days=4)
    reminders.box.away = False
    await reminders.pass_time(hours=1)
    assert reminders.box.subjects() == ["New time"]
    states = [one["state"] for one in await reminders.mails.collection.find({})]
    assert sorted(states) == [MailState.DROPPED, MailState.SENT]


@pytest.mark.parametrize("people", [1, 3, 7])
async def test_everybody_is_written_to_once(reminders: Reminders, host: Host, people: int) -> None:
    """Three at a time."""
    await scheduled(reminders, host, people=people, days=3)
    assert sorted(reminders.box.told) == [(f"person{n}@example.com", "Scheduled") for n in range(people)]
    await reminders.work()
    assert len(reminders.box.sent) == people
