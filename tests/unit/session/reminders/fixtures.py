"""The reminders of a backend, put together by hand, and a mail server that remembers."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from email.message import EmailMessage

from services.session.reminders.mails.message import Composer
from services.session.reminders.mails.planner import Planner
from services.session.reminders.mails.rendering import MailRenderer
from services.session.reminders.mails.repository import MailRepository
from services.session.reminders.mails.sender import Sender
from services.session.reminders.schedule.repository import ScheduleRepository
from services.session.reminders.schedule.service import ScheduleService
from services.session.reminders.scheduler import LEASE, Scheduler
from services.session.reminders.service import ReminderService, confirmation_quota, reminder_group
from services.session.reminders.subscriptions.domain import PURPOSE, ReminderLinks, Subscription
from services.session.reminders.subscriptions.repository import SubscriptionRepository
from shared.errors import Unavailable
from shared.files.paths import PathSigner
from shared.persistence.lease import Lease, LeaseStore
from shared.runtime.backoff import Backoff
from shared.runtime.rotating_secret import RotatingSecret
from tests.fakes.memory_mongo import memory_mongo
from tests.unit.session.backend import Backend
from tests.unit.session.builders import user

PUBLIC = "https://live.example"
RETRY = Backoff(60.0, 3600.0, random=lambda: 1.0)


class FakeMailer:
    """A `Mailer`. `trouble` is raised for a mail where it returns something; `away` refuses connections."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []
        self.away = False
        self.connections = 0
        self.trouble: Callable[[EmailMessage], Exception | None] = lambda _: None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["FakeMailer"]:
        self.connections += 1
        if self.away:
            raise Unavailable("The mail server is unavailable")
        yield self

    async def send(self, message: EmailMessage, to: str) -> None:
        assert message["To"].addresses[0].addr_spec == to
        trouble = self.trouble(message)
        if trouble is not None:
            raise trouble
        self.sent.append(message)

    @property
    def told(self) -> list[tuple[str, str]]:
        """To whom, and the subject's first words."""
        return [(str(one["To"]), str(one["Subject"]).split(":")[0]) for one in self.sent]

    def subjects(self) -> list[str]:
        return [subject for _, subject in self.told]


class Replica:
    """One replica's scheduler, with a steady clock of its own."""

    def __init__(self, reminders: "Reminders", name: str, mails: MailRepository | None = None):
        self.seconds = 0.0
        self.lease = Lease(reminders.leases, LEASE, name, lambda: self.seconds)
        backend = reminders.backend
        renderer = MailRenderer(
            reminders.schedules,
            reminders.subscriptions,
            backend.rooms,
            backend.users,
            reminders.composer,
            backend.clock,
        )
        self.sender = Sender(
            mails or reminders.mails, renderer, reminders.box, backend.clock, name=name, retry=RETRY
        )
        planner = Planner(
            reminders.schedules, reminders.subscriptions, mails or reminders.mails, backend.clock, page=3
        )
        self.scheduler = Scheduler(self.lease, planner, self.sender)

    async def work(self) -> None:
        """Look after the lease, then do all that is due."""
        await self.lease.run_once()
        while await self.scheduler.step():
            await self.lease.run_once()

    async def wait(self, seconds: float) -> None:
        """Time passes, and the lease is looked after as it does."""
        for _ in range(int(seconds)):
            self.seconds += 1
            await self.lease.run_once()


class Reminders:
    def __init__(self, backend: Backend):
        self.backend = backend
        self.mongo = mongo = memory_mongo()
        self.subscriptions = SubscriptionRepository(mongo)
        self.mails = MailRepository(mongo)
        self.schedules = ScheduleRepository(mongo, backend.outbox, backend.clock)
        self.leases = LeaseStore(mongo)
        self.links = ReminderLinks(
            PUBLIC, PathSigner(RotatingSecret("a secret of tests"), PURPOSE, backend.clock)
        )
        self.service = ReminderService(
            self.subscriptions,
            self.mails,
            confirmation_quota(mongo),
            backend.room_service,
            backend.accounts,
            self.links,
            backend.clock,
        )
        self.composer = Composer("Greenroom <reminders@live.example>", f"{PUBLIC}/watch", self.links)
        self.box = FakeMailer()
        self.one = Replica(self, "one")

    async def open(self) -> None:
        for store in (self.subscriptions, self.mails, self.schedules):
            await store.ensure_indexes()
        schedules = ScheduleService(self.schedules, self.subscriptions, self.backend.clock)
        await self.backend.bus.subscribe(reminder_group(schedules, self.service))

    async def work(self) -> None:
        """Hear what happened, and send what is due."""
        await self.backend.settle()
        await self.one.work()

    async def pass_time(self, **by: float) -> None:
        self.backend.clock.advance(**by)
        await self.work()

    async def subscribers(self, room_id: str, count: int) -> Sequence[str]:
        """People with an address who subscribed; their addresses. The same people in every room."""
        addresses = [f"person{number}@example.com" for number in range(count)]
        for address in addresses:
            person = await self.backend.users.find_by_email(address)
            if person is None:
                person = user(email=address)
                await self.backend.users.add(person, [])
            await self.subscriptions.add(
                Subscription(
                    room_id=room_id,
                    user_id=person.id,
                    recipient=person.id,
                    email=None,
                    active=True,
                    created_at=self.backend.clock.now(),
                ),
                None,
            )
        return addresses
