"""Which events polls follow."""

from collections.abc import Sequence

from services.session.polls.service import PollService
from shared.bus import Reaction, on
from shared.contracts.session_events import SessionDeleted


def reactions(polls: PollService) -> Sequence[Reaction]:
    return [on(SessionDeleted, polls.forget_session)]
