"""The stage, put together."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from services.session.identity.accounts.repository import UserRepository
from services.session.sessions.access import SessionAccess
from services.session.sessions.join_tokens import JoinTokens
from services.session.sessions.repository import SessionRepository
from services.session.stage import consumers
from services.session.stage.requests.approvals import AnsweringService
from services.session.stage.requests.repository import StageRequestRepository
from services.session.stage.requests.service import AskingService
from services.session.stage.seats.absence import Absence, keep_stages
from services.session.stage.seats.guests import Guests
from services.session.stage.seats.service import StageService
from shared.bus import Group
from shared.clock import Clock
from shared.livekit import LiveKit
from shared.runtime.supervisor import SUPERVISOR


@dataclass(frozen=True)
class Stage:
    """`service` is the stage itself; by `asking` and `answering` people come on it."""

    service: StageService
    asking: AskingService
    answering: AnsweringService
    absence: Absence

    @property
    def group(self) -> Group:
        return consumers.group(self.absence, self.answering)

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        """A `cleanup_ctx`: the places of those who stay away are freed."""
        app[SUPERVISOR].spawn("stages", keep_stages(self.absence))
        yield


def build_stage(
    requests: StageRequestRepository,
    sessions: SessionRepository,
    users: UserRepository,
    access: SessionAccess,
    join_tokens: JoinTokens,
    livekit: LiveKit,
    clock: Clock,
) -> Stage:
    guests = Guests(users, requests, livekit)
    service = StageService(sessions, access, join_tokens, guests, clock)
    return Stage(
        service=service,
        asking=AskingService(requests, access, clock),
        answering=AnsweringService(requests, access, service, clock),
        absence=Absence(sessions, guests, clock),
    )
