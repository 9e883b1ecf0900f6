"""Ingresses compared and repaired: left over, lost, or publishing when nobody told so."""

from datetime import datetime

from services.egress.drift.domain import Drift, DriftCorrection, Kind
from services.egress.ingest.comparison import compare, publishes
from services.egress.ingest.ports import Ingresses
from services.egress.ingest.repository import IngestRepository
from services.egress.ingest.service import IngestService
from services.egress.sessions.service import Sessions
from services.egress.webhooks.repository import ReceivedWebhook, WebhookRepository
from shared.clock import Clock
from shared.contracts.livekit_events import IngressEnded, IngressEvent, IngressStarted
from shared.ids import new_id
from shared.livekit import Ingress


class IngressReconciliation:
    """What a webhook should have told goes the webhooks' way: whoever follows them hears it now."""

    def __init__(
        self,
        ingresses: Ingresses,
        ingests: IngestRepository,
        service: IngestService,
        sessions: Sessions,
        webhooks: WebhookRepository,
        clock: Clock,
    ):
        self._ingresses = ingresses
        self._ingests = ingests
        self._service = service
        self._sessions = sessions
        self._webhooks = webhooks
        self._clock = clock

    async def differences(self) -> list[Drift]:
        # First what there is: whoever makes an ingress says so before.
        listed = await self._ingresses.list_ingresses()
        opened = await self._ingests.list_open()
        known = await self._sessions.known([one.session_id for one in opened])
        return compare(opened, listed, {session_id for session_id, one in known.items() if one.over})

    async def correct(self, drift: Drift) -> DriftCorrection | None:
        if drift.kind is Kind.INGRESS_LEFTOVER:
            return await self._clear(drift)
        seen = await self._find(drift)
        if drift.kind is Kind.INGRESS_LOST:
            return await self._lose(drift) if seen is None else None
        return await self._tell(drift, seen) if seen is not None else None

    async def _find(self, drift: Drift) -> Ingress | None:
        found = await self._ingresses.list_ingresses(drift.session_id)
        return next((one for one in found if one.ingress_id == drift.subject_id), None)

    async def _clear(self, drift: Drift) -> DriftCorrection | None:
        """What a session that is over has goes altogether, of another what is not its own."""
        known = await self._sessions.ask(drift.session_id)
        if known is None or known.over:
            await self._service.close(drift.session_id, remember=True)
        elif not await self._service.drop(drift.session_id, drift.subject_id):
            return None
        return DriftCorrection(drift, f"ingress {drift.subject_id} deleted", estimated=False)

    async def _lose(self, drift: Drift) -> DriftCorrection | None:
        """A stream key cannot be made again: the host gets another with the next start or rotation."""
        known = await self._ingests.find(drift.session_id)
        if not await self._ingests.forget(drift.session_id, drift.subject_id):
            return None
        if known is not None and known.publishing:
            await self._hear(IngressEnded, drift, "inactive", None)
        return DriftCorrection(drift, "forgotten; the next start or rotation of the stream key makes another")

    async def _tell(self, drift: Drift, seen: Ingress) -> DriftCorrection | None:
        known = await self._ingests.find(drift.session_id)
        if known is None or known.ingress_id != seen.ingress_id or known.publishing is publishes(seen):
            return None
        begun = publishes(seen)
        kind, at = (IngressStarted, seen.started_at) if begun else (IngressEnded, seen.ended_at)
        await self._hear(kind, drift, seen.status, at)
        await self._ingests.follow(drift.session_id, seen.ingress_id, self._clock.now(), publishing=begun)
        return DriftCorrection(drift, f"told as {kind.name}", estimated=at is None)

    async def _hear(self, kind: type[IngressEvent], drift: Drift, status: str, at: datetime | None) -> None:
        now = self._clock.now()
        event = kind(
            session_id=drift.session_id, occurred_at=at or now, ingress_id=drift.subject_id, status=status
        )
        told = ReceivedWebhook(f"drift_{new_id()}", kind.name, drift.session_id, now, event)
        await self._webhooks.add(told)
