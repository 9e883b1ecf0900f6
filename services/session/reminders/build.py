"""The reminders, put together."""

import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiohttp import web

from services.session.catalog.build import Catalog
from services.session.identity.build import Identity
from services.session.reminders.mails.message import Composer
from services.session.reminders.mails.planner import Planner
from services.session.reminders.mails.rendering import MailRenderer
from services.session.reminders.mails.repository import MailRepository
from services.session.reminders.mails.sender import Sender
from services.session.reminders.mails.smtp import Server, SmtpMailer
from services.session.reminders.schedule.repository import ScheduleRepository
from services.session.reminders.schedule.service import ScheduleService
from services.session.reminders.scheduler import LEASE, Scheduler
from services.session.reminders.service import ReminderService, confirmation_quota, reminder_group
from services.session.reminders.subscriptions.domain import PURPOSE, ReminderLinks
from services.session.reminders.subscriptions.repository import SubscriptionRepository
from shared.bus import Group
from shared.clock import Clock
from shared.files.paths import PathSigner
from shared.ids import new_id
from shared.persistence.lease import Lease, LeaseStore
from shared.persistence.lifetime import Indexed
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.health import HEALTH
from shared.runtime.rotating_secret import RotatingSecret
from shared.runtime.tasks import SUPERVISOR

log = structlog.get_logger(__name__)

_NO_MAILS = "off: GREENROOM_SMTP_URL is not set, so reminders are subscribed to and not sent"


class ReminderSettings(Protocol):
    public_url: str
    smtp_url: str | None
    mail_from: str

    @property
    def internal_signing(self) -> RotatingSecret: ...


@dataclass(frozen=True)
class ReminderWorker:
    """What runs if mails are sent."""

    lease: Lease
    scheduler: Scheduler

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        """A `cleanup_ctx`, for after that of the database: it stops first."""
        app[SUPERVISOR].spawn("reminders lease", self.lease.run())
        app[SUPERVISOR].spawn("reminders", self.scheduler.run())
        yield
        await self.scheduler.stop()


async def without_mails(app: web.Application) -> AsyncIterator[None]:
    """Report it where operators look."""
    log.warning("reminders.off", reason=_NO_MAILS)
    app[HEALTH].note("mail", _NO_MAILS)
    yield


@dataclass(frozen=True)
class Reminders:
    """Without a mail server subscriptions are stored and nothing is sent; `lifetime` then reports it."""

    service: ReminderService
    group: Group
    stores: Sequence[Indexed]
    lifetime: Callable[[web.Application], AsyncIterator[None]]


def build_reminders(
    settings: ReminderSettings,
    mongo: Mongo,
    outbox: Outbox,
    clock: Clock,
    *,
    identity: Identity,
    catalog: Catalog,
) -> Reminders:
    subscriptions, mails, leases = SubscriptionRepository(mongo), MailRepository(mongo), LeaseStore(mongo)
    schedules = ScheduleRepository(mongo, outbox, clock)
    signer = PathSigner(settings.internal_signing, PURPOSE, clock)
    links = ReminderLinks(settings.public_url, signer)
    quota = confirmation_quota(mongo)
    service = ReminderService(subscriptions, mails, quota, catalog.rooms, identity.accounts, links, clock)

    lifetime = without_mails
    if settings.smtp_url:
        composer = Composer(settings.mail_from, settings.public_url.rstrip("/") + "/watch", links)
        renderer = MailRenderer(
            schedules, subscriptions, catalog.stores.rooms, identity.users, composer, clock
        )
        mailer = SmtpMailer(Server.of(settings.smtp_url), composer.address)
        # Of this process alone, and readable for people.
        name = f"{socket.gethostname()}:{os.getpid()}:{new_id()}"
        sender = Sender(mails, renderer, mailer, clock, name=name)
        lease = Lease(leases, LEASE, name, time.monotonic)
        scheduler = Scheduler(lease, Planner(schedules, subscriptions, mails, clock), sender)
        lifetime = ReminderWorker(lease, scheduler).lifetime
    return Reminders(
        service,
        reminder_group(ScheduleService(schedules, subscriptions, clock), service),
        [subscriptions, mails, quota, leases, schedules],
        lifetime,
    )
