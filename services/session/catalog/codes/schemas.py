"""HTTP bodies and data about room codes."""

from datetime import datetime

from services.session.catalog.rooms.roles import TokenRole
from shared.http import Body, Data, Query


class CreateRoomCodesRequest(Body):
    """Without a `role`, a code for each."""

    role: TokenRole | None = None


class RoomCodesQuery(Query):
    role: TokenRole | None = None
    enabled: bool | None = None


class UpdateRoomCodeRequest(Body):
    enabled: bool


class RoomCodeResponse(Data):
    code: str
    room_id: str
    role: TokenRole
    enabled: bool
    created_at: datetime
    updated_at: datetime


class RoomCodesResponse(Data):
    codes: list[RoomCodeResponse]
