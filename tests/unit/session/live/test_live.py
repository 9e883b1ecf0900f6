"""Going live, and coming to an end by hand or by itself."""

from dataclasses import replace

import pytest

from services.session.sessions.schemas import CreateSessionRequest
from shared.contracts.livekit_events import LiveKitRoomFinished
from shared.contracts.states import EndReason, SessionMode, SessionStatus
from shared.errors import Conflict, NotFound, Unavailable
from shared.http.idempotency import Reservation
from shared.ids import new_id
from tests.unit.session.actors import Host, joined, left, viewer
from tests.unit.session.backend import Backend


async def state(backend: Backend, id: str) -> tuple[SessionStatus, EndReason | None]:
    session = await backend.sessions.get(id)
    return session.status, session.end_reason


async def tick(backend: Backend, **by: float) -> None:
    """Let time pass, and have the loop check."""
    backend.clock.advance(**by)
    await backend.live.apply_due_timeouts()
    await backend.settle()


async def test_the_room_is_open_when_the_session_is_live(backend: Backend, host: Host) -> None:
    session = await host.session()
    answer = await host.start(session)
    assert list(backend.livekit.rooms) == [session.id]
    assert answer.session.status == "live"
    await backend.settle()
    assert backend.published()[-2:] == ["session.created.v1", "session.started.v1"]


async def test_without_livekit_nothing_goes_live(backend: Backend, host: Host) -> None:
    session = await host.session()
    backend.livekit.down()
    with pytest.raises(Unavailable):
        await host.start(session)
    assert (await state(backend, session.id))[0] is SessionStatus.SCHEDULED
    backend.livekit.up()
    await host.start(session)
    assert (await state(backend, session.id))[0] is SessionStatus.LIVE


async def test_a_second_session_of_the_room_leaves_no_room_open(backend: Backend, host: Host) -> None:
    room = await host.room()
    first, second = await host.session(room), await host.session(room)
    await host.start(first)
    with pytest.raises(Conflict) as refusal:
        await host.start(second)
    assert refusal.value.code == "room_busy"
    assert list(backend.livekit.rooms) == [first.id]


async def test_a_session_deleted_while_it_starts_leaves_no_room_open(backend: Backend, host: Host) -> None:
    session = await host.session()

    async def delete_it(_: str) -> None:
        await backend.session_service.delete(session.id, host.caller, None)

    backend.livekit.opened = delete_it
    with pytest.raises(NotFound):
        await host.start(session)
    assert backend.livekit.rooms == {}


async def test_the_end_closes_the_room(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await host.end(session)
    await backend.settle()
    assert backend.livekit.rooms == {}
    assert await state(backend, session.id) == (SessionStatus.ENDED, EndReason.HOST)
    await host.end(session)
    await backend.settle()
    assert backend.published().count("session.ended.v1") == 1


async def test_the_room_is_closed_even_when_livekit_is_away_at_first(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    backend.livekit.down()
    await host.end(session)
    await backend.outbox.publish_once()
    assert await state(backend, session.id) == (SessionStatus.ENDED, EndReason.HOST)
    backend.livekit.up()
    await backend.settle()
    assert backend.livekit.rooms == {}


async def test_the_ingest_of_an_rtmp_session_is_told_to_its_host(backend: Backend, host: Host) -> None:
    session = await host.session(mode="rtmp")
    assert session.mode is SessionMode.RTMP
    answer = await host.start(session)
    assert answer.rtmp is not None
    assert answer.rtmp.stream_key == "a key"
    await backend.settle()
    assert "a key" not in str(backend.bus.published)


async def test_without_ingest_no_rtmp_session_is_made(backend: Backend, host: Host) -> None:
    backend.ingest.away = True
    with pytest.raises(Unavailable):
        await host.session(mode="rtmp")
    assert (await backend.sessions.page({}, skip=0, limit=10))[1] == 0
    await host.session(mode="webcam")
    assert len(backend.ingest.asked) == 1


async def test_without_ingest_a_live_rtmp_session_goes_on_and_another_does_not_start(
    backend: Backend, host: Host
) -> None:
    live, scheduled = await host.live_session(mode="rtmp"), await host.session(mode="rtmp")
    backend.ingest.away = True
    for again in (host.start(live), host.go_live(live)):
        answer = await again
        assert answer.livekit_token
        assert (answer.rtmp, answer.rtmp_setup) == (None, None)
    assert (await backend.sessions.get(live.id)).has_stream(record=False)
    with pytest.raises(Unavailable):
        await host.start(scheduled)
    backend.ingest.away = False
    assert (await host.start(live)).rtmp is not None


@pytest.mark.parametrize("over", ["ended", "expired"])
async def test_a_creation_repeated_once_the_session_is_over_answers_without_an_address(
    backend: Backend, host: Host, over: str
) -> None:
    body = CreateSessionRequest(
        title="A session",
        preset_id=(await host.preset()).id,
        mode=SessionMode.RTMP,
        scheduled_start_time=backend.clock.now(),
    )
    reserved, room = Reservation.fresh(), await host.room()
    create = backend.session_service.create
    made = await create(reserved, room, host.caller, None, body)
    if over == "ended":
        await host.go_live(await backend.sessions.get(reserved.id))
        await backend.live.end(reserved.id, host.caller, None)
    else:
        await tick(backend, hours=25)
    asked = len(backend.ingest.asked)
    repeated = await create(replace(reserved, repeated=True), room, host.caller, None, body)
    assert (repeated.session.id, repeated.session.status) == (made.session.id, over)
    assert (made.stream_key, repeated.rtmp_url, repeated.stream_key) == ("a key", "", "")
    assert len(backend.ingest.asked) == asked


async def test_a_room_deleted_meanwhile_keeps_no_session(backend: Backend, host: Host) -> None:
    room = await host.room()

    async def delete_room() -> None:
        await backend.room_service.delete(room, host.caller, None)
        await backend.settle()

    backend.ingest.meanwhile = delete_room
    with pytest.raises(NotFound):
        await host.session(room, mode="rtmp")
    assert (await backend.sessions.page({}, skip=0, limit=10))[1] == 0
    await backend.settle()
    assert "session.deleted.v1" in backend.published()


async def test_events_for_sessions_that_are_gone_are_nothing(backend: Backend, host: Host) -> None:
    session = await host.session()
    await backend.session_service.delete(session.id, host.caller, None)
    await backend.settle()
    finished = LiveKitRoomFinished(session_id=session.id, occurred_at=backend.clock.now(), room_sid="RM_1")
    await backend.publish(joined(backend, session), left(backend, session), finished)
    assert await backend.bus.dead_letters("session.sessions") == []


async def test_viewers_join_as_audience(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    answer = await backend.tokens.join(session.id, viewer(), None)
    assert answer.room_name == session.id
    with pytest.raises(NotFound):
        await backend.tokens.join(new_id(), viewer(), None)
