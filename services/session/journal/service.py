"""Keeping the journal, and reading it."""

from collections.abc import Sequence
from typing import Final

from services.session.journal.domain import EntryKind, JournalEntry
from services.session.journal.event_filter import EventFilter
from services.session.journal.repository import JournalRepository
from services.session.sessions.access import SessionAccess
from shared.access.identity import Caller
from shared.bus import OrderedGroup
from shared.clock import Clock
from shared.contracts.attendance_events import ParticipantLeaveRequested, ViewersCounted
from shared.contracts.chat_and_poll_events import ChatMessageDeleted, PollEvent
from shared.contracts.event import Envelope, Event
from shared.contracts.livekit_events import LiveKitEvent
from shared.contracts.reconciler_events import DriftRepaired, LiveKitRoomLost
from shared.contracts.registry import event_classes
from shared.contracts.session_events import SessionEvent, SessionFact, StageRequestEvent
from shared.contracts.stream_and_recording_events import RecordingEvent, StreamChanged
from shared.http.schema import Page


class JournalService:
    def __init__(self, journal: JournalRepository, access: SessionAccess, clock: Clock):
        self._journal = journal
        self._access = access
        self._clock = clock

    async def record(self, envelopes: Sequence[Envelope]) -> None:
        now = self._clock.now()
        await self._journal.add([JournalEntry.of(envelope, now) for envelope in envelopes])

    async def read(
        self, session_id: str, kind: EntryKind | None, page: Page
    ) -> tuple[list[JournalEntry], int]:
        """A page of a session's journal, oldest entry first; empty for an unknown session."""
        return await self._journal.list_page(session_id, kind, page.skip, page.limit)

    async def read_as_host(
        self, session_id: str, caller: Caller, wanted: EventFilter, *, cursor: str | None, limit: int
    ) -> tuple[list[JournalEntry], str | None]:
        """The entries that the session's host may see, as `JournalRepository.page_after`.

        Raises as `SessionAccess.get_for_host`.
        """
        session = await self._access.get_for_host(session_id, caller)
        return await self._journal.page_after(session.id, wanted, cursor=cursor, limit=limit)


GROUP: Final = "session.journal"


def journal_group(journal: JournalService) -> OrderedGroup:
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
