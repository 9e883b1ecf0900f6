"""One mail to one recipient, and what becomes of it."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from services.session.reminders.schedule.domain import DueReminder, ReminderType
from services.session.reminders.subscriptions.domain import Subscription


class MailState(StrEnum):
    """`planned` -> `sending` -> `sent`, `refused` for good by a mail server, or `dropped` by ourselves.

    What is `sending` when its sender dies may have been sent or not: it is sent again, under the same
    Message-ID, by which mail servers know it for the same mail.
    """

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True)
class ReminderMail:
    """`occasion` None asks to confirm the address. `email` None means that of the user's account.

    Not sent after `until`. `attempts` counts those that ended without an answer for good.
    """

    id: str
    room_id: str
    recipient: str
    user_id: str
    email: str | None
    session_id: str | None = None
    occasion: ReminderType | None = None
    revision: int = 0
    until: datetime
    attempts: int = 0

    def message_id(self, domain: str) -> str:
        """Always the same, so that a second copy is known for one."""
        return f"<{hashlib.sha256(self.id.encode()).hexdigest()[:40]}@{domain}>"


def reminder(session_id: str, due: DueReminder, to: Subscription) -> ReminderMail:
    return ReminderMail(
        **_addressed(to),
        id=f"{session_id}:{due.key}:{to.recipient}",
        session_id=session_id,
        occasion=due.occasion,
        revision=due.revision,
        until=due.until,
    )


def confirmation(to: Subscription, day: date, until: datetime) -> ReminderMail:
    """One a day for an address and a room, however many ask for it."""
    id_ = f"confirm:{to.room_id}:{day.isoformat()}:{to.recipient}"
    return ReminderMail(**_addressed(to), id=id_, until=until)


def _addressed(to: Subscription) -> dict[str, Any]:
    return {"room_id": to.room_id, "recipient": to.recipient, "user_id": to.user_id, "email": to.email}
