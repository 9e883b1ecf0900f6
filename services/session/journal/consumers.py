"""What the journal takes in: every event of a session."""

from typing import Final

from services.session.journal.service import JournalService
from shared.bus import OrderedGroup
from shared.contracts.attendance_events import ParticipantLeaveRequested, ViewersCounted
from shared.contracts.event import Event
from shared.contracts.livekit_events import LiveKitEvent
from shared.contracts.registry import event_classes
from shared.contracts.roster_events import DriftRepaired, LiveKitRoomLost
from shared.contracts.session_events import SessionEvent, SessionFact
from shared.contracts.stage_events import StageRequestEvent
from shared.contracts.stream_events import RecordingEvent, StreamChanged

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
    )
    return tuple(event for event in event_classes().values() if issubclass(event, of_sessions))
