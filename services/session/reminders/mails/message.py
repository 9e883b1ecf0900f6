"""A mail as it goes over the wire (RFC 5322, RFC 8058)."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr

from services.session.reminders.mails.calendar import calendar_file, method
from services.session.reminders.mails.domain import ReminderMail
from services.session.reminders.mails.templates import MailText, confirmation_text, reminder_text
from services.session.reminders.schedule.domain import ReminderSchedule
from services.session.reminders.subscriptions.links import ReminderLinks


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
