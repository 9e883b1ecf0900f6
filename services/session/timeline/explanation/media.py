"""Why a session's stream and recordings ended, failed or have not started. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from services.session.journal.domain import JournalEntry
from services.session.timeline.explanation.facts import Explanation, Facts, at_time
from services.session.timeline.explanation.problems import meaning_of
from shared.contracts.livekit_events import ParticipantJoined
from shared.contracts.reconciler_events import DriftRepaired
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import RecordingState, RecordingStatus, SessionStatus, StreamState, StreamStatus
from shared.contracts.stream_and_recording_events import RecordingChanged, RecordingDeleted, StreamChanged
from shared.egress.keys import key_of


def explain_media(facts: Facts) -> list[Explanation]:
    """The stream, and each recording, the earliest first."""
    return [_stream(facts), *_recordings(facts)]


def _stream(facts: Facts) -> Explanation:
    entry = facts.last(StreamChanged)
    if entry is None:
        return _without_stream(facts)
    stream = StreamState.model_validate(entry.data["stream"])
    text, by, reason = _stream_words(facts, stream)
    return Explanation(
        subject="Stream",
        status=stream.status.value,
        reason=reason,
        at=stream.updated_at,
        by=by,
        text=text,
        details=[
            *_repairs(facts, {"stream", "egress"}),
            *_rejoined(facts),
            *_now(facts, stream.status),
        ],
    )


def _without_stream(facts: Facts) -> Explanation:
    if not facts.state.stream.wanted:
        return Explanation(
            subject="Stream", status="none", text="No stream was asked for.", reason="not_wanted"
        )
    wrong = _wrong(facts)
    return Explanation(
        subject="Stream",
        status="none",
        reason="not_begun",
        text=f"A stream was asked for, and the egress service has not begun it{wrong}.",
    )


def _wrong(facts: Facts) -> str:
    """What the egress service finds wrong now, as the end of a sentence."""
    if facts.problems is None:
        return ": it does not answer"
    return f": {'; '.join(facts.problems)}" if facts.problems else ""


def _stream_words(facts: Facts, stream: StreamState) -> tuple[str, str | None, str | None]:
    if stream.status is StreamStatus.FAILED:
        again = "ask for it again with POST /sessions/{id}/ensure_hls_egress"
        text = f"It failed at {at_time(stream.updated_at)}: {_error(stream.error)}; {again}."
        return text, None, meaning_of(stream.error or "").reason
    if stream.status in {StreamStatus.ENDING, StreamStatus.ENDED, StreamStatus.NONE}:
        by = _stopped_by(facts)
        how = f"was stopped by {by}" if by else "ended with its session"
        wrong = f", with an error: {_error(stream.error)}" if stream.error else ""
        return f"It {how} at {at_time(stream.updated_at)}{wrong}.", by, "stopped" if by else "session_over"
    if stream.broke_off_at is not None:
        error = stream.broke_off_error or stream.error
        text = f"It broke off at {at_time(stream.broke_off_at)}: {_error(error)}; another egress takes over."
        return text, None, meaning_of(error or "").reason
    return _beginning(facts, stream)


def _beginning(facts: Facts, stream: StreamState) -> tuple[str, str | None, str | None]:
    if stream.status is StreamStatus.ACTIVE and stream.playable_at is not None:
        return f"It plays since {at_time(stream.playable_at)}.", None, None
    if stream.status is StreamStatus.ACTIVE:
        return f"It runs since {at_time(stream.started_at)}; its first segment has not come yet.", None, None
    error = stream.error or "; ".join(facts.problems or ())
    since = at_time(stream.planned_at or stream.updated_at)
    why = f": {_error(error)}" if error else _wrong(facts)
    known = meaning_of(error).reason if error else "starting"
    return f"It was asked for at {since} and has not started{why}.", None, known


def _error(error: str | None) -> str:
    """The error in its own words, and what it means."""
    if not error:
        return "no reason was given"
    return f"{error!r}, which means that {meaning_of(error).text}"


def _stopped_by(facts: Facts) -> str | None:
    """Whose call stopped the stream while the session went on."""
    asked = [one for one in facts.all(SessionUpdated) if "stream" in one.data["session"]]
    off = list(takewhile(lambda one: not one.data["session"]["stream"]["wanted"], reversed(asked)))
    return facts.caller(off[-1]) if off else None


def _now(facts: Facts, status: StreamStatus) -> Iterator[str]:
    running = status in {StreamStatus.STARTING, StreamStatus.ACTIVE}
    if not running or facts.state.status is not SessionStatus.LIVE:
        return
    if facts.problems is None:
        yield "The egress service does not answer: how the stream is now is not known."
    yield from (f"Now: {one}." for one in facts.problems or ())
    yield "It ends with its session, or when its host stops it."


def _rejoined(facts: Facts) -> Iterator[str]:
    """When a recorder joined in the place of one that was gone, or joined again."""
    joined = [one for one in facts.all(ParticipantJoined) if one.data["connection"].get("recorder")]
    for one in joined[1:]:
        yield f"A recorder joined again at {at_time(one.at)}: one had died, or LiveKit had lost the room."


def _repairs(facts: Facts, kinds: set[str], subject: str = "") -> Iterator[str]:
    for one in facts.all(DriftRepaired):
        if one.data["kind"] in kinds and subject in one.data["action"]:
            found = f"expected {one.data['believed']}, found {one.data['observed']}"
            yield f"Repaired at {at_time(one.at)}, since no event reported it: {found}."


def _recordings(facts: Facts) -> list[Explanation]:
    """One finding for each; all that its entries say."""
    by_id: dict[str, list[JournalEntry]] = {}
    for entry in facts.all(RecordingChanged, RecordingDeleted):
        by_id.setdefault(entry.data["recording"]["id"], []).append(entry)
    return [_recording(facts, entries) for entries in by_id.values()]


def _recording(facts: Facts, entries: Sequence[JournalEntry]) -> Explanation:
    last = entries[-1]
    recording = RecordingState.model_validate(last.data["recording"])
    text, by, reason = _recording_words(facts, recording, entries)
    deleted = last.name == RecordingDeleted.name
    details = [*_repairs(facts, {"recording"}, recording.id)]
    if recording.continued_by:
        details.append(f"Part {recording.part + 1} goes on with it: recording {recording.continued_by}.")
    details += _retries(facts, entries)
    if deleted:
        details.append(f"It was deleted at {at_time(last.at)} by {facts.caller(last) or 'the cleanup'}.")
    return Explanation(
        subject=f"Recording {recording.name!r}",
        status="deleted" if deleted else recording.status.value,
        reason=reason,
        at=recording.finished_at or recording.updated_at,
        by=by,
        text=text,
        details=details,
    )


def _retries(facts: Facts, entries: Sequence[JournalEntry]) -> Iterator[str]:
    """Each time that its file was asked for again."""
    count = 0
    for entry in entries:
        if entry.data["recording"].get("retry_count", 0) > count:
            count = entry.data["recording"]["retry_count"]
            by = facts.caller(entry) or "nobody known"
            yield f"Its file was asked for again at {at_time(entry.at)} by {by}."


def _recording_words(
    facts: Facts, recording: RecordingState, entries: Sequence[JournalEntry]
) -> tuple[str, str | None, str | None]:
    by = _asked_to_stop_by(facts, entries)
    if recording.status is RecordingStatus.FAILED:
        text = f"It failed at {at_time(recording.updated_at)}: {_error(recording.error)}."
        return text, by, meaning_of(recording.error or "").reason
    if recording.status is RecordingStatus.COMPLETED:
        missing = f" Incomplete: {_error(recording.error)}." if recording.error else ""
        long = f"{timedelta(seconds=recording.duration or 0)}, {recording.file_size or 0:,} bytes"
        why = f"stopped by {by}" if by else "it ended with its stream or session"
        return f"It is complete ({long}): {why}.{missing}", by, "stopped" if by else "ended"
    if recording.stop_requested_at is not None:
        asked = f"It was asked to stop at {at_time(recording.stop_requested_at)} by {by or 'its session'}"
        return f"{asked}; its file is being made.", by, "stopping"
    return _recording_now(facts, recording)


def _recording_now(facts: Facts, recording: RecordingState) -> tuple[str, str | None, str | None]:
    started_at = recording.started_at or _started(facts, recording)
    error = recording.error or ("; ".join(facts.problems or ()) if started_at is None else "")
    if started_at is None:
        why = f": {_error(error)}" if error else ""
        reason = meaning_of(error).reason if error else "starting"
        return f"It was asked for at {at_time(recording.created_at)} and has not started{why}.", None, reason
    return f"It is being recorded since {at_time(started_at)}.", None, None


def _started(facts: Facts, recording: RecordingState) -> datetime | None:
    """When its egress started, as its webhook reported."""
    key = key_of(recording.id)
    for entry in facts.entries:
        data: Mapping[str, Any] = entry.data
        if data.get("egress_key") == key and data.get("started_at"):
            return datetime.fromisoformat(data["started_at"])
    return None


def _asked_to_stop_by(facts: Facts, entries: Sequence[JournalEntry]) -> str | None:
    asked = (one for one in entries if one.data["recording"].get("stop_requested_at"))
    return facts.caller(next(asked, None)) or _stopped_by(facts)
