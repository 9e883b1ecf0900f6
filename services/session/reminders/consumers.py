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
    return Group(
        GROUP,
        dict(
            [
                on(SessionCreated, schedules.follow),
                on(SessionUpdated, schedules.follow),
                on(SessionStarted, schedules.follow),
                on(SessionEnded, schedules.follow),
                on(SessionExpired, schedules.follow),
                on(SessionDeleted, schedules.follow),
                on(RoomDeleted, reminders.forget),
            ]
        ),
    )
