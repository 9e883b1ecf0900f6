"""Decides whether and how a mail is sent: everything it depends on is read for many mails together."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

import structlog

from services.session.catalog.rooms.domain import Room
from services.session.catalog.rooms.repository import RoomRepository
from services.session.identity.accounts.domain import User
from services.session.identity.accounts.repository import UserRepository
from services.session.reminders.mails.domain import Mail
from services.session.reminders.mails.message import Composer
from services.session.reminders.schedule.domain import Agenda
from services.session.reminders.schedule.repository import AgendaRepository
from services.session.reminders.subscriptions.domain import subscription_id
from services.session.reminders.subscriptions.repository import SubscriptionRepository
from shared.clock import Clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Letter:
    """A mail that is still true, ready to be sent."""

    mail: Mail
    message: EmailMessage
    to: str


@dataclass(frozen=True)
class NoLetter:
    """A mail that is no longer sent, and why."""

    mail: Mail
    why: str


@dataclass(frozen=True)
class _Known:
    """What was read: by id, and which subscriptions are still there."""

    agendas: dict[str, Agenda]
    rooms: dict[str, Room]
    users: dict[str, User]
    active: set[str]


class Letters:
    def __init__(
        self,
        agendas: AgendaRepository,
        subscriptions: SubscriptionRepository,
        rooms: RoomRepository,
        users: UserRepository,
        composer: Composer,
        clock: Clock,
    ):
        self._agendas = agendas
        self._subscriptions = subscriptions
        self._rooms = rooms
        self._users = users
        self._composer = composer
        self._clock = clock

    async def of(self, mails: Sequence[Mail]) -> list[Letter | NoLetter]:
        """As things are now: sessions move, people unsubscribe, accounts end."""
        known = _Known(
            agendas=await self._agendas.find_many([mail.session_id for mail in mails if mail.session_id]),
            rooms=await self._rooms.find_many([mail.room_id for mail in mails if not mail.occasion]),
            users=await self._users.find_many([mail.user_id for mail in mails]),
            active=await self._subscriptions.active_among([_subscription(mail) for mail in mails]),
        )
        return [self._letter(mail, known) for mail in mails]

    def _letter(self, mail: Mail, known: _Known) -> Letter | NoLetter:
        now = self._clock.now()
        to = _address(mail, known.users.get(mail.user_id))
        if now >= mail.until:
            return NoLetter(mail, "too late")
        if to is None:
            return NoLetter(mail, "no address")
        try:
            return self._reminder(mail, to, known) if mail.occasion else self._question(mail, to, known)
        except Exception:
            # A faulty mail must not block the others.
            log.exception("reminders.cannot_be_written", mail=mail.id)
            return NoLetter(mail, "cannot be written")

    def _reminder(self, mail: Mail, to: str, known: _Known) -> Letter | NoLetter:
        agenda = known.agendas.get(mail.session_id or "")
        if agenda is None or not (mail.occasion and agenda.still_wants(mail.occasion, mail.revision)):
            return NoLetter(mail, "no longer true")
        if _subscription(mail) not in known.active:
            return NoLetter(mail, "unsubscribed")
        return Letter(mail, self._composer.reminder(mail, agenda, to, self._clock.now()), to)

    def _question(self, mail: Mail, to: str, known: _Known) -> Letter | NoLetter:
        room = known.rooms.get(mail.room_id)
        if room is None:
            return NoLetter(mail, "the room is gone")
        return Letter(mail, self._composer.confirmation(mail, room.title, to, self._clock.now()), to)


def _subscription(mail: Mail) -> str:
    return subscription_id(mail.room_id, mail.user_id)


def _address(mail: Mail, user: User | None) -> str | None:
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
