"""Events and callers as the other services would make them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.access.identity import Caller
from shared.contracts.event import Envelope, Event
from shared.contracts.livekit_events import (
    Connection,
    ParticipantConnectionAborted,
    ParticipantEvent,
    ParticipantJoined,
    ParticipantLeft,
)
from shared.contracts.states import (
    PresetSettings,
    PresetType,
    Role,
    SessionMode,
    SessionState,
    SessionStatus,
    UserRole,
)
from shared.ids import new_id

T0 = datetime(2030, 1, 1, 12, tzinfo=UTC)
ORGANIZATION = new_id()
LIBRARY = new_id()
HOST_ID = new_id()


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def session(session_id: str | None = None, **fields: Any) -> SessionState:
    given: dict[str, Any] = {
        "id": session_id or new_id(),
        "version": 1,
        "organization_id": ORGANIZATION,
        "library_id": LIBRARY,
        "room_id": new_id(),
        "host_id": HOST_ID,
        "title": "A session",
        "description": None,
        "status": SessionStatus.LIVE,
        "mode": SessionMode.WEBCAM,
        "preset_id": new_id(),
        "preset": PresetSettings(name="P", type=PresetType.WHIP, primary_color="#000000"),
        "scheduled_start_time": None,
        "started_at": T0,
        "ended_at": None,
        "end_reason": None,
        "created_at": T0,
        "updated_at": T0,
        "registered_only": False,
    }
    return SessionState(**(given | fields))


def ended(state: SessionState, moment: datetime) -> SessionState:
    change = {"version": state.version + 1, "status": SessionStatus.ENDED, "ended_at": moment}
    return state.model_copy(update=change)


def connection(user_id: str, sid: str, joined_at: datetime, **fields: Any) -> Connection:
    given: dict[str, Any] = {"username": f"name of {user_id[-4:]}", "role": Role.AUDIENCE}
    return Connection(
        participant_sid=sid,
        identity=fields.pop("identity", f"{user_id}:phone"),
        user_id=user_id,
        joined_at=joined_at,
        **(given | fields),
    )


def joined(session_id: str, one: Connection) -> ParticipantEvent:
    return ParticipantJoined(session_id=session_id, occurred_at=one.joined_at, connection=one)


def left(session_id: str, one: Connection, moment: datetime) -> ParticipantEvent:
    return ParticipantLeft(session_id=session_id, occurred_at=moment, connection=one)


def aborted(session_id: str, one: Connection, moment: datetime) -> ParticipantEvent:
    return ParticipantConnectionAborted(session_id=session_id, occurred_at=moment, connection=one)


def envelope(event: Event, source: str = "/greenroom/test") -> Envelope:
    return Envelope(id=new_id(), source=source, time=T0, event=event)


def host(**fields: Any) -> Caller:
    given: dict[str, Any] = {
        "user_id": HOST_ID,
        "sign_in_id": "desk",
        "organization_id": ORGANIZATION,
        "role": UserRole.HOST,
        "username": "The host",
    }
    return Caller(**(given | fields))


def viewer(user_id: str, sign_in_id: str = "phone") -> Caller:
    return Caller(user_id, sign_in_id, None, UserRole.VIEWER, "A viewer")
