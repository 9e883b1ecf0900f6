"""Receiving webhooks: verified, translated, stored once; the outbox publishes their events.

They are stored by LiveKit's event id: one insert is the record, the lock and the outbox. Bodies are not
stored: they carry secrets (a room's `turnPassword`, an ingress's `streamKey`).
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter, Histogram

from services.egress.webhooks.domain import TRANSLATIONS, translate
from shared.clock import Clock
from shared.contracts.event import Event
from shared.errors import Unavailable
from shared.ids import is_id
from shared.livekit import WebhookEvent, WebhookVerifier, parse
from shared.livekit.tokens import TRACE_ATTRIBUTE, issued_at
from shared.persistence.append_only import AppendOnlyCollection
from shared.persistence.mongo import ASCENDING, Index, Mongo
from shared.persistence.outbox import Outbox
from shared.runtime import tracing
from shared.runtime.log import bind_session
from shared.runtime.tracing import Span, SpanKind

log = structlog.get_logger(__name__)

TAKEN_IN = Counter("greenroom_webhooks_total", "LiveKit webhooks taken in", ["event", "outcome"])
AGE = Histogram(
    "greenroom_webhook_age_seconds",
    "From when LiveKit made a webhook, in whole seconds, to its arrival",
    buckets=(1, 2, 3, 5, 10, 20, 30, 60, 300),
)
DROPPED = Counter("greenroom_webhooks_dropped_total", "Webhooks that LiveKit reported as given up")

Observer = Callable[[WebhookEvent], None]

# Seconds. LiveKit delivers one webhook of a room at a time and drops what waited for 30 s.
STORING_DEADLINE = 3.0
_JOINED = "participant_joined"
# As long as the token for a join is good for.
_ASKED_WITHIN = timedelta(minutes=10)
# Far beyond the 6 minutes for which a replay passes the signature.
KEPT = timedelta(days=7)


@dataclass(frozen=True)
class ReceivedWebhook:
    """`id` is LiveKit's (`EV_…`), `kind` its event's name; `event` is ours that it translates to, if any."""

    id: str
    kind: str
    room: str
    received_at: datetime
    event: Event | None


class WebhookRepository:
    collection_name = "webhooks"
    indexes = (Index([("received_at", ASCENDING)], expire_after_seconds=int(KEPT.total_seconds())),)

    def __init__(self, mongo: Mongo, outbox: Outbox):
        self._webhooks = AppendOnlyCollection(mongo, self.collection_name, outbox, self.indexes)

    async def ensure_indexes(self) -> None:
        await self._webhooks.ensure_indexes()

    async def add(self, webhook: ReceivedWebhook) -> bool:
        """Store it with its event in one write; False if it was stored before. Raises `Unavailable`.

        One that was stored by an attempt whose outcome nobody learnt counts as stored now.
        """
        document = {
            "_id": webhook.id,
            "event": webhook.kind,
            "room": webhook.room,
            "received_at": webhook.received_at,
        }
        events = [webhook.event] if webhook.event else []
        added = await self._webhooks.add(document, events, webhook.received_at)
        return added or await self._webhooks.adopt(webhook.id)


class WebhookService:
    def __init__(
        self,
        verifier: WebhookVerifier,
        webhooks: WebhookRepository,
        clock: Clock,
        *,
        observers: Sequence[Observer] = (),
        storing_deadline: float = STORING_DEADLINE,
    ):
        """`observers` are called with each webhook that is stored, and must not block."""
        self._verifier = verifier
        self._webhooks = webhooks
        self._clock = clock
        self._observers = observers
        self._storing_deadline = storing_deadline

    async def receive(self, raw: bytes, authorization: str | None) -> None:
        """Store a webhook with its event; one that is stored already has no further effect.

        Raises `Unauthenticated` for a wrong signature, `InvalidRequest` if a signed body is not a
        webhook, and `Unavailable` if storing failed, so that LiveKit sends it again.
        """
        received_at = self._clock.now()
        self._verifier.verify(raw, authorization)
        webhook = parse(raw)
        _observe_age(webhook, received_at)
        if is_id(webhook.room_name):
            bind_session(webhook.room_name)
        if webhook.num_dropped > 0:
            _report_dropped(webhook)
        with join_step(webhook, received_at):
            stored = await self._store(webhook, received_at)
        known = webhook.event if webhook.event in TRANSLATIONS else "other"
        TAKEN_IN.labels(known, "stored" if stored else "duplicate").inc()
        if stored:
            for observe in self._observers:
                observe(webhook)

    async def _store(self, webhook: WebhookEvent, received_at: datetime) -> bool:
        event = translate(webhook, received_at)
        if event is None:
            log.info("webhook.without_event", webhook=webhook.id, kind=webhook.event, room=webhook.room_name)
        received = ReceivedWebhook(webhook.id, webhook.event, webhook.room_name, received_at, event)
        try:
            async with asyncio.timeout(self._storing_deadline):
                return await self._webhooks.add(received)
        except TimeoutError as error:
            raise Unavailable("The webhook could not be stored in time") from error


def _observe_age(webhook: WebhookEvent, received_at: datetime) -> None:
    if webhook.created_at:
        AGE.observe(max(0.0, received_at.timestamp() - webhook.created_at))


def join_step(webhook: WebhookEvent, received_at: datetime) -> AbstractContextManager[Span]:
    """A join goes on with the trace of the request for its token: who asked for it connects with it.

    Other webhooks of the participant, and a join long after, only have a link to that trace.
    """
    participant = webhook.participant
    traceparent = participant.attributes.get(TRACE_ATTRIBUTE) if participant else None
    here = tracing.traceparent()
    if participant is None or traceparent is None or here is None:
        return tracing.NOTHING
    issued = issued_at(participant.attributes)
    goes_on = webhook.event == _JOINED and issued is not None and received_at - issued <= _ASKED_WITHIN
    parent, link = (traceparent, here) if goes_on else (here, traceparent)
    attributes = {"greenroom.session_id": webhook.room_name}
    return tracing.span(
        f"receive {webhook.event}", SpanKind.CONSUMER, attributes, parent=parent, links=[link]
    )


def _report_dropped(webhook: WebhookEvent) -> None:
    DROPPED.inc(webhook.num_dropped)
    log.warning("webhook.dropped_before", dropped=webhook.num_dropped, room=webhook.room_name)
