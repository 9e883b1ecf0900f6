"""Turns due reminders into a mail for each subscriber."""

from functools import partial

import structlog

from services.session.reminders.mails.domain import reminder
from services.session.reminders.mails.repository import MailRepository
from services.session.reminders.schedule.domain import Agenda, Due
from services.session.reminders.schedule.repository import AgendaRepository
from services.session.reminders.subscriptions.repository import SubscriptionRepository
from shared.clock import Clock
from shared.errors import NotFound

log = structlog.get_logger(__name__)

_AGENDAS = 20
_PAGE = 500


class Planner:
    """`page` is how many subscribers are planned for in one write."""

    def __init__(
        self,
        agendas: AgendaRepository,
        subscriptions: SubscriptionRepository,
        mails: MailRepository,
        clock: Clock,
        *,
        page: int = _PAGE,
    ):
        self._agendas = agendas
        self._subscriptions = subscriptions
        self._mails = mails
        self._clock = clock
        self._page = page

    async def plan_due(self) -> bool:
        """Plan what is due; whether there was anything. After a crash half-way it is repeated."""
        due = await self._agendas.list_due(self._clock.now(), _AGENDAS)
        for agenda in due:
            for occasion in agenda.ripe(self._clock.now()):
                await self._plan(agenda, occasion)
        return bool(due)

    async def _plan(self, agenda: Agenda, due: Due) -> None:
        late = due.until <= self._clock.now()
        if late:
            log.warning("reminders.too_late", session_id=agenda.id, occasion=due.key)
        else:
            await self._for_everybody(agenda, due)
        try:
            await self._agendas.change(agenda.id, partial(Agenda.drop if late else Agenda.tell, told=due))
        except NotFound:
            return

    async def _for_everybody(self, agenda: Agenda, due: Due) -> None:
        page = await self._subscriptions.page(agenda.room_id, "", self._page)
        while page:
            await self._mails.plan([reminder(agenda.id, due, one) for one in page], self._clock.now())
            page = await self._subscriptions.page(agenda.room_id, page[-1].id, self._page)
