"""A host's own sessions: which are found, page by page, and what they show to whom."""

from datetime import timedelta
from typing import Any

import pytest

from services.session.sessions.domain.session import Session
from services.session.sessions.schemas import MySessionsQuery, SessionResponse
from shared.contracts.states import EndReason
from tests.unit.session.actors import Host, colleague, new_host
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0

HOUR = timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
async def stranger(backend: Backend) -> Host:
    return await new_host(backend)


async def shown(host: Host, **query: Any) -> list[SessionResponse]:
    wanted = MySessionsQuery.model_validate(query)
    return (await host.backend.session_service.list_mine(None, wanted, host.caller)).sessions


async def found(host: Host, **query: Any) -> list[str]:
    return [session.id for session in await shown(host, **query)]


async def in_room(host: Host, name: str) -> Session:
    return await host.session(await host.room(name=name))


async def test_they_are_those_of_ones_own_rooms_and_unlisted_ones_too(
    backend: Backend, host: Host, stranger: Host
) -> None:
    public, hidden = await host.session(), await host.session(await host.room(unlisted=True))
    theirs = await stranger.session()
    assert await found(host) == [hidden.id, public.id]
    assert await found(stranger) == [theirs.id]
    other = Host(backend, host.library)
    other.caller = await colleague(backend, host)
    assert await found(other) == []


async def test_a_room_and_its_name_are_found_as_they_are(host: Host) -> None:
    standup, other = await in_room(host, "daily.stand-up"), await in_room(host, "Daily-Xstand-up")
    await host.session()
    assert await found(host, room_id=standup.room_id) == [standup.id]
    assert await found(host, room_name="daily.stand-up") == [standup.id]
    assert await found(host, room_name="stand-up") == []
    assert await found(host, room_name_contains="stand-up") == [other.id, standup.id]
    assert await found(host, room_name_contains=".stand") == [standup.id]
    assert await found(host, room_name_contains="DAILY") == []
    assert await found(host, room_name="daily.stand-up", room_name_contains="stand") == [standup.id]
    assert await found(host, room_name="daily.stand-up", room_name_contains="X") == []


async def test_any_of_several_states_holds(backend: Backend, host: Host) -> None:
    scheduled, live, ended = await host.session(), await host.live_session(), await host.live_session()
    await host.end(ended)
    assert await found(host, status=["live"]) == [live.id]
    assert await found(host, status=["live", "ended"]) == [ended.id, live.id]
    assert await found(host, status=["scheduled"], room_id=scheduled.room_id) == [scheduled.id]
    assert await found(host, status=["expired"]) == []


async def test_times_are_inclusive_to_the_millisecond(backend: Backend, host: Host) -> None:
    early = await host.live_session()
    backend.clock.advance(seconds=3600)
    late = await host.live_session()
    waiting = await host.session()
    for start in ("started", "created"):
        both = [waiting.id] if start == "created" else []
        assert await found(host, **{f"{start}_after": T0 + HOUR}) == [*both, late.id]
        assert await found(host, **{f"{start}_after": T0 + HOUR + MILLISECOND}) == []
        assert await found(host, **{f"{start}_before": T0}) == [early.id]
        assert await found(host, **{f"{start}_before": T0 - MILLISECOND}) == []
        bounds = {f"{start}_after": T0, f"{start}_before": T0 + HOUR}
        assert await found(host, **bounds) == [*both, late.id, early.id]


async def test_pages_by_cursor_show_each_once_while_others_are_made(host: Host) -> None:
    room, preset = await host.room(), (await host.preset()).id
    made = [(await host.session(room, preset)).id for _ in range(5)]
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        query = MySessionsQuery(limit=2, cursor=cursor)
        page = await host.backend.session_service.list_mine(None, query, host.caller)
        seen += [session.id for session in page.sessions]
        await host.session(room, preset)
        cursor = page.next_cursor
    assert cursor is None
    assert seen == made[::-1]


async def test_nothing_follows_a_page_that_is_just_full(host: Host) -> None:
    await host.session()
    page = await host.backend.session_service.list_mine(None, MySessionsQuery(limit=1), host.caller)
    assert (len(page.sessions), page.next_cursor) == (1, None)


async def test_what_a_session_took_over_is_shown(backend: Backend, host: Host, stranger: Host) -> None:
    meta = {"$set": 1, "a.b": [None, {"": "x"}], "deep": {"er": 2**60}}
    room = await host.room(name="weekly", max_members=7, join_until=T0 + HOUR, layout="speaker", meta=meta)
    session = await host.live_session(room=room)
    await host.end(session)
    [mine] = await shown(host)
    assert (mine.host_id, mine.room_name, mine.end_reason) == (host.user.id, "weekly", EndReason.HOST)
    assert (mine.options.max_members, mine.options.join_until, mine.options.layout) == (
        7,
        T0 + HOUR,
        "speaker",
    )
    assert mine.meta == meta
    for viewer in (stranger.caller, None):
        theirs = await backend.session_service.get(session.id, None, viewer)
        assert theirs.meta == {}
        assert theirs.room_name == "weekly"
