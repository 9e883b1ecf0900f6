"""Ingresses compared and repaired: left over, lost, or publishing when nobody told so."""

from datetime import datetime

from services.egress.ingest.comparison import compare, publishes
from services.egress.ingest.ports import Ingresses
from services.egress.ingest.repository import IngestRepository
from services.egress.ingest.service import IngestService
from services.egress.reconciler.domain import Done, Kind, Repair
from services.egress.reconciler.sessions.service import Sessions
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

    async def differences(self) -> list[Repair]:
        # First what there is: whoever makes an ingress says so before.
        listed = await self._ingresses.list_ingresses()
        opened = await self._ingests.list_open()
        known = await self._sessions.known([one.session_id for one in opened])
        return compare(opened, listed, {session_id for session_id, one in known.items() if one.over})

    async def repair(self, repair: Repair) -> Done | None:
        if repair.kind is Kind.INGRESS_LEFTOVER:
            return await self._clear(repair)
        seen = await self._find(repair)
        if repair.kind is Kind.INGRESS_LOST:
            return await self._lose(repair) if seen is None else None
        return await self._tell(repair, seen) if seen is not None else None

    async def _find(self, repair: Repair) -> Ingress | None:
        found = await self._ingresses.list_ingresses(repair.session_id)
        return next((one for one in found if one.ingress_id == repair.thing), None)

    async def _clear(self, repair: Repair) -> Done | None:
        """What a session that is over has goes altogether, of another what is not its own."""
        known = await self._sessions.ask(repair.session_id)
        if known is None or known.over:
            await self._service.close(repair.session_id, remember=True)
        elif not await self._service.drop(repair.session_id, repair.thing):
            return None
        return Done(repair, f"ingress {repair.thing} deleted", estimated=False)

    async def _lose(self, repair: Repair) -> Done | None:
        """A stream key cannot be made again: the host gets another with the next start or rotation."""
        known = await self._ingests.find(repair.session_id)
        if not await self._ingests.forget(repair.session_id, repair.thing):
            return None
        if known is not None and known.publishing:
            await self._hear(IngressEnded, repair, "inactive", None)
        return Done(repair, "forgotten; the next start or rotation of the stream key makes another")

    async def _tell(self, repair: Repair, seen: Ingress) -> Done | None:
        known = await self._ingests.find(repair.session_id)
        if known is None or known.ingress_id != seen.ingress_id or known.publishing is publishes(seen):
            return None
        begun = publishes(seen)
        kind, at = (IngressStarted, seen.started_at) if begun else (IngressEnded, seen.ended_at)
        await self._hear(kind, repair, seen.status, at)
        await self._ingests.follow(repair.session_id, seen.ingress_id, self._clock.now(), publishing=begun)
        return Done(repair, f"told as {kind.name}", estimated=at is None)

    async def _hear(self, kind: type[IngressEvent], repair: Repair, status: str, at: datetime | None) -> None:
        now = self._clock.now()
        event = kind(
            session_id=repair.session_id, occurred_at=at or now, ingress_id=repair.thing, status=status
        )
        told = ReceivedWebhook(f"drift_{new_id()}", kind.name, repair.session_id, now, event)
        await self._webhooks.add(told)
