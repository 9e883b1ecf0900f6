"""Rooms and credentials, with the published client and by the published schemas."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import pytest
from signalwire.rest import RestClient, SignalWireRestError

from deploy.local.stack import Stack
from tests.integration.signalwire.project import NOT_FOUND, Project, refused


async def test_rooms_are_created_found_changed_and_deleted(project: Project) -> None:
    opens = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    sent: dict[str, Any] = {
        "name": "Weekly-review_1",
        "display_name": "Weekly review",
        "description": "What was done",
        "max_members": 7,
        "quality": "1080p",
        "join_from": opens.isoformat(),
        "join_until": (opens + timedelta(hours=2)).isoformat(),
        "remove_at": (opens + timedelta(hours=3)).isoformat(),
        "remove_after_seconds_elapsed": 3600,
        "layout": "5up",
        "record_on_start": True,
        "enable_room_previews": True,
        "meta": {"team": [1, 2]},
        "sync_audio_video": True,
    }
    room = await project.answer("create_room", "POST", "/rooms", sent | {"max_participants": 3})
    moments = {"join_from", "join_until", "remove_at"}
    assert {name: room[name] for name in sent.keys() - moments} == {
        name: value for name, value in sent.items() if name not in moments
    }
    for name in moments:
        assert datetime.fromisoformat(room[name]) == datetime.fromisoformat(str(sent[name]))
    by_id = await project.answer("get_room", "GET", f"/rooms/{room['id']}")
    assert by_id == room
    assert await project.answer("get_room_by_name", "GET", "/rooms/Weekly-review_1") == room
    assert room in (await project.answer("list_rooms", "GET", "/rooms"))["data"]

    changed = await project.answer("update_room", "PUT", f"/rooms/{room['id']}", {"max_members": 9})
    assert changed == room | {"max_members": 9, "updated_at": changed["updated_at"]}
    error = await refused(project, lambda client: client.video.rooms.create(name="weekly-REVIEW_1"))
    assert error.body["errors"][0]["code"] == "not_unique_within_project"
    error = await refused(
        project, lambda client: client.video.rooms.update(room["id"], join_until=sent["join_from"])
    )
    assert error.body["errors"][0]["code"] == "invalid_join_until_date"

    day = opens.date()
    for starts_after, found in ((day - timedelta(days=1), True), (day + timedelta(days=2), False)):
        listed = await project.answer("list_rooms", "GET", "/rooms", starts_after=starts_after.isoformat())
        assert (room["id"] in [one["id"] for one in listed["data"]]) is found
    await project.answer("delete_room", "DELETE", f"/rooms/{room['id']}")
    gone = await refused(project, lambda client: client.video.rooms.get(room["id"]))
    assert (gone.status_code, gone.body) == NOT_FOUND


async def test_pages_of_rooms_lead_forth_and_back_while_rooms_are_created(project: Project) -> None:
    names = [f"paged-{number}" for number in range(7)]
    for name in names:
        await project.call(partial(_create, name=name))
    first = await project.answer("list_rooms", "GET", "/rooms", page_size=3)
    await project.call(lambda client: client.video.rooms.create(name="paged-late"))
    second = await _followed(project, first["links"]["next"])
    third = await _followed(project, second["links"]["next"])
    shown = [room["name"] for page in (first, second, third) for room in page["data"]]
    assert shown[:7] == names[::-1]
    assert await _followed(project, third["links"]["prev"]) == second
    assert await _followed(project, second["links"]["self"]) == second
    found = await project.call(
        lambda client: [one["name"] for one in client.video.rooms.paginate(page_size=2)]
    )
    assert len(found) == len(set(found)) >= 8


def _create(client: RestClient, name: str) -> None:
    client.video.rooms.create(name=name)


async def _followed(project: Project, link: str) -> Any:
    """The page that an absolute link leads to."""
    async with (
        aiohttp.ClientSession(headers=project.headers) as http,
        http.get(link) as response,
    ):
        return await response.json()


async def test_bad_credentials_are_refused(project: Project, stack: Stack) -> None:
    host = stack.base_url.removeprefix("http://")
    for id, token in ((project.id, "wrong"), ("nobody", project.token)):
        client = RestClient(project=id, token=token, host=host)
        with pytest.raises(SignalWireRestError) as caught:
            await asyncio.to_thread(client.video.rooms.list)
        assert (caught.value.status_code, caught.value.body) == (401, {"error": "Unauthorized"})
