"""What happens elsewhere and how sessions react: one table."""

from typing import Final

from services.session.rooms.reactions import RoomReactions
from services.session.sessions.live import LiveService
from services.session.sessions.reactions import SessionReactions
from shared.bus import Group, on
from shared.contracts.attendance_events import ParticipantLeaveRequested, ViewersCounted
from shared.contracts.livekit_events import (
    IngressStarted,
    LiveKitRoomFinished,
    ParticipantConnectionAborted,
    ParticipantJoined,
    ParticipantLeft,
)
from shared.contracts.roster_events import LiveKitRoomLost, RosterObserved
from shared.contracts.session_events import LibraryUpdated, PresetUpdated, RoomDeleted, SessionEnded
from shared.contracts.stream_events import StreamChanged

GROUP: Final = "session.sessions"


def group(sessions: SessionReactions, rooms: RoomReactions, live: LiveService) -> Group:
    async def begin(event: IngressStarted) -> None:
        await live.begin(event.session_id)

    return Group(
        GROUP,
        dict(
            [
                on(SessionEnded, sessions.close_livekit_room),
                on(LiveKitRoomFinished, sessions.end_if_room_is_gone),
                on(IngressStarted, begin),
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
                on(LibraryUpdated, rooms.follow_library),
            ]
        ),
    )
