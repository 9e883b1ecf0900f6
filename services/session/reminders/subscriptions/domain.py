"""Who subscribed to a room's reminders."""

import hashlib
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One person's to one room.

    `recipient` is whom mails go to: the user, by the address of their account, or, where that has none, the
    `email` that was given (see `recipient_of`). It is not `active` before such an address is confirmed.
    """

    room_id: str
    user_id: str
    recipient: str
    email: str | None
    active: bool
    created_at: datetime

    @property
    def id(self) -> str:
        return subscription_id(self.room_id, self.user_id)


def subscription_id(room_id: str, user_id: str) -> str:
    """Deterministic, so that nobody subscribes twice."""
    return f"{room_id}:{user_id}"


def recipient_of(email: str) -> str:
    """An id for an address, whoever gave it, so that each address gets one mail."""
    return "mail-" + hashlib.sha256(email.lower().encode()).hexdigest()[:32]
