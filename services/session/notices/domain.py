"""Which events are told to everybody in the room, and how: one table.

A notice goes to every connection of the room, whoever it is. So a row names each field that it shows, and
never one that only some may see: no secret, no direct message, nothing of who voted for what.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast

from shared.contracts.event import Event
from shared.contracts.session_events import HostMediaChanged, SessionUpdated
from shared.contracts.states import SessionStatus

Fields = dict[str, object]
E = TypeVar("E", bound=Event)
Row = tuple[type[Event], Callable[[Any], Fields | None]]


def row(event: type[E], fields: Callable[[E], Fields | None]) -> Row:
    """An event and what is told of it; None where it is nothing for the room."""
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
    }


# To tell of another event: one row.
TABLE: Final[Mapping[type[Event], Callable[[Any], Fields | None]]] = dict(
    [
        row(HostMediaChanged, _host_media),
        row(SessionUpdated, _settings),
    ]
)


def notice_of(event: Event) -> Fields | None:
    """`{"type": <event name>, "session_id", …}`; None for what is nothing for the room."""
    fields = cast(Callable[[Event], Fields | None], TABLE[type(event)])(event)
    return None if fields is None else {"type": event.name, "session_id": event.key, **fields}
