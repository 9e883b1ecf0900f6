"""The loop that plans and sends reminders: it runs in one replica, by the lease."""

import asyncio

import structlog

from services.session.reminders.mails.planner import Planner
from services.session.reminders.mails.sender import Sender
from shared.errors import AppError
from shared.persistence.lease import Lease
from shared.runtime.tasks import wait_at_most

log = structlog.get_logger(__name__)

LEASE = "reminders"
_PERIOD = 1.0
# Seconds; mails that are not finished by then are sent by another replica.
_FINISH = 8.0


class Scheduler:
    def __init__(self, lease: Lease, planner: Planner, sender: Sender):
        self._lease = lease
        self._planner = planner
        self._sender = sender
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self) -> None:
        """Plan and send what is due until cancelled."""
        while True:
            busy = await self._try()
            await asyncio.sleep(0 if busy else _PERIOD)

    async def stop(self) -> None:
        """Finish current work within a limit, and let another replica take over."""
        self._stopping = True
        await wait_at_most(self._idle, _FINISH)
        await self._lease.release()

    async def _try(self) -> bool:
        if self._stopping:
            return False
        self._idle.clear()
        try:
            return await self.step()
        except AppError as error:
            log.warning("reminders.waiting", code=error.code, error=error.message)
            return False
        finally:
            self._idle.set()

    async def step(self) -> bool:
        """Once; whether there may be more to do immediately. Another replica's lease is left alone."""
        if self._lease.epoch is None:
            return False
        planned = await self._planner.plan_due()
        return await self._sender.send_due(self._lease) or planned
