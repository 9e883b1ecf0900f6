"""How sessions follow events; every handler may be repeated."""

from collections.abc import Callable, Sequence
from typing import Final

from services.session.catalog.presets.repository import PresetRepository
from services.session.live.service import LiveService
from services.session.sessions.domain.lifecycle import (
    follow_roster,
    host_joined,
    host_left,
    lose_room,
    room_closed,
)
from services.session.sessions.domain.presence import is_host
from services.session.sessions.domain.roles import (
    correct_attendance,
    is_staff,
    record_join,
    record_leave,
)
from services.session.sessions.domain.session import Limits, Session
from services.session.sessions.repository import SessionRepository
from shared.bus import EventHandler, on
from shared.clock import Clock
from shared.contracts.attendance_events import ParticipantLeaveRequested, ViewersCounted
from shared.contracts.event import Event
from shared.contracts.livekit_events import (
    IngressStarted,
    LiveKitRoomFinished,
    ParticipantConnectionAborted,
    ParticipantJoined,
    ParticipantLeft,
)
from shared.contracts.people_and_catalog_events import PresetUpdated, RoomDeleted
from shared.contracts.reconciler_events import LiveKitRoomLost, RosterObserved
from shared.contracts.session_events import SessionEnded
from shared.contracts.states import EndReason
from shared.contracts.stream_and_recording_events import StreamChanged
from shared.errors import NotFound
from shared.livekit import LiveKit


class SessionEventHandlers:
    def __init__(
        self,
        sessions: SessionRepository,
        presets: PresetRepository,
        livekit: LiveKit,
        limits: Limits,
        clock: Clock,
    ):
        self._sessions = sessions
        self._presets = presets
        self._livekit = livekit
        self._limits = limits
        self._clock = clock

    async def close_livekit_room(self, event: SessionEnded) -> None:
        """Disconnect everybody from a session that is over."""
        await self._livekit.delete_room(event.session.id)

    async def end_if_room_is_gone(self, event: LiveKitRoomFinished) -> None:
        """LiveKit closed a room: unless it is open again, its live session is over.

        An automatic one's room closes some seconds after everybody has left.
        """
        session = await self._sessions.find(event.session_id)
        if session is None or not session.is_live or await self._livekit.list_rooms([session.id]):
            return
        await self._change(
            session.id,
            lambda session: room_closed(session, self._clock.now(), event.occurred_at, self._limits),
        )

    async def staff_joined(self, event: ParticipantJoined) -> None:
        """A host keeps the session live; for everybody with a role, attendance is recorded."""
        if is_staff(event.connection):
            await self._change(event.session_id, lambda session: self._joined(session, event))

    def _joined(self, session: Session, event: ParticipantJoined) -> Sequence[Event]:
        one = event.connection
        record_join(session, one, event.room_sid)
        if not is_host(one):
            return []
        return host_joined(session, one.participant_sid, one.joined_at, self._limits, room_sid=event.room_sid)

    async def staff_left(self, event: ParticipantLeft | ParticipantConnectionAborted) -> None:
        if is_staff(event.connection):
            await self._change(event.session_id, lambda session: self._left(session, event))

    def _left(
        self, session: Session, event: ParticipantLeft | ParticipantConnectionAborted
    ) -> Sequence[Event]:
        one = event.connection
        record_leave(session, one, event.occurred_at)
        if not is_host(one):
            return []
        return host_left(session, one.participant_sid, one.joined_at, event.occurred_at, self._limits)

    async def follow_roster(self, event: RosterObserved) -> None:
        await self._change(event.session_id, lambda session: self._followed(session, event))

    def _followed(self, session: Session, event: RosterObserved) -> Sequence[Event]:
        correct_attendance(session, event)
        return follow_roster(session, event, self._limits)

    async def end_lost(self, event: LiveKitRoomLost) -> None:
        """No server runs the session's room any longer: it ended when it was last seen."""
        await self._change(
            event.session_id, lambda session: lose_room(session, self._clock.now(), event.last_seen_at)
        )

    async def disconnect(self, event: ParticipantLeaveRequested) -> None:
        """Disconnect somebody who asked to leave."""
        await self._livekit.remove_participant(event.session_id, event.identity)

    async def count_viewers(self, event: ViewersCounted) -> None:
        await self._sessions.count_viewers(
            event.session_id, event.version, event.viewer_count, event.max_viewers
        )

    async def follow_stream(self, event: StreamChanged) -> None:
        await self._sessions.follow_stream(event.stream)

    async def follow_preset(self, event: PresetUpdated) -> None:
        """Scheduled sessions take over the preset's newest state."""
        preset = await self._presets.find(event.preset.id)
        if preset is None:
            return
        state = preset.state(is_default=event.preset.is_default)
        for session_id in await self._sessions.ids_following(state):
            await self._change(session_id, lambda session: session.refresh_preset(self._clock.now(), state))

    async def delete_with_room(self, event: RoomDeleted) -> None:
        """A deleted room takes its sessions with it; one that went live meanwhile ends first."""
        for session_id in await self._sessions.ids_of_room(event.room.id):
            await self._change(
                session_id,
                lambda session: session.end(self._clock.now(), EndReason.HOST) if session.is_live else [],
            )
            try:
                await self._sessions.remove(session_id, Session.delete)
            except NotFound:
                continue

    async def _change(self, id: str, decide: Callable[[Session], Sequence[Event]]) -> None:
        """Change a session; one that is deleted has nothing to follow."""
        try:
            await self._sessions.change(id, decide)
        except NotFound:
            return


# The group is shared with the chat, polls and rooms: see `services.session.app`.
GROUP: Final = "session.sessions"


def event_handlers(sessions: SessionEventHandlers, live: LiveService) -> Sequence[EventHandler]:
    return [
        on(SessionEnded, sessions.close_livekit_room),
        on(LiveKitRoomFinished, sessions.end_if_room_is_gone),
        on(IngressStarted, live.start_on_ingest),
        on(ParticipantJoined, sessions.staff_joined),
        on(ParticipantLeft, sessions.staff_left),
        on(ParticipantConnectionAborted, sessions.staff_left),
        on(RosterObserved, sessions.follow_roster),
        on(LiveKitRoomLost, sessions.end_lost),
        on(ParticipantLeaveRequested, sessions.disconnect),
        on(ViewersCounted, sessions.count_viewers),
        on(StreamChanged, sessions.follow_stream),
        on(PresetUpdated, sessions.follow_preset),
        on(RoomDeleted, sessions.delete_with_room),
    ]
