"""Journals of a session, as its events would have made them."""

from datetime import datetime, timedelta
from typing import Any

from services.session.journal.domain import JournalEntry
from services.session.sessions.domain.session import Session
from services.session.timeline.explanation.facts import Facts
from shared.contracts.event import Envelope, Event
from shared.contracts.livekit_events import Connection, ParticipantLeft
from shared.contracts.reconciler_events import DriftRepaired
from shared.contracts.states import RecordingState, RecordingStatus, Role, StreamState, StreamStatus
from shared.ids import new_id
from tests.unit.session.builders import HOST, LIMITS, T0

NAMES = {HOST: "Hanna"}


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def entry(event: Event, seconds: float = 0, *, by: str | None = None, **given: Any) -> JournalEntry:
    """An entry of that many seconds after T0; `by` is the operation of a call of the host."""
    envelope = Envelope(
        id=new_id(),
        source="/greenroom/session",
        time=at(seconds),
        event=event,
        request_id=given.get("request_id"),
        operation=by,
        actor=f"user:{HOST}" if by else None,
    )
    return JournalEntry.of(envelope, given.get("recorded_at"))


def left(session: Session, seconds: float, **given: Any) -> ParticipantLeft:
    own: dict[str, Any] = {
        "participant_sid": "PA_1",
        "identity": f"{HOST}:s",
        "user_id": HOST,
        "username": "Hanna",
        "role": Role.HOST,
        "joined_at": T0,
    }
    return ParticipantLeft(
        session_id=session.id,
        occurred_at=at(seconds),
        connection=Connection(**own | given),
        reason="connection_timeout",
    )


def stream(session: Session, status: StreamStatus, error: str | None = None, **given: Any) -> StreamState:
    own = {"session_id": session.id, "version": 1, "status": status, "hls_path": None, "error": error}
    return StreamState(**own | {"updated_at": at(30)} | given)


def recording(
    session: Session, status: RecordingStatus, error: str | None = None, **given: Any
) -> RecordingState:
    own: dict[str, Any] = {
        "id": new_id(),
        "version": 1,
        "organization_id": session.organization_id,
        "library_id": session.library_id,
        "session_id": session.id,
        "host_id": session.host_id,
        "name": "A recording",
        "status": status,
        "duration": None,
        "file_size": None,
        "error": error,
        "created_at": T0,
        "updated_at": at(40),
    }
    return RecordingState(**own | given)


def repaired(session: Session, kind: str, **given: Any) -> DriftRepaired:
    own: dict[str, Any] = {
        "drift_id": new_id(),
        "repaired_at": at(20),
        "kind": kind,
        "participant_sid": None,
        "identity": None,
        "user_id": None,
        "username": None,
        "believed": "there",
        "observed": "gone",
        "action": "counted as gone",
        "last_seen_at": at(5),
    }
    return DriftRepaired(session_id=session.id, **own | given)


def facts(session: Session, *entries: JournalEntry, deleted: bool = False, **given: Any) -> Facts:
    """What is known of a session by these entries."""
    leaves = [one for one in entries if one.name == ParticipantLeft.name]
    own: dict[str, Any] = {
        "session": None if deleted else session,
        "state": session.state(),
        "entries": entries,
        "host_left": leaves[-1] if leaves else None,
        "names": NAMES,
        "problems": [],
        "limits": LIMITS,
        "now": at(60),
    }
    return Facts(**own | given)
