"""Making and deleting the ingress of a session."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from services.egress.ingest.repository import IngestRepository, SessionIngest, ingest_id
from shared.access.encoders import EncoderOwner
from shared.contracts.livekit_events import IngressEvent, IngressStarted
from shared.contracts.session_events import SessionEvent
from shared.contracts.states import SessionMode
from shared.errors import Conflict, Unavailable
from shared.livekit import Ingress
from shared.livekit.ports import Ingresses

log = structlog.get_logger(__name__)

# Below the caller's own deadline, and well below the time for which a claim lasts.
_DEADLINE = 7.0
_POLL = 0.05


# Opens the LiveKit room of a session. Raises `Unavailable`.
OpenRoom = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class IngestOrder:
    """Whose ingest of which session is asked for; `name` is how its owner is shown in the room.

    Without an `owner` it is the host's. A guest gave a display name only.
    """

    session_id: str
    host_id: str
    name: str
    owner: EncoderOwner | None = None
    is_guest: bool = False

    @property
    def id(self) -> str:
        is_hosts = self.owner in {None, EncoderOwner(self.host_id)}
        return ingest_id(self.session_id, None if is_hosts else self.owner)

    @property
    def identity(self) -> str:
        """The encoder's in the room."""
        return (self.owner or EncoderOwner(self.host_id)).identity("ingress")

    def replaces(self, ingest: SessionIngest) -> bool:
        """Whether it is another one of the same person, who may have several by API keys."""
        theirs, owner = ingest.owner or EncoderOwner(self.host_id), self.owner or EncoderOwner(self.host_id)
        return theirs != owner and theirs.user_id == owner.user_id


class IngestService:
    def __init__(self, ingresses: Ingresses, ingests: IngestRepository, *, open_room: OpenRoom | None = None):
        """`open_room` is called before an ingress is made whose encoders join the room by themselves."""
        self._ingresses = ingresses
        self._ingests = ingests
        self._open_room = open_room

    async def ensure(self, order: IngestOrder) -> Ingress:
        """The owner's ingress of the session, made if there is none; the same for every call.

        Raises `Conflict` if the session is over and `Unavailable` if it cannot be made now.
        """
        return await self._until_made(order, renew=False)

    async def renew(self, order: IngestOrder) -> Ingress:
        """Another ingress that replaces all that the owner's person has: their stream keys are revoked.

        An API key is the host. Raises as `ensure` does; there may be none then, until the next call.
        """
        for ingest in await self._ingests.of_session(order.session_id):
            if order.replaces(ingest):
                await self.withdraw(ingest)
        return await self._until_made(order, renew=True)

    async def _until_made(self, order: IngestOrder, *, renew: bool) -> Ingress:
        try:
            async with asyncio.timeout(_DEADLINE):
                while True:
                    ingress = await self._try(order, renew=renew)
                    if ingress is not None:
                        return ingress
                    await asyncio.sleep(_POLL)
        except TimeoutError as error:
            raise Unavailable("The ingest is still being created") from error

    async def _try(self, order: IngestOrder, *, renew: bool) -> Ingress | None:
        """The ingress; None while another call is making it."""
        if await self._is_over(order.session_id):
            raise _over()
        known = await self._ingests.find(order.id)
        if known is not None:
            existing = None if renew else await self._existing(known)
            if existing is not None:
                return existing
        claim = await self._ingests.claim(order.id, known)
        return await self._make(order, claim) if claim else None

    async def _is_over(self, session_id: str) -> bool:
        """The host's ingest says so."""
        hosts = await self._ingests.find(session_id)
        return hosts is not None and hosts.closed

    async def _existing(self, known: SessionIngest) -> Ingress | None:
        """The ingress we made, if it is still there."""
        if known.ingress_id is None:
            return None
        found = await self._ingresses.list_ingresses(known.session_id)
        return next((ingress for ingress in found if ingress.ingress_id == known.ingress_id), None)

    async def _make(self, order: IngestOrder, claim: str) -> Ingress:
        try:
            # Also what an earlier call made and did not record, since it crashed: nobody was given its key.
            await self._delete_all(order.session_id, order.identity)
            if self._open_room is not None:
                await self._open_room(order.session_id)
            ingress = await self._create(order)
            recorded = await self._ingests.record_ingress(
                order.id, claim, ingress.ingress_id, is_guest=order.is_guest
            )
            if recorded and not await self._is_over(order.session_id):
                log.info("ingest.made", session_id=order.session_id, ingress=ingress.ingress_id)
                return ingress
            await self._ingresses.delete_ingress(ingress.ingress_id)
        finally:
            await self._ingests.release(order.id, claim)
        raise _over()

    async def _create(self, order: IngestOrder) -> Ingress:
        return await self._ingresses.create_rtmp_ingress(
            order.session_id, order.identity, name=order.session_id, participant_name=order.name
        )

    async def withdraw(self, ingest: SessionIngest) -> None:
        """Delete an ingress whose owner may not send any longer; they get another if they may again."""
        if ingest.ingress_id is not None:
            await self._ingresses.delete_ingress(ingest.ingress_id)
            await self._ingests.forget(ingest.session_id, ingest.ingress_id)
            log.info("ingest.withdrawn", session_id=ingest.session_id, ingress=ingest.ingress_id)

    async def end(self, event: SessionEvent) -> None:
        """The session is over, whichever way: see `close`."""
        await self.close(event.session.id, remember=event.session.mode is SessionMode.RTMP)

    async def close(self, session_id: str, *, remember: bool) -> None:
        """Delete the session's ingresses; `remember` the session so that a late call makes none.

        Raises `Unavailable` while a call is making the ingress, or if it cannot be deleted now: try again.
        """
        ingests = await self._ingests.close(session_id, remember=remember)
        if not ingests:
            return
        if any(ingest.claimed for ingest in ingests):
            raise Unavailable("The ingest is still being created")
        await self._delete_all(session_id)

    async def follow(self, event: IngressEvent) -> None:
        """Apply what a webhook reports of an encoder."""
        await self._ingests.apply(
            event.session_id,
            event.ingress_id,
            event.occurred_at,
            publishing=isinstance(event, IngressStarted),
        )

    async def drop(self, session_id: str, ingress_id: str) -> bool:
        """Delete an ingress that was left over; False if it is the session's.

        It stays left over: whoever is making one just now takes none that there is.
        """
        if await self._ingests.with_ingress(session_id, ingress_id) is not None:
            return False
        await self._ingresses.delete_ingress(ingress_id)
        return True

    async def _delete_all(self, session_id: str, identity: str | None = None) -> None:
        """Delete those that are listed, or of them those of one identity."""
        all_ = await self._ingresses.list_ingresses(session_id)
        listed = [one for one in all_ if identity in {None, one.identity}]
        for ingress in listed:
            await self._ingresses.delete_ingress(ingress.ingress_id)
            log.info("ingest.removed", session_id=session_id, ingress=ingress.ingress_id)


def _over() -> Conflict:
    return Conflict("The session is over; it gets no ingest any longer", code="session_over")
