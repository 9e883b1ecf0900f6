"""A room that is recorded from its start: its picture, its recording, the file and what is left of it."""

from __future__ import annotations

from typing import Any

from tests.contract.api.room_connections import RoomConnections
from tests.integration.signalwire.project import NOT_FOUND, Project
from tests.waiting import eventually


async def _recording(project: Project) -> dict[str, Any] | None:
    listed = await project.call("list_room_recordings", lambda client: client.video.room_recordings.list())
    return next(iter(listed["data"]), None)


async def _in_progress(project: Project) -> dict[str, Any] | None:
    return next(iter(await project.sessions("recorded", "in-progress")), None)


async def test_a_room_that_records_on_start(project: Project, connections: RoomConnections) -> None:
    await project.run(lambda client: client.video.rooms.create(name="recorded", record_on_start=True))
    speaker = await connections.enter(await project.room_token(room_name="recorded"))
    await speaker.publish()
    session = await eventually(lambda: _in_progress(project), lambda found: found and found["preview_url"])
    assert session is not None
    async with project.http.get(session["preview_url"]) as picture:
        assert (picture.status, picture.content_type) == (200, "image/jpeg")
    recording = await _recording(project)
    assert recording is not None
    assert (recording["status"], recording["uri"]) == ("recording", None)
    id = recording["id"]
    error = await project.refused(lambda client: client.video.room_recordings.delete(id))
    assert error.status_code == 422

    await speaker.leave()
    await eventually(lambda: _recording(project), lambda found: found and found["status"] == "completed")
    stored = await project.call(
        "get_room_recording", lambda client: client.video.room_recordings.get(id, media_ttl=60)
    )
    async with project.http.get(stored["uri"]) as file:
        assert len(await file.read()) == stored["size_in_bytes"]
    assert stored["room_session_id"] == session["id"]
    assert stored["started_at"] < stored["finished_at"]
    in_session = await project.call(
        "list_room_session_recordings",
        lambda client: client.video.room_sessions.list_recordings(session["id"]),
    )
    assert [one["id"] for one in in_session["data"]] == [id]

    events = await project.call(
        "list_room_recording_events", lambda client: client.video.room_recordings.list_events(id)
    )
    assert {one["room_recording_id"] for one in events["data"]} == {id}
    await project.call("delete_room_recording", lambda client: client.video.room_recordings.delete(id))
    gone = await project.refused(lambda client: client.video.room_recordings.get(id))
    assert (gone.status_code, gone.body) == NOT_FOUND
