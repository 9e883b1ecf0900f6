"""Ingresses compared and corrected: orphaned, lost, or publishing although no webhook reported it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from services.egress.drift.domain import Drift, DriftCorrection, Kind
from services.egress.ingest.owners import IngestOwners
from services.egress.ingest.repository import IngestRepository, SessionIngest
from services.egress.ingest.service import IngestService
from services.egress.sessions.projection import EgressSessionProjection
from services.egress.webhooks.service import ReceivedWebhook, WebhookRepository
from shared.clock import Clock
from shared.contracts.livekit_events import IngressEnded, IngressEvent, IngressStarted
from shared.ids import is_id, new_id
from shared.livekit import Ingress
from shared.livekit.ports import PUBLISHING, Ingresses

# Neither publishing nor idle: media arrives and is not in the room yet.
_UNDECIDED = "buffering"


class IngressDriftCheck:
    """What a webhook should have reported is stored as one, so that its consumers get the event now."""

    def __init__(
        self,
        ingresses: Ingresses,
        ingests: IngestRepository,
        service: IngestService,
        owners: IngestOwners,
        sessions: EgressSessionProjection,
        webhooks: WebhookRepository,
        clock: Clock,
    ):
        self._ingresses = ingresses
        self._ingests = ingests
        self._service = service
        self._owners = owners
        self._sessions = sessions
        self._webhooks = webhooks
        self._clock = clock

    async def differences(self) -> list[Drift]:
        # First the ingresses: whoever makes one records so before.
        listed = await self._ingresses.list_ingresses()
        opened = await self._ingests.list_open()
        known = await self._sessions.known([one.session_id for one in opened])
        over = {session_id for session_id, one in known.items() if one.over}
        return [*compare(opened, listed, over), *await self._without_right(over)]

    async def _without_right(self, over: Collection[str]) -> list[Drift]:
        return [
            Drift(
                Kind.INGRESS_REVOKED,
                session.id,
                "its owner may not send",
                f"ingress {ingest.ingress_id}",
                subject_id=ingest.ingress_id or "",
            )
            for session, ingest in await self._owners.without_right()
            if session.id not in over
        ]

    async def correct(self, drift: Drift) -> DriftCorrection | None:
        if drift.kind is Kind.INGRESS_LEFTOVER:
            return await self._clear(drift)
        if drift.kind is Kind.INGRESS_REVOKED:
            return await self._withdraw(drift)
        seen = await self._find(drift)
        if drift.kind is Kind.INGRESS_LOST:
            return await self._lose(drift) if seen is None else None
        return await self._update(drift, seen) if seen is not None else None

    async def _find(self, drift: Drift) -> Ingress | None:
        found = await self._ingresses.list_ingresses(drift.session_id)
        return next((one for one in found if one.ingress_id == drift.subject_id), None)

    async def _clear(self, drift: Drift) -> DriftCorrection | None:
        """Delete all ingresses of a session that is over; of another session, those that are not its own."""
        known = await self._sessions.ask(drift.session_id)
        if known is None or known.over:
            await self._service.close(drift.session_id, remember=True)
        elif not await self._service.drop(drift.session_id, drift.subject_id):
            return None
        return DriftCorrection(drift, f"ingress {drift.subject_id} deleted", estimated=False)

    async def _withdraw(self, drift: Drift) -> DriftCorrection | None:
        ingest = await self._ingests.with_ingress(drift.session_id, drift.subject_id)
        if ingest is None or not await self._owners.check(ingest):
            return None
        return DriftCorrection(drift, f"ingress {drift.subject_id} deleted", estimated=False)

    async def _lose(self, drift: Drift) -> DriftCorrection | None:
        """A stream key cannot be made again: its owner gets another with the next start or rotation."""
        known = await self._ingests.with_ingress(drift.session_id, drift.subject_id)
        if not await self._ingests.forget(drift.session_id, drift.subject_id):
            return None
        if known is not None and known.publishing:
            await self._report(IngressEnded, drift, "inactive", None)
        return DriftCorrection(drift, "forgotten; the next start or rotation of the stream key makes another")

    async def _update(self, drift: Drift, seen: Ingress) -> DriftCorrection | None:
        known = await self._ingests.with_ingress(drift.session_id, seen.ingress_id)
        if known is None or known.publishing is publishes(seen):
            return None
        publishing = publishes(seen)
        kind, at = (IngressStarted, seen.started_at) if publishing else (IngressEnded, seen.ended_at)
        await self._report(kind, drift, seen.status, at)
        await self._ingests.apply(drift.session_id, seen.ingress_id, self._clock.now(), publishing=publishing)
        return DriftCorrection(drift, f"reported as {kind.name}", estimated=at is None)

    async def _report(self, kind: type[IngressEvent], drift: Drift, status: str, at: datetime | None) -> None:
        now = self._clock.now()
        event = kind(
            session_id=drift.session_id, occurred_at=at or now, ingress_id=drift.subject_id, status=status
        )
        webhook = ReceivedWebhook(f"drift_{new_id()}", kind.name, drift.session_id, now, event)
        await self._webhooks.add(webhook)


def compare(opened: Iterable[SessionIngest], listed: Iterable[Ingress], over: Collection[str]) -> list[Drift]:
    """The differences; `over` are sessions that are known to be over. Those being made are left alone."""
    ingests, ingresses = list(opened), {one.ingress_id: one for one in listed}
    claimed = {one.session_id for one in ingests if one.claimed}
    return [
        drift
        for drift in (*_ours(ingests, ingresses, over), *_orphans(ingests, ingresses))
        if drift.session_id not in claimed
    ]


def _ours(
    ingests: Iterable[SessionIngest], ingresses: Mapping[str, Ingress], over: Collection[str]
) -> Iterator[Drift]:
    for ingest in ingests:
        if ingest.session_id in over:
            observed = f"ingress {ingest.ingress_id or 'being made'}"
            yield Drift(
                Kind.INGRESS_LEFTOVER,
                ingest.session_id,
                "session over",
                observed,
                subject_id=ingest.ingress_id or "",
            )
        elif ingest.ingress_id is not None:
            yield from _differs(ingest, ingest.ingress_id, ingresses.get(ingest.ingress_id))


def _differs(ingest: SessionIngest, ingress_id: str, seen: Ingress | None) -> Iterator[Drift]:
    expected = f"ingress {PUBLISHING if ingest.publishing else 'idle'}"
    if seen is None:
        yield Drift(Kind.INGRESS_LOST, ingest.session_id, expected, "no such ingress", subject_id=ingress_id)
    elif seen.status != _UNDECIDED and ingest.publishing is not publishes(seen):
        yield Drift(
            Kind.INGRESS, ingest.session_id, expected, f"ingress {seen.status}", subject_id=ingress_id
        )


def publishes(ingress: Ingress) -> bool:
    return ingress.status == PUBLISHING


def _orphans(ingests: Collection[SessionIngest], ingresses: Mapping[str, Ingress]) -> Iterator[Drift]:
    """Ours are named after their room, which is a session."""
    sessions = {one.session_id for one in ingests}
    known = {one.ingress_id for one in ingests}
    for one in ingresses.values():
        ours = one.name == one.room and is_id(one.room)
        if ours and one.ingress_id not in known:
            expected = "session has another ingress" if one.room in sessions else "session has no ingest"
            observed = f"ingress {one.ingress_id}"
            yield Drift(Kind.INGRESS_LEFTOVER, one.room, expected, observed, subject_id=one.ingress_id)
