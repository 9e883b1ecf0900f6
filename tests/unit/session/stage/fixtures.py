"""What happens on the way to a stage in a backend: guests, their hands and the answers."""

from typing import Any

from services.session.sessions.domain.roles import RoleGrant, grant_role
from services.session.sessions.domain.session import Session
from services.session.stage.requests.domain import StageRequest
from services.session.stage.requests.schemas import RaiseHandRequest
from services.session.stage.seats.schemas import AddToStageRequest
from shared.access.identity import Caller
from shared.access.permissions import join_grant, permissions_in_session, role_of
from shared.contracts.states import RequestKind, Role, UserRole
from shared.http.idempotency import Reservation
from shared.ids import new_id
from shared.livekit import JoinGrant
from tests.unit.session.actors import Host
from tests.unit.session.backend import Backend
from tests.unit.session.builders import caller, user

HAND, JOIN = RequestKind.HAND, RequestKind.JOIN


class Stage:
    """A live session of the host's, and what people do about its stage."""

    def __init__(self, host: Host, session: Session):
        self.host, self.backend, self.id = host, host.backend, session.id

    async def session(self) -> Session:
        return await self.backend.sessions.get(self.id)

    async def guests(self) -> set[str]:
        return set((await self.session()).stage)

    async def guest(self) -> Caller:
        """Somebody who registered with a display name."""
        made = user(role=UserRole.VIEWER, organization_id=None, username="Vera")
        await self.backend.users.add(made, made.registered())
        return caller(made.id, None, username=made.username)

    async def moderator(self) -> Caller:
        made = await self.guest()
        now = self.backend.clock.now()
        await self.backend.sessions.change(
            self.id, lambda session: grant_role(session, now, role_grant(made.user_id, Role.MODERATOR))
        )
        return made

    async def raise_hand(self, guest: Caller, **fields: Any) -> StageRequest:
        body = RaiseHandRequest(**fields)
        return await self.backend.requests.raise_hand(Reservation.fresh(), self.id, guest, body)

    async def ask(self, guest: Caller, kind: RequestKind) -> StageRequest:
        return await self.backend.requests.ask(Reservation.fresh(), self.id, guest, kind)

    async def approve(self, request: StageRequest, by: Caller | None = None) -> StageRequest:
        approving = self.backend.approvals.approve(self.id, by or self.host.caller, request.kind, request.id)
        return await approving

    async def reject(self, request: StageRequest) -> StageRequest:
        return await self.backend.approvals.reject(self.id, self.host.caller, request.kind, request.id)

    async def add(self, guest: Caller, **fields: Any) -> None:
        body = AddToStageRequest(participant_identity=guest.user_id, **fields)
        await self.backend.stage.add(self.id, self.host.caller, body)

    async def seated(self) -> Caller:
        """A guest who raised a hand and was let on."""
        guest = await self.guest()
        await self.approve(await self.raise_hand(guest))
        return guest

    async def connect(self, guest: Caller) -> JoinGrant:
        """The guest comes into the room."""
        session = await self.session()
        role = role_of(session, guest.user_id)
        grant = join_grant(
            room=self.id,
            identity=guest.identity,
            name=guest.username,
            role=role,
            permissions=permissions_in_session(session, session.preset.settings, guest.user_id, role),
        )
        self.backend.livekit.connect(grant)
        return grant


def role_grant(user_id: str, role: Role) -> RoleGrant:
    return RoleGrant(id=new_id(), user_id=user_id, username="Vera", role=role, by="the host")


async def stage(host: Host, **preset: Any) -> Stage:
    made = await host.preset(**preset)
    return Stage(host, await host.live_session(preset=made.id))


def told(backend: Backend, name: str) -> int:
    """How often this was told."""
    return backend.published().count(name)
