"""What happens in sessions, in batches of one partition: their states, then connections, then rosters."""

from collections.abc import Sequence
from typing import Final

from services.attendance.presence.service import PresenceService
from services.attendance.sessions.projection import AttendanceSessionProjection
from shared.bus import OrderedGroup
from shared.contracts.event import Envelope, Event
from shared.contracts.livekit_events import PARTICIPANT_EVENTS, ParticipantEvent
from shared.contracts.reconciler_events import RosterObserved
from shared.contracts.session_events import SESSION_EVENTS, SessionEvent

GROUP: Final = "attendance"

EVENTS: Final[tuple[type[Event], ...]] = (*SESSION_EVENTS, *PARTICIPANT_EVENTS, RosterObserved)


def group(sessions: AttendanceSessionProjection, presence: PresenceService) -> OrderedGroup:
    async def handle(batch: Sequence[Envelope]) -> None:
        events = [envelope.event for envelope in batch]
        await sessions.follow(*(event for event in events if isinstance(event, SessionEvent)))
        await presence.record(event for event in events if isinstance(event, ParticipantEvent))
        await presence.correct(event for event in events if isinstance(event, RosterObserved))

    return OrderedGroup(GROUP, EVENTS, handle)
