"""What of a session is shown to whom: counts where the preset hides them, the stream's address."""

import dataclasses

import pytest

from services.session.sessions.schemas import SessionResponse
from shared.access.identity import Caller
from shared.contracts.states import Role, StreamState, StreamStatus
from shared.ids import new_id
from tests.unit.session.actors import Host, ban, grant_role, registered
from tests.unit.session.backend import Backend


async def shown(backend: Backend, id: str, viewer: Caller | None) -> SessionResponse:
    return await backend.session_service.get(id, None, viewer)


@pytest.mark.parametrize("visible", [True, False])
async def test_counts_are_hidden_from_the_audience_where_the_preset_says_so(
    backend: Backend, host: Host, visible: bool
) -> None:
    session = await host.live_session(preset=(await host.preset(viewer_count_visible=visible)).id)
    await backend.sessions.count_viewers(session.id, 1, 7, 9)
    vera, mia = await registered(backend), await registered(backend)
    await grant_role(backend, host, session, mia, Role.MODERATOR)
    key = dataclasses.replace(host.caller, user_id=new_id(), api_key_id=new_id())
    for viewer in (host.caller, mia, key):
        answer = await shown(backend, session.id, viewer)
        assert (answer.viewer_count, answer.max_viewers) == (7, 9)
    for stranger in (None, vera):
        answer = await shown(backend, session.id, stranger)
        assert (answer.viewer_count, answer.max_viewers) == ((7, 9) if visible else (0, 0))


async def test_who_is_banned_is_not_told_where_the_stream_is(backend: Backend, host: Host) -> None:
    session, vera = await host.live_session(), await registered(backend)
    stream = StreamState(
        session_id=session.id,
        version=1,
        status=StreamStatus.ACTIVE,
        hls_path=f"/hls/{session.id}/live.m3u8",
        error=None,
        updated_at=backend.clock.now(),
    )
    await backend.sessions.follow_stream(stream)
    assert (await shown(backend, session.id, vera)).hls_url is not None
    await ban(backend, host, session, vera)
    assert (await shown(backend, session.id, vera)).hls_url is None
    assert (await shown(backend, session.id, None)).hls_url is not None
