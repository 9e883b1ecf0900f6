"""Ingest put together."""

from dataclasses import dataclass

from services.egress.ingest.ingress_reconciliation import IngressReconciliation
from services.egress.ingest.ports import Ingresses
from services.egress.ingest.repository import IngestRepository
from services.egress.ingest.service import IngestService
from services.egress.sessions.service import Sessions
from services.egress.webhooks.repository import WebhookRepository
from shared.clock import Clock
from shared.persistence.mongo import Mongo


@dataclass(frozen=True)
class IngestParts:
    repository: IngestRepository
    service: IngestService
    check: IngressReconciliation


def build_ingest(
    ingresses: Ingresses, sessions: Sessions, webhooks: WebhookRepository, mongo: Mongo, clock: Clock
) -> IngestParts:
    repository = IngestRepository(mongo, clock)
    service = IngestService(ingresses, repository)
    check = IngressReconciliation(ingresses, repository, service, sessions, webhooks, clock)
    return IngestParts(repository, service, check)
