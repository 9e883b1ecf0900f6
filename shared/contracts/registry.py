"""Every event by its name: importing this module knows them all."""

from shared.contracts import (
    attendance_events,
    audit_events,
    chat_and_poll_events,
    livekit_events,
    people_and_catalog_events,
    reconciler_events,
    session_events,
    stream_and_recording_events,
)
from shared.contracts.event import REGISTRY, Event

MODULES = (
    attendance_events,
    audit_events,
    chat_and_poll_events,
    livekit_events,
    people_and_catalog_events,
    reconciler_events,
    session_events,
    stream_and_recording_events,
)


def event_class(name: str) -> type[Event] | None:
    """The class of the event `name`, or None if this release does not know it."""
    return REGISTRY.get(name)


def event_classes() -> dict[str, type[Event]]:
    """Every registered event, by name in alphabetical order."""
    return dict(sorted(REGISTRY.items()))
