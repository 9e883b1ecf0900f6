"""A mail as it goes over the wire (RFC 5322, RFC 8058), and its calendar entry (RFC 5545, RFC 5546)."""

from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr

from icalendar import Calendar, Event, vCalAddress

from services.session.reminders.mails.domain import ReminderMail
from services.session.reminders.mails.templates import MailText, confirmation_text, reminder_text
from services.session.reminders.schedule.domain import ReminderSchedule
from services.session.reminders.subscriptions.domain import ReminderLinks

# A session has a start and no planned end; an entry without an end is shown as a moment, or as a whole day.
_SHOWN_LENGTH = timedelta(hours=1)


def calendar_file(
    schedule: ReminderSchedule, url: str, *, organizer: str, attendee: str, stamp: datetime
) -> bytes | None:
    """The session's current entry, or its cancellation; None if it has no time.

    The UID stays and SEQUENCE grows, so that a calendar moves or removes what it has.
    """
    if schedule.start_time is None:
        return None
    calendar = Calendar()
    calendar.add("prodid", "-//Greenroom//Reminders//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method(schedule))
    calendar.add_component(_entry(schedule, schedule.start_time, url, organizer, attendee, stamp))
    return bytes(calendar.to_ical())


def method(schedule: ReminderSchedule) -> str:
    return "CANCEL" if schedule.cancelled else "REQUEST"


def _entry(
    schedule: ReminderSchedule, start: datetime, url: str, organizer: str, attendee: str, stamp: datetime
) -> Event:
    entry = Event()
    entry.add("uid", f"{schedule.id}@greenroom")
    # Calling it off comes after every time that it had.
    entry.add("sequence", schedule.revision + schedule.cancelled)
    entry.add("dtstamp", stamp)
    entry.add("dtstart", start)
    entry.add("dtend", start + _SHOWN_LENGTH)
    entry.add("summary", schedule.title)
    entry.add("status", "CANCELLED" if schedule.cancelled else "CONFIRMED")
    entry.add("organizer", vCalAddress(f"mailto:{organizer}"))
    entry.add("attendee", vCalAddress(f"mailto:{attendee}"))
    if not schedule.cancelled:
        entry.add("url", url)
        entry.add("description", url)
    return entry


class Composer:
    """`sender` is the From header, an address with or without a name; `watch_url` ends before the id."""

    def __init__(self, sender: str, watch_url: str, links: ReminderLinks):
        name, self.address = parseaddr(sender)
        self._from = Address(display_name=name, addr_spec=self.address)
        self._watch_url = watch_url
        self._links = links

    def reminder(
        self, mail: ReminderMail, schedule: ReminderSchedule, to: str, now: datetime
    ) -> EmailMessage:
        """Raises ValueError if `to` is not a valid address."""
        if mail.occasion is None:
            raise ValueError("this mail is about no occasion")
        watch = f"{self._watch_url}/{schedule.id}"
        unsubscribe = self._links.unsubscribe(mail.room_id, mail.recipient, now)
        message = self._message(mail, reminder_text(mail.occasion, schedule, watch, unsubscribe), to, now)
        message["List-Unsubscribe"] = f"<{unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        file = calendar_file(schedule, watch, organizer=self.address, attendee=to, stamp=now)
        if file is not None:
            parameters = {"method": method(schedule)}
            message.add_attachment(
                file.decode(), subtype="calendar", filename="session.ics", params=parameters, cte="base64"
            )
        return message

    def confirmation(self, mail: ReminderMail, room_title: str, to: str, now: datetime) -> EmailMessage:
        confirm = self._links.confirm(mail.room_id, mail.recipient, now)
        return self._message(mail, confirmation_text(room_title, confirm), to, now)

    def _message(self, mail: ReminderMail, words: MailText, to: str, now: datetime) -> EmailMessage:
        message = EmailMessage(policy=SMTP if to.isascii() else SMTPUTF8)
        message["From"] = self._from
        username, _, domain = to.rpartition("@")
        message["To"] = Address(username=username, domain=domain)
        message["Subject"] = words.subject
        message["Date"] = format_datetime(now)
        message["Message-ID"] = mail.message_id(self.address.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(words.text(), cte="quoted-printable")
        message.add_alternative(words.html(), subtype="html", cte="quoted-printable")
        return message
