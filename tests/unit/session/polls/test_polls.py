"""Polls: who asks, votes, sees and closes, and that every vote counts once."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from services.session.polls.schemas import CreatePollRequest, PollQuery, PollResponse, VoteRequest
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.errors import Conflict, Forbidden, InvalidRequest, NotFound
from shared.ids import new_id
from tests.unit.session.actors import (
    Host,
    ban_directly,
    for_registered,
    moderating,
    new_host,
    person,
    refused,
)
from tests.unit.session.backend import Backend


async def ask(backend: Backend, session: Session, by: Caller, **fields: Any) -> PollResponse:
    body = CreatePollRequest.model_validate({"question": "Which?", "options": ["a", "b", "c"]} | fields)
    return await backend.poll_service.create(new_id(), session.id, by, body)


async def vote(
    backend: Backend, poll: PollResponse, by: Caller, option: int = 0, *, call_id: str | None = None
) -> PollResponse:
    body = VoteRequest(option_id=poll.options[option].id)
    return await backend.poll_service.vote(call_id or new_id(), poll.id, by, body)


def counts(poll: PollResponse) -> list[int]:
    return [option.vote_count for option in poll.options]


async def test_a_poll_is_asked_and_told_of(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    poll = await ask(backend, session, host.caller, question=" Which\u202e? ", options=[" a ", "b\n c"])
    assert (poll.question, [option.text for option in poll.options]) == ("Which?", ["a", "b c"])
    assert (poll.status, poll.closed_at, counts(poll)) == ("active", None, [0, 0])
    other = await ask(backend, session, host.caller)
    listed = await backend.poll_service.list_of_session(session.id, await person(backend), PollQuery())
    assert (listed.polls, listed.total) == ([other, poll], 2)
    await backend.settle()
    assert backend.published().count("poll.created.v1") == 2


@pytest.mark.parametrize(
    "body",
    [
        {"options": ["a"]},
        {"options": [f"{number}" for number in range(11)]},
        {"options": ["a", " a "]},
        {"options": ["a", "\u202e"]},
        {"options": ["a", "x" * 201]},
        {"question": "ab"},
        {"question": "x" * 501},
        {"question": " \n a \n "},
    ],
)
def test_a_poll_has_its_limits(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CreatePollRequest.model_validate({"question": "Which?", "options": ["a", "b"]} | body)


async def test_one_vote_a_person(backend: Backend, host: Host) -> None:
    session, viewer = await host.live_session(), await person(backend)
    poll = await ask(backend, session, host.caller)
    assert counts(await vote(backend, poll, viewer)) == [1, 0, 0]
    for option in (0, 1):
        await refused("already_voted", Conflict, vote(backend, poll, viewer, option))
    assert counts(await vote(backend, poll, host.caller, 2)) == [1, 0, 1]
    await backend.settle()
    assert backend.published().count("poll.voted.v1") == 2


async def test_a_vote_is_answered_again_to_the_same_call_alone(backend: Backend, host: Host) -> None:
    session, viewer, call_id = await host.live_session(), await person(backend), new_id()
    poll = await ask(backend, session, host.caller)
    for _ in range(2):
        assert counts(await vote(backend, poll, viewer, call_id=call_id)) == [1, 0, 0]
    assert counts(await vote(backend, poll, host.caller, call_id=new_id())) == [2, 0, 0]
    await refused("already_voted", Conflict, vote(backend, poll, viewer))
    await refused("already_voted", Conflict, vote(backend, poll, host.caller, call_id=call_id))
    assert len(await backend.votes.collection.find({})) == 2


async def test_several_votes_where_they_are_allowed(backend: Backend, host: Host) -> None:
    session, viewer = await host.live_session(), await person(backend)
    poll = await ask(backend, session, host.caller, allow_multiple_votes=True)
    await vote(backend, poll, viewer, 0)
    assert counts(await vote(backend, poll, viewer, 2)) == [1, 0, 1]
    await refused("already_voted", Conflict, vote(backend, poll, viewer, 2))


async def test_votes_that_come_together_are_counted_together(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    poll = await ask(backend, session, host.caller)
    people = [await person(backend) for _ in range(30)]
    answers = await asyncio.gather(*(vote(backend, poll, one, index % 3) for index, one in enumerate(people)))
    assert all(counts(answer)[index % 3] > 0 for index, answer in enumerate(answers))
    assert counts(await backend.poll_service.results(poll.id, host.caller)) == [10, 10, 10]


async def test_what_is_no_option_is_refused(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    poll, other = await ask(backend, session, host.caller), await ask(backend, session, host.caller)
    for option in (new_id(), other.options[0].id):
        with pytest.raises(InvalidRequest) as refusal:
            await backend.poll_service.vote(new_id(), poll.id, host.caller, VoteRequest(option_id=option))
        assert [error.field for error in refusal.value.errors] == ["option_id"]
    await refused("poll_not_found", NotFound, backend.poll_service.results(new_id(), host.caller))


async def test_a_closed_poll_takes_no_votes(backend: Backend, host: Host) -> None:
    session, viewer = await host.live_session(), await person(backend)
    poll = await ask(backend, session, host.caller)
    await vote(backend, poll, viewer)
    closed = [await backend.poll_service.close(poll.id, host.caller) for _ in range(2)]
    assert closed[0] == closed[1]
    assert (closed[0].status, closed[0].closed_at, counts(closed[0])) == (
        "closed",
        backend.clock.now(),
        [1, 0, 0],
    )
    await refused("poll_closed", Conflict, vote(backend, poll, await person(backend)))
    await backend.settle()
    assert backend.published().count("poll.closed.v1") == 1


async def test_staff_close_and_nobody_else(backend: Backend, host: Host) -> None:
    session, viewer = await host.live_session(), await person(backend)
    moderator = await moderating(backend, session)
    poll, service = await ask(backend, session, host.caller), backend.poll_service
    await refused("host_required", Forbidden, service.close(poll.id, viewer))
    with pytest.raises(NotFound):
        await service.close(poll.id, (await new_host(backend)).caller)
    assert (await service.close(poll.id, moderator)).status == "closed"


async def test_the_end_of_the_session_is_that_of_its_polls(backend: Backend, host: Host) -> None:
    session = await host.session()
    await refused("session_not_live", Conflict, ask(backend, session, host.caller))
    await host.start(session)
    poll = await ask(backend, session, host.caller)
    await vote(backend, poll, host.caller)
    await host.end(session)
    over = await backend.poll_service.results(poll.id, await person(backend))
    assert (over.status, over.closed_at, counts(over)) == ("closed", backend.clock.now(), [1, 0, 0])
    await refused("session_not_live", Conflict, vote(backend, poll, await person(backend)))


async def test_results_are_for_those_who_may_see_them(backend: Backend, host: Host) -> None:
    preset = await host.preset(audience_poll_view=False)
    session, viewer = await host.live_session(preset=preset.id), await person(backend)
    poll = await ask(backend, session, host.caller)
    await vote(backend, poll, host.caller)
    assert counts(await vote(backend, poll, viewer)) == [0, 0, 0]
    listed = await backend.poll_service.list_of_session(session.id, viewer, PollQuery())
    assert counts(listed.polls[0]) == [0, 0, 0]
    await refused("not_permitted", Forbidden, backend.poll_service.results(poll.id, viewer))
    assert counts(await backend.poll_service.results(poll.id, host.caller)) == [2, 0, 0]


async def test_flags_forbid_asking_and_voting(backend: Backend, host: Host) -> None:
    preset = await host.preset(audience_poll_create=False, audience_poll_vote=False, audience_poll_view=False)
    session, viewer = await host.live_session(preset=preset.id), await person(backend)
    poll = await ask(backend, session, host.caller)
    await refused("not_permitted", Forbidden, ask(backend, session, viewer))
    await refused("not_permitted", Forbidden, vote(backend, poll, viewer))
    listing = backend.poll_service.list_of_session(session.id, viewer, PollQuery())
    await refused("not_permitted", Forbidden, listing)
    await ban_directly(backend, session, viewer)
    await refused("banned", Forbidden, vote(backend, poll, viewer))


async def test_where_registered_people_meet_guests_have_no_vote(backend: Backend, host: Host) -> None:
    session, guest = await host.live_session(), await person(backend)
    poll = await ask(backend, session, host.caller)
    await for_registered(backend, session)
    await refused("registration_required", Forbidden, vote(backend, poll, guest))
    await vote(backend, poll, host.caller)


async def test_where_polls_are_off_nobody_asks(backend: Backend, host: Host) -> None:
    session = await host.live_session(preset=(await host.preset(poll_enabled=False)).id)
    await refused("not_permitted", Forbidden, ask(backend, session, host.caller))


async def test_a_session_takes_its_polls_along(backend: Backend, host: Host) -> None:
    session, kept = await host.live_session(), await host.live_session()
    for one in (session, kept):
        await vote(backend, await ask(backend, one, host.caller), host.caller)
    await host.end(session)
    await backend.session_service.delete(session.id, host.caller, None)
    await backend.settle()
    assert [poll["session_id"] for poll in await backend.polls.collection.find({})] == [kept.id]
    assert len(await backend.votes.collection.find({})) == 1


async def test_the_same_call_again_asks_it_once(backend: Backend, host: Host) -> None:
    session, reserved = await host.live_session(), new_id()
    body = CreatePollRequest(question="Which?", options=["a", "b"])
    both = [await backend.poll_service.create(reserved, session.id, host.caller, body) for _ in range(2)]
    assert both[0] == both[1]
