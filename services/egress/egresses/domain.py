"""A planned egress: what is wanted of the engine, and the state it is known to be in. Pure.

`schedule` says what is to be done next, and when.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.egress.drift.domain import GRACE_PERIOD, Kind
from shared.contracts.event import Event
from shared.egress.engine import EgressInfo, EgressOrder, EgressStatus, EncodingOptions
from shared.egress.keys import file_key, segments_prefix
from shared.egress.problems import EgressProblem

# A recording that has not started by then has failed.
START_TIMEOUT = timedelta(minutes=2)
# An egress that does not end, and shows no sign of life, this long after it was asked to has failed.
END_TIMEOUT = timedelta(seconds=90)
# For how long an egress must show no sign of life until its worker is dead. One that starts may keep its
# worker from answering, and one that ends may be closing its files.
SILENT_FOR: Mapping[EgressStatus, timedelta] = {
    EgressStatus.STARTING: timedelta(seconds=30),
    EgressStatus.ACTIVE: timedelta(seconds=5),
    EgressStatus.ENDING: timedelta(seconds=30),
}
# For how long one that was presumed dead is stopped once more, since its worker may only have been frozen.
HAUNTS_FOR = timedelta(days=1)
# How long the engine must report another state before it is believed, since a webhook may be on its way,
# and how long it must report none at all.
DOUBTED_FOR = GRACE_PERIOD[Kind.EGRESS]
MISSING_TIMEOUT = timedelta(seconds=10)

_STAGES = (EgressStatus.STARTING, EgressStatus.ACTIVE, EgressStatus.ENDING)


@dataclass(kw_only=True)
class FileMade:
    """The file that the engine reports: bytes, seconds, and when the first of its media came."""

    size: int
    duration: float
    started_at: datetime | None = None


@dataclass(kw_only=True)
class PlannedEgress:
    """`id` is the key. `stream` and `file` say what it makes; both may be.

    `asked_at` is when the engine was last asked to start it, and stays until the answer is known: after a
    crash, too, it is not started again before the first start was looked up. `doubted_at` is since when the
    engine has reported another state than is known here. `presumed`: the engine did not report the end; a
    later report of it replaces what was presumed. `died`: presumed since its worker died. `attempt` counts
    those before it that broke off soon, one after the other.

    `progress` names its playlist's state, `alive_at` is when it last showed a sign of life, `silent_since`
    since when it was asked for one and showed none. `due_at` is when the worker looks next (None: never).
    `playable`: the stream has something to play. `traceparent` is the step of a trace that planned it.
    """

    id: str
    version: int = 1
    session_id: str
    stream: bool
    file: bool
    wanted: bool = True
    status: EgressStatus = EgressStatus.STARTING
    egress_id: str | None = None
    asked_at: datetime | None = None
    stop_asked_at: datetime | None = None
    stop_tried_at: datetime | None = None
    tries: int = 0
    doubted_at: datetime | None = None
    presumed: bool = False
    died: bool = False
    attempt: int = 0
    progress: str | None = None
    alive_at: datetime | None = None
    silent_since: datetime | None = None
    playable: bool = False
    error: str | None = None
    details: str | None = None
    made: FileMade | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    checked_at: datetime | None = None
    due_at: datetime | None = None
    traceparent: str | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def over(self) -> bool:
        return self.status.over

    @property
    def broke_off(self) -> bool:
        """Whether it failed, or is presumed to have, although nobody had asked it to end."""
        return self.wanted and self.status is EgressStatus.FAILED

    @property
    def last_alive_at(self) -> datetime | None:
        """When it made something for the last time, as far as is known."""
        return (self.alive_at or self.ended_at) if self.presumed else self.ended_at

    def order(self, encoding: EncodingOptions) -> EgressOrder:
        return EgressOrder(
            key=self.id,
            session_id=self.session_id,
            segments_prefix=segments_prefix(self.session_id, self.id) if self.stream else None,
            file_key=file_key(self.session_id, self.id) if self.file else None,
            encoding=encoding,
        )

    def expired(self, now: datetime) -> bool:
        """A recording that does not start fails; a stream is retried for as long as it is wanted."""
        return not self.stream and self.egress_id is None and now - self.created_at >= START_TIMEOUT

    @property
    def to_begin(self) -> bool:
        """Whether the engine is still to be asked for it."""
        return self.wanted and not self.over and self.egress_id is None and self.asked_at is None

    def postpone(self, until: datetime | None) -> Sequence[Event]:
        """Look again then; None if it needs nothing more."""
        self.due_at = until
        return []

    def play(self) -> Sequence[Event]:
        self.playable = True
        return []

    def cancel(self, now: datetime) -> Sequence[Event]:
        """Have it stopped; if the engine was never asked for it, it is over."""
        if not self.wanted or self.over:
            return []
        self.wanted, self.tries = False, 0
        self.due_at = self.updated_at = now
        if self.egress_id is None and self.asked_at is None:
            self._end(EgressStatus.ABORTED, now, self.error or EgressProblem.STOPPED_EARLY)
        return []

    def reopen(self, now: datetime) -> Sequence[Event]:
        """The engine finishes it once more, from the segments it left."""
        if self.over:
            self.status, self.wanted, self.error = EgressStatus.ENDING, False, None
            self.stop_asked_at = self.stop_tried_at = self.checked_at = self.due_at = self.updated_at = now
            self.ended_at = self.doubted_at = None
            self.presumed = self.died = False
        return []

    def request_start(self, now: datetime) -> Sequence[Event]:
        """Recorded before the engine is asked to start it."""
        if self.to_begin:
            self.asked_at = self.updated_at = now
            self.tries += 1
        return []

    def accepted(self, egress_id: str, now: datetime) -> Sequence[Event]:
        """The engine has it."""
        if self.egress_id is None and not self.over:
            self.egress_id, self.asked_at = egress_id, None
            self.tries, self.error = 0, None
            self.checked_at = self.updated_at = now
        return []

    def refused(self, reason: str, now: datetime, *, known: bool) -> Sequence[Event]:
        """The engine did not accept it; if the outcome is not `known`, it may have.

        A start that was reported meanwhile has happened, whatever the answer to it.
        """
        if self.asked_at is None or self.over:
            return []
        self.error, self.updated_at = reason, now
        if known:
            self.asked_at = None
        return []

    def not_found(self, now: datetime, start_expires_after: timedelta) -> Sequence[Event]:
        """The engine does not list it: a start that was asked for long enough ago has not happened."""
        if (
            self.egress_id is None
            and self.asked_at is not None
            and now - self.asked_at >= start_expires_after
        ):
            self.asked_at, self.updated_at = None, now
            if not self.wanted:
                self._end(EgressStatus.ABORTED, now, self.error)
        return []

    def request_stop(self, now: datetime) -> Sequence[Event]:
        """Recorded before the engine is asked to stop it."""
        self.stop_asked_at = self.stop_asked_at or now
        self.stop_tried_at = now
        self.tries += 1
        return []

    def observe(self, seen: EgressInfo, now: datetime) -> Sequence[Event]:
        """Apply what the engine reports, by webhook or when asked: late, twice or out of order."""
        if self.egress_id is None:
            self.accepted(seen.egress_id, now)
        if seen.egress_id != self.egress_id or (self.over and not (self.presumed and seen.status.over)):
            return []
        self.doubted_at = self.silent_since = None
        self.presumed = self.died = False
        self.started_at = self.started_at or seen.started_at
        if seen.status.over:
            self.ended_at = seen.ended_at or now
            self._end(seen.status, now, seen.error)
        elif self._behind(seen.status):
            self.status, self.updated_at, self.due_at = seen.status, now, now
        return []

    def _behind(self, status: EgressStatus) -> bool:
        """Whether the engine is ahead of the state known here."""
        return not self.over and (status.over or _STAGES.index(status) > _STAGES.index(self.status))

    def check(self, seen: EgressInfo | None, now: datetime) -> bool:
        """Compare with what the engine lists (None: nothing); True for a drift to be repaired.

        The list counts once it has been the same for a while, and less than a sign of life.
        """
        self.checked_at = now
        alive = self.alive_at == now
        if self.over or (not self._behind(seen.status) if seen is not None else alive):
            self.doubted_at = None
            return False
        self.doubted_at = self.doubted_at or now
        return now - self.doubted_at >= (DOUBTED_FOR if seen else MISSING_TIMEOUT)

    def examined(self, progress: str | None, answers: bool | None, now: datetime) -> bool:
        """Apply its signs of life; True if there has been none for so long that its worker is dead.

        `progress` names its playlist's state, `answers` is whether its worker answered; None if not known.
        """
        if answers or (progress is not None and progress != self.progress):
            self.alive_at = now
        if progress is not None and progress != self.progress:
            self.progress, answers = progress, True
        self.silent_since = (self.silent_since or now) if answers is False else None
        return self.silent_since is not None and now - self.silent_since >= SILENT_FOR[self.status]

    def haunts(self, now: datetime) -> bool:
        """Whether it may still run although it counts as failed: it is stopped until its end is reported."""
        ended = self.ended_at
        return self.died and ended is not None and now - ended < HAUNTS_FOR

    def bury(self, now: datetime) -> Sequence[Event]:
        """Its worker is dead, whatever the engine lists."""
        if not self.over:
            self._presume(now, EgressProblem.WORKER_DIED)
            self.died = True
        return []

    def lose(self, now: datetime) -> Sequence[Event]:
        """The engine no longer has it, and its end was not reported."""
        if not self.over:
            self._presume(now, EgressProblem.LOST_BY_ENGINE)
        return []

    def give_up(self, now: datetime) -> Sequence[Event]:
        """It does not end although it was asked to: its worker is dead."""
        asked = self.stop_asked_at
        if not self.over and asked is not None and now - max(asked, self.alive_at or asked) >= END_TIMEOUT:
            self._presume(now, EgressProblem.DOES_NOT_END)
            self.died = True
        return []

    def _presume(self, now: datetime, why: str) -> None:
        self._end(EgressStatus.FAILED, now, why)
        self.presumed = True

    def _end(self, status: EgressStatus, now: datetime, error: str | None) -> None:
        self.status, self.error = status, error
        self.ended_at = self.ended_at or now
        self.due_at = self.updated_at = now
