"""People are removed when their time is over, whatever their tokens say later."""

from typing import Any

import pytest

from services.session.enforcement import removals
from services.session.enforcement.removals import Removals
from services.session.tokens.room_tokens import IssuedRoomTokens
from shared.livekit.join_terms import JoinTerms
from tests.unit.session.actors import Host
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0
from tests.unit.session.rooms_with_tokens import TokenRoom, connection_by, seconds, token_room


class Stay:
    """One person in a room, and the loop that removes them."""

    def __init__(self, room: TokenRoom, issued: IssuedRoomTokens):
        self.room, self.issued = room, issued
        self.backend = room.backend

    async def after(self, by: float) -> bool:
        """Whether they are still there, so many seconds later."""
        self.backend.clock.advance(seconds=by)
        await self.backend.due_removals.apply_due()
        return self.room.there(self.issued)


async def stay(backend: Backend, host: Host, **terms: Any) -> Stay:
    room = await token_room(backend, host)
    issued = await room.issue(external_user_id="c-1", terms=JoinTerms(**terms))
    await room.enters(issued)
    return Stay(room, issued)


async def test_so_long_after_joining(backend: Backend, host: Host) -> None:
    one = await stay(backend, host, remove_after=60)
    assert await one.after(59)
    assert not await one.after(1)


async def test_at_a_moment(backend: Backend, host: Host) -> None:
    one = await stay(backend, host, remove_at=T0 + seconds(30), remove_after=3600)
    assert await one.after(29)
    assert not await one.after(1)


async def test_without_a_limit_nobody_is(backend: Backend, host: Host) -> None:
    one = await stay(backend, host)
    assert await one.after(10 * 3600)


@pytest.mark.parametrize("which", ["the same token", "a later one", "one without a limit"])
async def test_joining_again_gives_no_more_time(backend: Backend, host: Host, which: str) -> None:
    one = await stay(backend, host, remove_after=60)
    await one.after(30)
    room, first = one.room, one.issued
    backend.livekit.disconnect(first.session.id, connection_by(backend, first).identity)
    if which != "the same token":
        longer = JoinTerms(remove_after=3600 if which == "a later one" else None)
        one.issued = await room.issue(external_user_id="c-1", terms=longer)
    await room.enters(one.issued, "PA_2")
    assert await one.after(29)
    assert not await one.after(1)
    await room.enters(one.issued, "PA_3")
    assert not await one.after(0)


async def test_a_join_that_was_not_reported_counts(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue(terms=JoinTerms(remove_after=60))
    one = Stay(room, issued)
    await room.enters(issued)
    await backend.removals.discard(issued.session.id)
    await room.observed(issued, connection_by(backend, issued))
    assert await one.after(59)
    await room.observed(issued, connection_by(backend, issued, at=T0))
    assert not await one.after(1)


async def test_another_process_goes_on_with_it(backend: Backend, host: Host) -> None:
    one = await stay(backend, host, remove_after=60)
    backend.clock.advance(seconds=60)
    await Removals(backend.removals, backend.livekit, backend.clock).apply_due()
    assert not one.room.there(one.issued)


async def test_it_is_tried_again_when_livekit_is_back(backend: Backend, host: Host) -> None:
    one = await stay(backend, host, remove_after=60)
    backend.livekit.down()
    assert await one.after(60)
    backend.livekit.up()
    assert not await one.after(1)


async def test_the_end_of_the_session_forgets_all(backend: Backend, host: Host) -> None:
    one = await stay(backend, host, remove_after=60)
    await host.end(await one.room.session(one.issued))
    await backend.settle()
    backend.clock.advance(seconds=60)
    assert await backend.removals.list_due(backend.clock.now()) == []


async def test_a_rejoin_while_somebody_is_removed_is_not_missed(backend: Backend, host: Host) -> None:
    one = await stay(backend, host, remove_after=60)
    backend.clock.advance(seconds=60)
    backend.livekit.listed = lambda: one.room.joins(one.issued, "PA_2")
    await backend.due_removals.apply_due()
    backend.livekit.listed = None
    assert [due.user_id for due in await backend.removals.list_due(backend.clock.now())] == [
        one.issued.user.id
    ]


@pytest.mark.parametrize(("at_once", "listings"), [(100, 1), (2, 3)])
async def test_all_who_are_due_go_at_once_and_their_room_is_listed_once_a_read(
    backend: Backend, host: Host, monkeypatch: pytest.MonkeyPatch, at_once: int, listings: int
) -> None:
    monkeypatch.setattr(removals, "_AT_ONCE", at_once)
    room = await token_room(backend, host)
    people = [await room.issue(terms=JoinTerms(remove_after=60)) for _ in range(5)]
    stays = await room.issue()
    for number, one in enumerate([*people, stays]):
        await room.enters(one, f"PA_{number}")
    backend.clock.advance(seconds=60)
    before = backend.livekit.calls.count("list_participants")
    await backend.due_removals.apply_due()
    assert backend.livekit.calls.count("list_participants") - before == listings
    assert [room.there(one) for one in [*people, stays]] == [False] * 5 + [True]
