"""Making and deleting the ingress of a session."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from services.egress.ingest.repository import IngestRepository, SessionIngest
from shared.bus import Group, on
from shared.contracts.livekit_events import IngressEnded, IngressEvent, IngressStarted
from shared.contracts.session_events import SessionDeleted, SessionEnded, SessionEvent, SessionExpired
from shared.contracts.states import SessionMode
from shared.errors import Conflict, Unavailable
from shared.livekit import Ingress
from shared.livekit.ports import Ingresses

log = structlog.get_logger(__name__)

GROUP: Final = "egress.ingest"

# Below the caller's own deadline, and well below the time for which a claim lasts.
_DEADLINE = 7.0
_POLL = 0.05


# Opens the LiveKit room of a session. Raises `Unavailable`.
OpenRoom = Callable[[str], Awaitable[None]]


class IngestService:
    def __init__(self, ingresses: Ingresses, ingests: IngestRepository, *, open_room: OpenRoom | None = None):
        """`open_room` is called before an ingress is made whose encoders join the room by themselves."""
        self._ingresses = ingresses
        self._ingests = ingests
        self._open_room = open_room

    async def ensure(self, session_id: str, host_id: str, name: str) -> Ingress:
        """The session's ingress, made if there is none; the same for every call.

        Raises `Conflict` if the session is over and `Unavailable` if it cannot be made now.
        """
        return await self._until_made(session_id, host_id, name, renew=False)

    async def renew(self, session_id: str, host_id: str, name: str) -> Ingress:
        """Another ingress that replaces the present one, whose stream key is revoked.

        Raises as `ensure` does; there may be none then, until the next call.
        """
        return await self._until_made(session_id, host_id, name, renew=True)

    async def _until_made(self, session_id: str, host_id: str, name: str, *, renew: bool) -> Ingress:
        try:
            async with asyncio.timeout(_DEADLINE):
                while True:
                    ingress = await self._try(session_id, host_id, name, renew=renew)
                    if ingress is not None:
                        return ingress
                    await asyncio.sleep(_POLL)
        except TimeoutError as error:
            raise Unavailable("The ingest is still being created") from error

    async def _try(self, session_id: str, host_id: str, name: str, *, renew: bool) -> Ingress | None:
        """The ingress; None while another call is making it."""
        known = await self._ingests.find(session_id)
        if known is not None:
            known.check_open()
            existing = None if renew else await self._existing(known)
            if existing is not None:
                return existing
        claim = await self._ingests.claim(session_id, known)
        return await self._make(session_id, claim, host_id, name, renew=renew) if claim else None

    async def _existing(self, known: SessionIngest) -> Ingress | None:
        """The ingress we made, if it is still there."""
        if known.ingress_id is None:
            return None
        found = await self._ingresses.list_ingresses(known.session_id)
        return next((ingress for ingress in found if ingress.ingress_id == known.ingress_id), None)

    async def _make(self, session_id: str, claim: str, host_id: str, name: str, *, renew: bool) -> Ingress:
        try:
            deleted = await self._delete_all(session_id) if renew else set()
            if self._open_room is not None:
                await self._open_room(session_id)
            # An earlier call may have made one and crashed before recording it; what was just deleted may
            # still be listed.
            listed = await self._ingresses.list_ingresses(session_id)
            found = [one for one in listed if one.ingress_id not in deleted]
            # Its identity in the room is a sign-in of the host's own.
            ingress = (
                found[0]
                if found
                else await self._ingresses.create_rtmp_ingress(
                    session_id, f"{host_id}:ingress", name=session_id, participant_name=name
                )
            )
            if await self._ingests.record_ingress(session_id, claim, ingress.ingress_id):
                log.info("ingest.made", session_id=session_id, ingress=ingress.ingress_id)
                return ingress
            await self._ingresses.delete_ingress(ingress.ingress_id)
        finally:
            await self._ingests.release(session_id, claim)
        raise Conflict("The session ended while its ingest was being created", code="session_over")

    async def end(self, event: SessionEvent) -> None:
        """The session is over, whichever way: see `close`."""
        await self.close(event.session.id, remember=event.session.mode is SessionMode.RTMP)

    async def close(self, session_id: str, *, remember: bool) -> None:
        """Delete the session's ingresses; `remember` the session so that a late call makes none.

        Raises `Unavailable` while a call is making the ingress, or if it cannot be deleted now: try again.
        """
        ingest = await self._ingests.close(session_id, remember=remember)
        if ingest is None:
            return
        if ingest.claimed:
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
        """Delete an ingress that is not the session's; False if it is, or is just being made."""
        known = await self._ingests.find(session_id)
        if known is not None and known.ingress_id == ingress_id:
            return False
        claim = await self._ingests.claim(session_id, known)
        if claim is None:
            return False
        try:
            await self._ingresses.delete_ingress(ingress_id)
        finally:
            await self._ingests.release(session_id, claim)
        return True

    async def _delete_all(self, session_id: str) -> set[str]:
        """Delete those that are listed; their ids."""
        listed = await self._ingresses.list_ingresses(session_id)
        for ingress in listed:
            await self._ingresses.delete_ingress(ingress.ingress_id)
            log.info("ingest.removed", session_id=session_id, ingress=ingress.ingress_id)
        return {ingress.ingress_id for ingress in listed}


def ingest_group(ingests: IngestService) -> Group:
    """The end of sessions, and encoders that start or stop sending."""
    ends = dict(on(event, ingests.end) for event in (SessionEnded, SessionExpired, SessionDeleted))
    return Group(GROUP, ends | dict(on(event, ingests.follow) for event in (IngressStarted, IngressEnded)))
