"""The calendar entry that goes with a mail (RFC 5545, RFC 5546)."""

from datetime import datetime

from icalendar import Calendar, Event, vCalAddress

from services.session.reminders.schedule.domain import ReminderSchedule


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
    entry.add("summary", schedule.title)
    entry.add("status", "CANCELLED" if schedule.cancelled else "CONFIRMED")
    entry.add("organizer", vCalAddress(f"mailto:{organizer}"))
    entry.add("attendee", vCalAddress(f"mailto:{attendee}"))
    if not schedule.cancelled:
        entry.add("url", url)
        entry.add("description", url)
    return entry
