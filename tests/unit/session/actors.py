"""People at work in a backend: what they do on the way to most cases, and how they are refused."""

from collections.abc import Awaitable, Sequence
from typing import Any

import pytest

from services.session.catalog.libraries.repository import Library
from services.session.catalog.presets.schemas import CreatePresetRequest, PresetResponse, preset_response
from services.session.catalog.rooms.schemas import CreateRoomRequest
from services.session.live.presenter import StartSessionResponse
from services.session.moderation.presenter import BanParticipantRequest
from services.session.sessions.domain.people import Ban
from services.session.sessions.domain.roles import RoleGrant
from services.session.sessions.domain.roles import grant_role as grant_role_in
from services.session.sessions.domain.session import Session
from services.session.sessions.schemas import CreateSessionRequest
from shared.access.identity import Caller, TokenVerifier
from shared.contracts.event import Event
from shared.contracts.livekit_events import Connection, ParticipantJoined, ParticipantLeft
from shared.contracts.states import Role, UserRole
from shared.errors import AppError
from shared.http.idempotency import Reservation
from shared.ids import new_id
from tests.unit.session.backend import Backend
from tests.unit.session.builders import caller, user


class Host:
    """A host of a new organization. `library` is its default one."""

    def __init__(self, backend: Backend, library: Library):
        self.backend = backend
        self.library = library
        self.user = user(organization_id=library.organization_id, email=f"{new_id()}@example.com")
        self.caller = caller(self.user.id, library.organization_id)

    async def room(self, **fields: Any) -> str:
        body = CreateRoomRequest(**{"title": "A room"} | fields)
        return (await self.backend.room_service.create(new_id(), self.caller, None, body)).id

    async def preset(self, **fields: Any) -> PresetResponse:
        body = CreatePresetRequest.model_validate(
            {"name": "A preset", "type": "whip", "primary_color": "#112233"} | fields
        )
        return preset_response(await self.backend.preset_service.create(new_id(), self.caller, None, body))

    async def session(self, room: str | None = None, preset: str | None = None, **fields: Any) -> Session:
        """A scheduled session as it is kept."""
        own = {"title": "A session", "preset_id": preset or (await self.preset()).id}
        body = CreateSessionRequest.model_validate(own | fields)
        reserved = Reservation.fresh()
        room = room or await self.room()
        await self.backend.session_service.create(reserved, room, self.caller, None, body)
        return await self.backend.sessions.get(reserved.id)

    async def start(self, session: Session, by: Caller | None = None) -> StartSessionResponse:
        started = await self.backend.live.start(session.id, by or self.caller, None)
        return await self.backend.start_presenter.respond(started, by or self.caller)

    async def go_live(self, session: Session) -> StartSessionResponse:
        started = await self.backend.live.go_live(session.id, self.caller, None)
        return await self.backend.start_presenter.respond(started, self.caller)

    async def live_session(self, **fields: Any) -> Session:
        session = await self.session(**fields)
        await self.start(session)
        return await self.backend.sessions.get(session.id)

    async def end(self, session: Session) -> None:
        await self.backend.live.end(session.id, self.caller, None)


async def new_host(backend: Backend) -> Host:
    organization = await backend.organization_service.create(new_id(), "Acme")
    host = Host(backend, await backend.libraries.get(organization.default_library_id))
    await backend.users.add(host.user, host.user.registered())
    return host


def joined(backend: Backend, session: Session, sid: str = "PA_1", **fields: Any) -> ParticipantJoined:
    """LiveKit says that the host is there, now; `fields` say otherwise."""
    return ParticipantJoined(
        session_id=session.id,
        occurred_at=backend.clock.now(),
        connection=connection(backend, session, sid, **fields),
    )


def left(backend: Backend, session: Session, sid: str = "PA_1", **fields: Any) -> ParticipantLeft:
    return ParticipantLeft(
        session_id=session.id,
        occurred_at=backend.clock.now(),
        connection=connection(backend, session, sid, **fields),
    )


def connection(backend: Backend, session: Session, sid: str, **fields: Any) -> Connection:
    host = {"user_id": session.host_id, "identity": f"{session.host_id}:tab", "role": Role.HOST}
    own = {"participant_sid": sid, "username": "Hanna", "joined_at": backend.clock.now()}
    return Connection.model_validate(host | own | fields)


async def registered(backend: Backend, known_by: str | None = None) -> Caller:
    """A viewer who registered, as their access token says."""
    signed_in, _ = await backend.sign_in.register_viewer(new_id(), "Vera", known_by)
    return TokenVerifier(backend.public_keys, backend.clock).verify(signed_in.access_token)


async def colleague(backend: Backend, host: Host) -> Caller:
    """Another host of the organization."""
    made = user(organization_id=host.library.organization_id, email=f"{new_id()}@example.com")
    await backend.users.add(made, made.registered())
    return caller(made.id, made.organization_id)


async def grant_role(backend: Backend, host: Host, session: Session, who: Caller, role: Role) -> None:
    await backend.participants.add(session.id, host.caller, who.user_id, role, new_id())


async def ban(backend: Backend, host: Host, session: Session, who: Caller) -> None:
    body = BanParticipantRequest(user_id=who.user_id)
    await backend.moderation.ban(session.id, host.caller, body, new_id())


def viewer() -> Any:
    """A caller who registered with a display name only."""
    return caller(new_id(), None, role=UserRole.VIEWER, username="Vera")


async def person(backend: Backend, organization_id: str | None = None, **more: str) -> Caller:
    """A viewer with an account, of an organization or of none."""
    made = user(organization_id=organization_id, role=UserRole.VIEWER, username="Vera", **more)
    await backend.users.add(made, [])
    return made.caller(new_id())


async def moderating(backend: Backend, session: Session) -> Caller:
    """A person who moderates the session."""
    made = await person(backend)
    given = RoleGrant(
        id=new_id(), user_id=made.user_id, username="Vera", role=Role.MODERATOR, by=session.host_id
    )
    await backend.sessions.change(
        session.id, lambda session: grant_role_in(session, backend.clock.now(), given)
    )
    return made


async def for_registered(backend: Backend, session: Session) -> None:
    """The session's library admits registered people only."""
    await backend.sessions.follow_library(session.library_id, listed=True, registered_only=True)


async def ban_directly(backend: Backend, session: Session, person: Caller, device: str | None = None) -> None:
    """This person may not come in any more, nor whoever uses this device."""

    def decide(session: Session) -> Sequence[Event]:
        made = Ban(id=new_id(), device_id=device, banned_by="h", reason=None, banned_at=backend.clock.now())
        session.bans = {person.user_id: made}
        return []

    await backend.sessions.change(session.id, decide)


async def refused(code: str, kind: type[AppError], attempt: Awaitable[object]) -> None:
    with pytest.raises(kind) as refusal:
        await attempt
    assert refusal.value.code == code
