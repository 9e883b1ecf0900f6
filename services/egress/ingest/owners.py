"""Ingresses end with the rights of whoever asked for them."""

from collections.abc import Sequence
from typing import Final

from services.egress.ingest.repository import IngestRepository, SessionIngest
from services.egress.ingest.service import IngestService
from services.egress.sessions.projection import EgressSessionProjection
from shared.access.encoders import EncoderOwner
from shared.access.revocations import Revoked
from shared.access.room_permissions import (
    IsRevoked,
    RoomParticipant,
    has_lost_role,
    is_banned_participant,
    is_not_admitted,
    never_revoked,
)
from shared.bus import Group, on
from shared.clock import Clock
from shared.contracts.livekit_events import IngressEnded, IngressStarted
from shared.contracts.session_events import (
    SessionDeleted,
    SessionEnded,
    SessionEvent,
    SessionExpired,
    SessionUpdated,
)
from shared.contracts.states import SessionState
from shared.http.session_service import EncoderOwners
from shared.runtime.on_demand import OnDemandWorker

GROUP: Final = "egress.ingest"


class IngestOwners:
    """Finds ingresses that seem to have lost their owner's right; the session service has the last word."""

    def __init__(
        self,
        ingests: IngestRepository,
        service: IngestService,
        sessions: EgressSessionProjection,
        owners: EncoderOwners,
        clock: Clock,
        is_revoked: IsRevoked = never_revoked,
    ):
        self._ingests = ingests
        self._service = service
        self._sessions = sessions
        self._owners = owners
        self._clock = clock
        self._is_revoked = is_revoked
        self._worker = OnDemandWorker("ingresses of the revoked", self._check_all)

    def has_lost_right(self, session: SessionState, ingest: SessionIngest) -> bool:
        """As far as the session's state and the known revocations say."""
        owner = ingest.owner or EncoderOwner(session.host_id)
        issued_at = ingest.made_at or self._clock.now()
        encoder = RoomParticipant(
            owner.identity("ingress"), "", "ingress", False, False, issued_at, is_guest=ingest.is_guest
        )
        refused = is_banned_participant(session, encoder) or is_not_admitted(session, encoder)
        return refused or has_lost_role(session, session.preset, encoder) or self._is_revoked(encoder)

    async def check(self, ingest: SessionIngest) -> bool:
        """Withdraw the ingress if its owner may not send; whether that was so. Raises `Unavailable`."""
        if await self._owners.may_send(ingest.session_id, ingest.owner, ingest.made_at):
            return False
        await self._service.withdraw(ingest)
        return True

    async def follow(self, event: SessionEvent) -> None:
        """Somebody may have lost their role, be banned, or be a guest where none are admitted any longer."""
        for ingest in await self._ingests.of_session(event.session.id):
            if ingest.made and self.has_lost_right(event.session, ingest):
                await self.check(ingest)

    def on_revoked(self, revoked: Sequence[Revoked]) -> None:
        """People or API keys were revoked: have `run` look for their ingresses."""
        if not all(one.sign_in for one in revoked):
            self._worker.wake()

    async def run(self) -> None:
        """Until cancelled."""
        await self._worker.run()

    async def _check_all(self) -> None:
        for _, ingest in await self.without_right():
            await self.check(ingest)

    async def without_right(self) -> list[tuple[SessionState, SessionIngest]]:
        """The ingresses, with their sessions, that seem to have lost their owner's right."""
        made = [ingest for ingest in await self._ingests.list_open() if ingest.made]
        known = await self._sessions.known([ingest.session_id for ingest in made])
        found = [(known[one.session_id].state, one) for one in made if one.session_id in known]
        return [(session, ingest) for session, ingest in found if self.has_lost_right(session, ingest)]


def ingest_group(ingests: IngestService, owners: IngestOwners) -> Group:
    """The end of sessions and of roles, and encoders that start or stop sending."""
    ends = dict(on(event, ingests.end) for event in (SessionEnded, SessionExpired, SessionDeleted))
    encoders = dict(on(event, ingests.follow) for event in (IngressStarted, IngressEnded))
    return Group(GROUP, ends | encoders | dict([on(SessionUpdated, owners.follow)]))
