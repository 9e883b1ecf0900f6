"""What the worker has to do next for a planned egress, and when it looks again. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from services.egress.egresses.domain import PlannedEgress
from services.egress.egresses.timing import (
    CHECKED_EVERY,
    DOUBTED_FOR,
    END_CHECKED_EVERY,
    PLAYABLE_CHECKED_EVERY,
    pause,
)


class EgressStep(StrEnum):
    START = "start"
    FIND = "find"
    STOP = "stop"
    CHECK = "check"
    REST = "rest"


def next_step(egress: PlannedEgress, now: datetime) -> EgressStep:
    if egress.over:
        return EgressStep.REST
    if egress.egress_id is None:
        return (
            EgressStep.FIND if egress.asked_at else (EgressStep.START if egress.to_begin else EgressStep.REST)
        )
    if not egress.wanted and _stop_due(egress, now):
        return EgressStep.STOP
    return EgressStep.CHECK if _check_due(egress, now) else EgressStep.REST


def next_due(egress: PlannedEgress, now: datetime, *, told: int) -> datetime | None:
    """When to look again, once all is done that version `told` asks for: with a newer one it is not.

    None where nothing more will come of it.
    """
    if egress.version - 1 != told:
        return now
    if egress.over:
        return None
    if egress.egress_id is None:
        return now + pause(egress.tries) if egress.tries else now
    if not egress.wanted and egress.stop_asked_at is None:
        return now
    if egress.stream and egress.wanted and not egress.playable:
        return now + PLAYABLE_CHECKED_EVERY
    checked_every = _checked_every(egress)
    return now + (checked_every if egress.wanted else min(pause(egress.tries), checked_every))


def _stop_due(egress: PlannedEgress, now: datetime) -> bool:
    return egress.stop_tried_at is None or now - egress.stop_tried_at >= pause(egress.tries)


def _check_due(egress: PlannedEgress, now: datetime) -> bool:
    return egress.checked_at is None or now - egress.checked_at >= _checked_every(egress)


def _checked_every(egress: PlannedEgress) -> timedelta:
    if egress.doubted_at is not None:
        return DOUBTED_FOR
    return CHECKED_EVERY if egress.wanted else END_CHECKED_EVERY
