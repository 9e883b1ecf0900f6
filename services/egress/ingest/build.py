"""Ingest put together."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from services.egress.drift.periodic_checks import DriftCheck
from services.egress.ingest.ingress_drift import IngressDriftCheck
from services.egress.ingest.owners import IngestOwners, ingest_group
from services.egress.ingest.repository import IngestRepository
from services.egress.ingest.rooms import IngestRooms, IngressesInRooms
from services.egress.ingest.service import IngestService
from services.egress.sessions.projection import EgressSessionProjection
from services.egress.webhooks.service import WebhookRepository
from shared.access.revocations import Revocations
from shared.access.room_permissions import revoked_by
from shared.bus import Group
from shared.clock import Clock
from shared.http.session_service import EncoderOwners
from shared.livekit import LiveKit
from shared.livekit.ports import Ingresses
from shared.runtime.tasks import SUPERVISOR


@dataclass(frozen=True)
class EncoderRights:
    """What decides whether an encoder may send."""

    owners: EncoderOwners
    revocations: Revocations


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
        rights: EncoderRights,
    ):
        rooms = IngestRooms(livekit, ingests, sessions)
        self.ingresses: Ingresses = own or IngressesInRooms(livekit)
        self.service = IngestService(self.ingresses, ingests, open_room=None if own else rooms.open)
        self.owners = IngestOwners(
            ingests, self.service, sessions, rights.owners, clock, revoked_by(rights.revocations)
        )
        rights.revocations.listen(self.owners.on_revoked)
        check = IngressDriftCheck(
            self.ingresses, ingests, self.service, self.owners, sessions, webhooks, clock
        )
        self.checks: list[DriftCheck] = [check] if own else [check, rooms]
        self.groups: tuple[Group, ...] = (ingest_group(self.service, self.owners),)

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        """A `cleanup_ctx`."""
        app[SUPERVISOR].spawn("ingest owners", self.owners.run())
        yield
