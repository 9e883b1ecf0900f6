"""Entries of the journal in plain words; pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.session.journal.domain import JournalEntry
from shared.access.encoders import owner_of
from shared.contracts.attendance_events import ParticipantLeaveRequested, ViewersCounted
from shared.contracts.chat_and_poll_events import ChatMessageDeleted, PollClosed, PollCreated
from shared.contracts.event import Event
from shared.contracts.livekit_events import (
    EgressEnded,
    EgressStarted,
    EgressUpdated,
    IngressEnded,
    IngressStarted,
    LiveKitRoomFinished,
    LiveKitRoomStarted,
    ParticipantConnectionAborted,
    ParticipantJoined,
    ParticipantLeft,
    TrackPublished,
    TrackUnpublished,
)
from shared.contracts.reconciler_events import DriftRepaired, LiveKitRoomLost
from shared.contracts.session_events import (
    HandAnswered,
    HandLowered,
    HandRaised,
    HostMediaChanged,
    JoinRequestAnswered,
    JoinRequestCreated,
    SessionCallRefused,
    SessionCreated,
    SessionDeleted,
    SessionEnded,
    SessionExpired,
    SessionStarted,
    SessionUpdated,
)
from shared.contracts.stream_and_recording_events import RecordingChanged, RecordingDeleted, StreamChanged

Fields = Mapping[str, Any]
Words = Callable[[Fields], str]


def describe(entry: JournalEntry, names: Mapping[str, str]) -> str:
    """One line: who or what did what; the event's name if a later release stored it.

    `names` are those of users, by id, for events that have the id alone.
    """
    words = WORDS.get(entry.name)
    user_id = entry.data.get("user_id")
    username = names.get(user_id or "", f"user {user_id}")
    return words({"username": username} | entry.data) if words else entry.name


def person(connection: Fields) -> str:
    """A connection's person, with the role, or what else it is."""
    name = connection.get("username") or connection["identity"]
    return f"{name} ({_kind(connection)})"


def _kind(connection: Fields) -> str:
    if connection.get("recorder"):
        return "recorder"
    if connection.get("hidden"):
        return "hidden monitor"
    if owner_of(connection["identity"]) is not None:
        return "encoder"
    kind = connection.get("kind", "standard")
    return str(connection["role"]) if kind == "standard" else str(kind)


def _with(text: str, *details: object) -> str:
    """The text, with the details there are."""
    given = [str(one) for one in details if one]
    return f"{text}: {', '.join(given)}" if given else text


def _session(text: str) -> Words:
    return lambda data: f"{text}: {data['session']['title']!r}"


def _updated(data: Fields) -> str:
    session = data["session"]
    stream = session.get("stream") or {}
    asked = "stream and recording" if stream.get("record") else "stream"
    return f"Session changed; {asked if stream.get('wanted') else 'no stream'} wanted, {session['status']}"


def _ended(data: Fields) -> str:
    session = data["session"]
    when = f"as of {session['ended_at']}, estimated" if session.get("end_estimated") else ""
    return _with(f"Session ended ({session['end_reason']})", when)


def _left(data: Fields) -> str:
    return _with(f"{person(data['connection'])} left", data.get("reason"))


def _track(verb: str) -> Words:
    return lambda data: f"{data['username']} {verb} {data['source']} ({data['type']}, {data['track_sid']})"


def _egress(text: str) -> Words:
    return lambda data: _with(
        f"Egress {data['egress_id']} {text}", data["status"], data.get("error"), data.get("details")
    )


def _ingress(text: str) -> Words:
    return lambda data: _with(f"Ingress {data['ingress_id']} {text}", data["status"], data.get("error"))


def _stream(data: Fields) -> str:
    stream = data["stream"]
    plays = "playable" if stream["status"] == "active" and stream.get("playable_at") else ""
    return _with(f"Stream {stream['status']}", plays, stream.get("error") or stream.get("broke_off_error"))


def _recording(data: Fields) -> str:
    recording = data["recording"]
    stopping = recording["status"] == "recording" and recording.get("stop_requested_at")
    status = "asked to stop" if stopping else recording["status"]
    return _with(f"Recording {recording['name']!r} {status}", recording.get("error"))


def _repair(data: Fields) -> str:
    who = f" of {data['username'] or data['identity']}" if data.get("identity") else ""
    expected = f"expected {data['believed']}, found {data['observed']}"
    return f"Repaired {data['kind']}{who}: {expected}; {data['action']}"


def _request(text: str) -> Words:
    return lambda data: f"{data['request']['name']} {text}"


def _answered(text: str) -> Words:
    return lambda data: f"{text} of {data['request']['name']} {data['request']['status']}"


def _media(data: Fields) -> str:
    switch = "on" if data["enabled"] else "off"
    return f"{data['username']} (host) switched {data['media']} {switch}"


_BY_CLASS: Final[Mapping[type[Event], Words]] = {
    SessionCreated: _session("Session created"),
    SessionUpdated: _updated,
    SessionStarted: _session("Session went live"),
    SessionEnded: _ended,
    SessionExpired: _session("Session expired"),
    SessionDeleted: _session("Session deleted"),
    LiveKitRoomStarted: lambda data: f"LiveKit opened the room ({data['room_sid']})",
    LiveKitRoomFinished: lambda data: f"LiveKit closed the room ({data['room_sid']})",
    LiveKitRoomLost: lambda data: f"LiveKit has lost the room, last seen {data['last_seen_at']}",
    ParticipantJoined: lambda data: f"{person(data['connection'])} joined",
    ParticipantLeft: _left,
    ParticipantConnectionAborted: lambda data: f"{person(data['connection'])} never got connected",
    ParticipantLeaveRequested: lambda data: f"{data['username']} asked to leave",
    TrackPublished: _track("published"),
    TrackUnpublished: _track("no longer publishes"),
    EgressStarted: _egress("started"),
    EgressUpdated: _egress("changed"),
    EgressEnded: _egress("ended"),
    IngressStarted: _ingress("started"),
    IngressEnded: _ingress("ended"),
    StreamChanged: _stream,
    RecordingChanged: _recording,
    RecordingDeleted: lambda data: f"Recording {data['recording']['name']!r} deleted",
    DriftRepaired: _repair,
    ViewersCounted: lambda data: f"{data['viewer_count']} watching, {data['max_viewers']} at most",
    SessionCallRefused: lambda data: f"Refused: {data['code']} ({data['status']})",
    HostMediaChanged: _media,
    HandRaised: _request("raised a hand"),
    HandLowered: _request("lowered the hand"),
    HandAnswered: _answered("Hand"),
    JoinRequestCreated: _request("asked to join the stage"),
    JoinRequestAnswered: _answered("Join request"),
    PollCreated: lambda data: f"Poll {data['poll']['id']} opened",
    PollClosed: lambda data: f"Poll {data['poll']['id']} closed",
    ChatMessageDeleted: lambda data: f"Chat message {data['deletion']['id']} deleted",
}
WORDS: Final[Mapping[str, Words]] = {event.name: words for event, words in _BY_CLASS.items()}
