"""The streams and recordings of a host: filtered, page by page, and who may see them."""

from datetime import timedelta

import pytest

from services.egress.recordings.schemas import MyRecordingsQuery, MyRecordingsResponse, my_recordings
from services.egress.streams.directory_schemas import StreamsQuery, stream_list, stream_response
from services.egress.streams.repository import StreamFilter
from shared.access.identity import Caller
from shared.contracts.states import RecordingStatus, SessionState, UserRole
from shared.errors import Forbidden, NotFound
from shared.files.paths import PathSigner
from shared.ids import new_id
from tests.unit.egress.streams.fixture import SIGNING, Replica, host_of

ALL = StreamFilter()


@pytest.fixture
async def replica() -> Replica:
    replica = Replica()
    await replica.ensure_indexes()
    return replica


async def recorded(replica: Replica, session: SessionState, number: int) -> str:
    """The id of a recording that is completed."""
    made = await replica.record(session)
    await replica.work()
    await replica.active(f"EG_{number:04d}")
    replica.clock.advance(seconds=12)
    await replica.parts.recordings.stop(session.id, host_of(session))
    await replica.complete(f"EG_{number:04d}")
    return made.id


async def listed(replica: Replica, caller: Caller, **given: object) -> MyRecordingsResponse:
    query = MyRecordingsQuery.model_validate(given)
    found, total = await replica.parts.recordings.list_mine(
        caller, query.filter(), skip=query.skip, limit=query.limit + 1
    )
    return my_recordings(found, total, query, replica.parts.files)


async def test_recordings_are_filtered_and_paged(replica: Replica) -> None:
    first = await replica.go_live(stream=False)
    second = await replica.go_live(stream=False, organization_id=first.organization_id, room_id=first.room_id)
    ids = [await recorded(replica, one, n) for n, one in enumerate([first, second, second])]
    running = (await replica.record(first)).id
    host = host_of(first)

    async def found(**wanted: object) -> list[str]:
        return [one.id for one in (await listed(replica, host, **wanted)).recordings]

    assert await found() == [running, *reversed(ids)]
    assert await found(session_id=second.id) == [ids[2], ids[1]]
    assert await found(room_id=first.room_id.upper()) == [running, *reversed(ids)]
    assert await found(room_id=new_id()) == []
    assert await found(status=["recording"]) == [running]
    assert await found(status=["completed", "failed"], session_id=first.id) == [ids[0]]
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(2):
        page = await listed(replica, host, limit=2, cursor=cursor)
        seen += [one.id for one in page.recordings]
        cursor = page.next_cursor
    assert (seen, cursor) == ([running, *reversed(ids)], None)


async def test_recordings_say_where_and_when_and_link_as_long_as_asked(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    id = await recorded(replica, session, 0)
    await replica.record(session)
    running, done = (await listed(replica, host_of(session), link_seconds=60)).recordings
    assert (done.id, done.room_id, running.download_url) == (id, session.room_id, None)
    assert done.started_at is not None
    assert done.finished_at is not None
    assert done.finished_at - done.started_at == timedelta(seconds=12)
    assert running.finished_at is None
    assert done.download_url is not None
    token = done.download_url.removeprefix(f"https://live.example/recordings/{id}/file?token=")
    signer = PathSigner(SIGNING, "recordings", replica.clock)
    signer.verify(token, id)
    replica.clock.advance(seconds=60)
    with pytest.raises(Forbidden, match="expired"):
        signer.verify(token, id)
    assert all(one.download_url is None for one in (await listed(replica, host_of(session))).recordings)


async def test_recordings_of_an_earlier_release_are_listed(replica: Replica) -> None:
    session = await replica.go_live(stream=False)
    id = await recorded(replica, session, 0)
    new = {"room_id": "", "started_at": "", "finished_at": ""}
    await replica.recordings.collection.update({"_id": id}, {"$unset": new})
    [old] = (await listed(replica, host_of(session))).recordings
    assert (old.id, old.room_id, old.status) == (id, None, RecordingStatus.COMPLETED.value)


async def test_streams_are_filtered_and_paged(replica: Replica) -> None:
    sessions = [await replica.go_live() for _ in range(3)]
    await replica.work()
    await replica.active("EG_0001")
    directory, host = replica.parts.directory, host_of(sessions[0])

    async def found(**wanted: object) -> list[str]:
        query = StreamsQuery.model_validate(wanted)
        page = await directory.list_mine(host, query.filter(), cursor=query.cursor, limit=query.limit)
        return [one.id for one in page[0]]

    ids = [one.id for one in reversed(sessions)]
    assert await found() == ids
    assert await found(session_id=ids[2]) == [ids[2]]
    assert await found(session_id=ids[2], cursor=ids[2]) == []
    assert await found(room_id=sessions[0].room_id) == [ids[2]]
    assert await found(status=["active"]) == [ids[1]]
    assert await found(status=["active", "starting"]) == ids
    assert await found(cursor=ids[0]) == ids[1:]
    page = stream_list(*await directory.list_mine(host, ALL, cursor=None, limit=2), directory)
    assert ([one.session_id for one in page.streams], page.next_cursor) == (ids[:2], ids[1])


async def test_a_stream_says_where_and_when_and_where_it_plays(replica: Replica) -> None:
    session = await replica.go_live()
    await replica.work()
    await replica.active()
    [egress] = await replica.planned(session)
    directory, host = replica.parts.directory, host_of(session)
    starting = stream_response(await directory.get(session.id, host), directory)
    assert (starting.hls_url, starting.started_at) == (None, egress.started_at)
    await replica.segment(session, egress.id, 0)
    await replica.work(1)
    playing = stream_response(await directory.get(session.id, host), directory)
    assert playing.hls_url == f"https://live.example/hls/{session.id}/live.m3u8"
    assert (playing.room_id, playing.status, playing.stopped_at) == (session.room_id, "active", None)
    await replica.streams.collection.update({"_id": session.id}, {"$set": {"listed": False}})
    private = stream_response(await directory.get(session.id, host), directory)
    assert private.hls_url is not None
    token = private.hls_url.removeprefix("https://live.example/hls/").partition("/")[0]
    PathSigner(SIGNING, "hls", replica.clock).verify(token, session.id)
    await replica.end(session)
    replica.clock.advance(seconds=3)
    await replica.ended()
    over = stream_response(await directory.get(session.id, host), directory)
    assert (over.status, over.stopped_at) == ("ended", replica.clock.now())


async def test_streams_are_their_hosts(replica: Replica) -> None:
    session, none = await replica.go_live(), await replica.go_live(stream=False)
    directory = replica.parts.directory
    colleague = host_of(session, user_id=new_id())
    outsider = host_of(session, user_id=new_id(), organization_id=new_id())
    viewer = host_of(session, user_id=new_id(), role=UserRole.VIEWER, organization_id=None)
    key = host_of(session, user_id=new_id(), api_key_id=new_id())
    assert (await directory.get(session.id, key)).id == session.id
    assert len((await directory.list_mine(key, ALL, cursor=None, limit=10))[0]) == 1
    assert (await directory.list_mine(key, ALL, own=True, cursor=None, limit=10))[0] == []
    assert await directory.list_mine(colleague, ALL, cursor=None, limit=10) == ([], None)
    with pytest.raises(Forbidden):
        await directory.get(session.id, colleague)
    with pytest.raises(NotFound):
        await directory.get(session.id, outsider)
    with pytest.raises(Forbidden):
        await directory.list_mine(viewer, ALL, cursor=None, limit=10)
    with pytest.raises(NotFound, match="stream"):
        await directory.get(none.id, host_of(none))
