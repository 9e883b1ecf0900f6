"""Decides whether and how a mail is sent: everything it depends on is read for many mails together."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

import structlog

from services.session.catalog.rooms.domain import Room
from services.session.catalog.rooms.repository import RoomRepository
from services.session.identity.accounts.domain import User
from services.session.identity.accounts.repository import UserRepository
from services.session.reminders.mails.domain import ReminderMail
from services.session.reminders.mails.message import Composer
from services.session.reminders.schedule.domain import ReminderSchedule
from services.session.reminders.schedule.repository import ScheduleRepository
from services.session.reminders.subscriptions.domain import subscription_id
from services.session.reminders.subscriptions.repository import SubscriptionRepository
from shared.clock import Clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RenderedMail:
    """A mail that is still true, ready to be sent."""

    mail: ReminderMail
    message: EmailMessage
    to: str


@dataclass(frozen=True)
class DroppedMail:
    """A mail that is no longer sent, and why."""

    mail: ReminderMail
    why: str


@dataclass(frozen=True)
class _Known:
    """What was read: by id, and which subscriptions are still there."""

    schedules: dict[str, ReminderSchedule]
    rooms: dict[str, Room]
    users: dict[str, User]
    active: set[str]


class MailRenderer:
    def __init__(
        self,
        schedules: ScheduleRepository,
        subscriptions: SubscriptionRepository,
        rooms: RoomRepository,
        users: UserRepository,
        composer: Composer,
        clock: Clock,
    ):
        self._schedules = schedules
        self._subscriptions = subscriptions
        self._rooms = rooms
        self._users = users
        self._composer = composer
        self._clock = clock

    async def render(self, mails: Sequence[ReminderMail]) -> list[RenderedMail | DroppedMail]:
        """As things are now: sessions move, people unsubscribe, accounts end."""
        known = _Known(
            schedules=await self._schedules.find_many([mail.session_id for mail in mails if mail.session_id]),
            rooms=await self._rooms.find_many([mail.room_id for mail in mails]),
            users=await self._users.find_many([mail.user_id for mail in mails]),
            active=await self._subscriptions.active_among([_subscription(mail) for mail in mails]),
        )
        return [self._rendered(mail, known) for mail in mails]

    def _rendered(self, mail: ReminderMail, known: _Known) -> RenderedMail | DroppedMail:
        now = self._clock.now()
        user, room = known.users.get(mail.user_id), known.rooms.get(mail.room_id)
        to = _address(mail, user)
        if now >= mail.until:
            return DroppedMail(mail, "too late")
        if to is None:
            return DroppedMail(mail, "no address")
        if user and user.is_guest and room and room.registered_only:
            return DroppedMail(mail, "for registered people only")
        try:
            return self._reminder(mail, to, known) if mail.occasion else self._question(mail, to, known)
        except Exception:
            # A faulty mail must not block the others.
            log.exception("reminders.cannot_be_written", mail=mail.id)
            return DroppedMail(mail, "cannot be written")

    def _reminder(self, mail: ReminderMail, to: str, known: _Known) -> RenderedMail | DroppedMail:
        schedule = known.schedules.get(mail.session_id or "")
        if schedule is None or not (mail.occasion and schedule.still_wants(mail.occasion, mail.revision)):
            return DroppedMail(mail, "no longer true")
        if _subscription(mail) not in known.active:
            return DroppedMail(mail, "unsubscribed")
        return RenderedMail(mail, self._composer.reminder(mail, schedule, to, self._clock.now()), to)

    def _question(self, mail: ReminderMail, to: str, known: _Known) -> RenderedMail | DroppedMail:
        room = known.rooms.get(mail.room_id)
        if room is None:
            return DroppedMail(mail, "the room is gone")
        return RenderedMail(mail, self._composer.confirmation(mail, room.title, to, self._clock.now()), to)


def _subscription(mail: ReminderMail) -> str:
    return subscription_id(mail.room_id, mail.user_id)


def _address(mail: ReminderMail, user: User | None) -> str | None:
    """The one that was given, else that of the account; None once the account has ended."""
    if user is None or not user.is_active:
        return None
    address = mail.email or user.email
    return on_the_wire(address) if address else None


def on_the_wire(address: str) -> str | None:
    """With the domain as the DNS has it, which every mail server takes; None for a domain that is none."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return None
