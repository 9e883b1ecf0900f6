"""What the journal takes in: every event of a session."""

from typing import Final

from services.session.journal.service import JournalService
from shared.bus import OrderedGroup
from shared.contracts.attendance_events import (
    DriftRepaired,
    LiveKitRoomLost,
    ParticipantLeaveRequested,
    ViewersCounted,
)
from shared.contracts.chat_and_poll_events import ChatMessageDeleted, PollEvent
from shared.contracts.event import Event
from shared.contracts.livekit_events import LiveKitEvent, RecordingEvent, StreamChanged
from shared.contracts.registry import event_classes
from shared.contracts.session_events import SessionEvent, SessionFact, StageRequestEvent

GROUP: Final = "session.journal"


def group(journal: JournalService) -> OrderedGroup:
    return OrderedGroup(GROUP, _events(), journal.record)


def _events() -> tuple[type[Event], ...]:
    of_sessions = (
        SessionEvent,
        SessionFact,
        LiveKitEvent,
        ViewersCounted,
        ParticipantLeaveRequested,
        LiveKitRoomLost,
        DriftRepaired,
        StreamChanged,
        RecordingEvent,
        StageRequestEvent,
        # Messages and votes are personal data: they are kept in one place, where they can be deleted.
        ChatMessageDeleted,
        PollEvent,
    )
    return tuple(event for event in event_classes().values() if issubclass(event, of_sessions))
