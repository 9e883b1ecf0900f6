"""The stage, built."""

from dataclasses import dataclass

from services.session.identity.accounts.repository import UserRepository
from services.session.sessions.build import SessionCore
from services.session.stage import consumers
from services.session.stage.requests.approvals import StageApprovalService
from services.session.stage.requests.repository import StageRequestRepository
from services.session.stage.requests.service import StageRequestService
from services.session.stage.seats.absence import Absence
from services.session.stage.seats.guests import Guests
from services.session.stage.seats.service import StageService
from shared.bus import Group
from shared.clock import Clock
from shared.livekit import LiveKit


@dataclass(frozen=True)
class Stage:
    """`service` is the stage itself; people get a place by `requests` and their `approvals`."""

    service: StageService
    requests: StageRequestService
    approvals: StageApprovalService
    absence: Absence

    @property
    def group(self) -> Group:
        return consumers.group(self.absence, self.approvals)


def build_stage(
    requests: StageRequestRepository,
    sessions: SessionCore,
    users: UserRepository,
    livekit: LiveKit,
    clock: Clock,
) -> Stage:
    guests = Guests(users, requests, livekit)
    service = StageService(sessions.repository, sessions.access, sessions.join_tokens, guests, clock)
    return Stage(
        service=service,
        requests=StageRequestService(requests, sessions.access, clock),
        approvals=StageApprovalService(requests, sessions.access, service, clock),
        absence=Absence(sessions.repository, guests, clock),
    )
