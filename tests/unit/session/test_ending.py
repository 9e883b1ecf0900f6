"""Coming to an end without anybody's doing: nobody hosts, it lasted long enough, or its time passed."""

from datetime import timedelta

import pytest

from services.session.sessions.schemas import RescheduleSessionRequest
from shared.contracts.livekit_events import LiveKitRoomFinished, ParticipantConnectionAborted
from shared.contracts.states import EndReason, Role, SessionStatus
from shared.errors import Conflict
from tests.unit.session.hosting import Host, connection, joined, left
from tests.unit.session.house import House
from tests.unit.session.make import GRACE, LIMITS


async def state(house: House, id: str) -> tuple[SessionStatus, EndReason | None]:  # noqa: A002
    session = await house.sessions.get(id)
    return session.status, session.end_reason


async def tick(house: House, **by: float) -> None:
    """Let time pass, and have the clockwork look."""
    house.clock.advance(**by)
    await house.live.settle_due()
    await house.settle()


async def test_without_a_host_a_session_ends_after_the_grace(house: House, host: Host) -> None:
    session = await host.live_session()
    await tick(house, seconds=GRACE.seconds - 1)
    assert (await state(house, session.id))[0] is SessionStatus.LIVE
    await tick(house, seconds=1)
    assert await state(house, session.id) == (SessionStatus.ENDED, EndReason.NO_HOST)
    assert house.livekit.rooms == {}


async def test_a_host_keeps_it_open_until_the_grace_after_leaving(house: House, host: Host) -> None:
    session = await host.live_session()
    await house.tell(joined(house, session))
    await tick(house, hours=3)
    assert (await state(house, session.id))[0] is SessionStatus.LIVE
    await house.tell(left(house, session))
    await tick(house, seconds=GRACE.seconds - 1)
    assert (await state(house, session.id))[0] is SessionStatus.LIVE
    await tick(house, seconds=1)
    assert await state(house, session.id) == (SessionStatus.ENDED, EndReason.NO_HOST)


async def test_a_host_who_comes_back_in_time_keeps_it_open(house: House, host: Host) -> None:
    session = await host.live_session()
    await house.tell(joined(house, session, "PA_1"))
    await house.tell(left(house, session, "PA_1"))
    house.clock.advance(seconds=GRACE.seconds - 1)
    await house.tell(joined(house, session, "PA_2"))
    await tick(house, hours=1)
    assert (await state(house, session.id))[0] is SessionStatus.LIVE


async def test_one_forgotten_tab_of_the_host_is_not_enough(house: House, host: Host) -> None:
    """The same host twice: the session ends after the last of the two connections is gone."""
    session = await host.live_session()
    await house.tell(joined(house, session, "PA_1"), joined(house, session, "PA_2"))
    await house.tell(left(house, session, "PA_1"))
    await tick(house, hours=1)
    assert (await state(house, session.id))[0] is SessionStatus.LIVE
    await house.tell(left(house, session, "PA_2"))
    await tick(house, seconds=GRACE.seconds)
    assert (await state(house, session.id))[0] is SessionStatus.ENDED


async def test_an_encoder_counts_as_host(house: House, host: Host) -> None:
    session = await host.live_session(mode="rtmp")
    encoder = {"identity": f"{session.host_id}:ingress", "kind": "ingress"}
    await house.tell(joined(house, session, "PA_encoder", **encoder))
    await tick(house, hours=1)
    assert (await state(house, session.id))[0] is SessionStatus.LIVE
    await house.tell(left(house, session, "PA_encoder", **encoder))
    await tick(house, seconds=GRACE.seconds)
    assert await state(house, session.id) == (SessionStatus.ENDED, EndReason.NO_HOST)


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
async def test_others_do_not_keep_it_open(house: House, host: Host, fields: dict[str, object]) -> None:
    session = await host.live_session()
    await house.tell(joined(house, session, "PA_other", **fields))
    await tick(house, seconds=GRACE.seconds)
    assert await state(house, session.id) == (SessionStatus.ENDED, EndReason.NO_HOST)


async def test_a_connection_that_never_came_about_does_not_keep_it_open(house: House, host: Host) -> None:
    session = await host.live_session()
    there = connection(house, session, "PA_1")
    await house.tell(
        joined(house, session),
        ParticipantConnectionAborted(session_id=session.id, occurred_at=house.clock.now(), connection=there),
    )
    await tick(house, seconds=GRACE.seconds)
    assert (await state(house, session.id))[0] is SessionStatus.ENDED


async def test_nothing_lasts_for_ever(house: House, host: Host) -> None:
    session = await host.live_session()
    await house.tell(joined(house, session))
    await tick(house, seconds=LIMITS.max_duration.total_seconds())
    assert await state(house, session.id) == (SessionStatus.ENDED, EndReason.MAX_DURATION)


async def test_a_room_that_livekit_lost_ends_its_session(house: House, host: Host) -> None:
    session = await host.live_session()
    finished = LiveKitRoomFinished(session_id=session.id, occurred_at=house.clock.now(), room_sid="RM_1")
    await house.tell(finished)
    assert (await state(house, session.id))[0] is SessionStatus.LIVE
    await house.livekit.delete_room(session.id)
    await house.tell(finished)
    assert await state(house, session.id) == (SessionStatus.ENDED, EndReason.ROOM_LOST)


async def test_what_is_scheduled_expires_a_day_after_its_time(house: House, host: Host) -> None:
    time = house.clock.now() + timedelta(hours=2)
    session = await host.session(scheduled_start_time=time)
    await tick(house, hours=25)
    assert (await state(house, session.id))[0] is SessionStatus.SCHEDULED
    await tick(house, hours=1)
    assert (await state(house, session.id))[0] is SessionStatus.EXPIRED
    assert house.told()[-1] == "session.expired.v1"
    with pytest.raises(Conflict):
        await host.start(session)


async def test_rescheduling_puts_it_off(house: House, host: Host) -> None:
    session = await host.session(scheduled_start_time=house.clock.now())
    body = RescheduleSessionRequest(scheduled_start_time=house.clock.now() + timedelta(days=2))
    await house.session_service.reschedule(session.id, host.caller, None, body)
    await tick(house, days=2)
    assert (await state(house, session.id))[0] is SessionStatus.SCHEDULED
    await tick(house, days=1)
    assert (await state(house, session.id))[0] is SessionStatus.EXPIRED
