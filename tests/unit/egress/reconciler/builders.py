"""Sessions, connections and snapshots, with what a test does not care about filled in."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from services.egress.reconciler.domain import ExpectedConnection, ListedParticipant, RoomSnapshot
from shared.access.permissions import Switches, join_grant, permissions_for_role
from shared.contracts.livekit_events import Connection, ParticipantJoined, ParticipantLeft
from shared.contracts.states import (
    PresetSettings,
    PresetType,
    Role,
    SessionMode,
    SessionState,
    SessionStatus,
    StageSeat,
)
from shared.ids import new_id
from shared.livekit import JoinGrant, Permissions

T0 = datetime(2030, 1, 1, 12, tzinfo=UTC)
ROOM = "RM_1"
HOST, VIEWER = "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8058"
PRESET = PresetSettings(name="P", type=PresetType.WHIP, primary_color="#000000")


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


SILENT_SINCE = at(90)


def state(**given: Any) -> SessionState:
    fields: dict[str, Any] = {
        "id": new_id(),
        "version": 2,
        "organization_id": new_id(),
        "library_id": new_id(),
        "room_id": new_id(),
        "host_id": HOST,
        "title": "A session",
        "description": None,
        "status": SessionStatus.LIVE,
        "mode": SessionMode.WEBCAM,
        "preset_id": new_id(),
        "preset": PRESET,
        "scheduled_start_time": None,
        "started_at": T0,
        "ended_at": None,
        "end_reason": None,
        "created_at": T0,
        "updated_at": T0,
        "registered_only": False,
    }
    return SessionState(**(fields | given))


def ended(session: SessionState) -> SessionState:
    return session.model_copy(update={"version": session.version + 1, "status": SessionStatus.ENDED})


def connection(sid: str, user: str = VIEWER, joined: float = 0, **given: Any) -> Connection:
    fields: dict[str, Any] = {"identity": f"{user}:phone", "username": "Vera", "role": Role.AUDIENCE}
    return Connection(participant_sid=sid, user_id=user, joined_at=at(joined), **(fields | given))


SEAT = StageSeat(id="a stay", name="Vera", joined_stage_at=T0)


def grant(session: SessionState, user: str = VIEWER, role: Role = Role.AUDIENCE, **given: Any) -> JoinGrant:
    """What the person's token says, minted while they had this role."""
    fields: dict[str, Any] = {"identity": f"{user}:phone", "name": "Vera"}
    may = permissions_for_role(role, session.preset, Switches(), SEAT if role is Role.STAGE else None)
    return join_grant(room=session.id, role=role, permissions=may, **(fields | given))


def permissions(session: SessionState, role: Role) -> Permissions:
    return grant(session, role=role).permissions


def present(one: Connection, *, active: bool = True, dead: bool = False) -> ListedParticipant:
    """Somebody in the audience, with an audience's rights."""
    return ListedParticipant(one, permissions(state(), Role.AUDIENCE), active, SILENT_SINCE if dead else None)


def snapshot(
    *present: ListedParticipant,
    observed: float = 100,
    room_sid: str | None = ROOM,
    run: bool = True,
    unsure: bool = False,
) -> RoomSnapshot:
    return RoomSnapshot("room", at(observed), room_sid, None if run else SILENT_SINCE, present, unsure)


def expected(
    *connections: Connection, room_sid: str | None = ROOM, left: float | None = None
) -> dict[str, ExpectedConnection]:
    left_at = None if left is None else at(left)
    return {
        one.participant_sid: ExpectedConnection(one.joined_at, room_sid, left_at, connection=one)
        for one in connections
    }


def presumed(one: Connection, gone: float) -> dict[str, ExpectedConnection]:
    return {one.participant_sid: ExpectedConnection(one.joined_at, ROOM, None, at(gone), one)}


def joined(session: SessionState, one: Connection, room_sid: str | None = ROOM) -> ParticipantJoined:
    return ParticipantJoined(
        session_id=session.id, occurred_at=one.joined_at, connection=one, room_sid=room_sid
    )


def left(session: SessionState, one: Connection, moment: float) -> ParticipantLeft:
    return ParticipantLeft(session_id=session.id, occurred_at=at(moment), connection=one, room_sid=ROOM)


def sids(connections: Iterable[Connection]) -> set[str]:
    return {one.participant_sid for one in connections}
