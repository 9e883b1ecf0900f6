"""Who subscribed to a room's reminders, and the signed links in their mails."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from shared.files.paths import PathSigner


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


PURPOSE: Final = "reminders"
_CONFIRM, _UNSUBSCRIBE = "confirm", "unsubscribe"
# A mail may be found after years; its way out has to work.
_FOR_GOOD = timedelta(days=3650)
CONFIRMED_WITHIN: Final = timedelta(days=7)


class ReminderLinks:
    """For one address in one room each; anybody with the mail may follow them, without credentials."""

    def __init__(self, public_url: str, signer: PathSigner):
        self._public_url = public_url.rstrip("/")
        self._signer = signer

    def confirm(self, room_id: str, recipient: str, now: datetime) -> str:
        return self._url(_CONFIRM, room_id, recipient, now + CONFIRMED_WITHIN)

    def unsubscribe(self, room_id: str, recipient: str, now: datetime) -> str:
        return self._url(_UNSUBSCRIBE, room_id, recipient, now + _FOR_GOOD)

    def check_confirm(self, room_id: str, recipient: str, token: str) -> None:
        """Raises `Forbidden` unless the link is ours and has not expired."""
        self._signer.verify(token, _subject(_CONFIRM, room_id, recipient))

    def check_unsubscribe(self, room_id: str, recipient: str, token: str) -> None:
        self._signer.verify(token, _subject(_UNSUBSCRIBE, room_id, recipient))

    def _url(self, what: str, room_id: str, recipient: str, until: datetime) -> str:
        token = self._signer.sign(_subject(what, room_id, recipient), until)
        query = urlencode({"recipient": recipient, "token": token})
        return f"{self._public_url}/rooms/{room_id}/reminders/{what}?{query}"


def _subject(what: str, room_id: str, recipient: str) -> str:
    return f"{what}\n{room_id}\n{recipient}"
