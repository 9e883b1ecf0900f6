"""What the worker does next for a planned egress, and when it looks again. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from services.egress.egresses.domain import DOUBTED_FOR, PlannedEgress

# Between attempts: doubling from the first to the last.
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(seconds=30)
# One that ran for so long has not broken off soon: the next begins as if it were the first.
_RAN_WELL = timedelta(minutes=1)
# A stream is waited for by everybody: it is tried more often, and looked for while it may have begun.
_LONGEST_START_PAUSE = timedelta(seconds=8)
_FOUND_EVERY = timedelta(seconds=2)
# An end that was asked for is reported within a second or two; a dead worker never reports it.
_END_CHECKED_EVERY = timedelta(seconds=5)
# How often a stream is checked for its first segment.
_PLAYABLE_CHECKED_EVERY = timedelta(milliseconds=500)


class EgressStep(StrEnum):
    START = "start"
    FIND = "find"
    STOP = "stop"
    CHECK = "check"
    STOP_AGAIN = "stop_again"
    REST = "rest"


def next_step(egress: PlannedEgress, now: datetime, checked_every: timedelta) -> EgressStep:
    """`checked_every` is how often a running egress is looked up in the engine."""
    if egress.over:
        haunting = egress.haunts(now) and _stop_due(egress, now)
        return EgressStep.STOP_AGAIN if haunting else EgressStep.REST
    if egress.egress_id is None:
        return (
            EgressStep.FIND if egress.asked_at else (EgressStep.START if egress.to_begin else EgressStep.REST)
        )
    if not egress.wanted and _stop_due(egress, now):
        return EgressStep.STOP
    return EgressStep.CHECK if _check_due(egress, now, checked_every) else EgressStep.REST


def next_due(
    egress: PlannedEgress, now: datetime, checked_every: timedelta, *, observed: int
) -> datetime | None:
    """When to look again, after the observers saw version `observed`; now if it has changed since.

    None if the egress needs nothing more.
    """
    if egress.version - 1 != observed:
        return now
    if egress.over:
        return now + _pause(egress.tries) if egress.haunts(now) else None
    if egress.egress_id is None:
        pause = min(_pause(egress.tries), _FOUND_EVERY if egress.asked_at else _LONGEST_START_PAUSE)
        return now + pause if egress.tries else now
    if not egress.wanted and egress.stop_asked_at is None:
        return now
    if egress.stream and egress.wanted and not egress.playable:
        return now + _PLAYABLE_CHECKED_EVERY
    pause = _checked_every(egress, checked_every)
    return now + (pause if egress.wanted else min(_pause(egress.tries), pause))


def restart(broken: PlannedEgress, now: datetime) -> tuple[int, datetime]:
    """Which attempt the egress is that replaces one that broke off, and when it may begin."""
    ran = (broken.ended_at or now) - broken.created_at
    attempt = 0 if ran >= _RAN_WELL else broken.attempt + 1
    return attempt, now + _pause(attempt)


def _pause(tries: int) -> timedelta:
    return min(_FIRST_PAUSE * (1 << max(0, min(tries, 10) - 1)), _LONGEST_PAUSE)


def _stop_due(egress: PlannedEgress, now: datetime) -> bool:
    return egress.stop_tried_at is None or now - egress.stop_tried_at >= _pause(egress.tries)


def _check_due(egress: PlannedEgress, now: datetime, checked_every: timedelta) -> bool:
    return egress.checked_at is None or now - egress.checked_at >= _checked_every(egress, checked_every)


def _checked_every(egress: PlannedEgress, running: timedelta) -> timedelta:
    if egress.doubted_at is not None:
        return DOUBTED_FOR
    return running if egress.wanted else _END_CHECKED_EVERY
