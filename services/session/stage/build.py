"""The stage, built."""

from dataclasses import dataclass
from typing import Final

from services.session.identity.accounts.repository import UserRepository
from services.session.sessions.build import SessionCore
from services.session.stage.requests.approvals import StageApprovalService
from services.session.stage.requests.repository import StageRequestRepository
from services.session.stage.requests.service import StageRequestService
from services.session.stage.seats.absence import Absence
from services.session.stage.seats.guests import Guests
from services.session.stage.seats.service import StageService
from shared.bus import Group, on
from shared.clock import Clock
from shared.contracts.attendance_events import ParticipantLeaveRequested
from shared.contracts.livekit_events import ParticipantConnectionAborted, ParticipantLeft
from shared.contracts.reconciler_events import DriftRepaired, RosterObserved
from shared.contracts.session_events import SessionDeleted, SessionUpdated
from shared.livekit import LiveKit

GROUP: Final = "session.stage"


@dataclass(frozen=True)
class Stage:
    """`service` is the stage itself; people get a place by `requests` and their `approvals`."""

    service: StageService
    requests: StageRequestService
    approvals: StageApprovalService
    absence: Absence

    @property
    def group(self) -> Group:
        """What happens elsewhere and how the stage follows."""
        return Group(
            GROUP,
            dict(
                [
                    on(SessionUpdated, self.approvals.finish),
                    on(SessionDeleted, self.approvals.forget),
                    on(ParticipantLeft, self.absence.left),
                    on(ParticipantConnectionAborted, self.absence.left),
                    on(ParticipantLeaveRequested, self.absence.leave),
                    on(RosterObserved, self.absence.follow_roster),
                    on(DriftRepaired, self.absence.removed),
                ]
            ),
        )


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
