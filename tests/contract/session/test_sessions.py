"""Where sessions are kept."""

import asyncio
from datetime import timedelta

import pytest

from services.session.sessions import metrics
from services.session.sessions.domain.lifecycle import host_joined, host_left
from services.session.sessions.domain.session import Session
from services.session.sessions.repository import SessionRepository
from shared.contracts.event import Event
from shared.contracts.states import EndReason, Role, SessionMode, SessionStatus
from shared.ids import new_id
from shared.persistence.mongo import Duplicate
from tests.metric_samples import grows, sample
from tests.unit.session.builders import (
    LIBRARY,
    LIMITS,
    ORGANIZATION,
    T0,
    live_session,
    preset,
    session,
    settings,
)


def started(one: Session) -> list[Event]:
    return list(one.start(T0, one.preset, LIMITS))


def ended(one: Session) -> list[Event]:
    return list(one.end(T0, EndReason.HOST))


async def add(sessions: SessionRepository, *made: Session) -> None:
    for one in made:
        await sessions.add(one, one.created())


async def test_a_session_comes_back_as_it_was_kept(sessions: SessionRepository) -> None:
    made = session(
        mode=SessionMode.RTMP,
        description="About it",
        scheduled_start_time=T0,
        due_at=T0,
        roles={new_id(): Role.CO_HOST},
        max_join_limit_override=3,
    )
    await add(sessions, made)
    assert await sessions.get(made.id) == made

    def live(one: Session) -> list[Event]:
        one.start(T0, one.preset, LIMITS)
        host_joined(one, "PA_1", T0, LIMITS)
        return [*host_left(one, "PA_2", T0, T0, LIMITS)]

    changed = await sessions.change(made.id, live)
    assert changed.hosts.keys() == {"PA_1", "PA_2"}
    assert await sessions.get(made.id) == changed


async def test_a_room_has_one_live_session(sessions: SessionRepository) -> None:
    room = new_id()
    first, second = session(room_id=room), session(room_id=room)
    await add(sessions, first, second)
    await sessions.change(first.id, started)
    with pytest.raises(Duplicate):
        await sessions.change(second.id, started)
    assert (await sessions.get(second.id)).status is SessionStatus.SCHEDULED
    assert await sessions.live_in_rooms([room, new_id()]) == {room: first.id}
    await sessions.change(first.id, ended)
    assert await sessions.live_in_rooms([room]) == {}
    await sessions.change(second.id, started)
    assert await sessions.live_in_rooms([room]) == {room: second.id}


async def test_of_sessions_started_at_once_one_goes_live(sessions: SessionRepository) -> None:
    room = new_id()
    made = [session(room_id=room) for _ in range(5)]
    await add(sessions, *made)
    results = await asyncio.gather(
        *(sessions.change(one.id, started) for one in made), return_exceptions=True
    )
    assert [type(result) for result in results if isinstance(result, Exception)] == [Duplicate] * 4


async def test_what_is_due_comes_the_oldest_first(sessions: SessionRepository) -> None:
    times = [T0 + timedelta(seconds=seconds) for seconds in (3, 1, 2, 4)]
    made = [session(due_at=time) for time in times]
    await add(sessions, *made, session())
    due = await sessions.ids_due(T0 + timedelta(seconds=3), 10)
    assert due == [made[1].id, made[2].id, made[0].id]
    assert await sessions.ids_due(T0 + timedelta(seconds=3), 1) == [made[1].id]
    await sessions.change(made[0].id, started)
    await sessions.change(made[0].id, ended)
    assert made[0].id not in await sessions.ids_due(T0 + timedelta(days=9), 10)


async def test_newer_counts_are_taken_over_and_older_ones_are_not(sessions: SessionRepository) -> None:
    made = live_session()
    await add(sessions, made)
    for version, viewers in ((2, 20), (1, 10), (3, 5), (3, 7)):
        await sessions.count_viewers(made.id, version, viewers, 20)
    after = await sessions.get(made.id)
    assert (after.viewer_count, after.max_viewers, after.version) == (5, 20, 1)
    await sessions.count_viewers(new_id(), 1, 1, 1)


async def test_a_change_leaves_counts_of_the_meantime_alone(sessions: SessionRepository) -> None:
    made = live_session()
    await add(sessions, made)
    await sessions.count_viewers(made.id, 1, 12, 12)
    await sessions.change(made.id, lambda one: one.configure(T0, {"chat_enabled": False}))
    assert (await sessions.get(made.id)).viewer_count == 12


async def test_a_deleted_session_counts_nobody(sessions: SessionRepository) -> None:
    made = session()
    await add(sessions, made)
    await sessions.remove(made.id, Session.delete)
    await sessions.count_viewers(made.id, 1, 12, 12)
    assert await sessions.collection.find({"viewer_count": 12}) == []


async def test_public_lists_show_what_is_listed(sessions: SessionRepository) -> None:
    other = new_id()
    public, unlisted = session(), session(listed=False)
    live, elsewhere = live_session(), live_session(library_id=other)
    await add(sessions, public, unlisted, live, elsewhere)
    assert await sessions.list_public(None, 0, 10) == ([elsewhere, live, public], 3)
    assert await sessions.list_public(None, 0, 10, live=True) == ([elsewhere, live], 2)
    assert await sessions.list_public(LIBRARY, 0, 10) == ([live, public], 2)
    assert await sessions.list_public(other, 0, 10, live=True) == ([elsewhere], 1)
    await sessions.follow_library(other, listed=False, registered_only=False)
    assert (await sessions.list_public(None, 0, 10))[1] == 2


async def test_a_rooms_sessions_are_all_listed(sessions: SessionRepository) -> None:
    room = new_id()
    made = [session(room_id=room, listed=False) for _ in range(3)]
    await add(sessions, *made, session())
    assert await sessions.list_of_room(room, 1, 1) == ([made[1]], 3)
    assert sorted(await sessions.ids_of_room(room)) == sorted(one.id for one in made)


async def test_states_are_counted_in_a_scope(sessions: SessionRepository) -> None:
    await add(sessions, session(), live_session(), live_session(), session(organization_id=new_id()))
    counts = await sessions.count_by_status({"organization_id": ORGANIZATION})
    assert counts == {
        SessionStatus.SCHEDULED: 1,
        SessionStatus.LIVE: 2,
        SessionStatus.ENDED: 0,
        SessionStatus.EXPIRED: 0,
    }


async def test_a_preset_is_in_use_while_a_session_of_it_is_open(sessions: SessionRepository) -> None:
    used = preset(settings=settings(name="Used")).state(is_default=False)
    made = session(preset=used)
    await add(sessions, made, session())
    assert await sessions.any_open_with_preset(used.id)
    assert await sessions.ids_following(used) == [made.id]
    await sessions.change(made.id, started)
    assert await sessions.any_open_with_preset(used.id)
    assert await sessions.ids_following(used) == []
    await sessions.change(made.id, ended)
    assert not await sessions.any_open_with_preset(used.id)


async def test_what_becomes_of_sessions_is_counted(sessions: SessionRepository) -> None:
    made = session()
    changes = "greenroom_session_changes_total"
    with (
        grows(changes, change="created"),
        grows(changes, change="started"),
        grows(changes, change="ended"),
        grows("greenroom_session_ends_total", reason="host"),
        grows("greenroom_session_wait_seconds_count"),
        grows("greenroom_session_duration_seconds_count"),
    ):
        await add(sessions, made)
        await sessions.change(made.id, started)
        await sessions.change(made.id, ended)


async def test_live_sessions_and_their_viewers_are_counted(sessions: SessionRepository) -> None:
    one, other, over = session(), session(), session()
    await add(sessions, one, other, over)
    for id_ in (one.id, other.id, over.id):
        await sessions.change(id_, started)
    await sessions.change(over.id, ended)
    await sessions.count_viewers(one.id, 1, 7, 7)
    await sessions.count_viewers(over.id, 1, 100, 100)
    await metrics.report(sessions.count_live_and_pending)
    assert sample("greenroom_sessions", state="live") == 2
    assert sample("greenroom_sessions", state="pending") == 0
    assert sample("greenroom_session_viewers") == 7
