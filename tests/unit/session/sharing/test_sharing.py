"""A session's addresses."""

from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest

from services.session.sessions.presenter import HlsLinks
from services.session.sharing.service import PageUrls, SharingService, embed_html
from shared.contracts.states import StreamState, StreamStatus
from shared.errors import Forbidden, NotFound, Unauthenticated
from shared.files.paths import PathSigner
from shared.files.stream_links import HLS_LINKS, StreamLinks
from shared.ids import new_id
from shared.runtime.rotating_secret import RotatingSecret
from tests.unit.session.actors import Host, ban, new_host, refused, registered, viewer
from tests.unit.session.backend import Backend

PUBLIC = "https://live.example"


@pytest.fixture
def sharing(backend: Backend) -> SharingService:
    signer = PathSigner(RotatingSecret("a secret of tests"), HLS_LINKS, backend.clock)
    links = HlsLinks(StreamLinks(PUBLIC, signer, backend.clock))
    return SharingService(backend.access, backend.sign_in, PageUrls(PUBLIC + "/"), links, backend.clock)


async def test_the_addresses_are_told_to_whoever_knows_the_session(
    sharing: SharingService, host: Host
) -> None:
    session = await host.session()
    urls = await sharing.share(session.id, viewer(), None)
    assert urls.watch_url == f"{PUBLIC}/watch/{session.id}"
    assert urls.studio_url == f"{PUBLIC}/studio/{session.id}"
    assert urls.embed_url == f"{PUBLIC}/embed/{session.id}"
    assert urls.hls_url is None
    with pytest.raises(NotFound):
        await sharing.share(session.id, viewer(), new_id())


async def test_who_is_banned_is_not_told_where_the_stream_is(
    sharing: SharingService, backend: Backend, host: Host
) -> None:
    session, vera = await host.live_session(), await registered(backend)
    path = f"/hls/{session.id}/live.m3u8"
    now, status = backend.clock.now(), StreamStatus.ACTIVE
    stream = StreamState(
        session_id=session.id, version=1, status=status, hls_path=path, error=None, updated_at=now
    )
    await backend.sessions.follow_stream(stream)
    assert (await sharing.share(session.id, vera, None)).hls_url == PUBLIC + path
    await ban(backend, host, session, vera)
    await refused("banned", Forbidden, sharing.share(session.id, vera, None))


async def test_a_studio_url_signs_the_host_in_once(
    sharing: SharingService, backend: Backend, host: Host
) -> None:
    session = await host.session()
    link = await sharing.studio(session.id, host.caller, None)
    parts = urlsplit(link.studio_url)
    assert (parts.path, parse_qs(parts.query)) == (f"/studio/{session.id}", {"code": [link.code]})
    assert link.expires_at == backend.clock.now() + timedelta(seconds=60)
    assert (await backend.sign_in.exchange_code(link.code)).user.id == host.user.id
    with pytest.raises(Unauthenticated):
        await backend.sign_in.exchange_code(link.code)


async def test_nobody_else_is_let_into_the_studio(
    sharing: SharingService, backend: Backend, host: Host
) -> None:
    session = await host.session()
    with pytest.raises(Forbidden):
        await sharing.studio(session.id, viewer(), None)
    with pytest.raises(NotFound):
        await sharing.studio(session.id, (await new_host(backend)).caller, None)


def test_the_frame_escapes_what_it_is_given() -> None:
    found: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attrs)))

    title = "\"><script>alert(1)</script> & 'friends'"
    Reader().feed(embed_html("https://live.example/embed/1?a=1&b=2", title))
    ((tag, attributes),) = found
    assert tag == "iframe"
    assert (attributes["src"], attributes["title"]) == ("https://live.example/embed/1?a=1&b=2", title)
