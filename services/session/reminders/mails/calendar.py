"""The calendar entry that goes with a mail (RFC 5545, RFC 5546)."""

from datetime import datetime

from icalendar import Calendar, Event, vCalAddress

from services.session.reminders.schedule.domain import Agenda


def calendar_file(
    agenda: Agenda, url: str, *, organizer: str, attendee: str, stamp: datetime
) -> bytes | None:
    """The session's current entry, or its cancellation; None if it has no time.

    The UID stays and SEQUENCE grows, so that a calendar moves or removes what it has.
    """
    if agenda.start_time is None:
        return None
    calendar = Calendar()
    calendar.add("prodid", "-//Greenroom//Reminders//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method(agenda))
    calendar.add_component(_entry(agenda, agenda.start_time, url, organizer, attendee, stamp))
    return bytes(calendar.to_ical())


def method(agenda: Agenda) -> str:
    return "CANCEL" if agenda.cancelled else "REQUEST"


def _entry(
    agenda: Agenda, start: datetime, url: str, organizer: str, attendee: str, stamp: datetime
) -> Event:
    entry = Event()
    entry.add("uid", f"{agenda.id}@greenroom")
    # Calling it off comes after every time that it had.
    entry.add("sequence", agenda.revision + agenda.cancelled)
    entry.add("dtstamp", stamp)
    entry.add("dtstart", start)
    entry.add("summary", agenda.title)
    entry.add("status", "CANCELLED" if agenda.cancelled else "CONFIRMED")
    entry.add("organizer", vCalAddress(f"mailto:{organizer}"))
    entry.add("attendee", vCalAddress(f"mailto:{attendee}"))
    if not agenda.cancelled:
        entry.add("url", url)
        entry.add("description", url)
    return entry
