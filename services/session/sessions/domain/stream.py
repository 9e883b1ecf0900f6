"""Requests for the stream of a session. Pure."""

from collections.abc import Sequence
from datetime import datetime

from services.session.sessions.domain.session import Session
from shared.contracts.event import Event
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import StreamRequest, StreamStatus


def stream_on(session: Session, now: datetime, *, record: bool) -> Sequence[Event]:
    """Request a stream; an existing request stays as it is. Raises `Conflict`."""
    session.check_live()
    if session.has_stream(record=record):
        return []
    return _request_stream(session, now, record=record)


def stream_again(session: Session, now: datetime) -> Sequence[Event]:
    """Ask for the stream once more, so that one that has died is replaced. Raises `Conflict`."""
    session.check_live()
    if session.stream.wanted and session.stream_status in {StreamStatus.STARTING, StreamStatus.ACTIVE}:
        return []
    return _request_stream(session, now, record=session.stream.record)


def stream_off(session: Session, now: datetime) -> Sequence[Event]:
    """Request no stream any more; the session goes on. Raises `Conflict`."""
    session.check_live()
    if not session.stream.wanted:
        return []
    session.stream = StreamRequest(attempt=session.stream.attempt)
    session.updated_at = now
    return [SessionUpdated(session=session.state())]


def _request_stream(session: Session, now: datetime, *, record: bool) -> Sequence[Event]:
    session.stream = StreamRequest(wanted=True, record=record, attempt=session.stream.attempt + 1)
    session.updated_at = now
    return [SessionUpdated(session=session.state())]
