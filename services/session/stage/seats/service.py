"""Who is on stage: looking, leaving, and what those do who manage it."""

from collections.abc import Sequence

from services.session.sessions.access import SessionAccess
from services.session.sessions.domain import stage
from services.session.sessions.domain.session import Session
from services.session.sessions.join_tokens import JoinToken, JoinTokens
from services.session.sessions.repository import SessionRepository
from services.session.stage.seats.guests import Guests
from services.session.stage.seats.schemas import (
    AddToStageRequest,
    StageParticipantResponse,
    StageResponse,
    UpdateStagePermissionsRequest,
    stage_participant,
)
from shared.access.identity import Caller
from shared.access.session_access import acting_role
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.states import Role, StageSeat
from shared.errors import Forbidden
from shared.ids import new_id


class StageService:
    def __init__(
        self,
        sessions: SessionRepository,
        access: SessionAccess,
        join_tokens: JoinTokens,
        guests: Guests,
        clock: Clock,
    ):
        self._sessions = sessions
        self._access = access
        self._join_tokens = join_tokens
        self._guests = guests
        self._clock = clock

    async def show(self, session_id: str, caller: Caller) -> StageResponse:
        """The guests on stage, the first to come first; raises `NotFound`, `Forbidden`."""
        session, _ = await self._access.authorize(session_id, caller, permission="see_participants")
        seats = sorted(session.stage.items(), key=lambda seated: seated[1].joined_stage_at)
        return StageResponse(
            participants=[stage_participant(session, user_id, seat) for user_id, seat in seats],
            total=len(seats),
        )

    async def token(self, session_id: str, caller: Caller) -> JoinToken:
        """A join token for people on stage; raises `NotFound`, `Forbidden`, `Conflict`."""
        session, _ = await self._access.authorize(session_id, caller)
        session.check_live()
        hosts = acting_role(session, caller) in {Role.HOST, Role.CO_HOST}
        if not hosts and caller.user_id not in session.stage:
            raise Forbidden("You are not on stage", code="not_on_stage")
        return await self._join_tokens.admit(session, caller)

    async def leave(self, session_id: str, caller: Caller) -> None:
        """Leave the stage; no effect if the caller is not on it."""
        session, _ = await self._access.authorize(session_id, caller)
        await self.free_seat(session.id, caller.user_id)

    async def add(self, session_id: str, caller: Caller, body: AddToStageRequest) -> StageParticipantResponse:
        """Put somebody on stage who need not have asked; somebody on stage gets the new permissions.

        Raises `NotFound` for strangers to this session, and as `take_seat`.
        """
        session = await self._managed(session_id, caller)
        guest = await self._guests.get(session, body.participant_identity)
        audio, video = body.can_publish_audio, body.can_publish_video
        seat = StageSeat(
            id=new_id(), name=body.participant_name or guest.username, joined_stage_at=self._clock.now()
        )

        def decide(session: Session) -> Sequence[Event]:
            now = self._clock.now()
            seated = stage.take_seat(session, now, guest.id, seat, guest.device)
            granted = stage.set_permissions(session, now, guest.id, audio=audio, video=video)
            return granted or seated

        session = await self._sessions.change(session.id, decide)
        return stage_participant(session, guest.id, session.stage[guest.id])

    async def remove(self, session_id: str, caller: Caller, user_id: str) -> None:
        """Remove somebody from the stage; no effect if they are not on it."""
        session = await self._managed(session_id, caller)
        await self.free_seat(session.id, user_id.lower())

    async def set_permissions(
        self, session_id: str, caller: Caller, user_id: str, body: UpdateStagePermissionsRequest
    ) -> StageParticipantResponse:
        """Mute and unmute somebody on stage; raises `NotFound` if they are not on stage."""
        session = await self._managed(session_id, caller)
        audio, video = body.granted("can_publish_audio"), body.granted("can_publish_video")
        session = await self._sessions.change(
            session.id,
            lambda session: stage.set_permissions(
                session, self._clock.now(), user_id, audio=audio, video=video
            ),
        )
        return stage_participant(session, user_id, session.stage[user_id])

    async def take_seat(self, session_id: str, user_id: str, name: str, request_id: str) -> None:
        """The place for an approved request. Raises `Conflict` if there is none."""
        now = self._clock.now()
        seat = StageSeat(id=new_id(), name=name, joined_stage_at=now, request_id=request_id)
        await self._sessions.change(session_id, lambda session: stage.take_seat(session, now, user_id, seat))

    async def free_seat(self, session_id: str, user_id: str, *, request_id: str | None = None) -> None:
        """Free a place, or only the one that this request was given."""
        await self._sessions.change(
            session_id,
            lambda session: stage.free_seat(session, self._clock.now(), user_id, request_id=request_id),
        )

    async def given(self, session_id: str) -> dict[str, str]:
        """Who has a place that was given for a request, by that request's id."""
        session = await self._sessions.find(session_id)
        stage = session.stage if session else {}
        return {seat.request_id: user_id for user_id, seat in stage.items() if seat.request_id}

    async def _managed(self, session_id: str, caller: Caller) -> Session:
        return (await self._access.authorize(session_id, caller, permission="stage_manage"))[0]
