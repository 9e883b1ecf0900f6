"""What of a session is shown to whom: counts where the preset hides them, the stream's address."""

import dataclasses

import pytest

from services.session.sessions.domain.session import Session
from services.session.sessions.schemas import SessionResponse
from shared.access.identity import Caller
from shared.contracts.states import Role, StreamState, StreamStatus
from shared.ids import new_id
from tests.unit.session.actors import Host, ban, grant_role, person, registered
from tests.unit.session.backend import Backend
from tests.unit.session.builders import caller


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


async def streamed(backend: Backend, host: Host) -> Session:
    """A live session with a stream to play."""
    session = await host.live_session()
    stream = StreamState(
        session_id=session.id,
        version=1,
        status=StreamStatus.ACTIVE,
        hls_path=f"/hls/{session.id}/live.m3u8",
        error=None,
        updated_at=backend.clock.now(),
    )
    await backend.sessions.follow_stream(stream)
    return session


async def test_only_registered_people_are_shown_what_is_for_them_alone(backend: Backend, host: Host) -> None:
    session, guest = await streamed(backend, host), await registered(backend)
    await backend.sessions.count_viewers(session.id, 1, 7, 9)
    known = await person(backend, external_user_id="c-1")
    unlisted = await link_to(backend, session, listed=False, registered_only=False)
    closed = await link_to(backend, session, listed=True, registered_only=True)
    for stranger in (None, guest):
        answer = await shown(backend, session.id, stranger)
        assert (answer.hls_url, answer.viewer_count, answer.max_viewers) == (None, 0, 0)
        assert answer.title == session.title
    for insider in (known, host.caller):
        answer = await shown(backend, session.id, insider)
        assert (answer.hls_url, answer.viewer_count) == (closed, 7)
    # What guests were given before is no link to it any more.
    assert unlisted != closed


async def link_to(backend: Backend, session: Session, *, listed: bool, registered_only: bool) -> str:
    await backend.sessions.follow_library(session.library_id, listed=listed, registered_only=registered_only)
    host = caller(session.host_id, session.organization_id)
    url = (await shown(backend, session.id, host)).hls_url
    assert url is not None
    return url


async def test_who_is_banned_is_not_told_where_the_stream_is(backend: Backend, host: Host) -> None:
    session, vera = await streamed(backend, host), await registered(backend)
    assert (await shown(backend, session.id, vera)).hls_url is not None
    await ban(backend, host, session, vera)
    assert (await shown(backend, session.id, vera)).hls_url is None
    assert (await shown(backend, session.id, None)).hls_url is not None
