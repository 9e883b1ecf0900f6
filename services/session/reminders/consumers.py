"""What reminders follow: the sessions of rooms, and the end of rooms."""

from typing import Final

from services.session.reminders.schedule.service import ScheduleService
from services.session.reminders.service import ReminderService
from shared.bus import Group, on
from shared.contracts.session_events import (
    RoomDeleted,
    SessionCreated,
    SessionDeleted,
    SessionEnded,
    SessionExpired,
    SessionStarted,
    SessionUpdated,
)

GROUP: Final = "session.reminders"


def group(schedules: ScheduleService, reminders: ReminderService) -> Group:
    changes = (SessionCreated, SessionUpdated, SessionStarted, SessionEnded, SessionExpired, SessionDeleted)
    event_handlers = [on(event, schedules.follow) for event in changes]
    return Group(GROUP, dict([*event_handlers, on(RoomDeleted, reminders.forget)]))
