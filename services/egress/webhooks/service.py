"""Receiving webhooks: verified, translated, stored once; the outbox publishes their events."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from prometheus_client import Counter

from services.egress.webhooks.domain import TRANSLATIONS, translate
from services.egress.webhooks.repository import ReceivedWebhook, WebhookRepository
from shared.clock import Clock
from shared.errors import Unavailable
from shared.livekit import WebhookEvent, WebhookVerifier, parse

log = structlog.get_logger(__name__)

TAKEN_IN = Counter("greenroom_webhooks_total", "LiveKit webhooks taken in", ["event", "outcome"])
DROPPED = Counter("greenroom_webhooks_dropped_total", "Webhooks that LiveKit reported as given up")

Observer = Callable[[WebhookEvent], None]

# Seconds. LiveKit delivers one webhook of a room at a time and drops what waited for 30 s.
STORING_DEADLINE = 3.0


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
        if webhook.num_dropped > 0:
            _report_dropped(webhook)
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


def _report_dropped(webhook: WebhookEvent) -> None:
    DROPPED.inc(webhook.num_dropped)
    log.warning("webhook.dropped_before", dropped=webhook.num_dropped, room=webhook.room_name)
