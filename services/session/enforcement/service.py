"""Brings a session's room in line with the session after every change.

It starts from LiveKit's list and ends with the session's state, so it may be repeated at any time by any
replica.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Histogram

from services.session.enforcement.dirty_sessions import DirtySessions
from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from shared.access.permissions import role_of
from shared.access.room_permissions import (
    IsRevoked,
    RoomParticipant,
    expected_permissions,
    has_lost_role,
    is_banned_participant,
    is_not_admitted,
    never_revoked,
)
from shared.contracts.session_events import SessionEvent
from shared.contracts.states import Role
from shared.errors import AppError, Unavailable
from shared.livekit import LiveKit
from shared.livekit.ports import LiveKitParticipant, Permissions
from shared.livekit.tokens import GUEST_ATTRIBUTE, KEY_ATTRIBUTE, ROLE_ATTRIBUTE, issued_at
from shared.runtime.backoff import Backoff

log = structlog.get_logger(__name__)

TOOK = Histogram("greenroom_enforcement_seconds", "Time to bring one room in line with its session")
CORRECTED = Counter("greenroom_enforcement_corrections_total", "Connections that were changed or removed")

_CORRECTED_AT_ONCE = 8
# Many change at once if something is revoked that may be in all rooms.
_LISTED_AT_ONCE = 32
# After a change or a correction: somebody may have joined meanwhile with an older token, and passed the check
# of a replica that had not received the change yet.
_RECHECK_DELAYS = (1.0, 3.0)
# How often a room was checked since a change that is checked just once more.
LAST_RECHECK = len(_RECHECK_DELAYS) - 1
_REMEMBERED = 10_000
_BACKOFF = Backoff(0.2, 5.0)


@dataclass(frozen=True)
class ParticipantCorrection:
    """One connection may do this from now on, in this role; without permissions it has to go."""

    identity: str
    role: Role
    permissions: Permissions | None


def corrections(
    session: Session, participants: Iterable[LiveKitParticipant], is_revoked: IsRevoked = never_revoked
) -> Iterator[ParticipantCorrection]:
    """The connections whose permissions or role differ from the session's."""
    # The aggregate lists all who are banned anew for each question.
    state = session.state()
    for one in participants:
        participant = _room_participant(one)
        role = role_of(state, participant.user_id)
        revoked = participant.is_person and is_revoked(participant)
        lost = (
            is_banned_participant(state, participant)
            or is_not_admitted(state, participant)
            or has_lost_role(state, state.preset, participant)
        )
        if revoked or lost:
            yield ParticipantCorrection(one.identity, role, None)
            continue
        expected = expected_permissions(state, state.preset, participant)
        if expected is None:
            continue
        if not expected.same_as(one.permissions) or one.attributes.get(ROLE_ATTRIBUTE) != role:
            yield ParticipantCorrection(one.identity, role, expected)


def _room_participant(one: LiveKitParticipant) -> RoomParticipant:
    return RoomParticipant(
        one.identity,
        one.name,
        one.kind,
        one.permissions.hidden,
        one.permissions.recorder,
        issued_at(one.attributes) or one.joined_at,
        one.attributes.get(KEY_ATTRIBUTE),
        GUEST_ATTRIBUTE in one.attributes,
        one.joined_at,
    )


class Enforcer:
    def __init__(
        self,
        sessions: SessionRepository,
        livekit: LiveKit,
        dirty_sessions: DirtySessions,
        is_revoked: IsRevoked = never_revoked,
    ):
        self._sessions = sessions
        self._livekit = livekit
        self._dirty = dirty_sessions
        self._is_revoked = is_revoked
        self._calls = asyncio.Semaphore(_CORRECTED_AT_ONCE)
        self._lists = asyncio.Semaphore(_LISTED_AT_ONCE)
        # The newest version of each live session that its room was brought in line with.
        self._done: dict[str, int] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until cancelled. A session that changes while its room is checked is checked again."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._dirty.wait()
                for session_id, rechecks in self._dirty.take().items():
                    tasks.create_task(self._work(session_id, rechecks, tasks))

    async def _work(self, session_id: str, rechecks: int, tasks: asyncio.TaskGroup) -> None:
        try:
            corrected = await self._enforce_until_done(session_id)
        finally:
            self._dirty.release(session_id)
        rechecks = 0 if corrected else rechecks
        if rechecks < len(_RECHECK_DELAYS) and session_id in self._done:
            if session_id in self._waiting:
                self._waiting.pop(session_id).cancel()
            self._waiting[session_id] = tasks.create_task(self._later(session_id, rechecks))

    async def _enforce_until_done(self, session_id: str) -> bool:
        """Enforce until that succeeds; whether anything had to be corrected."""
        delays = _BACKOFF.delays()
        while True:
            try:
                return await self.enforce(session_id)
            except AppError as error:
                log.warning("enforcement.failed", session_id=session_id, code=error.code)
            await asyncio.sleep(next(delays))

    async def _later(self, session_id: str, rechecks: int) -> None:
        await asyncio.sleep(_RECHECK_DELAYS[rechecks])
        del self._waiting[session_id]
        self._dirty.add(session_id, rechecks + 1)

    async def follow(self, event: SessionEvent) -> None:
        """If this process has not done so yet: the process that changed the session may have died.

        Raises `Unavailable`.
        """
        if self._done.get(event.session.id, 0) < event.session.version:
            await self.enforce(event.session.id)

    async def enforce(self, session_id: str) -> bool:
        """Correct connections that differ from the session; whether there were any. Raises `Unavailable`."""
        with TOOK.time():
            async with self._lists:
                # After the wait, or what is applied would be as old as that was long.
                session = await self._sessions.find(session_id)
                if session is None or not session.is_live:
                    self._done.pop(session_id, None)
                    return False
                present = await self._livekit.list_participants(session_id)
            needed = list(corrections(session, present, self._is_revoked))
            done = await asyncio.gather(*(self._correct(session_id, one) for one in needed))
        if not all(done):
            raise Unavailable("Not all connections in the room could be corrected")
        self._note(session_id, session.version)
        if needed:
            await self._check(session_id, session.version)
        return bool(needed)

    def _note(self, session_id: str, version: int) -> None:
        self._done[session_id] = max(version, self._done.pop(session_id, 0))
        if len(self._done) > _REMEMBERED:
            del self._done[next(iter(self._done))]

    async def _check(self, session_id: str, version: int) -> None:
        """Another replica may have applied a newer version before this one was."""
        newest = await self._sessions.find(session_id)
        if newest is not None and newest.version != version:
            self._dirty.add(session_id)

    async def _correct(self, session_id: str, one: ParticipantCorrection) -> bool:
        """Whether that was done, or needs no doing since they have left."""
        try:
            async with self._calls:
                await self._apply(session_id, one)
        except AppError as error:
            log.warning("enforcement.not_corrected", session_id=session_id, error=error.message)
            return False
        CORRECTED.inc()
        return True

    async def _apply(self, session_id: str, one: ParticipantCorrection) -> None:
        if one.permissions is None:
            await self._livekit.remove_participant(session_id, one.identity)
        else:
            await self._livekit.update_participant(session_id, one.identity, one.permissions, one.role)
