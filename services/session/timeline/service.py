"""Reading the timeline of a session."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from services.session.identity.accounts.repository import UserRepository
from services.session.journal.domain import JournalEntry
from services.session.journal.period import KEPT, JournalPeriod, JournalPlace
from services.session.journal.repository import JournalRepository
from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from services.session.timeline.entries import CAUSED_WITHIN, TimelineEntry, timeline
from shared.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class TimelinePage:
    """`session` is None if it was deleted; `names` are those of the users who called, by id.

    `note` says why there may be less here than happened.
    """

    session: Session | None
    entries: Sequence[TimelineEntry]
    names: Mapping[str, str]
    next: JournalPlace | None
    note: str | None


class TimelineService:
    def __init__(self, journal: JournalRepository, sessions: SessionRepository, users: UserRepository):
        self._journal = journal
        self._sessions = sessions
        self._users = users

    async def read(
        self, session_id: str, period: JournalPeriod, *, after: JournalPlace | None, limit: int
    ) -> TimelinePage:
        """A page of the timeline, the earliest first; a deleted session's stays as long as the journal.

        Raises `NotFound` if there is neither a session nor any entry of one.
        """
        session = await self._sessions.find(session_id)
        found, more = await self._journal.page_by_time(session_id, period, after=after, limit=limit)
        before = await self._journal.last_before(session_id, found[0]) if found else None
        if session is None and not found and not await self._journal.has_any(session_id):
            raise NotFound(f"There is no such session, nor was there one in the last {KEPT.days} days")
        names, causes = await names_of(self._users, found), await self._causes(session_id, found)
        shown = timeline(found, causes, before, names, whole=period.kinds is None)
        return TimelinePage(
            session=session,
            entries=shown,
            names=names,
            next=JournalPlace.of(found[-1]) if more else None,
            note=_note(session, empty=not found and after is None and period == JournalPeriod()),
        )

    async def _causes(self, session_id: str, entries: Sequence[JournalEntry]) -> Mapping[str, JournalEntry]:
        requests = {entry.request_id for entry in entries if entry.request_id}
        if not requests:
            return {}
        since, until = entries[0].at - CAUSED_WITHIN, entries[-1].at
        return await self._journal.causes(session_id, requests, since, until)


async def names_of(users: UserRepository, entries: Collection[JournalEntry]) -> Mapping[str, str]:
    """The names of the users who called, or whom entries are about, by id."""
    callers = ((entry.actor or "").partition(":") for entry in entries)
    ids = {id_ for kind, _, id_ in callers if kind == "user"}
    ids |= {entry.data["user_id"] for entry in entries if entry.data.get("user_id")}
    found = await users.find_many(sorted(ids)) if ids else {}
    return {id_: user.username for id_, user in found.items()}


def _note(session: Session | None, *, empty: bool) -> str | None:
    if session is None:
        return f"The session was deleted; what happened to it is kept for {KEPT.days} days"
    if empty:
        return f"Nothing is left of what happened: it is kept for {KEPT.days} days"
    return None
