"""What a session takes over from its room. Pure."""

from collections.abc import Sequence
from datetime import datetime

from services.session.catalog.rooms.domain import Room
from services.session.sessions.domain.session import Session
from shared.contracts.event import Event
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import PresetState, SessionMode

_FOLLOWED = (
    "room_name",
    "options",
    "meta",
    "listed",
    "unlisted",
    "registered_only",
    "title",
    "description",
    "preset",
)


def new_session(id: str, room: Room, preset: PresetState, now: datetime) -> Session:
    """A scheduled session of the room, with its title."""
    return Session(
        id=id,
        organization_id=room.organization_id,
        library_id=room.library_id,
        room_id=room.id,
        room_name=room.name,
        options=room.options,
        meta=room.meta,
        host_id=room.host_id,
        listed=room.listed,
        unlisted=room.unlisted,
        closed_at=room.disabled_at,
        registered_only=room.registered_only,
        title=room.title,
        description=room.description,
        mode=SessionMode.WEBCAM,
        preset=preset,
        created_at=now,
        updated_at=now,
    )


def take_over(session: Session, now: datetime, room: Room, preset: PresetState) -> Sequence[Event]:
    """A pending session is as its room is now; one that the room would not have any longer expires."""
    if not session.is_pending:
        return []
    if not (room.enabled and room.options.auto_session):
        return session.expire(now)
    fresh = new_session(session.id, room, preset, now)
    changes = {name: getattr(fresh, name) for name in _FOLLOWED}
    if all(getattr(session, name) == value for name, value in changes.items()):
        return []
    for name, value in changes.items():
        setattr(session, name, value)
    session.updated_at = now
    return [SessionUpdated(session=session.state())]
