"""Turns due reminders into a mail for each subscriber."""

from functools import partial

import structlog

from services.session.reminders.mails.domain import reminder
from services.session.reminders.mails.repository import MailRepository
from services.session.reminders.schedule.domain import DueReminder, ReminderSchedule
from services.session.reminders.schedule.repository import ScheduleRepository
from services.session.reminders.subscriptions.repository import SubscriptionRepository
from shared.clock import Clock
from shared.errors import NotFound

log = structlog.get_logger(__name__)

_SCHEDULES = 20
_PAGE = 500


class Planner:
    """`page` is how many subscribers are planned for in one write."""

    def __init__(
        self,
        schedules: ScheduleRepository,
        subscriptions: SubscriptionRepository,
        mails: MailRepository,
        clock: Clock,
        *,
        page: int = _PAGE,
    ):
        self._schedules = schedules
        self._subscriptions = subscriptions
        self._mails = mails
        self._clock = clock
        self._page = page

    async def plan_due(self) -> bool:
        """Plan what is due; whether there was anything. After a crash half-way it is repeated."""
        due = await self._schedules.list_due(self._clock.now(), _SCHEDULES)
        for schedule in due:
            for occasion in schedule.due_now(self._clock.now()):
                await self._plan(schedule, occasion)
        return bool(due)

    async def _plan(self, schedule: ReminderSchedule, due: DueReminder) -> None:
        late = due.until <= self._clock.now()
        if late:
            log.warning("reminders.too_late", session_id=schedule.id, occasion=due.key)
        else:
            await self._for_everybody(schedule, due)
        try:
            await self._schedules.change(
                schedule.id,
                partial(ReminderSchedule.drop if late else ReminderSchedule.mark_planned, planned=due),
            )
        except NotFound:
            return

    async def _for_everybody(self, schedule: ReminderSchedule, due: DueReminder) -> None:
        page = await self._subscriptions.page(schedule.room_id, "", self._page)
        while page:
            await self._mails.plan([reminder(schedule.id, due, one) for one in page], self._clock.now())
            page = await self._subscriptions.page(schedule.room_id, page[-1].id, self._page)
