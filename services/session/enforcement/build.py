"""Enforcement, built."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass

from services.session.enforcement.dirty_sessions import DirtySessions
from services.session.enforcement.revocations import RevocationObserver
from services.session.enforcement.service import Enforcer, enforcement_group
from services.session.sessions.repository import SessionRepository
from shared.access.revocations import Revocations
from shared.access.room_permissions import revoked_by
from shared.bus import Group
from shared.livekit import LiveKit


@dataclass(frozen=True)
class Enforcement:
    """`workers` run until cancelled."""

    group: Group
    workers: Mapping[str, Callable[[], Coroutine[None, None, None]]]


def build_enforcement(
    sessions: SessionRepository, livekit: LiveKit, dirty_sessions: DirtySessions, revocations: Revocations
) -> Enforcement:
    enforcer = Enforcer(sessions, livekit, dirty_sessions, revoked_by(revocations))
    observer = RevocationObserver(sessions, dirty_sessions)
    revocations.listen(observer.on_revoked)
    workers = {"enforcement": enforcer.run, "enforcement of revocations": observer.run}
    return Enforcement(enforcement_group(enforcer), workers)
