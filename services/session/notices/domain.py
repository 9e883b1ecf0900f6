"""Which events become notices, and how: one table for everybody, one for some people only.

A notice of the first goes to every connection of the room. So a row names each field that it
shows, and never one that only some may see: no secret, no direct message, nothing of who voted for what.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from shared.access.session_access import Permission
from shared.contracts.event import Event
from shared.contracts.session_events import (
    HandAnswered,
    HandLowered,
    HandRaised,
    HostMediaChanged,
    JoinRequestAnswered,
    JoinRequestCreated,
    SessionUpdated,
    StageRequestEvent,
)
from shared.contracts.states import SessionState, SessionStatus

Fields = dict[str, object]
E = TypeVar("E", bound=Event)
Row = tuple[type[Event], Callable[[Any], Fields | None]]


def row(event: type[E], fields: Callable[[E], Fields | None]) -> Row:
    """An event and its notice; None if it does not concern the room."""
    return event, fields


def _host_media(event: HostMediaChanged) -> Fields:
    return event.model_dump(mode="json", include={"user_id", "media", "enabled", "changed_at"})


def _settings(event: SessionUpdated) -> Fields | None:
    session, preset = event.session, event.session.preset
    if session.status is not SessionStatus.LIVE:
        return None
    chat, stage = session.chat_enabled_override, session.stage_enabled_override
    limit = session.max_join_limit_override
    return {
        "version": session.version,
        "effective_chat_enabled": preset.chat_enabled if chat is None else chat,
        "effective_stage_enabled": preset.stage_enabled if stage is None else stage,
        "effective_max_join_limit": preset.max_join_limit if limit is None else limit,
        "stage": _stage(session),
    }


def _stage(session: SessionState) -> list[Fields]:
    shown = {"can_publish_audio", "can_publish_video"}
    return [{"user_id": user_id, **seat.model_dump(include=shown)} for user_id, seat in session.stage.items()]


@dataclass(frozen=True)
class Confidential:
    """For one person, and for everybody with this permission in the session."""

    user_id: str
    permission: Permission
    fields: Fields


def _asked(event: StageRequestEvent) -> Confidential:
    shown = event.request.model_dump(mode="json", exclude={"session_id", "version"})
    return Confidential(event.request.user_id, "stage_manage", {"request": shown})


# For another event add a row.
TABLE: Final[Mapping[type[Event], Callable[[Any], Fields | None]]] = dict(
    [
        row(HostMediaChanged, _host_media),
        row(SessionUpdated, _settings),
    ]
)


CONFIDENTIAL: Final[Mapping[type[Event], Callable[[Any], Confidential]]] = {
    HandRaised: _asked,
    HandLowered: _asked,
    HandAnswered: _asked,
    JoinRequestCreated: _asked,
    JoinRequestAnswered: _asked,
}


def notice_of(event: Event) -> Fields | Confidential | None:
    """The event's notice, to everybody or in confidence; None if it does not concern the room."""
    if type(event) in CONFIDENTIAL:
        return CONFIDENTIAL[type(event)](event)
    return cast(Callable[[Event], Fields | None], TABLE[type(event)])(event)
