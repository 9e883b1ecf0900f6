"""Going live, and coming to an end by hand or by itself."""

import pytest

from shared.contracts.livekit_events import LiveKitRoomFinished
from shared.contracts.states import EndReason, SessionMode, SessionStatus
from shared.errors import Conflict, NotFound, Unavailable
from shared.ids import new_id
from tests.unit.session.hosting import Host, joined, left, viewer
from tests.unit.session.house import House


async def state(house: House, id: str) -> tuple[SessionStatus, EndReason | None]:  # noqa: A002
    session = await house.sessions.get(id)
    return session.status, session.end_reason


async def tick(house: House, **by: float) -> None:
    """Let time pass, and have the clockwork look."""
    house.clock.advance(**by)
    await house.live.settle_due()
    await house.settle()


async def test_the_room_is_open_when_the_session_is_live(house: House, host: Host) -> None:
    session = await host.session()
    answer = await host.start(session)
    assert list(house.livekit.rooms) == [session.id]
    assert answer.session.status == "live"
    await house.settle()
    assert house.told()[-2:] == ["session.created.v1", "session.started.v1"]


async def test_without_livekit_nothing_goes_live(house: House, host: Host) -> None:
    session = await host.session()
    house.livekit.down()
    with pytest.raises(Unavailable):
        await host.start(session)
    assert (await state(house, session.id))[0] is SessionStatus.SCHEDULED
    house.livekit.up()
    await host.start(session)
    assert (await state(house, session.id))[0] is SessionStatus.LIVE


async def test_a_second_session_of_the_room_leaves_no_room_open(house: House, host: Host) -> None:
    room = await host.room()
    first, second = await host.session(room), await host.session(room)
    await host.start(first)
    with pytest.raises(Conflict) as refusal:
        await host.start(second)
    assert refusal.value.code == "room_busy"
    assert list(house.livekit.rooms) == [first.id]


async def test_a_session_deleted_while_it_starts_leaves_no_room_open(house: House, host: Host) -> None:
    session = await host.session()

    async def delete_it(_: str) -> None:
        await house.session_service.delete(session.id, host.caller, None)

    house.livekit.opened = delete_it
    with pytest.raises(NotFound):
        await host.start(session)
    assert house.livekit.rooms == {}


async def test_the_end_closes_the_room(house: House, host: Host) -> None:
    session = await host.live_session()
    await host.end(session)
    await house.settle()
    assert house.livekit.rooms == {}
    assert await state(house, session.id) == (SessionStatus.ENDED, EndReason.HOST)
    await host.end(session)
    await house.settle()
    assert house.told().count("session.ended.v1") == 1


async def test_the_room_is_closed_even_when_livekit_is_away_at_first(house: House, host: Host) -> None:
    session = await host.live_session()
    house.livekit.down()
    await host.end(session)
    await house.outbox.publish_once()
    assert await state(house, session.id) == (SessionStatus.ENDED, EndReason.HOST)
    house.livekit.up()
    await house.settle()
    assert house.livekit.rooms == {}


async def test_the_ingest_of_an_rtmp_session_is_told_to_its_host(house: House, host: Host) -> None:
    session = await host.session(mode="rtmp")
    assert session.mode is SessionMode.RTMP
    answer = await host.start(session)
    assert answer.rtmp is not None
    assert answer.rtmp.stream_key == "a key"
    await house.settle()
    assert "a key" not in str(house.bus.published)


async def test_without_ingest_no_rtmp_session_is_made(house: House, host: Host) -> None:
    house.ingest.away = True
    with pytest.raises(Unavailable):
        await host.session(mode="rtmp")
    assert (await house.sessions.page({}, skip=0, limit=10))[1] == 0
    await host.session(mode="webcam")
    assert len(house.ingest.asked) == 1


async def test_a_room_deleted_meanwhile_keeps_no_session(house: House, host: Host) -> None:
    room = await host.room()

    async def delete_room() -> None:
        await house.room_service.delete(room, host.caller, None)
        await house.settle()

    house.ingest.meanwhile = delete_room
    with pytest.raises(NotFound):
        await host.session(room, mode="rtmp")
    assert (await house.sessions.page({}, skip=0, limit=10))[1] == 0
    await house.settle()
    assert "session.deleted.v1" in house.told()


async def test_events_for_sessions_that_are_gone_are_nothing(house: House, host: Host) -> None:
    session = await host.session()
    await house.session_service.delete(session.id, host.caller, None)
    await house.settle()
    finished = LiveKitRoomFinished(session_id=session.id, occurred_at=house.clock.now(), room_sid="RM_1")
    await house.tell(joined(house, session), left(house, session), finished)
    assert await house.bus.dead_letters("session.sessions") == []


async def test_viewers_join_as_audience(house: House, host: Host) -> None:
    session = await host.live_session()
    answer = await house.admission.join(session.id, viewer(), None)
    assert answer.room_name == session.id
    with pytest.raises(NotFound):
        await house.admission.join(new_id(), viewer(), None)
