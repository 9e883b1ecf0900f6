"""What a webhook triggers immediately: checks of who joins or publishes, and of suspicious rooms."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog

from services.egress.drift.domain import Drift
from services.egress.reconciler.corrections import RoomCorrector
from services.egress.reconciler.permission_drift import may_publish, permission_drift, track_drift
from services.egress.reconciler.room_probe import connection_of
from services.egress.reconciler.service import Reconciler
from services.egress.sessions.projection import EgressSessionProjection
from services.egress.webhooks.domain import connection
from shared.access.room_permissions import IsRevoked, never_revoked
from shared.clock import Clock
from shared.errors import AppError
from shared.livekit import LiveKit, LiveKitTrack, WebhookEvent
from shared.livekit.webhook import WebhookParticipant
from shared.runtime.tasks import run_all

log = structlog.get_logger(__name__)

_AT_ONCE = 8


class ParticipantChecks:
    """Checks permissions on joining, for old tokens carry old permissions, and tracks on publishing.

    `check_room` has a room compared if a check of its participant failed.
    """

    def __init__(
        self,
        livekit: LiveKit,
        sessions: EgressSessionProjection,
        corrector: RoomCorrector,
        clock: Clock,
        check_room: Callable[[str], None],
        is_revoked: IsRevoked = never_revoked,
    ):
        self._livekit = livekit
        self._sessions = sessions
        self._corrector = corrector
        self._clock = clock
        self._check_room = check_room
        self._drift = partial(permission_drift, is_revoked=is_revoked)
        self._waiting: asyncio.Queue[tuple[str, WebhookParticipant, LiveKitTrack | None]] = asyncio.Queue()

    def add(self, room: str, participant: WebhookParticipant, track: LiveKitTrack | None = None) -> None:
        """Have somebody checked who joined, or who published a track."""
        self._waiting.put_nowait((room, participant, track))

    async def run(self) -> None:
        await run_all(*(self._work() for _ in range(_AT_ONCE)))

    async def _work(self) -> None:
        while True:
            room, participant, track = await self._waiting.get()
            try:
                await (self.check_track(room, participant, track) if track else self.check(room, participant))
            except AppError as error:
                log.warning(
                    "participant_checks.failed", session_id=room, code=error.code, error=error.message
                )
                self._check_room(room)

    async def check(self, room: str, participant: WebhookParticipant) -> None:
        """Correct the participant's permissions if they are not the session's. Raises `Unavailable`."""
        known = await self._sessions.find(room)
        if known is None or not known.live:
            return
        joined = connection(participant, self._clock.now())
        await self._correct(room, self._drift(known.state, joined, participant.permission.permissions))

    async def check_track(self, room: str, participant: WebhookParticipant, track: LiveKitTrack) -> None:
        """End the track if it is not what its source says; correct permissions that let it be published.

        Webhooks about tracks name a participant's identity alone, which is enough for nearly all of them.
        Raises `Unavailable`.
        """
        known = await self._sessions.find(room)
        if known is None or not known.live:
            return
        publisher = connection(participant, self._clock.now())
        if may_publish(known.state, publisher, track):
            return
        found = await self._livekit.get_participant(room, participant.identity)
        present = found if found and found.sid == participant.sid else None
        if present is not None:
            publisher = connection_of(known.state, present)
        # A false track counts even if its publisher is gone, or back already.
        await self._correct(room, track_drift(known.state, publisher, [track]))
        if present is not None:
            await self._correct(room, self._drift(known.state, publisher, present.permissions))

    async def _correct(self, room: str, drift: Drift | None) -> None:
        if drift is not None and not await self._corrector.correct([drift]):
            self._check_room(room)


class WebhookObserver:
    """What a webhook means for the reconciler, beside the event that it becomes."""

    def __init__(self, reconciler: Reconciler, checks: ParticipantChecks):
        self._reconciler = reconciler
        self._checks = checks

    def on_webhook(self, webhook: WebhookEvent) -> None:
        """Without waiting for anything: LiveKit awaits the answer to its webhook."""
        if webhook.num_dropped > 0 or webhook.event == "room_started":
            # Also of a room that a server took over from one that died.
            self._reconciler.suspect(webhook.room_name)
        if webhook.participant is None:
            return
        if webhook.event == "participant_joined":
            self._checks.add(webhook.room_name, webhook.participant)
        if webhook.event == "track_published" and webhook.track is not None:
            self._checks.add(webhook.room_name, webhook.participant, webhook.track.track)
