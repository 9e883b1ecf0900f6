"""When the worker looks again, and for how long it waits for what. Pure."""

from datetime import timedelta

from services.egress.reconciler.domain import PATIENCE, Kind

# Between tries: doubling from the first to the last.
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(seconds=30)
# How often what should be there is looked up in the engine, since a webhook may be lost.
CHECKED_EVERY = timedelta(seconds=8)
# An end that was asked for comes within a second or two; a worker that died never tells of it.
END_CHECKED_EVERY = timedelta(seconds=5)
GIVEN_UP_AFTER = timedelta(seconds=90)
# A difference must last this long to be believed, since the news of it may be on its way; an absence longer.
DOUBTED_FOR = PATIENCE[Kind.EGRESS]
MISSING_TIMEOUT = timedelta(seconds=10)
# A recording that has not been begun by then never is.
START_TIMEOUT = timedelta(minutes=2)
# Until there is something to play it is looked for this often.
PLAYABLE_CHECKED_EVERY = timedelta(milliseconds=500)


def pause(tries: int) -> timedelta:
    return min(_FIRST_PAUSE * (1 << max(0, min(tries, 10) - 1)), _LONGEST_PAUSE)
