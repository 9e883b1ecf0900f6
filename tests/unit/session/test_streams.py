"""What sessions want of their streams, and what is shown of them."""

from datetime import timedelta

import pytest

from services.session.sessions.hls_links import PURPOSE
from shared.contracts.session_events import SessionEvent
from shared.contracts.states import SessionMode, StreamState, StreamStatus
from shared.contracts.stream_events import StreamChanged
from shared.errors import Conflict, Forbidden
from shared.files.signed_paths import PathSigner
from tests.unit.session.hosting import Host
from tests.unit.session.house import House


def changed(
    house: House, session_id: str, version: int, status: StreamStatus, path: str | None
) -> StreamChanged:
    return StreamChanged(
        stream=StreamState(
            session_id=session_id,
            version=version,
            status=status,
            hls_path=path,
            error=None,
            updated_at=house.clock.now(),
        )
    )


async def wishes(house: House) -> list[tuple[bool, bool, int]]:
    """What each event of a session told of its stream, in the order they were told."""
    await house.settle()
    events = [envelope.event for envelope in house.bus.published]
    return [
        (event.session.stream.wanted, event.session.stream.record, event.session.stream.attempt)
        for event in events
        if isinstance(event, SessionEvent)
    ]


async def test_starting_wants_no_stream(house: House, host: Host) -> None:
    session = await host.session()
    await host.start(session)
    assert await wishes(house) == [(False, False, 0), (False, False, 0)]


@pytest.mark.parametrize("record", [True, False])
async def test_going_live_wants_one_with_the_very_start(house: House, host: Host, record: bool) -> None:
    preset = await host.preset(recording_enabled=record)
    session = await host.session(preset=preset.id)
    answer = await house.live.go_live(session.id, host.caller, None)
    assert answer.session.status == "live"
    assert answer.session.hls_url is None
    again = await house.live.go_live(session.id, host.caller, None)
    assert again.session == answer.session
    assert await wishes(house) == [(False, False, 0), (True, record, 1)]


async def test_going_live_after_a_start_adds_the_stream(house: House, host: Host) -> None:
    session = await host.live_session()
    await house.live.go_live(session.id, host.caller, None)
    assert (await wishes(house))[-1] == (True, False, 1)


async def test_going_live_after_webcam_hls_adds_the_recording_alone(house: House, host: Host) -> None:
    preset = await host.preset(recording_enabled=True)
    session = await host.session(preset=preset.id)
    await host.start(session)
    await house.live.start_webcam_hls(session.id, host.caller, None)
    for _ in range(2):
        await house.live.go_live(session.id, host.caller, None)
    assert (await wishes(house))[-2:] == [(True, False, 1), (True, True, 2)]


async def test_hls_for_a_webcam_that_is_live(house: House, host: Host) -> None:
    session = await host.session()
    with pytest.raises(Conflict) as refusal:
        await house.live.start_webcam_hls(session.id, host.caller, None)
    assert refusal.value.code == "session_not_live"
    await host.start(session)
    for _ in range(3):
        await house.live.start_webcam_hls(session.id, host.caller, None)
    assert (await house.sessions.get(session.id)).stream.attempt == 1


async def test_no_webcam_hls_for_another_mode(house: House, host: Host) -> None:
    session = await host.session(mode=SessionMode.RTMP)
    await host.start(session)
    with pytest.raises(Conflict) as refusal:
        await house.live.start_webcam_hls(session.id, host.caller, None)
    assert refusal.value.code == "session_not_webcam"


async def test_a_stream_that_runs_is_not_asked_for_again(house: House, host: Host) -> None:
    session = await host.live_session()

    async def ensure() -> int:
        await house.live.ensure_stream(session.id, host.caller, None)
        return (await house.sessions.get(session.id)).stream.attempt

    async def be(version: int, status: StreamStatus) -> None:
        await house.sessions.follow_stream(changed(house, session.id, version, status, None).stream)

    assert await ensure() == 1
    await be(2, StreamStatus.STARTING)
    assert await ensure() == 1
    await be(3, StreamStatus.ACTIVE)
    assert await ensure() == 1
    await be(4, StreamStatus.FAILED)
    assert await ensure() == 2
    await host.end(session)
    with pytest.raises(Conflict):
        await ensure()


async def test_the_url_is_shown_once_there_is_something_to_play(house: House, host: Host) -> None:
    session = await host.live_session()
    path = f"/hls/{session.id}/live.m3u8"
    await house.sessions.follow_stream(changed(house, session.id, 3, StreamStatus.ACTIVE, path).stream)
    await house.sessions.follow_stream(changed(house, session.id, 2, StreamStatus.STARTING, None).stream)
    shown = await house.session_service.get(session.id, None, host.caller)
    assert shown.hls_url == f"https://live.example{path}"


async def test_where_the_library_is_not_public_the_url_has_a_token(house: House, host: Host) -> None:
    session = await host.live_session()
    await house.sessions.follow_library(session.library_id, listed=False, registered_only=False)
    path = f"/hls/{session.id}/live.m3u8"
    await house.sessions.follow_stream(changed(house, session.id, 3, StreamStatus.ACTIVE, path).stream)
    url = (await house.session_service.get(session.id, None, host.caller)).hls_url
    assert url is not None
    token, rest = url.removeprefix("https://live.example/hls/").split("/", 1)
    assert rest == f"{session.id}/live.m3u8"
    signer = PathSigner("a secret of tests", PURPOSE, house.clock)
    signer.verify(token, session.id)
    house.clock.advance(seconds=timedelta(hours=26).total_seconds())
    with pytest.raises(Forbidden, match="expired"):
        signer.verify(token, session.id)
