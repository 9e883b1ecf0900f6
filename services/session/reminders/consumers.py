"""What reminders follow: the sessions of rooms, and the end of rooms."""

from typing import Final

from services.session.reminders.schedule.service import AgendaService
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


def group(agendas: AgendaService, reminders: ReminderService) -> Group:
    return Group(
        GROUP,
        dict(
            [
                on(SessionCreated, agendas.follow),
                on(SessionUpdated, agendas.follow),
                on(SessionStarted, agendas.follow),
                on(SessionEnded, agendas.follow),
                on(SessionExpired, agendas.follow),
                on(SessionDeleted, agendas.follow),
                on(RoomDeleted, reminders.forget),
            ]
        ),
    )
