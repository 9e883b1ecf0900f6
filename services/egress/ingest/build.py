"""Ingest put together."""

from services.egress.drift.periodic_checks import DriftCheck
from services.egress.ingest.ingress_drift import IngressDriftCheck
from services.egress.ingest.repository import IngestRepository
from services.egress.ingest.rooms import IngestRooms, IngressesInRooms
from services.egress.ingest.service import IngestService, ingest_group
from services.egress.sessions.projection import EgressSessionProjection
from services.egress.webhooks.service import WebhookRepository
from shared.bus import Group
from shared.clock import Clock
from shared.livekit import LiveKit
from shared.livekit.ports import Ingresses


class IngestParts:
    """What the composition root needs; without `own` ingresses they are LiveKit's."""

    def __init__(
        self,
        livekit: LiveKit,
        own: Ingresses | None,
        ingests: IngestRepository,
        sessions: EgressSessionProjection,
        webhooks: WebhookRepository,
        clock: Clock,
    ):
        rooms = IngestRooms(livekit, ingests, sessions)
        self.ingresses: Ingresses = own or IngressesInRooms(livekit)
        self.service = IngestService(self.ingresses, ingests, open_room=None if own else rooms.open)
        check = IngressDriftCheck(self.ingresses, ingests, self.service, sessions, webhooks, clock)
        self.checks: list[DriftCheck] = [check] if own else [check, rooms]
        self.groups: tuple[Group, ...] = (ingest_group(self.service),)
