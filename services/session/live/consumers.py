"""Which events sessions follow."""

from collections.abc import Sequence
from typing import Final

from services.session.live.event_handlers import SessionEventHandlers
from services.session.live.service import LiveService
from shared.bus import EventHandler, on
from shared.contracts.attendance_events import (
    LiveKitRoomLost,
    ParticipantLeaveRequested,
    RosterObserved,
    ViewersCounted,
)
from shared.contracts.livekit_events import (
    IngressStarted,
    LiveKitRoomFinished,
    ParticipantConnectionAborted,
    ParticipantJoined,
    ParticipantLeft,
    StreamChanged,
)
from shared.contracts.session_events import (
    PresetUpdated,
    RoomDeleted,
    SessionEnded,
)

# The group is shared with the chat, polls and rooms: see `services.session.app`.
GROUP: Final = "session.sessions"


def event_handlers(sessions: SessionEventHandlers, live: LiveService) -> Sequence[EventHandler]:
    return [
        on(SessionEnded, sessions.close_livekit_room),
        on(LiveKitRoomFinished, sessions.end_if_room_is_gone),
        on(IngressStarted, live.start_on_ingest),
        on(ParticipantJoined, sessions.staff_joined),
        on(ParticipantLeft, sessions.staff_left),
        on(ParticipantConnectionAborted, sessions.staff_left),
        on(RosterObserved, sessions.follow_roster),
        on(LiveKitRoomLost, sessions.end_lost),
        on(ParticipantLeaveRequested, sessions.disconnect),
        on(ViewersCounted, sessions.count_viewers),
        on(StreamChanged, sessions.follow_stream),
        on(PresetUpdated, sessions.follow_preset),
        on(RoomDeleted, sessions.delete_with_room),
    ]
