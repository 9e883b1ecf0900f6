"""Every vote counts once, whatever the rush and whichever replica takes it; on the real database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from services.session.polls.schemas import CreatePollRequest, PollResponse, VoteRequest
from services.session.sessions.domain.session import Session
from shared.access.identity import Caller
from shared.errors import Conflict
from shared.ids import new_id
from shared.persistence.mongo import Mongo
from tests.query_plans import explain, stages_of
from tests.unit.session.actors import Host, new_host, viewer
from tests.unit.session.backend import Backend

PEOPLE, OPTIONS = 200, 5


@pytest.fixture
async def replicas(real_mongo: Mongo) -> AsyncIterator[Sequence[Backend]]:
    backends = [Backend(real_mongo), Backend(real_mongo)]
    for backend in backends:
        await backend.open()
    yield backends
    for backend in backends:
        await backend.close()


async def asked(host: Host, session: Session, **fields: Any) -> PollResponse:
    options = [f"{number}" for number in range(OPTIONS)]
    body = CreatePollRequest(question="Which?", options=options, **fields)
    return await host.backend.poll_service.create(new_id(), session.id, host.caller, body)


async def rush(backends: Sequence[Backend], poll: PollResponse) -> tuple[list[PollResponse], int]:
    """Everybody votes for every option at once, at one replica or the other: the answers, the refusals."""
    people = [viewer() for _ in range(PEOPLE)]

    async def vote(by: Caller, number: int) -> PollResponse | None:
        body = VoteRequest(option_id=poll.options[number].id)
        try:
            return await backends[number % 2].poll_service.vote(new_id(), poll.id, by, body)
        except Conflict:
            return None

    answers = await asyncio.gather(*(vote(one, number) for number in range(OPTIONS) for one in people))
    taken = [answer for answer in answers if answer is not None]
    return taken, len(answers) - len(taken)


def total(poll: PollResponse) -> int:
    return sum(option.vote_count for option in poll.options)


async def test_a_thousand_votes_of_two_hundred_people(replicas: Sequence[Backend]) -> None:
    host = await new_host(replicas[0])
    session = await host.live_session()
    several, one = await asked(host, session, allow_multiple_votes=True), await asked(host, session)

    taken, refused = await rush(replicas, several)
    assert (len(taken), refused) == (PEOPLE * OPTIONS, 0)
    for backend in replicas:
        results = await backend.poll_service.results(several.id, host.caller)
        assert [option.vote_count for option in results.options] == [PEOPLE] * OPTIONS
    # Each was answered with its own vote counted, and one of them at least with all.
    assert min(map(total, taken)) >= 1
    assert max(map(total, taken)) == PEOPLE * OPTIONS

    taken, refused = await rush(replicas, one)
    assert (len(taken), refused) == (PEOPLE, PEOPLE * (OPTIONS - 1))
    for backend in replicas:
        assert total(await backend.poll_service.results(one.id, host.caller)) == PEOPLE


async def test_votes_are_counted_by_index(real_mongo: Mongo) -> None:
    backend = Backend(real_mongo)
    await backend.votes.ensure_indexes()
    newest = {"poll_id": new_id(), "writer": new_id(), "batch": {"$gte": 1}}
    plan = await explain(backend.votes.collection, newest)
    stages = list(stages_of(plan["queryPlanner"]["winningPlan"]))
    assert "IXSCAN" in stages
    assert "COLLSCAN" not in stages
