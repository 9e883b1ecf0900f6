"""Creating polls, voting, and results."""

from collections.abc import Sequence

from services.session.polls.domain import Option, Poll
from services.session.polls.repository import Counts, PollRepository, VoteRepository
from services.session.polls.schemas import (
    CreatePollRequest,
    PollListResponse,
    PollQuery,
    PollResponse,
    VoteRequest,
    poll_response,
)
from services.session.sessions.access import SessionAccess
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.access.permissions import RolePermissions
from shared.access.session_access import Permission, refuse_outsider
from shared.clock import Clock
from shared.contracts.session_events import SessionDeleted
from shared.errors import Conflict, Forbidden
from shared.ids import new_id
from shared.persistence.mongo import Duplicate


class PollService:
    def __init__(self, polls: PollRepository, votes: VoteRepository, access: SessionAccess, clock: Clock):
        self._polls = polls
        self._votes = votes
        self._access = access
        self._clock = clock

    async def create(self, id: str, session_id: str, caller: Caller, body: CreatePollRequest) -> PollResponse:
        """Ask it under the reserved `id`; raises `NotFound`, `Forbidden`, `Conflict`."""
        session, _ = await self._access.authorize(session_id, caller, permission="poll_create")
        session.check_live()
        poll = Poll(
            id=id,
            session_id=session_id,
            user_id=caller.user_id,
            question=body.question,
            options=[Option(id=new_id(), text=text) for text in body.options],
            allow_multiple_votes=body.allow_multiple_votes,
            created_at=self._clock.now(),
        )
        try:
            await self._polls.add(poll, poll.created())
        except Duplicate:
            poll = await self._polls.get(id)
        return poll_response(poll, {}, session.ended_at)

    async def list_of_session(self, session_id: str, caller: Caller, query: PollQuery) -> PollListResponse:
        """Newest first; raises `NotFound`, and `Forbidden` for callers without any permission on polls."""
        session, may = await self._access.authorize(session_id, caller)
        if not (may.poll_view or may.poll_vote or may.poll_create or may.poll_manage):
            raise Forbidden("You may not see this session's polls", code="not_permitted")
        polls, total = await self._polls.list_of_session(session_id, query.skip, query.limit)
        return PollListResponse(polls=await self._shown(session, may, polls), total=total)

    async def vote(self, call_id: str, poll_id: str, caller: Caller, body: VoteRequest) -> PollResponse:
        """One vote a person, or one for each option; raises `NotFound`, `Forbidden`, `Conflict`.

        A vote that the same call has stored before is answered again.
        """
        poll, session, may = await self._authorize(poll_id, caller, "poll_vote")
        poll.check_votable(body.option_id)
        session.check_live()
        by, option_id = caller.user_id, body.option_id
        stored = await self._votes.add(call_id, poll, by, option_id, self._clock.now())
        if not stored and not await self._votes.was_made_by(call_id, poll, by, option_id):
            raise Conflict("You have already voted", code="already_voted")
        return await self._one(session, may, poll)

    async def results(self, id: str, caller: Caller) -> PollResponse:
        """For those who may see them; raises `NotFound`, `Forbidden`."""
        poll, session, may = await self._authorize(id, caller, "poll_view")
        return await self._one(session, may, poll)

    async def close(self, id: str, caller: Caller) -> PollResponse:
        """By who manages polls; raises `NotFound`, `Forbidden`. A closed one is answered as it is."""
        _, session, may = await self._authorize(id, caller, "poll_manage")
        poll = await self._polls.change(id, lambda poll: poll.close(self._clock.now()))
        return await self._one(session, may, poll)

    async def _authorize(
        self, id: str, caller: Caller, permission: Permission
    ) -> tuple[Poll, Session, RolePermissions]:
        poll = await self._polls.find(id)
        if poll is None:
            refuse_outsider("poll", caller, permission)
        session, may = await self._access.authorize(
            poll.session_id, caller, permission=permission, noun="poll"
        )
        return poll, session, may

    async def _one(self, session: Session, may: RolePermissions, poll: Poll) -> PollResponse:
        return (await self._shown(session, may, [poll]))[0]

    async def _shown(
        self, session: Session, may: RolePermissions, polls: Sequence[Poll]
    ) -> list[PollResponse]:
        """The polls as this person may see them: all counts are 0 for who does not see results."""
        counts: dict[str, Counts] = {}
        if may.poll_view and polls:
            counts = await self._votes.counts([poll.id for poll in polls])
        return [poll_response(poll, counts.get(poll.id, {}), session.ended_at) for poll in polls]

    async def forget_session(self, event: SessionDeleted) -> None:
        """A session was deleted, and with it its polls and votes."""
        await self._votes.forget(await self._polls.forget_session(event.session.id))
