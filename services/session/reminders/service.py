"""Subscribing to a room's reminders, and getting out again."""

from datetime import timedelta
from typing import Final

from services.session.catalog.rooms.service import RoomService
from services.session.identity.accounts.domain import User
from services.session.identity.accounts.service import AccountService
from services.session.reminders.mails.domain import confirmation
from services.session.reminders.mails.repository import MailRepository
from services.session.reminders.schedule.service import ScheduleService
from services.session.reminders.schemas import ReminderStatusResponse, SubscribedResponse
from services.session.reminders.subscriptions.domain import (
    CONFIRMED_WITHIN,
    ReminderLinks,
    Subscription,
    recipient_of,
)
from services.session.reminders.subscriptions.repository import SubscriptionRepository
from shared.access.identity import Caller
from shared.access.session_access import require_admitted
from shared.bus import Group, on
from shared.clock import Clock
from shared.contracts.people_and_catalog_events import RoomDeleted
from shared.contracts.session_events import (
    SessionCreated,
    SessionDeleted,
    SessionEnded,
    SessionExpired,
    SessionStarted,
    SessionUpdated,
)
from shared.errors import Conflict, TooManyRequests
from shared.persistence.mongo import Mongo
from shared.persistence.quota import Quota

_DAY: Final = timedelta(days=1)
# Confirmations sent to one address in a day, whoever requested them.
_ASKED_A_DAY: Final = 5
# How long the subscribers of a deleted room are kept, so that they hear that its sessions are called off.
_AFTER_THE_ROOM = timedelta(days=2)


def confirmation_quota(mongo: Mongo) -> Quota:
    return Quota(mongo, "reminder_mail_quota", most=_ASKED_A_DAY, period=_DAY)


class ReminderService:
    def __init__(
        self,
        subscriptions: SubscriptionRepository,
        mails: MailRepository,
        quota: Quota,
        rooms: RoomService,
        accounts: AccountService,
        links: ReminderLinks,
        clock: Clock,
    ):
        self._subscriptions = subscriptions
        self._mails = mails
        self._quota = quota
        self._rooms = rooms
        self._accounts = accounts
        self._links = links
        self._clock = clock

    async def subscribe(
        self, room_id: str, caller: Caller, library_id: str | None, email: str | None
    ) -> SubscribedResponse:
        """Subscribe the caller; repeating it changes nothing.

        Raises `NotFound`, `Forbidden`, `Conflict` if there is no address, and `TooManyRequests` if an address
        was asked to confirm too often.
        """
        room = await self._rooms.get_in_library(room_id, library_id)
        require_admitted(room, guest=caller.is_guest)
        wanted = self._wanted(room_id, await self._accounts.get(caller.user_id), email)
        kept = await self._subscriptions.find(room_id, caller.user_id)
        if kept is None or kept.recipient != wanted.recipient:
            await self._ask(wanted)
            kept = await self._store(wanted)
        elif not kept.active:
            await self._ask(kept)
        return SubscribedResponse(subscribed=kept.active, created_at=kept.created_at)

    def _wanted(self, room_id: str, user: User, email: str | None) -> Subscription:
        """By the address of the account; one that is given is confirmed first."""
        if user.email is None and email is None:
            raise Conflict("email is required: this account has no e-mail address", code="email_required")
        given = email if user.email is None else None
        return Subscription(
            room_id=room_id,
            user_id=user.id,
            recipient=recipient_of(given) if given else user.id,
            email=given,
            active=given is None,
            created_at=self._clock.now(),
        )

    async def _store(self, wanted: Subscription) -> Subscription:
        expires_at = None if wanted.active else wanted.created_at + CONFIRMED_WITHIN
        if not await self._subscriptions.add(wanted, expires_at):
            await self._subscriptions.replace(wanted, expires_at)
        return wanted

    async def _ask(self, of: Subscription) -> None:
        """Ask the address for confirmation, unless it is confirmed."""
        if of.active:
            return
        now = self._clock.now()
        mail = confirmation(of, now.date(), now + CONFIRMED_WITHIN)
        if await self._mails.is_planned(mail.id):
            return
        if not await self._quota.take(of.recipient, mail.id, now):
            raise TooManyRequests(
                "This address was sent too many requests today", retry_after=int(_DAY.total_seconds())
            )
        await self._mails.plan([mail], now)

    async def unsubscribe(self, room_id: str, caller: Caller, library_id: str | None) -> None:
        await self._rooms.get_in_library(room_id, library_id)
        await self._subscriptions.remove(room_id, caller.user_id)

    async def mine(self, room_id: str, caller: Caller, library_id: str | None) -> ReminderStatusResponse:
        room = await self._rooms.get_in_library(room_id, library_id)
        require_admitted(room, guest=caller.is_guest)
        kept = await self._subscriptions.find(room_id, caller.user_id)
        if kept is None:
            return ReminderStatusResponse(subscribed=False, created_at=None)
        return ReminderStatusResponse(subscribed=kept.active, created_at=kept.created_at)

    def check_confirm(self, room_id: str, recipient: str, token: str) -> None:
        """Raises `Forbidden` for an invalid or expired link."""
        self._links.check_confirm(room_id, recipient, token)

    async def confirm(self, room_id: str, recipient: str, token: str) -> bool:
        """Confirm the address; False if nobody waits for it any longer. Raises `Forbidden`."""
        self._links.check_confirm(room_id, recipient, token)
        return await self._subscriptions.confirm(room_id, recipient)

    def check_leave(self, room_id: str, recipient: str, token: str) -> None:
        self._links.check_unsubscribe(room_id, recipient, token)

    async def leave(self, room_id: str, recipient: str, token: str) -> None:
        """End the subscription that this link belongs to. Raises `Forbidden`."""
        self._links.check_unsubscribe(room_id, recipient, token)
        await self._subscriptions.remove_recipient(room_id, recipient)

    async def forget(self, event: RoomDeleted) -> None:
        await self._subscriptions.expire(event.room.id, self._clock.now() + _AFTER_THE_ROOM)


GROUP: Final = "session.reminders"


def reminder_group(schedules: ScheduleService, reminders: ReminderService) -> Group:
    changes = (SessionCreated, SessionUpdated, SessionStarted, SessionEnded, SessionExpired, SessionDeleted)
    event_handlers = [on(event, schedules.follow) for event in changes]
    return Group(GROUP, dict([*event_handlers, on(RoomDeleted, reminders.forget)]))
