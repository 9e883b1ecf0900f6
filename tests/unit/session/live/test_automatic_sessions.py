"""Automatic sessions: they start with the first who joins and end with the last to leave."""

from datetime import datetime
from typing import Any

import pytest

from services.session.catalog.rooms.roles import TokenRole
from services.session.sessions.domain.session import Session
from services.session.tokens.room_tokens import IssuedRoomTokens
from shared.contracts.livekit_events import LiveKitRoomFinished
from shared.contracts.people_and_catalog_events import RoomUpdated
from shared.contracts.reconciler_events import Departure, LiveKitRoomLost
from shared.contracts.states import EndReason, Role, RoomOptions, SessionStatus
from shared.livekit import JoinGrant
from shared.livekit.join_terms import JoinTerms
from tests.unit.session.actors import Host, ban
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0, caller
from tests.unit.session.rooms_with_tokens import (
    TokenRoom,
    connection_by,
    joined_by,
    left_by,
    seconds,
    token_room,
)


async def end_of(room: TokenRoom, issued: IssuedRoomTokens) -> tuple[EndReason | None, datetime | None, bool]:
    session = await room.session(issued)
    return session.end_reason, session.ended_at, session.end_estimated


async def tick(backend: Backend, by: float) -> None:
    """Let time pass, and have the loop check."""
    backend.clock.advance(seconds=by)
    await backend.live.apply_due_timeouts()
    await backend.settle()


async def test_the_first_to_join_starts_it(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued, other = await room.issue(), await room.issue()
    backend.clock.advance(seconds=30)
    await room.joins(issued)
    backend.clock.advance(seconds=30)
    await room.joins(other, "PA_2")
    session = await room.session(issued)
    assert (session.status, session.started_at) == (SessionStatus.LIVE, T0 + seconds(30))
    assert (session.live_room_id, session.pending_room_id) == (room.room.id, None)
    assert (await room.issue()).session.id == session.id
    assert "session.started.v1" in backend.published()


async def test_monitors_and_recorders_start_nothing(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    await room.joins(issued, "PA_1", hidden=True)
    await room.joins(issued, "PA_2", recorder=True)
    await room.joins(issued, "PA_3", kind="egress")
    assert (await room.session(issued)).status is SessionStatus.SCHEDULED


async def test_it_ends_when_the_last_left_not_when_its_room_closed(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    first, last = await room.issue(), await room.issue()
    await room.joins(first)
    await room.joins(last, "PA_2")
    await tick(backend, 60)
    await room.leaves(first)
    await tick(backend, 3600)
    await room.leaves(last, "PA_2")
    left_at = backend.clock.now()
    await room.closes(last, after=5.8)
    assert await end_of(room, last) == (EndReason.EMPTY, left_at, False)


async def test_a_leave_that_was_not_reported_is_estimated(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    await room.joins(issued)
    backend.clock.advance(seconds=100)
    await room.closes(issued, after=5)
    assert await end_of(room, issued) == (EndReason.EMPTY, T0 + seconds(100), True)


@pytest.mark.parametrize("late", [0.0, 1.5])
async def test_the_end_is_corrected_when_the_leave_is_reported_late(
    backend: Backend, host: Host, late: float
) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    await room.joins(issued)
    backend.clock.advance(seconds=100)
    left = left_by(backend, issued)
    await room.closes(issued, after=5 + late)
    await backend.publish(left)
    assert await end_of(room, issued) == (EndReason.EMPTY, T0 + seconds(100), False)
    assert backend.published()[-1] == "session.updated.v1"
    # Nobody else changes it.
    await room.leaves(issued, "PA_2")
    assert await end_of(room, issued) == (EndReason.EMPTY, T0 + seconds(100), False)


async def test_who_came_and_went_before_that_was_reported(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    backend.clock.advance(seconds=20)
    joined, left = joined_by(backend, issued, at=T0 + seconds(5)), left_by(backend, issued)
    backend.livekit.rooms.clear()
    await backend.publish(joined)
    assert await end_of(room, issued) == (EndReason.EMPTY, T0 + seconds(5), True)
    await backend.publish(left)
    assert await end_of(room, issued) == (EndReason.EMPTY, T0 + seconds(20), False)


async def test_no_host_is_needed(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    await room.joins(issued)
    await tick(backend, 3600)
    assert (await room.session(issued)).is_live
    await tick(backend, 12 * 3600)
    assert (await end_of(room, issued))[0] is EndReason.MAX_DURATION


async def test_a_session_whose_people_left_unnoticed_ends_by_rosters(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    await room.joins(issued)
    backend.clock.advance(seconds=30)
    monitor = connection_by(backend, issued, "PA_M", hidden=True)
    gone = Departure(participant_sid="PA_1", last_seen_at=T0 + seconds(20))
    await room.observed(issued, monitor, gone=gone)
    await tick(backend, 40)
    assert (await room.session(issued)).is_live
    await tick(backend, 15)
    assert await end_of(room, issued) == (EndReason.EMPTY, T0 + seconds(20), True)


async def test_somebody_there_keeps_it(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    await room.joins(issued)
    await room.observed(issued)
    await tick(backend, 50)
    await room.observed(issued, connection_by(backend, issued))
    await tick(backend, 50)
    assert (await room.session(issued)).is_live


async def test_a_join_keeps_it_also_if_rosters_are_rare(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    await room.joins(issued)
    await room.leaves(issued)
    backend.clock.advance(seconds=1)
    await room.observed(issued)
    await tick(backend, 2)
    await room.joins(issued, "PA_2")
    await tick(backend, 300)
    assert (await room.session(issued)).is_live


async def test_a_join_that_was_not_reported_starts_it(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    backend.clock.advance(seconds=10)
    await room.observed(issued, connection_by(backend, issued, at=T0 + seconds(3)))
    assert (await room.session(issued)).started_at == T0 + seconds(3)


async def test_what_is_reported_late_and_out_of_order_comes_to_the_same(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    backend.clock.advance(seconds=20)
    joined = joined_by(backend, issued, at=T0 + seconds(5))
    await backend.publish(left_by(backend, issued, at=T0 + seconds(5)))
    left_at = backend.clock.now()
    backend.livekit.rooms.clear()
    finished = LiveKitRoomFinished(
        session_id=issued.session.id, occurred_at=left_at + seconds(5), room_sid="RM_1"
    )
    await backend.publish(joined, finished, joined)
    assert await end_of(room, issued) == (EndReason.EMPTY, left_at, False)
    assert (await room.session(issued)).started_at == T0 + seconds(5)


async def test_a_stream_and_a_recording_start_with_it(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host, record_on_start=True)
    issued = await room.issue()
    await room.joins(issued)
    stream = (await room.session(issued)).stream
    assert (stream.wanted, stream.record) == (True, True)


async def test_an_ordinary_session_of_such_a_room_is_recorded_and_needs_its_host(
    backend: Backend, host: Host
) -> None:
    room = await token_room(backend, host, record_on_start=True, max_members=7)
    session = await host.session(room.room.id)
    await host.start(session)
    assert backend.livekit.room_settings[session.id].max_participants == 7
    started = await backend.sessions.get(session.id)
    assert (started.stream.wanted, started.stream.record, started.is_automatic) == (True, True, False)
    await tick(backend, 61)
    assert (await backend.sessions.get(session.id)).end_reason is EndReason.NO_HOST


async def test_it_ends_with_whoever_ends_it(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    other = await room.issue()
    teacher = await room.issue(external_user_id="t", terms=JoinTerms(ends_session=True))
    await room.joins(other)
    await room.joins(teacher, "PA_T")
    await tick(backend, 60)
    await room.leaves(other)
    await room.joins(other, "PA_O")
    await tick(backend, 60)
    await room.leaves(teacher, "PA_T")
    left_at = backend.clock.now()
    await tick(backend, 6)
    assert await end_of(room, teacher) == (EndReason.MEMBER_LEFT, left_at, False)
    assert backend.livekit.rooms == {}


async def test_reloading_the_page_ends_nothing(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    teacher = await room.issue(external_user_id="t", terms=JoinTerms(ends_session=True))
    await room.joins(teacher, "PA_1")
    await tick(backend, 60)
    await room.leaves(teacher, "PA_1")
    await tick(backend, 3)
    await room.joins(teacher, "PA_2")
    await tick(backend, 10)
    # The news of the second join may also come before that of the first leave.
    await room.joins(teacher, "PA_3")
    await room.leaves(teacher, "PA_2")
    await tick(backend, 10)
    assert (await room.session(teacher)).is_live


async def test_a_banned_person_starts_nothing(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue(external_user_id="c-1")
    await ban(backend, host, await room.session(issued), caller(issued.user.id))
    await room.enters(issued)
    assert (await room.session(issued)).status is SessionStatus.SCHEDULED
    assert not room.there(issued)


async def test_another_live_session_of_the_room_takes_its_place(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    session = await host.session(room.room.id)
    await host.start(session)
    await room.joins(issued)
    assert (await room.session(issued)).status is SessionStatus.EXPIRED
    assert list(backend.livekit.rooms) == [session.id]


async def test_a_pending_room_that_is_lost_is_opened_again(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    now = backend.clock.now()
    for lost in (
        LiveKitRoomLost(session_id=issued.session.id, observed_at=now, last_seen_at=now),
        LiveKitRoomFinished(session_id=issued.session.id, occurred_at=now, room_sid="RM_1"),
    ):
        backend.livekit.rooms.clear()
        await backend.publish(lost)
        assert list(backend.livekit.rooms) == [issued.session.id]
    assert (await room.session(issued)).status is SessionStatus.SCHEDULED


async def edited(room: TokenRoom, **fields: Any) -> None:
    changed = await room.backend.rooms.change(
        room.room.id, lambda found: found.edit(room.backend.clock.now(), public=True, **fields)
    )
    await room.backend.publish(RoomUpdated(room=changed.state()))


async def changed_to(room: TokenRoom, **fields: Any) -> Session:
    """The pending session after the room was edited."""
    await edited(room, **fields)
    found = await room.backend.sessions.find_pending(room.room.id)
    assert found is not None
    return found


async def test_a_pending_session_follows_its_room(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    options = RoomOptions(auto_session=True, record_on_start=True, max_members=2)
    session = await changed_to(room, title="Another title", options=options)
    assert (session.id, session.title, session.options) == (issued.session.id, "Another title", options)
    assert backend.livekit.room_settings[session.id].max_participants == 2
    await room.joins(issued)
    await edited(room, title="A third")
    assert (await room.session(issued)).title == "Another title"


async def test_nobody_is_thrown_out_by_another_limit_of_people(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    grant = JoinGrant(issued.session.id, f"{issued.user.id}:tab", issued.user.username, Role.AUDIENCE)
    # LiveKit has not reported it yet.
    backend.livekit.connect(grant)
    options = RoomOptions(auto_session=True, max_members=2)
    assert (await changed_to(room, options=options)).options == options
    assert list(backend.livekit.participants[issued.session.id]) == [grant.identity]


async def test_tokens_die_when_their_room_is_disabled(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    edited = await backend.rooms.change(
        room.room.id, lambda found: found.edit(T0, public=True, enabled=False)
    )
    await backend.publish(RoomUpdated(room=edited.state()))
    assert (await room.session(issued)).status is SessionStatus.EXPIRED
    assert backend.livekit.rooms == {}


async def test_guests_keep_their_place_while_they_are_away(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    guest, other = await room.issue(role=TokenRole.GUEST), await room.issue()
    await room.joins(guest)
    await room.joins(other, "PA_2")
    await room.leaves(guest)
    backend.clock.advance(seconds=300)
    await room.observed(other, connection_by(backend, other, "PA_2"))
    await backend.absence.apply_due_timeouts()
    backend.clock.advance(seconds=300)
    await backend.absence.apply_due_timeouts()
    assert list((await room.session(guest)).stage) == [guest.user.id]


async def test_a_deleted_room_takes_the_pending_session_and_its_tokens(backend: Backend, host: Host) -> None:
    room = await token_room(backend, host)
    issued = await room.issue()
    await backend.room_service.delete(room.room.id, host.caller, None)
    await backend.settle()
    assert await backend.sessions.find(issued.session.id) is None
    assert backend.livekit.rooms == {}
