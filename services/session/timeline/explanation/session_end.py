"""Why a session ended or expired, or has not started; and what would end a live one. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from services.session.sessions.domain.presence import first_gone, hostless_since
from services.session.sessions.domain.session import Session
from services.session.timeline.explanation.facts import Explanation, Facts, at_time, for_long, left
from shared.contracts.livekit_events import LiveKitRoomFinished, ParticipantLeft
from shared.contracts.reconciler_events import DriftRepaired
from shared.contracts.session_events import (
    SessionCallRefused,
    SessionDeleted,
    SessionEnded,
    SessionExpired,
    SessionStarted,
)
from shared.contracts.states import EndReason, SessionMode, SessionStatus

_MOST_REFUSALS: Final = 5
# Repairs that do not tell of the session itself.
_OF_STREAMS: Final = frozenset({"egress", "egress_leftover", "stream", "recording"})


def explain_session(facts: Facts) -> Explanation:
    """The session as it is or last was."""
    state = facts.state
    text, by, reason = _WORDS[state.status](facts)
    details = [*_details(facts)]
    if facts.session is None:
        details.append(_deleted(facts))
    return Explanation(
        subject=f"Session {state.title!r}",
        status="deleted" if facts.session is None else state.status.value,
        reason=reason,
        at=_moment(facts),
        estimated=state.end_estimated,
        by=by,
        text=text,
        details=details,
    )


def _deleted(facts: Facts) -> str:
    entry = facts.last(SessionDeleted)
    if entry is None:
        return "It was deleted; when and by whom is not in its journal."
    return f"It was deleted at {at_time(entry.at)} by {facts.caller(entry) or 'the deletion of its room'}."


def _moment(facts: Facts) -> datetime | None:
    expired = facts.last(SessionExpired)
    return facts.state.ended_at or (expired.at if expired else facts.state.started_at)


_Words = tuple[str, str | None, str | None]


def _scheduled(facts: Facts) -> _Words:
    state, session = facts.state, facts.session
    if state.options.auto_session:
        waits = "its first participant, who starts it"
    elif state.mode is SessionMode.RTMP:
        waits = "its encoder, or for POST /sessions/{id}/start or /go_live of its host"
    else:
        waits = "POST /sessions/{id}/start or /go_live of its host"
    due = session.due_at if session else None
    expires = f" It expires at {at_time(due)} unless it is started." if due else ""
    return f"It has not started: it waits for {waits}.{expires}", None, "not_started"


def _expired(facts: Facts) -> _Words:
    state, entry = facts.state, facts.last(SessionExpired)
    when = f"It expired at {at_time(entry.at if entry else state.updated_at)}"
    if state.closed_at is not None:
        return f"{when}: its room was disabled at {at_time(state.closed_at)}.", None, "room_disabled"
    if state.options.auto_session:
        return (
            f"{when}: nobody joined it in its time, or another session of its room was live first.",
            None,
            "nobody_joined",
        )
    scheduled = state.scheduled_start_time
    after = for_long(facts.limits.expire_after)
    return (
        f"{when}: it was not started within {after} of its time, {at_time(scheduled)}.",
        None,
        "not_started_in_time",
    )


def _live(facts: Facts) -> _Words:
    entry = facts.last(SessionStarted)
    started = f"It is live since {at_time(facts.state.started_at)}"
    if entry is None:
        return f"{started}; who started it is not in its journal.", None, None
    by = facts.caller(entry)
    return f"{started}, started by {by or 'its first participant or its encoder'}.", by, None


def _ended(facts: Facts) -> _Words:
    reason = facts.state.end_reason
    if reason is None:
        return "It ended; why is not known.", None, None
    return (*_REASONS[reason](facts), reason.value)


def _by_host(facts: Facts) -> tuple[str, str | None]:
    entry, ended_at = facts.last(SessionEnded), at_time(facts.state.ended_at)
    by = facts.caller(entry)
    if by is not None:
        return f"It was ended at {ended_at} by {by}.", by
    if entry is None:
        return f"Its host ended it at {ended_at}; the call is no longer in the journal.", None
    return f"It ended at {ended_at} because its room was deleted.", None


def _empty(facts: Facts) -> tuple[str, None]:
    last = facts.last(ParticipantLeft)
    who = left(last) if last else "everybody had left"
    return f"It ended with its last participant: {who}. Automatic sessions end so.", None


def _member_left(facts: Facts) -> tuple[str, None]:
    gone = next(
        (one for one in reversed(facts.all(ParticipantLeft)) if one.data["connection"].get("ends_session")),
        None,
    )
    who = left(gone) if gone else f"they left at {at_time(facts.state.ended_at)}"
    grace = for_long(facts.limits.departure_grace)
    return f"It ended because somebody left with whom it ends: {who} and did not return within {grace}.", None


def _no_host(facts: Facts) -> tuple[str, None]:
    grace, ended_at = for_long(facts.limits.no_host_grace), at_time(facts.state.ended_at)
    text = f"It ended at {ended_at} because no host had been there for {grace}"
    if facts.host_left is not None:
        return f"{text}: the last, {left(facts.host_left)}.", None
    gone = hostless_since(facts.session.hosts, facts.state.created_at) if facts.session else None
    if facts.session and facts.session.hosts and gone:
        return f"{text}: the last was seen at {at_time(gone)}; no webhook reported that they left.", None
    return f"{text}: none had joined since it went live at {at_time(facts.state.started_at)}.", None


def _max_duration(facts: Facts) -> tuple[str, None]:
    longest = for_long(facts.limits.max_duration)
    return (
        f"It ended at {at_time(facts.state.ended_at)} because it had been live since "
        f"{at_time(facts.state.started_at)}: no session may last longer than {longest}.",
        None,
    )


def _room_lost(facts: Facts) -> tuple[str, None]:
    ended_at = at_time(facts.state.ended_at)
    closed = facts.last(LiveKitRoomFinished)
    if facts.state.end_estimated:
        entry = facts.last(SessionEnded)
        found = f", which was found at {at_time(entry.at)}" if entry else ""
        return (
            f"It ended because no LiveKit server had its room any longer{found}: the server died or was "
            f"restarted, and nobody rejoined. Its end, {ended_at}, is when somebody was last seen in it.",
            None,
        )
    when = at_time(closed.data["occurred_at"]) if closed else ended_at
    return f"It ended because LiveKit closed its room at {when}, empty or by another's call of its API.", None


_REASONS: Final[Mapping[EndReason, Callable[[Facts], tuple[str, str | None]]]] = {
    EndReason.HOST: _by_host,
    EndReason.EMPTY: _empty,
    EndReason.MEMBER_LEFT: _member_left,
    EndReason.NO_HOST: _no_host,
    EndReason.MAX_DURATION: _max_duration,
    EndReason.ROOM_LOST: _room_lost,
}
_WORDS: Final[Mapping[SessionStatus, Callable[[Facts], _Words]]] = {
    SessionStatus.SCHEDULED: _scheduled,
    SessionStatus.LIVE: _live,
    SessionStatus.ENDED: _ended,
    SessionStatus.EXPIRED: _expired,
}


def _details(facts: Facts) -> Iterator[str]:
    if facts.state.status is SessionStatus.LIVE and facts.session is not None:
        yield from _would_end(facts, facts.session)
    if facts.state.end_estimated:
        yield "Its end is estimated: LiveKit did not report it."
    for refusal in facts.all(SessionCallRefused)[-_MOST_REFUSALS:]:
        code, status = refusal.data["code"], refusal.data["status"]
        yield f"Refused at {at_time(refusal.at)}: {facts.caller(refusal)}: {code} ({status})."
    for repair in facts.all(DriftRepaired):
        if repair.data["kind"] not in _OF_STREAMS:
            yield _repair(repair.data, repair.at)
    if not facts.entries:
        yield "Its journal is no longer kept: who did what is not known."


def _repair(data: Mapping[str, str], at: datetime) -> str:
    who = f" of {data['username'] or data['identity']}" if data.get("identity") else ""
    seen = f", last seen at {at_time(data['last_seen_at'])}" if data.get("last_seen_at") else ""
    return f"Repaired at {at_time(at)}: {data['kind']}{who}{seen}; {data['action']}."


def _would_end(facts: Facts, session: Session) -> Iterator[str]:
    """What would end a live session, and when."""
    started_at, limits = session.started_at or facts.now, facts.limits
    yield "Its host ends it with POST /sessions/{id}/end."
    alone = session.emptied_at if session.is_automatic else hostless_since(session.hosts, started_at)
    grace, who = for_long(limits.no_host_grace), "anybody" if session.is_automatic else "a host"
    if alone is not None:
        end = at_time(alone + limits.no_host_grace)
        yield f"It ends at {end} unless {who} joins: nobody of them has been there since {at_time(alone)}."
    elif session.is_automatic:
        yield "It ends when its last participant leaves."
    else:
        yield f"It ends {grace} after its last host leaves; one is there now."
    gone = first_gone(session.closers.values())
    if gone is not None:
        yield f"It ends at {at_time(gone + limits.departure_grace)}: somebody left with whom it ends."
    elif session.closers:
        yield f"It ends when one of {len(session.closers)} people leaves with whom it ends."
    yield f"It ends at {at_time(started_at + limits.max_duration)} at the latest, its longest duration."
    yield "It ends if LiveKit closes or loses its room."
