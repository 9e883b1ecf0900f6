"""What people do with sessions, but for starting and joining (see `live`)."""

from collections.abc import Sequence
from datetime import datetime

from services.session.catalog.build import Catalog
from services.session.catalog.presets.service import unknown_preset
from services.session.catalog.rooms.domain import Room
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Limits, Session
from services.session.sessions.ingest import IngestPort
from services.session.sessions.new_session import new_session
from services.session.sessions.presenter import SessionPresenter
from services.session.sessions.repository import SessionRepository
from services.session.sessions.schemas import (
    CreateSessionRequest,
    CreateSessionResponse,
    DashboardStatsResponse,
    MySessionsQuery,
    MySessionsResponse,
    RescheduleSessionRequest,
    SessionListResponse,
    SessionResponse,
    UpdateSessionSettingsRequest,
)
from shared.access.identity import Caller
from shared.clock import Clock
from shared.contracts.event import Event
from shared.contracts.states import PresetState, SessionMode, SessionState, SessionStatus, UserRole
from shared.errors import FieldError, Forbidden, InvalidRequest, NotFound
from shared.http.idempotency import Reservation
from shared.http.schema import Page
from shared.persistence.mongo import Duplicate


class SessionService:
    def __init__(
        self,
        sessions: SessionRepository,
        access: SessionAccess,
        catalog: Catalog,
        ingest: IngestPort,
        presenter: SessionPresenter,
        limits: Limits,
        clock: Clock,
    ):
        self._sessions = sessions
        self._access = access
        self._rooms = catalog.rooms
        self._presets = catalog.presets
        self._libraries = catalog.libraries
        self._ingest = ingest
        self._presenter = presenter
        self._limits = limits
        self._clock = clock

    async def create(
        self,
        reservation: Reservation,
        room_id: str,
        caller: Caller,
        library_id: str | None,
        body: CreateSessionRequest,
    ) -> CreateSessionResponse:
        """Create a session of the room under the reserved id, with its ingest in mode rtmp."""
        room = await self._rooms.get_for_host(room_id, caller, library_id)
        room.check_enabled()
        session = await self._sessions.find(reservation.id) if reservation.repeated else None
        made = session or self._new(reservation.id, room, await self._checked(body, caller, library_id), body)
        ingest = None
        if made.mode is SessionMode.RTMP and not made.is_over:
            ingest = await self._ingest.ensure(made, caller)
        session = await self._follow_room(session or await self._add(made))
        return CreateSessionResponse(
            session=await self._presenter.one(session, caller),
            rtmp_url=ingest.url if ingest else "",
            stream_key=ingest.stream_key if ingest else "",
        )

    def _new(self, id: str, room: Room, preset: PresetState, body: CreateSessionRequest) -> Session:
        session = new_session(id, room, preset, self._clock.now())
        # The room's automatic sessions are those that come with a token.
        session.options = room.options.model_copy(update={"auto_session": False})
        session.title, session.description = body.title, body.description
        session.mode = body.mode or SessionMode.WEBCAM
        session.scheduled_start_time = body.scheduled_start_time
        session.due_at = self._due(body.scheduled_start_time)
        return session

    async def _add(self, session: Session) -> Session:
        try:
            await self._sessions.add(session, session.created())
        except Duplicate:
            return await self._sessions.get(session.id)
        return session

    async def _follow_room(self, session: Session) -> Session:
        """Apply what happened to the room while its session was being created: only earlier ones followed.

        A room that was closed to guests closes the session; one that was deleted takes it along.
        """
        try:
            room = await self._rooms.get_in_library(session.room_id, None)
        except NotFound:
            await self._sessions.remove(session.id, Session.delete)
            raise
        return await self._sessions.change(session.id, lambda one: _follow(one, room))

    async def _checked(
        self, body: CreateSessionRequest, caller: Caller, library_id: str | None
    ) -> PresetState:
        """The preset to copy; raises `InvalidRequest` for every field that names something impossible."""
        errors = self._time_errors(body.scheduled_start_time)
        try:
            preset = await self._presets.get_for_host(body.preset_id, caller, library_id)
        except (NotFound, Forbidden):
            raise InvalidRequest([*errors, unknown_preset()]) from None
        if errors:
            raise InvalidRequest(errors)
        return preset

    def _time_errors(self, start_time: datetime | None) -> list[FieldError]:
        due = self._due(start_time)
        if due is None or due > self._clock.now():
            return []
        return [FieldError("scheduled_start_time", "in_the_past", "must not be that far in the past")]

    def _due(self, start_time: datetime | None) -> datetime | None:
        return start_time + self._limits.expire_after if start_time else None

    async def list_public(
        self, library_id: str | None, page: Page, viewer: Caller | None, *, live: bool = False
    ) -> SessionListResponse:
        await self._libraries.check_readable(library_id, viewer)
        sessions, total = await self._sessions.list_public(library_id, page.skip, page.limit, live=live)
        return await self._list(sessions, total, page, viewer)

    async def list_of_room(
        self, room_id: str, caller: Caller, library_id: str | None, page: Page
    ) -> SessionListResponse:
        await self._rooms.get_for_host(room_id, caller, library_id)
        sessions, total = await self._sessions.list_of_room(room_id, page.skip, page.limit)
        return await self._list(sessions, total, page, caller)

    async def list_mine(
        self, library_id: str | None, query: MySessionsQuery, caller: Caller
    ) -> MySessionsResponse:
        """The sessions that the caller hosts."""
        await self._libraries.check_own(library_id, caller)
        sessions, next_cursor = await self._sessions.list_of_host(
            caller.user_id, library_id, query.filter(), cursor=query.cursor, limit=query.limit
        )
        views = await self._presenter.many(sessions, caller)
        return MySessionsResponse(sessions=views, next_cursor=next_cursor)

    async def _list(
        self, sessions: list[Session], total: int, page: Page, viewer: Caller | None
    ) -> SessionListResponse:
        views = await self._presenter.many(sessions, viewer)
        return SessionListResponse(sessions=views, total=total, page=page.page, limit=page.limit)

    async def stats(self, caller: Caller, library_id: str | None) -> DashboardStatsResponse:
        """Counts over the caller's organization; a viewer's over what public lists show."""
        await self._libraries.check_own(library_id, caller)
        scope: dict[str, object] = {"listed": True}
        if caller.role is UserRole.HOST and caller.organization_id is not None:
            scope = {"organization_id": caller.organization_id}
        if library_id is not None:
            scope["library_id"] = library_id
        counts = await self._sessions.count_by_status(scope)
        return DashboardStatsResponse(
            total_sessions=sum(counts.values()),
            live_now=counts[SessionStatus.LIVE],
            scheduled=counts[SessionStatus.SCHEDULED],
            ended=counts[SessionStatus.ENDED],
        )

    async def get(self, id: str, library_id: str | None, viewer: Caller | None) -> SessionResponse:
        return await self._presenter.one(await self._access.get_in_library(id, library_id), viewer)

    async def state(self, id: str) -> SessionState:
        """The session as its events carry it. Raises `NotFound`."""
        return (await self._sessions.get(id)).state()

    async def reschedule(
        self, id: str, caller: Caller, library_id: str | None, body: RescheduleSessionRequest
    ) -> None:
        await self._access.get_for_host(id, caller, library_id)
        start_time = body.scheduled_start_time
        errors = self._time_errors(start_time)
        if errors:
            raise InvalidRequest(errors)
        await self._sessions.change(
            id, lambda session: session.reschedule(self._clock.now(), start_time, self._limits)
        )

    async def configure(self, id: str, caller: Caller, body: UpdateSessionSettingsRequest) -> None:
        """Set or clear the runtime overrides of a scheduled or live session.

        Raises `Forbidden` for a moderator who does not manage what they switch.
        """
        _, may = await self._access.authorize(id, caller, permission="moderate")
        managed = {"chat_enabled": may.chat_manage}
        if not all(managed.get(name, may.stage_manage) for name in body.overrides()):
            raise Forbidden("Moderators may not manage this in this session", code="not_permitted")
        await self._sessions.change(
            id, lambda session: session.configure(self._clock.now(), body.overrides())
        )

    async def delete(self, id: str, caller: Caller, library_id: str | None) -> None:
        """Delete a session that is not live."""
        await self._access.get_for_host(id, caller, library_id)
        await self._sessions.remove(id, Session.delete)


def _follow(session: Session, room: Room) -> Sequence[Event]:
    """Apply what the room is now."""
    return [
        *session.follow_library(listed=room.listed, registered_only=room.registered_only),
        *session.follow_room(room.standing),
    ]
