"""Sends planned mails: claimed, handed to a mail server, recorded."""

import asyncio
from collections import deque
from datetime import timedelta
from typing import Final

import structlog

from services.session.reminders.mails.domain import MailState, ReminderMail
from services.session.reminders.mails.rendering import DroppedMail, MailRenderer, RenderedMail
from services.session.reminders.mails.repository import MailRepository
from services.session.reminders.mails.smtp import MailConnection, MailDeferred, Mailer, MailRefused
from shared.clock import Clock
from shared.errors import Unavailable
from shared.persistence.lease import Lease
from shared.runtime.backoff import Backoff
from shared.runtime.metrics import LabelledCounter

log = structlog.get_logger(__name__)

MAILS: Final = LabelledCounter(
    "greenroom_reminder_mails",
    "Reminder mails by what became of them",
    "outcome",
    ("sent", "refused", "dropped", "postponed"),
)
# The local database reads all that are due for each batch: 0.5 s where 10,000 wait.
_BATCH = 200
_CONNECTIONS = 4
# In seconds; mails that are useless by then are dropped.
RETRY: Final = Backoff(30.0, 3600.0)


class Sender:
    """`name` is this replica's; `retry` says how long to wait after each attempt."""

    def __init__(
        self,
        mails: MailRepository,
        renderer: MailRenderer,
        mailer: Mailer,
        clock: Clock,
        *,
        name: str,
        retry: Backoff = RETRY,
    ):
        self._mails = mails
        self._renderer = renderer
        self._mailer = mailer
        self._clock = clock
        self._name = name
        self._retry = retry

    async def send_due(self, lease: Lease) -> bool:
        """Send a batch of what is due, for as long as the lease holds; whether there was any.

        Mails still claimed by a sender that died, or by this one while the database was unavailable, are sent
        again.
        """
        epoch = lease.epoch
        if epoch is None:
            return False
        await self._mails.free(epoch, self._clock.now())
        batch = await self._mails.claim(self._name, epoch, self._clock.now(), _BATCH)
        mails: deque[RenderedMail] = deque()
        for one in await self._renderer.render(batch) if batch else ():
            if isinstance(one, DroppedMail):
                await self._record_result(one.mail, MailState.DROPPED, one.why)
            else:
                mails.append(one)
        await asyncio.gather(*(self._carry(mails, lease) for _ in range(min(_CONNECTIONS, len(mails)))))
        return bool(batch)

    async def _carry(self, mails: deque[RenderedMail], lease: Lease) -> None:
        """Hand mails to the server, as long as there are any, it answers, and they are ours to send."""
        if not mails:
            return
        rendered: RenderedMail | None = mails.popleft()
        try:
            async with self._mailer.connection() as connection:
                while rendered is not None and lease.epoch is not None:
                    await self._hand_over(connection, rendered)
                    rendered = mails.popleft() if mails else None
        except Unavailable as error:
            log.warning("reminders.mail_server_away", error=error.message)
            left = [rendered] if rendered is not None else []
            left += mails
            mails.clear()
            for one in left:
                await self._postpone(one.mail, error.message)

    async def _hand_over(self, connection: MailConnection, rendered: RenderedMail) -> None:
        try:
            await connection.send(rendered.message, rendered.to)
        except MailRefused as refusal:
            log.warning("reminders.refused", mail=rendered.mail.id, said=str(refusal))
            await self._record_result(rendered.mail, MailState.REFUSED, str(refusal))
        except MailDeferred as deferral:
            await self._postpone(rendered.mail, str(deferral))
        except Unavailable:
            raise
        except Exception:
            # A faulty mail must not block the others.
            log.exception("reminders.cannot_be_sent", mail=rendered.mail.id)
            await self._record_result(rendered.mail, MailState.REFUSED, "cannot be sent")
        else:
            await self._record_result(rendered.mail, MailState.SENT)

    async def _record_result(self, mail: ReminderMail, state: MailState, why: str | None = None) -> None:
        await self._mails.record_result(mail, state, self._clock.now(), why)
        MAILS.counts[state.value] += 1

    async def _postpone(self, mail: ReminderMail, why: str) -> None:
        wait = timedelta(seconds=self._retry.delay(mail.attempts))
        await self._mails.postpone(mail, self._clock.now() + wait, why)
        MAILS.counts["postponed"] += 1
