"""Sessions as they are shown: with their room, its host, and the preset they copied."""

from collections.abc import Sequence

from services.session.access.ownership import is_of_own
from services.session.catalog.presets.schemas import preset_response
from services.session.catalog.rooms.presenter import RoomPresenter
from services.session.catalog.rooms.repository import RoomRepository
from services.session.catalog.rooms.schemas import RoomResponse
from services.session.sessions.domain.session import Session
from services.session.sessions.schemas import SessionResponse
from shared.access.identity import Caller
from shared.access.permissions import switches_of
from shared.access.session_access import permissions_for_caller, sees_inside
from shared.contracts.states import StreamStatus
from shared.files.stream_links import StreamLinks


class HlsLinks:
    def __init__(self, links: StreamLinks):
        self._links = links

    def url(self, session: Session, viewer: Caller | None) -> str | None:
        """The stream's URL for `viewer`; None if there is no stream, and for people who may not see inside.

        That does not stop people who have it already, nor those who are banned from a public session and ask
        anonymously.
        """
        if session.hls_path is None or not sees_inside(session, viewer):
            return None
        return self._links.hls(session, session.hls_path)

    def preview(self, session: Session, viewer: Caller | None) -> str | None:
        """The URL of the stream's latest picture; None unless it is live, with something to play by now."""
        live = session.stream_status is StreamStatus.ACTIVE and session.hls_path is not None
        return self._links.preview(session) if live and sees_inside(session, viewer) else None


class SessionPresenter:
    def __init__(self, rooms: RoomRepository, room_presenter: RoomPresenter, links: HlsLinks):
        self._rooms = rooms
        self._room_presenter = room_presenter
        self._links = links

    async def one(self, session: Session, viewer: Caller | None) -> SessionResponse:
        return (await self.many([session], viewer))[0]

    async def many(self, sessions: Sequence[Session], viewer: Caller | None) -> list[SessionResponse]:
        """All of them with three reads, however many there are."""
        rooms = await self._rooms.find_many([session.room_id for session in sessions])
        views = await self._room_presenter.many(list(rooms.values()), viewer)
        by_room = {view.id: view for view in views}
        return [
            session_response(session, by_room.get(session.room_id), self._links, viewer)
            for session in sessions
        ]


def session_response(
    session: Session, room: RoomResponse | None, links: HlsLinks, viewer: Caller | None
) -> SessionResponse:
    settings = session.preset.settings
    counted = sees_inside(session, viewer) and (settings.viewer_count_visible or _counts_for(session, viewer))
    switches = switches_of(session, settings)
    return SessionResponse.of(
        session,
        room=room,
        preset=preset_response(session.preset),
        meta=session.meta if is_of_own(viewer, session) else {},
        viewer_count=session.viewer_count if counted else 0,
        max_viewers=session.max_viewers if counted else 0,
        recording_enabled=settings.recording_enabled,
        hls_url=links.url(session, viewer),
        preview_url=links.preview(session, viewer),
        effective_chat_enabled=switches.chat,
        effective_stage_enabled=switches.stage,
    )


def _counts_for(session: Session, viewer: Caller | None) -> bool:
    """Whether a viewer may see the viewer count if that is not for everybody."""
    return (
        viewer is not None
        and permissions_for_caller(session, session.preset.settings, viewer).see_viewer_count
    )
