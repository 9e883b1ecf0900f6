"""Gathering what explanations are made of."""

from collections.abc import Sequence
from typing import Final, Protocol

from services.session.identity.accounts.repository import UserRepository
from services.session.journal.domain import JournalEntry
from services.session.journal.period import KEPT
from services.session.journal.repository import JournalRepository
from services.session.sessions.domain.session import Limits, Session
from services.session.sessions.repository import SessionRepository
from services.session.timeline.explanation.facts import Explanation, Facts
from services.session.timeline.explanation.media import explain_media
from services.session.timeline.explanation.session_end import explain_session
from services.session.timeline.service import names_of
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.livekit_events import (
    EgressEnded,
    EgressStarted,
    EgressUpdated,
    LiveKitRoomFinished,
    ParticipantConnectionAborted,
    ParticipantJoined,
    ParticipantLeft,
)
from shared.contracts.reconciler_events import DriftRepaired
from shared.contracts.session_events import SESSION_EVENTS, SessionCallRefused, SessionUpdated
from shared.contracts.states import Role, SessionState
from shared.contracts.stream_and_recording_events import RecordingChanged, RecordingDeleted, StreamChanged
from shared.errors import NotFound, Unavailable
from shared.http.internal import InternalCalls, InternalClient

# Each at most once in a session. They are asked for by themselves, like refusals: others of its events, and
# calls that are refused over and over, are so many that these would not be among the latest.
_ONCE: Final = frozenset(event.name for event in SESSION_EVENTS) - {SessionUpdated.name}
_REPEATED: Final[tuple[type[Event], ...]] = (
    SessionUpdated,
    StreamChanged,
    RecordingChanged,
    RecordingDeleted,
    LiveKitRoomFinished,
)
_OF_SESSION: Final = frozenset(event.name for event in _REPEATED)
_OF_EGRESSES: Final = frozenset(event.name for event in (EgressStarted, EgressUpdated, EgressEnded))
_LEAVES: Final = frozenset(event.name for event in (ParticipantLeft, ParticipantConnectionAborted))
# Enough to tell why; sessions of thousands of people have more.
_MOST, _MOST_REPAIRS, _MOST_REFUSALS, _MOST_LEAVES = 2000, 50, 50, 200
_OF_HOSTS: Final = {
    "data.connection.role": {"$in": [Role.HOST.value, Role.CO_HOST.value]},
    "data.connection.hidden": {"$ne": True},
    "data.connection.recorder": {"$ne": True},
}
_RECORDERS: Final = {"data.connection.recorder": True}
_TIMEOUT_SECONDS: Final = 5.0
# Of streams and of recordings.
_UNSETTLED: Final = frozenset({"starting", "active", "ending", "recording"})


class StreamProblems(Protocol):
    async def of(self, session_id: str) -> Sequence[str] | None:
        """What the egress service finds wrong with a stream now; None if it does not answer."""
        ...


class EgressStreamProblems:
    """The egress service's internal operation."""

    def __init__(self, egress_url: str, calls: InternalCalls):
        self._client = InternalClient("egress", egress_url, calls, timeout_seconds=_TIMEOUT_SECONDS)

    async def of(self, session_id: str) -> Sequence[str] | None:
        try:
            path = f"/internal/streams/{session_id}/problems"
            return (await self._client.get(path, dict[str, list[str]]))["problems"]
        except Unavailable:
            return None

    async def close(self) -> None:
        await self._client.close()


class ExplanationService:
    def __init__(
        self,
        journal: JournalRepository,
        sessions: SessionRepository,
        users: UserRepository,
        problems: StreamProblems,
        limits: Limits,
        clock: Clock,
    ):
        self._journal = journal
        self._sessions = sessions
        self._users = users
        self._problems = problems
        self._limits = limits
        self._clock = clock

    async def explain(self, session_id: str) -> list[Explanation]:
        """The session first, then its stream and its recordings. Raises `NotFound`.

        Of a deleted session it tells what the journal still has.
        """
        session = await self._sessions.find(session_id)
        entries = await self._entries(session_id)
        state = _state(session, entries)
        if state is None:
            raise NotFound(f"There is no such session, nor was there one in the last {KEPT.days} days")
        host_left = await self._journal.latest(session_id, _LEAVES, limit=1, where=_OF_HOSTS)
        facts = Facts(
            session=session,
            state=state,
            entries=entries,
            host_left=host_left[-1] if host_left else None,
            names=await names_of(self._users, entries),
            problems=await self._problems.of(session_id) if _is_unsettled(session, entries) else [],
            limits=self._limits,
            now=self._clock.now(),
        )
        return [explain_session(facts), *explain_media(facts)]

    async def _entries(self, session_id: str) -> list[JournalEntry]:
        latest = self._journal.latest
        found = [
            *await latest(session_id, _ONCE, limit=_MOST),
            *await latest(session_id, _OF_SESSION | _OF_EGRESSES, limit=_MOST),
            *await latest(session_id, {SessionCallRefused.name}, limit=_MOST_REFUSALS),
            *await latest(session_id, {DriftRepaired.name}, limit=_MOST_REPAIRS),
            *await latest(session_id, _LEAVES, limit=_MOST_LEAVES),
            *await latest(session_id, {ParticipantJoined.name}, limit=_MOST_LEAVES, where=_RECORDERS),
        ]
        return sorted(found, key=lambda entry: (entry.at, entry.place))


def _is_unsettled(session: Session | None, entries: Sequence[JournalEntry]) -> bool:
    """Whether a stream is wanted, or one or a recording is not over yet."""
    if session is not None and session.is_live and session.stream.wanted:
        return True
    last: dict[str, str] = {}
    for entry in entries:
        state = entry.data.get("recording") or entry.data.get("stream")
        if state is not None:
            last[state.get("id", "the stream")] = state["status"]
    return not _UNSETTLED.isdisjoint(last.values())


def _state(session: Session | None, entries: Sequence[JournalEntry]) -> SessionState | None:
    if session is not None:
        return session.state()
    told = [entry for entry in entries if "session" in entry.data]
    return SessionState.model_validate(told[-1].data["session"]) if told else None
