"""A host at work in a house: what is made and done on the way to most cases."""

from typing import Any

from services.session.catalog.libraries.domain import Library
from services.session.catalog.presets.schemas import CreatePresetRequest, PresetResponse, preset_response
from services.session.catalog.rooms.schemas import CreateRoomRequest
from services.session.moderation.schemas import BanParticipantRequest
from services.session.sessions.domain.session import Session
from services.session.sessions.schemas import CreateSessionRequest, StartSessionResponse
from shared.access.identity import Caller, TokenVerifier
from shared.contracts.livekit_events import Connection, ParticipantJoined, ParticipantLeft
from shared.contracts.states import Role, UserRole
from shared.http.idempotency import Reservation
from shared.ids import new_id
from tests.unit.session.house import House
from tests.unit.session.make import caller, user


class Host:
    """A host of a new organization. `library` is its default one."""

    def __init__(self, house: House, library: Library):
        self.house = house
        self.library = library
        self.user = user(organization_id=library.organization_id, email=f"{new_id()}@example.com")
        self.caller = caller(self.user.id, library.organization_id)

    async def room(self, **fields: Any) -> str:
        body = CreateRoomRequest(**{"title": "A room"} | fields)
        return (await self.house.room_service.create(new_id(), self.caller, None, body)).id

    async def preset(self, **fields: Any) -> PresetResponse:
        body = CreatePresetRequest.model_validate(
            {"name": "A preset", "type": "whip", "primary_color": "#112233"} | fields
        )
        return preset_response(await self.house.preset_service.create(new_id(), self.caller, None, body))

    async def session(self, room: str | None = None, preset: str | None = None, **fields: Any) -> Session:
        """A scheduled session as it is kept."""
        own = {"title": "A session", "preset_id": preset or (await self.preset()).id}
        body = CreateSessionRequest.model_validate(own | fields)
        reserved = Reservation.fresh()
        room = room or await self.room()
        await self.house.session_service.create(reserved, room, self.caller, None, body)
        return await self.house.sessions.get(reserved.id)

    async def start(self, session: Session) -> StartSessionResponse:
        return await self.house.live.start(session.id, self.caller, None)

    async def live_session(self, **fields: Any) -> Session:
        session = await self.session(**fields)
        await self.start(session)
        return await self.house.sessions.get(session.id)

    async def end(self, session: Session) -> None:
        await self.house.live.end(session.id, self.caller, None)


async def new_host(house: House) -> Host:
    organization = await house.organization_service.create(new_id(), "Acme")
    host = Host(house, await house.libraries.get(organization.default_library_id))
    await house.users.add(host.user, host.user.registered())
    return host


def joined(house: House, session: Session, sid: str = "PA_1", **fields: Any) -> ParticipantJoined:
    """LiveKit says that the host is there, now; `fields` say otherwise."""
    return ParticipantJoined(
        session_id=session.id,
        occurred_at=house.clock.now(),
        connection=connection(house, session, sid, **fields),
    )


def left(house: House, session: Session, sid: str = "PA_1", **fields: Any) -> ParticipantLeft:
    return ParticipantLeft(
        session_id=session.id,
        occurred_at=house.clock.now(),
        connection=connection(house, session, sid, **fields),
    )


def connection(house: House, session: Session, sid: str, **fields: Any) -> Connection:
    host = {"user_id": session.host_id, "identity": f"{session.host_id}:tab", "role": Role.HOST}
    own = {"participant_sid": sid, "username": "Hanna", "joined_at": house.clock.now()}
    return Connection.model_validate(host | own | fields)


async def registered(house: House, known_by: str | None = None) -> Caller:
    """A viewer who registered, as their access token says."""
    signed_in, _ = await house.sign_in.register_viewer(new_id(), "Vera", known_by)
    return TokenVerifier(house.public_keys, house.clock).verify(signed_in.access_token)


async def colleague(house: House, host: Host) -> Caller:
    """Another host of the organization."""
    made = user(organization_id=host.library.organization_id, email=f"{new_id()}@example.com")
    await house.users.add(made, made.registered())
    return caller(made.id, made.organization_id)


async def appoint(house: House, host: Host, session: Session, who: Caller, role: Role) -> None:
    await house.participants.add(session.id, host.caller, who.user_id, role, new_id())


async def ban(house: House, host: Host, session: Session, who: Caller) -> None:
    body = BanParticipantRequest(user_id=who.user_id)
    await house.moderation.ban(session.id, host.caller, body, new_id())


def viewer() -> Any:
    """A caller who registered with a display name only."""
    return caller(new_id(), None, role=UserRole.VIEWER, username="Vera")
