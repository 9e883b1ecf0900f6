"""A mail as people and calendars get it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from urllib.parse import parse_qs, urlsplit

import pytest
from icalendar import Calendar

from services.session.reminders.mails.domain import ReminderMail, reminder
from services.session.reminders.mails.rendering import on_the_wire
from services.session.reminders.mails.smtp import Server
from services.session.reminders.schedule.domain import DueReminder, ReminderSchedule, ReminderType
from services.session.reminders.subscriptions.domain import Subscription
from shared.contracts.states import SessionStatus
from shared.ids import new_id
from tests.unit.session.reminders.fixtures import PUBLIC, Reminders

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
START = datetime(2030, 1, 3, 20, 30, tzinfo=UTC)
EVIL = '<script>alert("x")</script> & Söhne, eine sehr lange Überschrift; mit allem, was weh tut \\n'


def schedule(**given: object) -> ReminderSchedule:
    own = {"id": new_id(), "room_id": new_id(), "title": "A show", "created_at": NOW, "start_time": START}
    return ReminderSchedule(**own | given)  # type: ignore[arg-type]


def mail_of(about: ReminderSchedule, occasion: ReminderType) -> ReminderMail:
    due = DueReminder(occasion=occasion, revision=about.revision, at=NOW, until=START)
    to = Subscription(
        room_id=about.room_id, user_id="u", recipient="u", email=None, active=True, created_at=NOW
    )
    return reminder(about.id, due, to)


def written(
    reminders: Reminders,
    about: ReminderSchedule,
    occasion: ReminderType = ReminderType.SCHEDULED,
    to: str = "anna@example.com",
) -> EmailMessage:
    """The mail after it went over the wire."""
    message = reminders.composer.reminder(mail_of(about, occasion), about, to, NOW)
    return message_from_bytes(bytes(message), policy=default)


def parts(message: EmailMessage) -> dict[str, str]:
    return {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}


def calendar(message: EmailMessage) -> Calendar:
    content = parts(message)["text/calendar"]
    read = Calendar.from_ical(content)
    assert isinstance(read, Calendar)
    return read


def test_it_has_text_html_and_a_calendar_file(reminders: Reminders) -> None:
    about = schedule()
    message = written(reminders, about)
    found = parts(message)
    watch = f"{PUBLIC}/watch/{about.id}"
    assert set(found) == {"text/plain", "text/html", "text/calendar"}
    assert watch in found["text/plain"]
    assert f'href="{watch}"' in found["text/html"]
    assert "Thursday, 3 January 2030, 20:30 UTC" in found["text/plain"]
    assert (message["Subject"], message["To"]) == ("Scheduled: A show", "anna@example.com")
    assert message["From"] == "Greenroom <reminders@live.example>"


def test_the_entry_keeps_its_uid_and_its_sequence_grows(reminders: Reminders) -> None:
    about = schedule()
    first = calendar(written(reminders, about))
    about.start_time, about.revision = START + timedelta(days=1), 1
    second = calendar(written(reminders, about, ReminderType.RESCHEDULED))
    about.cancelled = True
    last = calendar(written(reminders, about, ReminderType.CANCELLED))
    entries = [one.events[0] for one in (first, second, last)]
    assert {str(entry["uid"]) for entry in entries} == {f"{about.id}@greenroom"}
    assert [str(entry["sequence"]) for entry in entries] == ["0", "1", "2"]
    assert [str(one["method"]) for one in (first, second, last)] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [str(entry["status"]) for entry in entries] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert entries[1].start == START + timedelta(days=1)
    assert [entry.end - entry.start for entry in entries] == [timedelta(hours=1)] * 3


def test_a_session_without_a_time_has_no_entry(reminders: Reminders) -> None:
    about = schedule(start_time=None, status=SessionStatus.LIVE)
    assert set(parts(written(reminders, about, ReminderType.LIVE))) == {"text/plain", "text/html"}


@pytest.mark.parametrize(
    "title", [EVIL, "A\r\nBcc: all@example.com", "line\u2028separator", "‮desrever", "=?utf-8?q?x?="]
)
def test_a_title_stays_a_title(reminders: Reminders, title: str) -> None:
    message = written(reminders, schedule(title=title))
    names = [name.lower() for name in message.keys()]  # noqa: SIM118
    assert len(names) == len(set(names))
    assert "bcc" not in names
    assert "\n" not in message["Subject"]
    assert "<script>" not in parts(message)["text/html"]
    entry = calendar(message).events[0]
    assert sorted(entry.keys()) == sorted(calendar(written(reminders, schedule())).events[0].keys())


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("anna@example.com", "anna@example.com"),
        ("o'hara+x@bücher.example", "o'hara+x@xn--bcher-kva.example"),
        ("anna.müller@example.com", "anna.müller@example.com"),
    ],
)
def test_addresses_of_all_kinds(reminders: Reminders, address: str, wire: str) -> None:
    assert on_the_wire(address) == wire
    assert (
        reminders.composer.reminder(mail_of(schedule(), ReminderType.SOON), schedule(), wire, NOW)["To"]
        == wire
    )


def test_a_domain_that_is_none_is_not_written_to() -> None:
    assert on_the_wire(f"anna@{'ä' * 70}.example") is None


def test_it_can_be_left_with_one_click(reminders: Reminders) -> None:
    about = schedule()
    message = written(reminders, about)
    link = str(message["List-Unsubscribe"])[1:-1]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    parsed = urlsplit(link)
    assert parsed.path == f"/rooms/{about.room_id}/reminders/unsubscribe"
    query = parse_qs(parsed.query)
    reminders.service.check_leave(about.room_id, query["recipient"][0], query["token"][0])
    assert link in parts(message)["text/plain"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 25, False, None, None, None)),
        ("smtp+starttls://u:p%40ss@mail:2525", ("mail", 2525, False, True, "u", "p@ss")),
        ("smtps://mail.example", ("mail.example", 465, True, False, None, None)),
    ],
)
def test_a_server_by_its_url(url: str, expected: Sequence[object]) -> None:
    server = Server.of(url)
    told = (server.host, server.port, server.tls, server.starttls, server.user, server.password)
    assert told == expected
    assert "p@ss" not in repr(server)


@pytest.mark.parametrize("url", ["http://mail", "smtp://", "mail:25"])
def test_what_is_no_mail_server(url: str) -> None:
    with pytest.raises(ValueError, match="smtp"):
        Server.of(url)
