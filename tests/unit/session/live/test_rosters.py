"""Sessions follow what the reconciler saw in LiveKit: hosts that nobody told of, and rooms that are lost."""

from datetime import datetime, timedelta

from services.session.sessions.domain.session import Session
from shared.contracts.livekit_events import Connection
from shared.contracts.reconciler_events import Departure, LiveKitRoomLost, RosterConnection, RosterObserved
from shared.contracts.session_events import SessionEnded
from shared.contracts.states import EndReason, Role, SessionStatus
from tests.unit.session.actors import Host, connection, joined
from tests.unit.session.backend import Backend
from tests.unit.session.builders import GRACE

ROOM = "RM_1"
SECOND = timedelta(seconds=1)


def roster(
    session: Session, moment: datetime, *there: Connection, seen: dict[str, datetime] | None = None
) -> RosterObserved:
    return RosterObserved(
        session_id=session.id,
        room_sid=ROOM,
        observed_at=moment,
        connections=tuple(RosterConnection(**one.model_dump()) for one in there),
        departed=tuple(Departure(participant_sid=sid, last_seen_at=at) for sid, at in (seen or {}).items()),
    )


def lost(session: Session, moment: datetime, last_seen_at: datetime) -> LiveKitRoomLost:
    return LiveKitRoomLost(session_id=session.id, observed_at=moment, last_seen_at=last_seen_at)


async def test_a_host_whom_nobody_announced_keeps_the_session_open(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    there = connection(backend, session, "PA_1")
    await backend.publish(roster(session, backend.clock.now() + 5 * SECOND, there))
    backend.clock.advance(seconds=2 * GRACE.seconds)
    await backend.live.apply_due_timeouts()
    assert (await backend.sessions.get(session.id)).is_live


async def test_a_host_of_whom_nobody_took_leave_left_when_last_seen(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await backend.publish(joined(backend, session, "PA_1").model_copy(update={"room_sid": ROOM}))
    seen_at = backend.clock.now() + 10 * SECOND
    await backend.publish(roster(session, seen_at + 10 * SECOND, seen={"PA_1": seen_at}))
    found = await backend.sessions.get(session.id)
    assert (found.hosts["PA_1"].left_at, found.hosts["PA_1"].estimated) == (seen_at, True)
    assert found.due_at == seen_at + GRACE


async def test_a_roster_that_tells_nothing_new_is_not_written(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await backend.publish(joined(backend, session, "PA_1").model_copy(update={"room_sid": ROOM}))
    before = await backend.sessions.get(session.id)
    there = connection(backend, session, "PA_1")
    viewer = connection(backend, session, "PA_2").model_copy(update={"role": Role.AUDIENCE})
    for seconds in (10, 20, 30):
        await backend.publish(roster(session, backend.clock.now() + seconds * SECOND, there, viewer))
    assert (await backend.sessions.get(session.id)).version == before.version


async def test_a_lost_room_ends_the_session_at_the_last_proof_of_life(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await backend.publish(joined(backend, session, "PA_1"))
    seen_at = backend.clock.now() + 100 * SECOND
    backend.clock.advance(seconds=120)
    event = lost(session, backend.clock.now(), seen_at)
    await backend.publish(event, event)
    await backend.settle()
    found = await backend.sessions.get(session.id)
    assert (found.status, found.end_reason) == (SessionStatus.ENDED, EndReason.ROOM_LOST)
    assert (found.ended_at, found.end_estimated, found.state().end_estimated) == (seen_at, True, True)
    assert backend.livekit.rooms == {}
    endings = [one.event for one in backend.bus.published if isinstance(one.event, SessionEnded)]
    assert [(one.session.end_estimated, one.session.ended_at) for one in endings] == [(True, seen_at)]


async def test_an_end_that_somebody_wanted_is_no_estimate(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await host.end(session)
    await backend.publish(lost(session, backend.clock.now(), backend.clock.now()))
    found = await backend.sessions.get(session.id)
    assert (found.end_reason, found.end_estimated) == (EndReason.HOST, False)


async def test_a_host_who_is_back_keeps_a_session_whose_room_seemed_lost(
    backend: Backend, host: Host
) -> None:
    session = await host.live_session()
    seen_at = backend.clock.now()
    backend.clock.advance(seconds=20)
    await backend.publish(joined(backend, session, "PA_2"))
    await backend.publish(lost(session, backend.clock.now(), seen_at))
    assert (await backend.sessions.get(session.id)).is_live


async def test_no_session_ends_before_it_began(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    started_at = backend.clock.now()
    backend.clock.advance(seconds=20)
    await backend.publish(lost(session, backend.clock.now(), started_at - GRACE))
    assert (await backend.sessions.get(session.id)).ended_at == started_at
