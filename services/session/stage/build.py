"""The stage, built."""

from dataclasses import dataclass

from services.session.identity.accounts.repository import UserRepository
from services.session.sessions.build import Sessions
from services.session.stage import consumers
from services.session.stage.requests.approvals import AnsweringService
from services.session.stage.requests.repository import StageRequestRepository
from services.session.stage.requests.service import AskingService
from services.session.stage.seats.absence import Absence
from services.session.stage.seats.guests import Guests
from services.session.stage.seats.service import StageService
from shared.bus import Group
from shared.clock import Clock
from shared.livekit import LiveKit


@dataclass(frozen=True)
class Stage:
    """`service` is the stage itself; people get a place by `asking` for it and `answering`."""

    service: StageService
    asking: AskingService
    answering: AnsweringService
    absence: Absence

    @property
    def group(self) -> Group:
        return consumers.group(self.absence, self.answering)


def build_stage(
    requests: StageRequestRepository,
    sessions: Sessions,
    users: UserRepository,
    livekit: LiveKit,
    clock: Clock,
) -> Stage:
    guests = Guests(users, requests, livekit)
    service = StageService(sessions.repository, sessions.access, sessions.join_tokens, guests, clock)
    return Stage(
        service=service,
        asking=AskingService(requests, sessions.access, clock),
        answering=AnsweringService(requests, sessions.access, service, clock),
        absence=Absence(sessions.repository, guests, clock),
    )
