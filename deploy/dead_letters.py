"""The dead letters of all groups, on a bus that consumes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager

from services.attendance.presence.consumers import GROUP as ATTENDANCE
from services.attendance.reports.users import GROUP as ATTENDANCE_USERS
from services.egress.egresses.service import GROUP as EGRESS_EGRESSES
from services.egress.ingest.owners import GROUP as EGRESS_INGEST
from services.egress.reconciler.consumers import CONNECTIONS_GROUP as EGRESS_CONNECTIONS
from services.egress.reconciler.consumers import SESSIONS_GROUP as EGRESS_SESSIONS
from services.egress.streams.service import GROUP as EGRESS_STREAMS
from services.session.audit.service import GROUP as AUDIT
from services.session.enforcement.build import GROUP as ENFORCEMENT
from services.session.journal.service import GROUP as JOURNAL
from services.session.live.event_handlers import GROUP as SESSION
from services.session.notices.service import GROUP as NOTICES
from services.session.reminders.service import GROUP as REMINDERS
from services.session.stage.build import GROUP as STAGE
from shared.bus import Bus, DeadLetter
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.contracts.audit_events import AdministratorActed
from shared.contracts.event import Envelope
from shared.errors import NotFound, Unavailable
from shared.http.audit import command_actor, done_call
from shared.ids import new_id

GROUPS = (
    SESSION,
    ENFORCEMENT,
    JOURNAL,
    AUDIT,
    NOTICES,
    STAGE,
    REMINDERS,
    EGRESS_INGEST,
    EGRESS_SESSIONS,
    EGRESS_CONNECTIONS,
    EGRESS_EGRESSES,
    EGRESS_STREAMS,
    ATTENDANCE,
    ATTENDANCE_USERS,
)

_CONNECT = 5.0
_POLL = 0.05
_MOST_TARGETS = 100


async def dead_letters(url: str, groups: Sequence[str]) -> list[tuple[str, DeadLetter]]:
    """Each with its group; the oldest of a group first. Raises `Unavailable`."""
    found: list[tuple[str, DeadLetter]] = []
    async with _bus(url) as bus:
        for group in groups:
            try:
                found += [(group, letter) for letter in await bus.dead_letters(group)]
            except NotFound:
                continue  # its service never ran on this broker
    return found


async def replay(url: str, groups: Sequence[str], ids: Collection[str] | None) -> dict[str, int]:
    """Put them (those with these ids, or all) back into their group's queue; how many, by group."""
    replayed: dict[str, int] = {}
    async with _bus(url) as bus:
        for group in groups:
            try:
                replayed[group] = await bus.replay(group, ids)
            except NotFound:
                continue
        if any(replayed.values()):
            await bus.publish(replay_record(groups, ids or ()))
    return replayed


def replay_record(groups: Sequence[str], ids: Collection[str]) -> Envelope:
    """The entry of the audit log, which the session service makes of it."""
    now = SystemClock().now()
    targets = [*groups, *ids][:_MOST_TARGETS]
    call = done_call("command", "greenroom events dead-letters replay", command_actor(), now, targets)
    return Envelope(id=new_id(), source="/greenroom/command", time=now, event=AdministratorActed(call=call))


@asynccontextmanager
async def _bus(url: str) -> AsyncIterator[Bus]:
    bus = RabbitBus(url, service="command")
    await bus.start()
    try:
        await _connected(bus)
        yield bus
    finally:
        await bus.close()


async def _connected(bus: Bus) -> None:
    deadline = asyncio.get_running_loop().time() + _CONNECT
    while (wrong := bus.state()) is not None:
        if asyncio.get_running_loop().time() > deadline:
            raise Unavailable(f"The broker does not answer: {wrong}")
        await asyncio.sleep(_POLL)
