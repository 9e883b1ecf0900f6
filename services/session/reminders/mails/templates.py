"""What mails say, as text and as HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from services.session.reminders.schedule.domain import ReminderSchedule, ReminderType

_SUBJECTS: Final[Mapping[ReminderType, str]] = {
    ReminderType.SCHEDULED: "Scheduled: {title}",
    ReminderType.DAY_BEFORE: "In 24 hours: {title}",
    ReminderType.SOON: "In 15 minutes: {title}",
    ReminderType.LIVE: "Live now: {title}",
    ReminderType.RESCHEDULED: "New time: {title}",
    ReminderType.CANCELLED: "Called off: {title}",
}
_LEADS: Final[Mapping[ReminderType, str]] = {
    ReminderType.SCHEDULED: "A session has been scheduled:",
    ReminderType.DAY_BEFORE: "Tomorrow at this time:",
    ReminderType.SOON: "This session is about to begin:",
    ReminderType.LIVE: "This session is live:",
    ReminderType.RESCHEDULED: "This session has another time:",
    ReminderType.CANCELLED: "This session has been called off:",
}


@dataclass(frozen=True, kw_only=True)
class MailText:
    """A mail's texts; `action` is its main link with its label."""

    subject: str
    lead: str
    title: str
    when: str | None
    action: tuple[str, str] | None
    closing: str
    unsubscribe: str | None

    def text(self) -> str:
        action = f"{self.action[0]}: {self.action[1]}" if self.action else None
        closing = f"{self.closing} {self.unsubscribe or ''}".strip()
        parts: Sequence[str | None] = (self.lead, self.title, self.when, action, f"-- \n{closing}")
        return "\n\n".join(part for part in parts if part) + "\n"

    def html(self) -> str:
        """Every value is escaped."""
        when = f"<p>{escape(self.when)}</p>" if self.when else ""
        action = _link(*self.action, strong=True) if self.action else ""
        leave = " " + _link("Unsubscribe", self.unsubscribe) if self.unsubscribe else ""
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f"<title>{escape(self.subject)}</title></head>"
            '<body style="font-family:sans-serif;max-width:36em;margin:2em auto;color:#222">'
            f"<p>{escape(self.lead)}</p><h1>{escape(self.title)}</h1>{when}<p>{action}</p>"
            f'<hr><p style="color:#666;font-size:small">{escape(self.closing)}{leave}</p></body></html>\n'
        )


def _link(words: str, url: str, *, strong: bool = False) -> str:
    link = f'<a href="{escape(url)}">{escape(words)}</a>'
    return f"<strong>{link}</strong>" if strong else link


def reminder_text(
    occasion: ReminderType, schedule: ReminderSchedule, watch: str, unsubscribe: str
) -> MailText:
    title = one_line(schedule.title)
    over, live = occasion is ReminderType.CANCELLED, occasion is ReminderType.LIVE
    return MailText(
        subject=_SUBJECTS[occasion].format(title=title),
        lead=_LEADS[occasion],
        title=title,
        when=format_moment(schedule.start_time) if schedule.start_time and not live else None,
        action=None if over else ("Watch", watch),
        closing="You get this mail because you subscribed to this room's reminders.",
        unsubscribe=unsubscribe,
    )


def confirmation_text(room_title: str, confirm: str) -> MailText:
    title = one_line(room_title)
    return MailText(
        subject=f"Confirm your reminders: {title}",
        lead="Somebody asked for reminders of this room's sessions to be sent to this address:",
        title=title,
        when=None,
        action=("Yes, send me reminders", confirm),
        closing="If it was not you, do nothing: you will get no more mails about this room.",
        unsubscribe=None,
    )


def one_line(text: str) -> str:
    """Without anything that could end a header's line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def format_moment(moment: datetime) -> str:
    return f"{moment:%A}, {moment.day} {moment:%B %Y, %H:%M} UTC"
