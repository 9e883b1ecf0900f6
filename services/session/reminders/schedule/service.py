"""Following the sessions."""

from collections.abc import Sequence

from services.session.reminders.schedule.domain import Agenda
from services.session.reminders.schedule.repository import AgendaRepository
from services.session.reminders.subscriptions.repository import SubscriptionRepository
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.session_events import SessionDeleted, SessionEvent
from shared.errors import NotFound
from shared.persistence.mongo import Duplicate


class AgendaService:
    def __init__(self, agendas: AgendaRepository, subscriptions: SubscriptionRepository, clock: Clock):
        self._agendas = agendas
        self._subscriptions = subscriptions
        self._clock = clock

    async def follow(self, event: SessionEvent) -> None:
        """Events may come twice and in any order: the newest state counts."""
        deleted = isinstance(event, SessionDeleted)

        def decide(agenda: Agenda) -> Sequence[Event]:
            return agenda.follow(event.session, self._clock.now(), deleted=deleted)

        try:
            await self._agendas.change(event.session.id, decide)
        except NotFound:
            agenda = Agenda.of(event.session, self._clock.now())
            decide(agenda)
            # Nothing needs to be stored before something is due: each event carries the whole state.
            if not agenda.is_blank:
                await self._tell_nobody(agenda)
                await self._add(agenda, event)

    async def _tell_nobody(self, agenda: Agenda) -> None:
        """What is to be told now of a room without subscribers is told: most rooms have none."""
        if await self._subscriptions.page(agenda.room_id, "", 1):
            return
        for due in agenda.ripe(self._clock.now()):
            agenda.tell(due)

    async def _add(self, agenda: Agenda, event: SessionEvent) -> None:
        try:
            await self._agendas.add(agenda, [])
        except Duplicate:
            # Another event of the session was faster.
            await self.follow(event)
