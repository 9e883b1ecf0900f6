"""What of a session is shown to whom: counts where the preset hides them, the stream's address."""

import dataclasses

import pytest

from services.session.sessions.schemas import SessionResponse
from shared.access.identity import Caller
from shared.contracts.states import Role, StreamState, StreamStatus
from shared.ids import new_id
from tests.unit.session.hosting import Host, appoint, ban, registered
from tests.unit.session.house import House


async def shown(house: House, id: str, viewer: Caller | None) -> SessionResponse:  # noqa: A002
    return await house.session_service.get(id, None, viewer)


@pytest.mark.parametrize("visible", [True, False])
async def test_counts_are_hidden_from_the_audience_where_the_preset_says_so(
    house: House, host: Host, visible: bool
) -> None:
    session = await host.live_session(preset=(await host.preset(viewer_count_visible=visible)).id)
    await house.sessions.count_viewers(session.id, 1, 7, 9)
    vera, mia = await registered(house), await registered(house)
    await appoint(house, host, session, mia, Role.MODERATOR)
    key = dataclasses.replace(host.caller, user_id=new_id(), api_key_id=new_id())
    for viewer in (host.caller, mia, key):
        answer = await shown(house, session.id, viewer)
        assert (answer.viewer_count, answer.max_viewers) == (7, 9)
    for stranger in (None, vera):
        answer = await shown(house, session.id, stranger)
        assert (answer.viewer_count, answer.max_viewers) == ((7, 9) if visible else (0, 0))


async def test_who_is_banned_is_not_told_where_the_stream_is(house: House, host: Host) -> None:
    session, vera = await host.live_session(), await registered(house)
    stream = StreamState(
        session_id=session.id,
        version=1,
        status=StreamStatus.ACTIVE,
        hls_path=f"/hls/{session.id}/live.m3u8",
        error=None,
        updated_at=house.clock.now(),
    )
    await house.sessions.follow_stream(stream)
    assert (await shown(house, session.id, vera)).hls_url is not None
    await ban(house, host, session, vera)
    assert (await shown(house, session.id, vera)).hls_url is None
    assert (await shown(house, session.id, None)).hls_url is not None
