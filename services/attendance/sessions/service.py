"""Following the sessions' states, and finding a session for a request."""

from collections.abc import Iterable

from services.attendance.audiences.changes import Changes
from services.attendance.presence.repository import PresenceRepository
from services.attendance.sessions.domain import SessionView, affected
from services.attendance.sessions.repository import SessionRepository
from shared.errors import NotFound
from shared.session_projection.owner import SessionOwner


class SessionViews:
    def __init__(
        self,
        sessions: SessionRepository,
        presences: PresenceRepository,
        owner: SessionOwner,
        changes: Changes,
    ):
        self._sessions = sessions
        self._presences = presences
        self._owner = owner
        self._changes = changes

    async def get(self, session_id: str) -> SessionView:
        """The session; one that no event has told of is asked for at its owner.

        Raises `NotFound` (also for a deleted one), and `Unavailable` where the owner does not answer.
        """
        view = await self._sessions.find(session_id)
        if view is None:
            state = await self._owner.ask(session_id)
            view = SessionView.of(state) if state else None
            await self.follow([view] if view else [])
        if view is None or view.deleted:
            raise NotFound(f"There is no session {session_id}", code="session_not_found")
        return view

    async def known(self, ids: Iterable[str]) -> dict[str, SessionView]:
        """Those of these sessions that events have told of, deleted ones included."""
        return await self._sessions.find_many(ids)

    async def follow(self, views: Iterable[SessionView]) -> None:
        """Take over newer states and mark whoever's attendance they touch."""
        newest = _newest(views)
        if not newest:
            return
        before = await self._sessions.find_many(newest)
        await self._sessions.save(newest.values())
        for id_, view in newest.items():
            await self._leave_out(before.get(id_), view)
        touched = {id_: affected(before.get(id_), view) for id_, view in newest.items()}
        # Read after the views are saved: whoever comes later is derived with them.
        fresh = [id_ for id_, view in newest.items() if id_ not in before and not view.deleted]
        visited = await self._presences.sessions_among(fresh)
        unseen = set(fresh) - visited
        await self._changes.mark(
            {
                id_: people
                for id_, people in touched.items()
                if (people is None or people) and id_ not in unseen
            }
        )

    async def _leave_out(self, before: SessionView | None, after: SessionView) -> None:
        """Who came in spite of a ban was no viewer, also once the ban is lifted."""
        known = before.banned if before else {}
        fresh = {user: since for user, since in after.banned.items() if user not in known}
        if fresh:
            await self._presences.leave_out(after.id, fresh)


def _newest(views: Iterable[SessionView]) -> dict[str, SessionView]:
    """Of several states of a session the newest, deleted where any of them says so."""
    newest: dict[str, SessionView] = {}
    for view in sorted(views, key=lambda view: (view.deleted, view.version)):
        newest[view.id] = view
    return newest
