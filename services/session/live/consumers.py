"""What happens elsewhere and how sessions react: one table."""

from typing import Final

from services.session.catalog.rooms.event_handlers import RoomReactions
from services.session.chat.service import ChatService
from services.session.live.event_handlers import SessionReactions
from services.session.live.service import LiveService
from services.session.polls.service import PollService
from shared.bus import Group, on
from shared.contracts.attendance_events import ParticipantLeaveRequested, ViewersCounted
from shared.contracts.chat_events import ChatMessageDeleted
from shared.contracts.livekit_events import (
    IngressStarted,
    LiveKitRoomFinished,
    ParticipantConnectionAborted,
    ParticipantJoined,
    ParticipantLeft,
)
from shared.contracts.roster_events import LiveKitRoomLost, RosterObserved
from shared.contracts.session_events import (
    LibraryUpdated,
    PresetUpdated,
    RoomDeleted,
    SessionDeleted,
    SessionEnded,
)
from shared.contracts.stream_events import StreamChanged

GROUP: Final = "session.sessions"


def group(
    sessions: SessionReactions, rooms: RoomReactions, live: LiveService, chat: ChatService, polls: PollService
) -> Group:
    async def forget(event: SessionDeleted) -> None:
        await chat.forget_session(event.session.id)
        await polls.forget_session(event.session.id)

    return Group(
        GROUP,
        dict(
            [
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
                on(SessionDeleted, forget),
                on(ChatMessageDeleted, chat.take_down),
                on(RoomDeleted, sessions.delete_with_room),
                on(LibraryUpdated, rooms.follow_library),
            ]
        ),
    )
