"""What sessions want of their streams, and what is shown of them."""

from datetime import timedelta

import pytest

from shared.contracts.session_events import SessionEvent
from shared.contracts.states import SessionMode, StreamState, StreamStatus
from shared.contracts.stream_and_recording_events import StreamChanged
from shared.errors import Conflict, Forbidden
from shared.files.paths import PathSigner
from shared.files.stream_links import HLS_LINKS
from shared.runtime.rotating_secret import RotatingSecret
from tests.unit.session.actors import Host
from tests.unit.session.backend import Backend


def changed(
    backend: Backend, session_id: str, version: int, status: StreamStatus, path: str | None
) -> StreamChanged:
    return StreamChanged(
        stream=StreamState(
            session_id=session_id,
            version=version,
            status=status,
            hls_path=path,
            error=None,
            updated_at=backend.clock.now(),
        )
    )


async def stream_requests(backend: Backend) -> list[tuple[bool, bool, int]]:
    """What each event of a session told of its stream, in the order they were told."""
    await backend.settle()
    events = [envelope.event for envelope in backend.bus.published]
    return [
        (event.session.stream.wanted, event.session.stream.record, event.session.stream.attempt)
        for event in events
        if isinstance(event, SessionEvent)
    ]


async def test_starting_wants_no_stream(backend: Backend, host: Host) -> None:
    session = await host.session()
    await host.start(session)
    assert await stream_requests(backend) == [(False, False, 0), (False, False, 0)]


@pytest.mark.parametrize("record", [True, False])
async def test_going_live_wants_one_with_the_very_start(backend: Backend, host: Host, record: bool) -> None:
    preset = await host.preset(recording_enabled=record)
    session = await host.session(preset=preset.id)
    answer = await host.go_live(session)
    assert answer.session.status == "live"
    assert answer.session.hls_url is None
    again = await host.go_live(session)
    assert again.session == answer.session
    assert await stream_requests(backend) == [(False, False, 0), (True, record, 1)]


async def test_going_live_after_a_start_adds_the_stream(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await backend.live.go_live(session.id, host.caller, None)
    assert (await stream_requests(backend))[-1] == (True, False, 1)


async def test_going_live_after_webcam_hls_adds_the_recording_alone(backend: Backend, host: Host) -> None:
    preset = await host.preset(recording_enabled=True)
    session = await host.session(preset=preset.id)
    await host.start(session)
    await backend.live.start_webcam_hls(session.id, host.caller, None)
    for _ in range(2):
        await backend.live.go_live(session.id, host.caller, None)
    assert (await stream_requests(backend))[-2:] == [(True, False, 1), (True, True, 2)]


async def test_hls_for_a_webcam_that_is_live(backend: Backend, host: Host) -> None:
    session = await host.session()
    with pytest.raises(Conflict) as refusal:
        await backend.live.start_webcam_hls(session.id, host.caller, None)
    assert refusal.value.code == "session_not_live"
    await host.start(session)
    for _ in range(3):
        await backend.live.start_webcam_hls(session.id, host.caller, None)
    assert (await backend.sessions.get(session.id)).stream.attempt == 1


async def test_no_webcam_hls_for_another_mode(backend: Backend, host: Host) -> None:
    session = await host.session(mode=SessionMode.RTMP)
    await host.start(session)
    with pytest.raises(Conflict) as refusal:
        await backend.live.start_webcam_hls(session.id, host.caller, None)
    assert refusal.value.code == "session_not_webcam"


async def test_a_stream_that_runs_is_not_asked_for_again(backend: Backend, host: Host) -> None:
    session = await host.live_session()

    async def ensure() -> int:
        await backend.live.restart_stream(session.id, host.caller, None)
        return (await backend.sessions.get(session.id)).stream.attempt

    async def be(version: int, status: StreamStatus) -> None:
        await backend.sessions.follow_stream(changed(backend, session.id, version, status, None).stream)

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


async def test_a_stream_is_stopped_and_asked_for_again_while_the_session_goes_on(
    backend: Backend, host: Host
) -> None:
    preset = await host.preset(recording_enabled=True)
    session = await host.session(preset=preset.id)
    with pytest.raises(Conflict):
        await backend.live.stop_stream(session.id, host.caller, None)
    await host.go_live(session)
    for _ in range(2):
        await backend.live.stop_stream(session.id, host.caller, None)
    await backend.live.start_webcam_hls(session.id, host.caller, None)
    assert (await stream_requests(backend))[-3:] == [(True, True, 1), (False, False, 1), (True, False, 2)]
    assert (await backend.sessions.get(session.id)).is_live


async def test_the_url_is_shown_once_there_is_something_to_play(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    path = f"/hls/{session.id}/live.m3u8"
    await backend.sessions.follow_stream(changed(backend, session.id, 3, StreamStatus.ACTIVE, path).stream)
    await backend.sessions.follow_stream(changed(backend, session.id, 2, StreamStatus.STARTING, None).stream)
    shown = await backend.session_service.get(session.id, None, host.caller)
    assert shown.hls_url == f"https://live.example{path}"


async def test_a_preview_is_shown_while_the_stream_is_live(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    path, url = f"/hls/{session.id}/live.m3u8", f"https://live.example/sessions/{session.id}/preview.jpg"

    async def shown(version: int, status: StreamStatus, hls_path: str | None) -> str | None:
        await backend.sessions.follow_stream(changed(backend, session.id, version, status, hls_path).stream)
        return (await backend.session_service.get(session.id, None, None)).preview_url

    assert await shown(1, StreamStatus.ACTIVE, None) is None
    assert await shown(2, StreamStatus.ACTIVE, path) == url
    await backend.sessions.follow_library(session.library_id, listed=False, registered_only=False)
    signed = await shown(3, StreamStatus.ACTIVE, path)
    assert signed is not None
    token = signed.removeprefix(f"{url}?token=")
    PathSigner(RotatingSecret("a secret of tests"), HLS_LINKS, backend.clock).verify(token, session.id)
    await backend.sessions.follow_library(session.library_id, listed=False, registered_only=True)
    assert await shown(4, StreamStatus.ACTIVE, path) is None
    await backend.sessions.follow_library(session.library_id, listed=True, registered_only=False)
    for version, status in enumerate((StreamStatus.ENDING, StreamStatus.ENDED, StreamStatus.FAILED), 5):
        assert await shown(version, status, path) is None


async def test_where_the_library_is_not_public_the_url_has_a_token(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await backend.sessions.follow_library(session.library_id, listed=False, registered_only=False)
    path = f"/hls/{session.id}/live.m3u8"
    await backend.sessions.follow_stream(changed(backend, session.id, 3, StreamStatus.ACTIVE, path).stream)
    url = (await backend.session_service.get(session.id, None, host.caller)).hls_url
    assert url is not None
    token, rest = url.removeprefix("https://live.example/hls/").split("/", 1)
    assert rest == f"{session.id}/live.m3u8"
    signer = PathSigner(RotatingSecret("a secret of tests"), HLS_LINKS, backend.clock)
    signer.verify(token, session.id)
    backend.clock.advance(seconds=timedelta(hours=26).total_seconds())
    with pytest.raises(Forbidden, match="expired"):
        signer.verify(token, session.id)
