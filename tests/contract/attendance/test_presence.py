"""From what connections do to who is counted."""

from services.attendance.presence.routes import viewers_response
from shared.contracts.attendance_events import ParticipantLeaveRequested, ViewersCounted
from shared.contracts.session_events import SessionDeleted, SessionEnded, SessionStarted, SessionUpdated
from shared.contracts.states import Role, SessionStatus
from shared.ids import new_id
from tests.unit.attendance.builders import (
    HOST_ID,
    aborted,
    at,
    connection,
    ended,
    host,
    joined,
    left,
    session,
    viewer,
)
from tests.unit.attendance.fixture import Replica


def counts(told: list[ViewersCounted]) -> list[tuple[int, int]]:
    return [(one.viewer_count, one.max_viewers) for one in told]


async def test_two_devices_and_a_rejoin_are_one_viewer(replica: Replica) -> None:
    state, user = session(), new_id()
    phone = connection(user, "PA_phone", at(0))
    laptop = connection(user, "PA_laptop", at(5), identity=f"{user}:laptop")
    again = connection(user, "PA_again", at(30))
    await replica.go_live(state)
    await replica.see(joined(state.id, phone), joined(state.id, laptop))
    await replica.see(left(state.id, phone, at(10)), left(state.id, laptop, at(20)))
    await replica.see(joined(state.id, again))
    replica.clock.advance(seconds=40)

    report = await replica.report(state.id)
    (row,) = report.attendance
    assert (row.joined_at, row.left_at, row.last_seen_at) == (at(0), None, at(40))
    assert (row.watch_duration, row.join_count) == (20 + 10, 3)
    assert (report.total, report.currently_watching) == (1, 1)
    assert counts(await replica.told()) == [(1, 1), (0, 1), (1, 1)]


async def test_those_who_only_work_there_do_not_count(replica: Replica) -> None:
    state, co_host = session(roles={}), new_id()
    await replica.go_live(state)
    await replica.see(
        joined(state.id, connection(HOST_ID, "PA_1", at(0), role=Role.HOST)),
        joined(state.id, connection(HOST_ID, "PA_2", at(0))),
        joined(state.id, connection(new_id(), "PA_3", at(0), role=Role.CO_HOST)),
        joined(state.id, connection(new_id(), "PA_4", at(0), hidden=True)),
        joined(state.id, connection(new_id(), "PA_5", at(0), recorder=True)),
        joined(state.id, connection(new_id(), "PA_6", at(0), kind="ingress")),
        joined(state.id, connection(co_host, "PA_7", at(0))),
    )
    assert [row.user_id for row in (await replica.report(state.id)).attendance] == [co_host]
    promoted = state.model_copy(update={"version": 2, "roles": {co_host: Role.CO_HOST}})
    await replica.see(SessionUpdated(session=promoted))
    assert (await replica.report(state.id)).total == 0
    assert counts(await replica.told()) == [(1, 1), (0, 1)]
    back = promoted.model_copy(update={"version": 3, "roles": {co_host: Role.AUDIENCE}})
    await replica.see(SessionUpdated(session=back))
    assert (await replica.report(state.id)).total == 1


async def test_who_never_got_in_was_not_there(replica: Replica) -> None:
    state, user = session(), new_id()
    one = connection(user, "PA_1", at(0))
    await replica.go_live(state)
    await replica.see(aborted(state.id, one, at(9)))
    assert (await replica.report(state.id)).total == 0
    await replica.see(joined(state.id, one))
    (row,) = (await replica.report(state.id)).attendance
    assert (row.left_at, row.watch_duration) == (at(9), 9)


async def test_a_leave_before_its_join_and_a_thousand_copies(replica: Replica) -> None:
    state, user = session(), new_id()
    one = connection(user, "PA_1", at(3))
    await replica.go_live(state)
    await replica.see(left(state.id, one, at(8)))
    await replica.see(*[joined(state.id, one)] * 500, *[left(state.id, one, at(8))] * 500)
    (row,) = (await replica.report(state.id)).attendance
    assert (row.joined_at, row.left_at, row.watch_duration, row.join_count) == (at(3), at(8), 5, 1)
    assert counts(await replica.told()) == []


async def test_the_end_closes_everything_and_settles_the_peak(replica: Replica) -> None:
    state, one, two = session(), new_id(), new_id()
    first, second = connection(one, "PA_1", at(0)), connection(two, "PA_2", at(10))
    await replica.go_live(state)
    await replica.see(joined(state.id, first), joined(state.id, second))
    assert counts(await replica.told()) == [(2, 2)]
    over = ended(state, at(60))
    # The first had left before the second came; the news of it is late.
    await replica.see(SessionEnded(session=over))
    await replica.see(left(state.id, first, at(9)))
    rows = (await replica.report(state.id)).attendance
    assert [(row.left_at, row.watch_duration) for row in rows] == [(at(9), 9), (at(60), 50)]
    assert counts(await replica.told()) == [(2, 2), (0, 2), (0, 1)]
    await replica.see(left(state.id, second, at(61)))
    assert len(await replica.told()) == 3


async def test_an_end_that_comes_first(replica: Replica) -> None:
    state, user = session(), new_id()
    one, late = connection(user, "PA_1", at(0)), connection(new_id(), "PA_2", at(61))
    await replica.see(SessionEnded(session=ended(state, at(60))))
    await replica.see(SessionStarted(session=state))
    await replica.see(joined(state.id, one), joined(state.id, late))
    (row,) = (await replica.report(state.id)).attendance
    assert (row.user_id, row.left_at) == (user, at(60))
    assert counts(await replica.told()) == [(0, 1)]


async def test_rooms_that_are_no_sessions_are_passed_over(replica: Replica) -> None:
    await replica.see(joined("lobby", connection(new_id(), "PA_1", at(0))))
    assert await replica.presences.collection.find({}) == []


async def test_leaving_ends_this_sign_in_and_asks_to_disconnect_it(replica: Replica) -> None:
    state, user = session(), new_id()
    phone, tablet = (
        connection(user, "PA_1", at(0)),
        connection(user, "PA_2", at(5), identity=f"{user}:tablet"),
    )
    await replica.go_live(state)
    await replica.see(joined(state.id, phone), joined(state.id, tablet))
    replica.clock.advance(seconds=20)
    await replica.presence.leave(state.id, viewer(user))
    await replica.worker.run_once()
    assert (await replica.presence.viewers(state.id, host())).total == 1
    await replica.presence.leave(state.id, viewer(user, "tablet"))
    await replica.worker.run_once()
    assert (await replica.presence.viewers(state.id, host())).total == 0
    # LiveKit's own word comes later and changes nothing.
    await replica.see(left(state.id, phone, at(23)))
    (row,) = (await replica.report(state.id)).attendance
    assert (row.left_at, row.watch_duration) == (at(20), 20)
    await replica.outbox.publish_once()
    asked = [e.event for e in replica.bus.published if isinstance(e.event, ParticipantLeaveRequested)]
    assert [one.identity for one in asked] == [f"{user}:phone", f"{user}:tablet"]


async def test_leaving_twice_asks_twice_but_not_after_the_end(replica: Replica) -> None:
    state, user = session(), new_id()
    await replica.go_live(state)
    for _ in range(2):
        await replica.presence.leave(state.id, viewer(user))
    await replica.see(SessionEnded(session=ended(state, at(1))))
    await replica.presence.leave(state.id, viewer(user))
    await replica.outbox.publish_once()
    assert len([e for e in replica.bus.published if isinstance(e.event, ParticipantLeaveRequested)]) == 2
    assert await replica.attendances.count(state.id, None) == 0


async def test_viewers_in_order_with_the_roles_of_the_session(replica: Replica) -> None:
    one, two = new_id(), new_id()
    state = session(roles={one: Role.MODERATOR})
    await replica.go_live(state)
    await replica.see(
        joined(state.id, connection(two, "PA_2", at(7), role=Role.STAGE)),
        joined(state.id, connection(one, "PA_1", at(5))),
    )
    viewers = viewers_response(await replica.presence.viewers(state.id, host())).viewers
    assert [(v.user_id, v.role, v.joined_at) for v in viewers] == [
        (one, Role.MODERATOR, at(5)),
        (two, Role.STAGE, at(7)),
    ]
    assert [v.id for v in viewers] == [row.id for row in (await replica.report(state.id)).attendance]


async def test_a_deleted_session_takes_its_data_along_whatever_still_comes(replica: Replica) -> None:
    state, user = session(status=SessionStatus.ENDED, ended_at=at(60)), new_id()
    one = connection(user, "PA_1", at(0))
    await replica.see(SessionEnded(session=state), joined(state.id, one))
    await replica.presence.leave(state.id, viewer(user))
    assert (await replica.viewer_counts.seen(state.id)).max_viewers == 1
    await replica.see(SessionDeleted(session=state))
    await replica.see(SessionUpdated(session=state.model_copy(update={"version": 9})))
    await replica.see(left(state.id, one, at(8)), joined(state.id, connection(new_id(), "PA_9", at(9))))
    for store in (replica.presences, replica.attendances, replica.viewer_counts, replica.leave_requests):
        assert await store.collection.find({}) == []


async def test_of_new_sessions_those_are_derived_that_somebody_came_to_before_the_news(
    replica: Replica,
) -> None:
    visited, empty = session(), session()
    await replica.see(joined(visited.id, connection(HOST_ID, "PA_host", at(0))))
    await replica.handle([SessionStarted(session=visited), SessionStarted(session=empty)])
    assert [(one.session_id, one.people) for one in replica.queue.take()] == [(visited.id, None)]
