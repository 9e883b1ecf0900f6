"""What of a session's journal its host is shown, event by event; pure.

It is an allowlist: what people write to each other, the identities of connections (they have sign-ins in
them), keys, paths of files and the engine's own affairs stay inside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from services.session.journal.domain import JournalEntry
from shared.contracts.attendance_events import ParticipantLeaveRequested, ViewersCounted
from shared.contracts.chat_and_poll_events import ChatMessageDeleted, PollClosed, PollCreated
from shared.contracts.event import Event
from shared.contracts.livekit_events import (
    IngressEnded,
    IngressStarted,
    LiveKitRoomFinished,
    LiveKitRoomStarted,
    ParticipantConnectionAborted,
    ParticipantJoined,
    ParticipantLeft,
    TrackPublished,
    TrackUnpublished,
)
from shared.contracts.session_events import (
    SESSION_EVENTS,
    HandAnswered,
    HandLowered,
    HandRaised,
    HostMediaChanged,
    JoinRequestAnswered,
    JoinRequestCreated,
)
from shared.contracts.stream_and_recording_events import RecordingChanged, RecordingDeleted, StreamChanged

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class EventView:
    """The fields of an event that are shown: some of its `own`, and `fields` of the one that is `within`.

    `renamed` are those that have another name when they are shown, flat beside each other.
    """

    own: tuple[str, ...] = ()
    within: str | None = None
    fields: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=lambda: _NONE)

    def of(self, data: Mapping[str, Any]) -> dict[str, Any]:
        inner = data.get(self.within) or {} if self.within else {}
        found = [(data, name) for name in self.own] + [(inner, name) for name in self.fields]
        return {self.renamed.get(name, name): source.get(name) for source, name in found}


_SESSION: Final = EventView(
    within="session",
    fields=(
        "room_id",
        "room_name",
        "title",
        "status",
        "mode",
        "preset_id",
        "options",
        "scheduled_start_time",
        "started_at",
        "ended_at",
        "end_reason",
        "end_estimated",
        "chat_enabled_override",
        "stage_enabled_override",
        "max_join_limit_override",
        "created_at",
        "updated_at",
    ),
)
_PERSON: Final = ("participant_sid", "user_id", "external_user_id", "username", "role", "joined_at")
_JOINED: Final = EventView(within="connection", fields=_PERSON, renamed={"username": "name"})
_LEFT: Final = EventView(
    own=("occurred_at", "reason"),
    within="connection",
    fields=_PERSON,
    renamed={"username": "name", "occurred_at": "left_at"},
)
_TRACK: Final = EventView(own=("participant_sid", "user_id", "track_sid", "type", "source", "occurred_at"))
_OCCURRED: Final = EventView(own=("occurred_at",))
_INGRESS: Final = EventView(own=("status", "occurred_at"))
_RECORDING: Final = EventView(
    within="recording",
    fields=("id", "name", "status", "duration", "file_size", "error", "created_at", "updated_at"),
    renamed={"id": "recording_id"},
)
_REQUEST: Final = EventView(
    within="request",
    fields=("id", "kind", "user_id", "name", "status", "created_at", "responded_at"),
    renamed={"id": "request_id"},
)
_POLL: Final = EventView(
    within="poll",
    fields=("id", "user_id", "status", "created_at", "closed_at"),
    renamed={"id": "poll_id"},
)

_BY_CLASS: Final[Mapping[type[Event], EventView]] = {
    **dict.fromkeys(SESSION_EVENTS, _SESSION),
    ParticipantJoined: _JOINED,
    ParticipantLeft: _LEFT,
    ParticipantConnectionAborted: _LEFT,
    ParticipantLeaveRequested: EventView(own=("user_id", "requested_at")),
    HostMediaChanged: EventView(own=("user_id", "media", "enabled", "changed_at")),
    TrackPublished: _TRACK,
    TrackUnpublished: _TRACK,
    LiveKitRoomStarted: _OCCURRED,
    LiveKitRoomFinished: _OCCURRED,
    IngressStarted: _INGRESS,
    IngressEnded: _INGRESS,
    StreamChanged: EventView(within="stream", fields=("status", "error", "updated_at")),
    RecordingChanged: _RECORDING,
    RecordingDeleted: _RECORDING,
    HandRaised: _REQUEST,
    HandLowered: _REQUEST,
    HandAnswered: _REQUEST,
    JoinRequestCreated: _REQUEST,
    JoinRequestAnswered: _REQUEST,
    PollCreated: _POLL,
    PollClosed: _POLL,
    ViewersCounted: EventView(own=("viewer_count", "max_viewers")),
    ChatMessageDeleted: EventView(
        within="deletion",
        fields=("id", "user_id", "deleted_by", "deleted_at"),
        renamed={"id": "message_id"},
    ),
}
VIEWS: Final[Mapping[str, EventView]] = {event.name: view for event, view in _BY_CLASS.items()}


def shown_data(entry: JournalEntry) -> dict[str, Any]:
    """The entry's data as its session's host sees it; of a connection also its public id."""
    shown = VIEWS[entry.name].of(entry.data)
    return shown if entry.connection_id is None else shown | {"connection_id": entry.connection_id}
