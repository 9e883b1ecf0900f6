"""Following the sessions."""

from collections.abc import Sequence

from services.session.reminders.schedule.domain import ReminderSchedule
from services.session.reminders.schedule.repository import ScheduleRepository
from services.session.reminders.subscriptions.repository import SubscriptionRepository
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.session_events import SessionDeleted, SessionEvent
from shared.errors import NotFound
from shared.persistence.mongo import Duplicate


class ScheduleService:
    def __init__(self, schedules: ScheduleRepository, subscriptions: SubscriptionRepository, clock: Clock):
        self._schedules = schedules
        self._subscriptions = subscriptions
        self._clock = clock

    async def follow(self, event: SessionEvent) -> None:
        """Events may come twice and in any order: the newest state counts."""
        deleted = isinstance(event, SessionDeleted)

        def decide(schedule: ReminderSchedule) -> Sequence[Event]:
            return schedule.follow(event.session, self._clock.now(), deleted=deleted)

        try:
            await self._schedules.change(event.session.id, decide)
        except NotFound:
            schedule = ReminderSchedule.of(event.session, self._clock.now())
            decide(schedule)
            # Nothing needs to be stored before something is due: each event carries the whole state.
            if not schedule.is_blank:
                await self._skip_without_subscribers(schedule)
                await self._add(schedule, event)

    async def _skip_without_subscribers(self, schedule: ReminderSchedule) -> None:
        """Mark reminders of a room without subscribers as sent: most rooms have none."""
        if await self._subscriptions.page(schedule.room_id, "", 1):
            return
        for due in schedule.due_now(self._clock.now()):
            schedule.mark_planned(due)

    async def _add(self, schedule: ReminderSchedule, event: SessionEvent) -> None:
        try:
            await self._schedules.add(schedule, [])
        except Duplicate:
            # Another event of the session was faster.
            await self.follow(event)
