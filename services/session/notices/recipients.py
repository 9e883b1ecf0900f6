"""Who in a room a confidential notice is for."""

from collections.abc import Sequence

from services.session.notices.domain import Confidential
from services.session.sessions.repository import SessionRepository
from shared.access.permissions import permissions_in
from shared.livekit import LiveKit


class NoticeRecipients:
    def __init__(self, sessions: SessionRepository, livekit: LiveKit):
        self._sessions = sessions
        self._livekit = livekit

    async def of(self, session_id: str, notice: Confidential) -> Sequence[str]:
        """The identities of those connections. Raises `Unavailable`."""
        session = await self._sessions.find(session_id)
        if session is None or not session.is_live:
            return []
        staff = {session.host_id, *session.roles}
        allowed = {
            user_id
            for user_id in staff
            if getattr(permissions_in(session, session.preset.settings, user_id), notice.permission)
        }
        there = await self._livekit.list_participants(session_id)
        return [one.identity for one in there if one.identity.partition(":")[0] in {notice.user_id, *allowed}]
