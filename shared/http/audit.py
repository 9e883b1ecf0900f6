"""The audit trail: calls of administrators, stored before and after, and published to the audit log.

Nothing is done that was not recorded first: a call whose beginning cannot be stored is refused with 503. One
without an end was cut off, and counts as begun.
"""

import getpass
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog
from pydantic import BaseModel

from shared.clock import Clock
from shared.contracts.audit_events import AdministratorActed
from shared.contracts.session_events import SessionCallRefused
from shared.contracts.states import NOT_KEPT, AuditedCallState, AuditOutcome
from shared.errors import AppError, Unavailable
from shared.ids import new_id
from shared.persistence.append_only import AppendOnlyCollection
from shared.persistence.mongo import ASCENDING, Index, Mongo
from shared.persistence.outbox import Outbox

log = structlog.get_logger(__name__)

_BUG_STATUS, _BUG_CODE = 500, "internal"
# They are published within seconds; the audit log is where they stay.
_KEPT: Final = timedelta(days=7)


class AuditedCall:
    """One call on its way; `begin` before anything is done, `over` afterwards.

    `creates` are the ids of what it makes: they are among its targets once it is done.
    """

    def __init__(self, state: AuditedCallState, trail: "AuditTrail"):
        self.state = state
        self.creates: Sequence[str] = ()
        self._trail = trail

    async def begin(self, body: object) -> None:
        """What it is about to do with this body. Raises `Unavailable`."""
        self.state = self.state.model_copy(update={"fields": fields_of(body)})
        await self._trail.add(self.state)

    async def over(self, outcome: AuditOutcome, status: int, code: str | None = None) -> None:
        """How it ended. If that cannot be stored, it counts as begun."""
        created = self.creates if outcome is AuditOutcome.DONE else ()
        self.state = self.state.model_copy(
            update={
                "version": 2,
                "targets": [*self.state.targets, *created],
                "ended_at": self._trail.clock.now(),
                "outcome": outcome,
                "status": status,
                "code": code,
            }
        )
        try:
            await self._trail.add(self.state)
        except Unavailable as error:
            log.warning("audit.end_not_stored", call=self.state.id, error=error.message)


class AuditTrail:
    """What one service has to report to the audit log."""

    def __init__(self, mongo: Mongo, outbox: Outbox, clock: Clock, *, service: str):
        expiring = Index([("at", ASCENDING)], expire_after_seconds=int(_KEPT.total_seconds()))
        self._calls = AppendOnlyCollection(mongo, "audited_calls", outbox, [expiring])
        self._service = service
        self.clock = clock

    async def ensure_indexes(self) -> None:
        await self._calls.ensure_indexes()

    def new(self, operation: str, actor: str, **known: object) -> AuditedCallState:
        """A call that has just come in."""
        return new_call(self._service, operation, actor, self.clock.now(), **known)

    @asynccontextmanager
    async def recorded(self, call: AuditedCallState) -> AsyncIterator[AuditedCall]:
        """Around a call: how it ended is recorded, unless it succeeded, which the caller says."""
        audited = AuditedCall(call, self)
        try:
            yield audited
        except AppError as error:
            outcome = AuditOutcome.FAILED if error.status >= _BUG_STATUS else AuditOutcome.REFUSED
            await audited.over(outcome, error.status, error.code)
            raise
        except Exception:
            await audited.over(AuditOutcome.FAILED, _BUG_STATUS, _BUG_CODE)
            raise

    async def done(self, operation: str, actor: str, *targets: str) -> None:
        """Record what was done at once, by a command or by the settings. Raises `Unavailable`."""
        await self.add(done_call(self._service, operation, actor, self.clock.now(), targets))

    async def refused(self, session_id: str, error: AppError) -> None:
        """Report the refusal of a call to the session's journal, if it can be stored."""
        event = SessionCallRefused(session_id=session_id, status=error.status, code=error.code)
        now = self.clock.now()
        try:
            await self._calls.add({"_id": new_id(), "at": now}, [event], now)
        except Unavailable as unavailable:
            log.warning("audit.refusal_not_stored", session_id=session_id, error=unavailable.message)

    async def add(self, state: AuditedCallState) -> None:
        """Store it to be published. Raises `Unavailable`."""
        document = {"_id": f"{state.id}:{state.version}", "at": state.at}
        await self._calls.add(document, [AdministratorActed(call=state)], self.clock.now())


def new_call(service: str, operation: str, actor: str, now: datetime, **known: object) -> AuditedCallState:
    """A call that begins now."""
    own: dict[str, object] = {"id": new_id(), "version": 1, "at": now, "outcome": AuditOutcome.BEGUN}
    given = {"service": service, "operation": operation, "actor": actor}
    return AuditedCallState.model_validate(own | given | known)


def done_call(
    service: str, operation: str, actor: str, now: datetime, targets: Sequence[str]
) -> AuditedCallState:
    """What was done at once."""
    done = {"version": 2, "ended_at": now, "outcome": AuditOutcome.DONE, "targets": targets}
    return new_call(service, operation, actor, now, **done)


def fields_of(body: object) -> dict[str, bool | int | float | str | None]:
    """The fields that a body gives, without its text: that may be a password, a key or personal."""
    if not isinstance(body, BaseModel):
        return {}
    return {name: _shown(getattr(body, name)) for name in sorted(body.model_fields_set)}


def _shown(value: object) -> bool | int | float | str | None:
    if isinstance(value, StrEnum):
        return value.value
    return value if value is None or isinstance(value, bool | int | float) else NOT_KEPT


def command_actor() -> str:
    """Who runs a command on this machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        user = "unknown"
    return f"command:{user}@{socket.gethostname()}"
