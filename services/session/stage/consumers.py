"""What happens elsewhere and how the stage follows: one table."""

from typing import Final

from services.session.stage.requests.approvals import StageApprovalService
from services.session.stage.seats.absence import Absence
from shared.bus import Group, on
from shared.contracts.attendance_events import ParticipantLeaveRequested, RosterObserved
from shared.contracts.livekit_events import ParticipantConnectionAborted, ParticipantLeft
from shared.contracts.session_events import SessionDeleted, SessionUpdated

GROUP: Final = "session.stage"


def group(absence: Absence, approvals: StageApprovalService) -> Group:
    return Group(
        GROUP,
        dict(
            [
                on(SessionUpdated, approvals.finish),
                on(SessionDeleted, approvals.forget),
                on(ParticipantLeft, absence.left),
                on(ParticipantConnectionAborted, absence.left),
                on(ParticipantLeaveRequested, absence.leave),
                on(RosterObserved, absence.follow_roster),
            ]
        ),
    )
