"""A room whose sessions are automatic, the tokens issued for it, and the people who use them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt

from services.session.catalog.rooms.domain import Room
from services.session.sessions.domain.session import Session
from services.session.tokens.room_tokens import IssuedRoomTokens, RoomTokenGrant
from shared.access.identity import Caller
from shared.contracts.livekit_events import (
    Connection,
    LiveKitRoomFinished,
    ParticipantJoined,
    ParticipantLeft,
)
from shared.contracts.reconciler_events import Departure, RosterConnection, RosterObserved
from shared.contracts.states import Role, RoomOptions
from shared.ids import new_id
from shared.livekit import JoinGrant
from shared.livekit.join_terms import JoinTerms
from shared.livekit.tokens import issued_at
from tests.unit.session.actors import Host
from tests.unit.session.backend import Backend
from tests.unit.session.builders import caller, room


@dataclass
class TokenRoom:
    backend: Backend
    host: Host
    room: Room
    key: Caller = field(init=False)

    def __post_init__(self) -> None:
        organization_id = self.host.library.organization_id
        self.key = caller(self.host.user.id, organization_id, api_key_id=new_id())

    async def issue(self, **grant: Any) -> IssuedRoomTokens:
        tokens, granted = self.backend.tokens, RoomTokenGrant(**grant)
        return await tokens.issue_for_room(self.room.id, self.key, granted, new_id())

    async def session(self, issued: IssuedRoomTokens) -> Session:
        return await self.backend.sessions.get(issued.session.id)

    async def joins(
        self, issued: IssuedRoomTokens, sid: str = "PA_1", at: datetime | None = None, **fields: Any
    ) -> None:
        await self.backend.publish(joined_by(self.backend, issued, sid, at, **fields))

    async def enters(self, issued: IssuedRoomTokens, sid: str = "PA_1") -> None:
        """Connects to LiveKit's room, which reports it."""
        claims = claims_of(issued)
        terms = JoinTerms.of(claims["attributes"])
        role = Role(claims["attributes"]["greenroom.role"])
        grant = JoinGrant(issued.session.id, claims["sub"], issued.user.username, role, terms=terms)
        self.backend.livekit.connect(grant)
        await self.joins(issued, sid)

    def there(self, issued: IssuedRoomTokens) -> bool:
        """Whether LiveKit has them in the room."""
        return claims_of(issued)["sub"] in self.backend.livekit.participants[issued.session.id]

    async def leaves(self, issued: IssuedRoomTokens, sid: str = "PA_1", **fields: Any) -> None:
        await self.backend.publish(left_by(self.backend, issued, sid, **fields))

    async def closes(self, issued: IssuedRoomTokens, after: float = 5) -> None:
        """LiveKit closes the empty room after its departure timeout."""
        self.backend.clock.advance(seconds=after)
        self.backend.livekit.rooms.pop(issued.session.id)
        await self.backend.publish(
            LiveKitRoomFinished(
                session_id=issued.session.id, occurred_at=self.backend.clock.now(), room_sid="RM_1"
            )
        )

    async def observed(
        self, issued: IssuedRoomTokens, *there: Connection, gone: Departure | None = None
    ) -> None:
        """The reconciler sees these in the room."""
        await self.backend.publish(
            RosterObserved(
                session_id=issued.session.id,
                room_sid="RM_1",
                observed_at=self.backend.clock.now(),
                connections=tuple(RosterConnection(**one.model_dump()) for one in there),
                departed=(gone,) if gone else (),
            )
        )


async def token_room(backend: Backend, host: Host, **fields: Any) -> TokenRoom:
    """The options are given flat, as in the API."""
    options = {name: fields.pop(name) for name in list(fields) if name in RoomOptions.model_fields}
    made = room(
        organization_id=host.library.organization_id,
        library_id=host.library.id,
        host_id=host.user.id,
        created_at=backend.clock.now(),
        options=RoomOptions(**{"auto_session": True} | options),
        **fields,
    )
    await backend.rooms.add(made, made.created())
    return TokenRoom(backend, host, made)


def connection_by(
    backend: Backend, issued: IssuedRoomTokens, sid: str = "PA_1", at: datetime | None = None, **fields: Any
) -> Connection:
    """As LiveKit reports whoever joins with the token."""
    claims = claims_of(issued)
    return Connection(
        participant_sid=sid,
        identity=claims["sub"],
        user_id=issued.user.id,
        username=issued.user.username,
        joined_at=at or backend.clock.now(),
        issued_at=issued_at(claims["attributes"]),
        key_id=claims["attributes"].get("greenroom.key"),
        **{"role": Role(claims["attributes"]["greenroom.role"])}
        | vars(JoinTerms.of(claims["attributes"]))
        | fields,
    )


def joined_by(
    backend: Backend, issued: IssuedRoomTokens, sid: str = "PA_1", at: datetime | None = None, **fields: Any
) -> ParticipantJoined:
    one = connection_by(backend, issued, sid, at, **fields)
    return ParticipantJoined(
        session_id=issued.session.id, occurred_at=one.joined_at, connection=one, room_sid="RM_1"
    )


def left_by(backend: Backend, issued: IssuedRoomTokens, sid: str = "PA_1", **fields: Any) -> ParticipantLeft:
    one = connection_by(backend, issued, sid, **fields)
    return ParticipantLeft(
        session_id=issued.session.id, occurred_at=backend.clock.now(), connection=one, room_sid="RM_1"
    )


def claims_of(issued: IssuedRoomTokens) -> dict[str, Any]:
    """What the LiveKit token says."""
    claims: dict[str, Any] = jwt.decode(issued.livekit_token, options={"verify_signature": False})
    return claims


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)
