"""HLS over HTTP: what is served to whom, and how it may be kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from services.egress.streams import routes as stream_routes
from services.egress.streams.removal import StreamRemoval
from shared.contracts.people_and_catalog_events import LibraryUpdated, RoomUpdated
from shared.contracts.session_events import SessionDeleted, SessionUpdated
from shared.contracts.states import LibraryState, RoomState, SessionState, Visibility
from shared.egress.engine import EgressStatus
from shared.files.paths import PathSigner, link_subject
from shared.files.stream_links import HLS_LINKS
from shared.http import service_app
from shared.ids import new_id
from shared.runtime.health import HEALTH
from shared.runtime.rotating_secret import RotatingSecret
from shared.runtime.settings import ServiceSettings
from tests.unit.egress.streams.fixture import SIGNING, Replica

Http = TestClient[web.Request, web.Application]


@pytest.fixture
async def replica() -> Replica:
    replica = Replica()
    await replica.ensure_indexes()
    return replica


@pytest.fixture
async def http(replica: Replica) -> AsyncIterator[Http]:
    app = service_app(
        "egress", ServiceSettings(), [stream_routes.routes, stream_routes.hls_routes], replica.clock
    )
    replica.parts.install(app)
    app[HEALTH].started = True
    async with TestClient(TestServer(app)) as client:
        yield client


async def streaming(replica: Replica, segments: int = 3, **given: object) -> tuple[SessionState, str]:
    """A live session with so many segments, and the key of its egress."""
    session = await replica.go_live(**given)  # type: ignore[arg-type]
    await replica.work()
    await replica.active()
    [egress] = await replica.planned(session)
    for n in range(segments):
        await replica.segment(session, egress.id, n)
        replica.clock.advance(seconds=2)
    await replica.work(1)
    return session, egress.id


async def entries(answer: ClientResponse) -> list[str]:
    return [line for line in (await answer.text()).splitlines() if not line.startswith("#")]


async def test_it_can_be_played_as_soon_as_there_is_a_segment(replica: Replica) -> None:
    session, key = await streaming(replica, segments=0)
    assert (await replica.stream(session)).hls_path is None
    await replica.segment(session, key, 0)
    await replica.work(1)
    assert (await replica.stream(session)).hls_path == f"/hls/{session.id}/live.m3u8"
    paths = [event.stream.hls_path for event in await replica.stream_events()]
    assert paths == [None, None, f"/hls/{session.id}/live.m3u8"]


async def test_the_live_playlist_is_a_window(replica: Replica, http: Http) -> None:
    session, key = await streaming(replica, segments=9)
    answer = await http.get(f"/hls/{session.id}/live.m3u8")
    assert answer.status == 200
    assert answer.content_type == "application/vnd.apple.mpegurl"
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "#EXT-X-MEDIA-SEQUENCE:3\n" in await answer.text()
    assert await entries(answer) == [f"{key}/1/{n:06d}.ts" for n in range(3, 9)]


async def test_nobody_keeps_that_there_is_nothing_yet(http: Http) -> None:
    """A cache that kept it would hide the stream when it begins."""
    for path in (f"/hls/{new_id()}/live.m3u8", "/hls/nonsense"):
        answer = await http.get(path)
        assert (answer.status, answer.headers["Cache-Control"]) == (404, "no-store")


async def test_the_full_playlist_has_them_all(replica: Replica, http: Http) -> None:
    session, _ = await streaming(replica, segments=9)
    answer = await http.get(f"/hls/{session.id}/index.m3u8")
    assert len(await entries(answer)) == 9
    assert "#EXT-X-PLAYLIST-TYPE:EVENT\n" in await answer.text()


async def test_parts_follow_each_other_with_a_break(replica: Replica, http: Http) -> None:
    session, first = await streaming(replica, segments=4)
    await replica.ended()
    await replica.again(session)
    await replica.work()
    second = (await replica.planned(session))[1].id
    for n in range(3):
        await replica.segment(session, second, n)
    text = await (await http.get(f"/hls/{session.id}/live.m3u8")).text()
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        *(f"{first}/1/{n:06d}.ts" for n in (1, 2, 3)),
        *(f"{second}/1/{n:06d}.ts" for n in (0, 1, 2)),
    ]
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert "#EXT-X-MEDIA-SEQUENCE:1\n" in text
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:0\n" in text


async def test_breaks_that_left_the_window_are_counted(replica: Replica, http: Http) -> None:
    session, key = await streaming(replica, segments=2)
    for n in range(8):
        await replica.segment(session, key, n, epoch=2)
    text = await (await http.get(f"/hls/{session.id}/live.m3u8")).text()
    assert "#EXT-X-MEDIA-SEQUENCE:4\n" in text
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in text
    assert "#EXT-X-DISCONTINUITY\n" not in text


async def test_an_ended_stream_is_there_to_be_played_again(replica: Replica, http: Http) -> None:
    session, _ = await streaming(replica)
    await replica.end(session)
    await replica.work()
    await replica.ended()
    assert (await replica.stream(session)).hls_path == f"/hls/{session.id}/index.m3u8"
    text = await (await http.get(f"/hls/{session.id}/index.m3u8")).text()
    assert text.endswith("#EXT-X-ENDLIST\n")


async def test_the_stream_of_a_deleted_session_goes_with_it(replica: Replica, http: Http) -> None:
    session, key = await streaming(replica)
    other, _ = await streaming(replica)
    await replica.end(session)
    await replica.work()
    removal = StreamRemoval(
        replica.streams, replica.segments, replica.parts.egresses, replica.storage, replica.clock
    )
    assert await removal.remove_due() == 0
    await replica.follow(SessionDeleted(session=replica.owner.sessions[session.id]))
    assert await removal.remove_due() == 0, "what still runs still writes"
    await replica.ended()
    assert await removal.remove_due() == 1
    assert [one.key async for one in replica.storage.list(f"hls/{session.id}")] == []
    assert await replica.segments.of(key) == []
    assert len([one async for one in replica.storage.list(f"hls/{other.id}")]) == 3
    assert (await http.get(f"/hls/{session.id}/index.m3u8")).status == 404
    told = [event.stream.hls_path for event in await replica.stream_events() if event.key == session.id]
    assert told[-1] is None


async def test_old_streams_go_where_the_settings_say_so() -> None:
    replica = Replica(streams_kept_days=7)
    session, _ = await streaming(replica)
    await replica.end(session)
    await replica.work()
    await replica.ended()
    removal = StreamRemoval(
        replica.streams, replica.segments, replica.parts.egresses, replica.storage, replica.clock
    )
    replica.clock.advance(days=6)
    assert await removal.remove_due() == 0
    replica.clock.advance(days=2)
    assert await removal.remove_due() == 1


async def test_segments_are_kept_for_good_and_come_in_ranges(replica: Replica, http: Http) -> None:
    session, key = await streaming(replica)
    path = f"/hls/{session.id}/{key}/1/000001.ts"
    whole = await http.get(path)
    assert (whole.status, await whole.read()) == (200, b"segment 1/1")
    assert whole.content_type == "video/mp2t"
    assert whole.headers["Cache-Control"] == "public, max-age=31536000, s-maxage=60, immutable"
    part = await http.get(path, headers={"Range": "bytes=2-4"})
    assert (part.status, await part.read(), part.headers["Content-Range"]) == (206, b"gme", "bytes 2-4/11")
    assert (await http.get(path, headers={"Range": "bytes=99-"})).status == 416
    assert (await http.get(path, headers={"If-None-Match": whole.headers["ETag"]})).status == 304


async def test_nothing_else_is_served(replica: Replica, http: Http) -> None:
    session, key = await streaming(replica)
    other, other_key = await streaming(replica)
    await replica.storage.put(f"recordings/{session.id}/{key}.mp4", b"secret")
    await replica.storage.put(f"hls-private/{session.id}/{key}/1/000000.ts", b"secret")
    for path in [
        f"{session.id}/{other_key}/1/000000.ts",
        f"{session.id}/{key}/1/000099.ts",
        f"{session.id}/{key}/1/000000.txt",
        f"{session.id}/{key}",
        f"{session.id}/",
        f"{session.id}",
        f"{session.id}/../../recordings/{session.id}/{key}.mp4",
        f"{session.id}/%2e%2e/%2e%2e/recordings/{session.id}/{key}.mp4",
        f"{session.id}/{key}/..%2f..%2f..%2frecordings%2f{session.id}%2f{key}.mp4",
        f"{session.id}/{key}/1/000000.ts%00.ts",
        f"{session.id}/{key}/1/000000%0a.ts",
        f"{new_id()}/live.m3u8",
        f"{other.id}/{key}/1/000000.ts",
        "live.m3u8",
    ]:
        answer = await http.get(f"/hls/{path}", allow_redirects=False)
        assert answer.status in {404, 405}, path
        assert b"secret" not in await answer.read()


async def test_what_is_for_registered_people_needs_a_link_of_theirs(replica: Replica, http: Http) -> None:
    session, key = await streaming(replica)
    signer = PathSigner(SIGNING, HLS_LINKS, replica.clock)
    soon = replica.clock.now() + timedelta(hours=1)
    before = signer.sign(session.id, soon)
    theirs = signer.sign(link_subject(session.id, registered_only=True), soon)
    newer = {"version": session.version + 1, "registered_only": True}
    await replica.follow(SessionUpdated(session=session.model_copy(update=newer)))
    for rest in ["live.m3u8", f"{key}/1/000000.ts"]:
        statuses = [
            (await http.get(f"/hls/{start}{session.id}/{rest}")).status
            for start in ("", f"{before}/", f"{theirs}/")
        ]
        assert statuses == [403, 403, 200]


async def test_whom_a_stream_of_an_earlier_release_is_for_is_asked(replica: Replica, http: Http) -> None:
    session, _ = await streaming(replica, registered_only=True)
    await replica.streams.collection.update_many({}, {"$unset": {"registered_only": ""}})
    await replica.reconciler.sessions.collection.update_many({}, {"$unset": {"state.registered_only": ""}})
    signer = PathSigner(SIGNING, HLS_LINKS, replica.clock)
    theirs = signer.sign(
        link_subject(session.id, registered_only=True), replica.clock.now() + timedelta(hours=1)
    )
    replica.owner.away = True
    assert (await http.get(f"/hls/{session.id}/live.m3u8")).status == 503
    replica.owner.away, replica.owner.sessions[session.id] = False, session
    statuses = [
        (await http.get(f"/hls/{start}{session.id}/live.m3u8")).status for start in ("", f"{theirs}/")
    ]
    assert statuses == [403, 200]


async def test_whom_a_stream_is_for_is_asked_if_the_session_service_is_of_an_earlier_release(
    replica: Replica, http: Http
) -> None:
    session, _ = await streaming(replica, registered_only=True)
    now = session.model_copy(update={"version": session.version + 1})
    reported = SessionState.model_validate(now.model_dump(mode="json", exclude={"registered_only"}))
    await replica.follow(SessionUpdated(session=reported))
    replica.owner.away = True
    assert (await http.get(f"/hls/{session.id}/live.m3u8")).status == 503
    replica.owner.away, replica.owner.sessions[session.id] = False, now
    assert (await http.get(f"/hls/{session.id}/live.m3u8")).status == 403


async def test_a_stream_that_is_not_public_needs_a_token_in_the_path(replica: Replica, http: Http) -> None:
    session, key = await streaming(replica)
    library = LibraryState(
        id=session.library_id,
        version=2,
        organization_id=session.organization_id,
        name="L",
        visibility=Visibility.UNLISTED,
        is_default=False,
    )
    await replica.parts.streams.follow_library(LibraryUpdated(library=library))
    signer = PathSigner(SIGNING, HLS_LINKS, replica.clock)
    soon = replica.clock.now() + timedelta(hours=1)
    good = signer.sign(session.id, soon)
    for rest in ["live.m3u8", "index.m3u8", f"{key}/1/000000.ts"]:
        assert (await http.get(f"/hls/{session.id}/{rest}")).status == 403
        assert (await http.get(f"/hls/{good}/{session.id}/{rest}")).status == 200
    bad = {
        "foreign": signer.sign(new_id(), soon),
        "expired": signer.sign(session.id, replica.clock.now() - timedelta(seconds=1)),
        "of another purpose": PathSigner(SIGNING, "recordings", replica.clock).sign(session.id, soon),
        "of another secret": PathSigner(RotatingSecret("another secret"), HLS_LINKS, replica.clock).sign(
            session.id, soon
        ),
        "lengthened": f"{int(good.split('.')[0], 16) + 99:x}.{good.split('.')[1]}",
    }
    answers = {
        what: (await http.get(f"/hls/{token}/{session.id}/live.m3u8")).status for what, token in bad.items()
    }
    assert answers == dict.fromkeys(bad, 403)
    assert (await http.get(f"/hls/{good[:-1]}/{session.id}/live.m3u8")).status == 404


async def test_the_stream_of_an_unlisted_room_needs_a_token_whatever_its_library_is(
    replica: Replica,
) -> None:
    session, _ = await streaming(replica)
    await replica.end(session)

    async def open_after(event: LibraryUpdated | RoomUpdated) -> bool:
        if isinstance(event, LibraryUpdated):
            await replica.parts.streams.follow_library(event)
        else:
            await replica.parts.streams.follow_room(event)
        return (await replica.stream(session)).open_to_all

    library = LibraryState(
        id=session.library_id,
        version=2,
        organization_id=session.organization_id,
        name="L",
        visibility=Visibility.PUBLIC,
        is_default=False,
    )
    room = RoomState(
        id=session.room_id,
        version=3,
        organization_id=session.organization_id,
        library_id=session.library_id,
        host_id=session.host_id,
        title="R",
        description=None,
        unlisted=True,
        listed=False,
        created_at=session.created_at,
        updated_at=session.created_at,
    )
    listed = {"unlisted": False, "listed": True}
    assert await open_after(LibraryUpdated(library=library))
    assert not await open_after(RoomUpdated(room=room))
    assert not await open_after(LibraryUpdated(library=library))
    assert not await open_after(RoomUpdated(room=room.model_copy(update={"version": 2, **listed})))
    assert await open_after(RoomUpdated(room=room.model_copy(update={"version": 4, **listed})))


async def test_a_live_stream_of_an_unlisted_room_stays_closed_when_its_library_is_edited(
    replica: Replica, http: Http
) -> None:
    session, _ = await streaming(replica)
    hidden = {"version": session.version + 1, "listed": False, "unlisted": True}
    await replica.follow(SessionUpdated(session=session.model_copy(update=hidden)))
    library = LibraryState(
        id=session.library_id,
        version=2,
        organization_id=session.organization_id,
        name="Renamed",
        visibility=Visibility.PUBLIC,
        is_default=False,
    )
    await replica.parts.streams.follow_library(LibraryUpdated(library=library))
    assert (await http.get(f"/hls/{session.id}/live.m3u8")).status == 403


@asynccontextmanager
async def served(replica: Replica) -> AsyncIterator[Http]:
    """A replica that has served nothing yet."""
    app = service_app("egress", ServiceSettings(), [stream_routes.hls_routes], replica.clock)
    Replica(replica, keeps_records=False).parts.install(app)
    app[HEALTH].started = True
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_livekits_own_playlists_are_served_as_one() -> None:
    replica = Replica(keeps_records=False)
    session, key = await streaming(replica, segments=0)
    folder = f"hls/{session.id}"
    assert (await replica.stream(session)).hls_path is None
    text = b"#EXTM3U\n#EXTINF:2.0,\nsegment_00000.ts\n"
    await replica.storage.put(f"{folder}/{key}/live.m3u8", text)
    await replica.work(1)
    assert (await replica.stream(session)).hls_path == f"/hls/{session.id}/live.m3u8"
    async with served(replica) as http:
        assert await entries(await http.get(f"/{folder}/live.m3u8")) == [f"{key}/segment_00000.ts"]
        assert (await http.get(f"/{folder}/index.m3u8")).status == 404
    await replica.storage.put(f"{folder}/{key}/index.m3u8", text + b"#EXT-X-ENDLIST\n")
    await replica.ended(status=EgressStatus.FAILED, error="Chrome crashed")
    await replica.again(session)
    await replica.work()
    current = (await replica.stream(session)).parts[-1].key
    files = [f"{key}/segment_00000.ts", f"{current}/segment_00000.ts"]
    async with served(replica) as http:
        assert await entries(await http.get(f"/{folder}/live.m3u8")) == files[:1]
    for name in ("live.m3u8", "index.m3u8"):
        await replica.storage.put(f"{folder}/{current}/{name}", text)
    async with served(replica) as http:
        assert await entries(await http.get(f"/{folder}/live.m3u8")) == files
        assert await entries(await http.get(f"/{folder}/index.m3u8")) == files


async def test_the_latest_picture_is_for_whoever_may_play_a_live_stream(replica: Replica, http: Http) -> None:
    session, key = await streaming(replica)
    url = f"/sessions/{session.id}/preview.jpg"
    assert (await http.get(url)).status == 404
    await replica.storage.put(f"hls/{session.id}/{key}/preview.jpeg", b"\xff\xd8 a picture")
    answer = await http.get(url)
    assert (answer.status, answer.content_type, await answer.read()) == (
        200,
        "image/jpeg",
        b"\xff\xd8 a picture",
    )
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert (await http.get(f"/sessions/{new_id()}/preview.jpg")).status == 404
    assert (await http.get(url, params={"token": "wrong"})).status == 403


async def test_a_picture_behind_a_closed_library_needs_its_token(replica: Replica, http: Http) -> None:
    session, key = await streaming(replica)
    await replica.streams.collection.update({"_id": session.id}, {"$set": {"listed": False}})
    await replica.storage.put(f"hls/{session.id}/{key}/preview.jpeg", b"picture")
    url, signer = (
        f"/sessions/{session.id}/preview.jpg",
        PathSigner(SIGNING, HLS_LINKS, replica.clock),
    )
    until = replica.clock.now() + timedelta(minutes=1)
    assert (await http.get(url)).status == 403
    assert (await http.get(url, params={"token": signer.sign(new_id(), until)})).status == 403
    assert (await http.get(url, params={"token": signer.sign(session.id, until)})).status == 200


async def test_the_picture_goes_with_the_stream(replica: Replica, http: Http) -> None:
    session, key = await streaming(replica)
    picture = f"hls/{session.id}/{key}/preview.jpeg"
    await replica.storage.put(picture, b"picture")
    await replica.end(session)
    await replica.work()
    assert (await http.get(f"/sessions/{session.id}/preview.jpg")).status == 404
    await replica.ended()
    await replica.follow(SessionDeleted(session=replica.owner.sessions[session.id]))
    await replica.work()
    await replica.parts.removal.remove_due()
    assert await replica.storage.head(picture) is None
