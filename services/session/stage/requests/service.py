"""Asking for a place on stage, and taking that back."""

from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Session
from services.session.sessions.domain.stage import check_needs_seat, check_open
from services.session.stage.requests.domain import StageRequest, open_key
from services.session.stage.requests.repository import StageRequestRepository
from services.session.stage.requests.schemas import RaiseHandRequest
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.states import RequestKind
from shared.errors import Conflict, Forbidden, NotFound
from shared.http.idempotency import Reservation
from shared.persistence.mongo import Duplicate

_ATTEMPTS = 5


class StageRequestService:
    def __init__(self, requests: StageRequestRepository, access: SessionAccess, clock: Clock):
        self._requests = requests
        self._access = access
        self._clock = clock

    async def raise_hand(
        self, reservation: Reservation, session_id: str, caller: Caller, body: RaiseHandRequest
    ) -> StageRequest:
        """Raise the caller's hand; one that is raised stays, with the new message.

        Raises `NotFound`, `Forbidden` and `Conflict`, as `ask`, and for somebody else's hand.
        """
        if (body.participant_identity or caller.user_id).lower() != caller.user_id:
            raise Forbidden("Everybody raises their own hand", code="not_yourself")
        name = body.participant_name or caller.username
        return await self.ask(
            reservation, session_id, caller, RequestKind.HAND, name=name, message=body.message
        )

    async def ask(
        self,
        reservation: Reservation,
        session_id: str,
        caller: Caller,
        kind: RequestKind,
        *,
        name: str | None = None,
        message: str | None = None,
    ) -> StageRequest:
        """Ask under the reserved id. Raises `NotFound`, `Forbidden`, `Conflict`."""
        session, may = await self._access.authorize(session_id, caller)
        known = await self._requests.find(reservation.id) if reservation.repeated else None
        if known is not None:
            return known
        _check(session, caller)
        if not may.stage_request:
            raise Forbidden("Guests of this session come on stage by invitation only", code="not_permitted")
        now = self._clock.now()
        return await self._add(
            StageRequest(
                id=reservation.id,
                session_id=session.id,
                kind=kind,
                user_id=caller.user_id,
                name=name or caller.username,
                message=message,
                open_key=open_key(session.id, kind, caller.user_id),
                created_at=now,
                updated_at=now,
            )
        )

    async def _add(self, request: StageRequest) -> StageRequest:
        """Store it, or renew the pending one; that may be answered or lowered meanwhile."""
        for _ in range(_ATTEMPTS):
            try:
                await self._requests.add(request, request.created())
            except Duplicate:
                renewed = await self._renew(request)
                if renewed is not None:
                    return renewed
            else:
                return request
        raise Conflict("This request is being answered; try again", code="concurrent_change")

    async def _renew(self, request: StageRequest) -> StageRequest | None:
        pending = await self._requests.find_pending(request.session_id, request.kind, request.user_id)
        if pending is None:
            return await self._requests.find(request.id)
        try:
            renewed = await self._requests.change(
                pending.id, lambda known: known.renew(self._clock.now(), request.name, request.message)
            )
        except NotFound:
            return None
        return renewed if renewed.is_pending else None

    async def lower_hand(self, session_id: str, caller: Caller) -> None:
        """Lower the caller's hand, which deletes it. No effect if none is raised."""
        session, _ = await self._access.authorize(session_id, caller)
        pending = await self._requests.find_pending(session.id, RequestKind.HAND, caller.user_id)
        if pending is None:
            return
        try:
            await self._requests.remove(pending.id, StageRequest.lower)
        except NotFound:
            return

    async def mine(self, session_id: str, caller: Caller, kind: RequestKind) -> StageRequest | None:
        """The caller's newest of this kind, None if there is none."""
        session, _ = await self._access.authorize(session_id, caller)
        return await self._requests.find_latest(session.id, kind, caller.user_id)


def _check(session: Session, caller: Caller) -> None:
    """Raises `Conflict` if nothing can be requested."""
    check_open(session)
    check_needs_seat(session, caller.user_id)
    if caller.user_id in session.stage:
        raise Conflict("You are already on stage", code="on_stage")
