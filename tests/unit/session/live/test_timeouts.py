"""Coming to an end without anybody's doing: nobody hosts, it lasted long enough, or its time passed."""

from datetime import timedelta

import pytest

from services.session.sessions.schemas import RescheduleSessionRequest
from shared.contracts.livekit_events import LiveKitRoomFinished, ParticipantConnectionAborted
from shared.contracts.states import EndReason, Role, SessionStatus
from shared.errors import Conflict
from tests.unit.session.actors import Host, connection, joined, left
from tests.unit.session.backend import Backend
from tests.unit.session.builders import GRACE, LIMITS


async def state(backend: Backend, id: str) -> tuple[SessionStatus, EndReason | None]:
    session = await backend.sessions.get(id)
    return session.status, session.end_reason


async def tick(backend: Backend, **by: float) -> None:
    """Let time pass, and have the loop check."""
    backend.clock.advance(**by)
    await backend.live.apply_due_timeouts()
    await backend.settle()


async def test_without_a_host_a_session_ends_after_the_grace(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await tick(backend, seconds=GRACE.seconds - 1)
    assert (await state(backend, session.id))[0] is SessionStatus.LIVE
    await tick(backend, seconds=1)
    assert await state(backend, session.id) == (SessionStatus.ENDED, EndReason.NO_HOST)
    assert backend.livekit.rooms == {}


async def test_a_host_keeps_it_open_until_the_grace_after_leaving(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await backend.publish(joined(backend, session))
    await tick(backend, hours=3)
    assert (await state(backend, session.id))[0] is SessionStatus.LIVE
    await backend.publish(left(backend, session))
    await tick(backend, seconds=GRACE.seconds - 1)
    assert (await state(backend, session.id))[0] is SessionStatus.LIVE
    await tick(backend, seconds=1)
    assert await state(backend, session.id) == (SessionStatus.ENDED, EndReason.NO_HOST)


async def test_a_host_who_comes_back_in_time_keeps_it_open(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await backend.publish(joined(backend, session, "PA_1"))
    await backend.publish(left(backend, session, "PA_1"))
    backend.clock.advance(seconds=GRACE.seconds - 1)
    await backend.publish(joined(backend, session, "PA_2"))
    await tick(backend, hours=1)
    assert (await state(backend, session.id))[0] is SessionStatus.LIVE


async def test_one_forgotten_tab_of_the_host_is_not_enough(backend: Backend, host: Host) -> None:
    """The same host twice: the session ends after the last of the two connections is gone."""
    session = await host.live_session()
    await backend.publish(joined(backend, session, "PA_1"), joined(backend, session, "PA_2"))
    await backend.publish(left(backend, session, "PA_1"))
    await tick(backend, hours=1)
    assert (await state(backend, session.id))[0] is SessionStatus.LIVE
    await backend.publish(left(backend, session, "PA_2"))
    await tick(backend, seconds=GRACE.seconds)
    assert (await state(backend, session.id))[0] is SessionStatus.ENDED


async def test_an_encoder_counts_as_host(backend: Backend, host: Host) -> None:
    session = await host.live_session(mode="rtmp")
    encoder = {"identity": f"{session.host_id}:ingress", "kind": "ingress"}
    await backend.publish(joined(backend, session, "PA_encoder", **encoder))
    await tick(backend, hours=1)
    assert (await state(backend, session.id))[0] is SessionStatus.LIVE
    await backend.publish(left(backend, session, "PA_encoder", **encoder))
    await tick(backend, seconds=GRACE.seconds)
    assert await state(backend, session.id) == (SessionStatus.ENDED, EndReason.NO_HOST)


@pytest.mark.parametrize(
    "fields",
    [
        {"role": Role.AUDIENCE},
        {"role": Role.MODERATOR},
        {"role": Role.STAGE},
        {"hidden": True},
        {"recorder": True},
    ],
    ids=str,
)
async def test_others_do_not_keep_it_open(backend: Backend, host: Host, fields: dict[str, object]) -> None:
    session = await host.live_session()
    await backend.publish(joined(backend, session, "PA_other", **fields))
    await tick(backend, seconds=GRACE.seconds)
    assert await state(backend, session.id) == (SessionStatus.ENDED, EndReason.NO_HOST)


async def test_a_connection_that_never_came_about_does_not_keep_it_open(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    there = connection(backend, session, "PA_1")
    await backend.publish(
        joined(backend, session),
        ParticipantConnectionAborted(
            session_id=session.id, occurred_at=backend.clock.now(), connection=there
        ),
    )
    await tick(backend, seconds=GRACE.seconds)
    assert (await state(backend, session.id))[0] is SessionStatus.ENDED


async def test_nothing_lasts_for_ever(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await backend.publish(joined(backend, session))
    await tick(backend, seconds=LIMITS.max_duration.total_seconds())
    assert await state(backend, session.id) == (SessionStatus.ENDED, EndReason.MAX_DURATION)


async def test_a_room_that_livekit_lost_ends_its_session(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    finished = LiveKitRoomFinished(session_id=session.id, occurred_at=backend.clock.now(), room_sid="RM_1")
    await backend.publish(finished)
    assert (await state(backend, session.id))[0] is SessionStatus.LIVE
    await backend.livekit.delete_room(session.id)
    await backend.publish(finished)
    assert await state(backend, session.id) == (SessionStatus.ENDED, EndReason.ROOM_LOST)


async def test_what_is_scheduled_expires_a_day_after_its_time(backend: Backend, host: Host) -> None:
    time = backend.clock.now() + timedelta(hours=2)
    session = await host.session(scheduled_start_time=time)
    await tick(backend, hours=25)
    assert (await state(backend, session.id))[0] is SessionStatus.SCHEDULED
    await tick(backend, hours=1)
    assert (await state(backend, session.id))[0] is SessionStatus.EXPIRED
    assert backend.published()[-1] == "session.expired.v1"
    with pytest.raises(Conflict):
        await host.start(session)


async def test_rescheduling_puts_it_off(backend: Backend, host: Host) -> None:
    session = await host.session(scheduled_start_time=backend.clock.now())
    body = RescheduleSessionRequest(scheduled_start_time=backend.clock.now() + timedelta(days=2))
    await backend.session_service.reschedule(session.id, host.caller, None, body)
    await tick(backend, days=2)
    assert (await state(backend, session.id))[0] is SessionStatus.SCHEDULED
    await tick(backend, days=1)
    assert (await state(backend, session.id))[0] is SessionStatus.EXPIRED
