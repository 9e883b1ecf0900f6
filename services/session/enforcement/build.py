"""Enforcement, built."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.session.enforcement.dirty_sessions import DirtySessions
from services.session.enforcement.old_tokens import Accounts, OldTokens
from services.session.enforcement.removals import RemovalRepository, Removals
from services.session.enforcement.revocations import RevocationObserver
from services.session.enforcement.service import Enforcer
from services.session.sessions.repository import SessionRepository
from services.session.sessions.timeout_worker import run_timeouts
from shared.access.revocations import Revocations
from shared.access.room_permissions import revoked_by
from shared.bus import Group, combined, on
from shared.clock import Clock
from shared.contracts.livekit_events import ParticipantJoined
from shared.contracts.reconciler_events import RosterObserved
from shared.contracts.session_events import SessionEnded, SessionUpdated
from shared.livekit import LiveKit

GROUP: Final = "session.enforcement"


@dataclass(frozen=True)
class Enforcement:
    """`workers` run until cancelled."""

    group: Group
    workers: Mapping[str, Callable[[], Coroutine[None, None, None]]]


def build_enforcement(
    sessions: SessionRepository,
    removals: RemovalRepository,
    livekit: LiveKit,
    dirty_sessions: DirtySessions,
    revocations: Revocations,
    accounts: Accounts,
    clock: Clock,
) -> Enforcement:
    enforcer = Enforcer(sessions, livekit, dirty_sessions, revoked_by(revocations))
    observer = RevocationObserver(sessions, dirty_sessions)
    revocations.listen(observer.on_revoked)
    due = Removals(removals, livekit, clock)
    workers: dict[str, Callable[[], Coroutine[None, None, None]]] = {
        "enforcement": enforcer.run,
        "enforcement of revocations": observer.run,
        "removals": partial(run_timeouts, "removals", due.apply_due),
    }
    return Enforcement(enforcement_group(enforcer, due, OldTokens(accounts, livekit)), workers)


def enforcement_group(enforcer: Enforcer, removals: Removals, old_tokens: OldTokens) -> Group:
    return Group(
        GROUP,
        combined(
            [
                on(SessionUpdated, enforcer.follow),
                on(ParticipantJoined, old_tokens.joined),
                on(ParticipantJoined, removals.joined),
                on(RosterObserved, removals.follow_roster),
                on(RosterObserved, old_tokens.follow_roster),
                on(SessionEnded, removals.forget),
                on(SessionEnded, old_tokens.forget),
            ]
        ),
    )
