"""Rooms and credentials."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from signalwire.rest import RestClient, SignalWireRestError

from deploy.local.stack import Stack
from tests.integration.signalwire.project import NOT_FOUND, Project

MOMENTS = ("join_from", "join_until", "remove_at")


def _everything(opens: datetime) -> dict[str, Any]:
    """A room with every published setting."""
    return {
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


async def test_rooms_are_created_found_changed_and_deleted(project: Project) -> None:
    sent = _everything(datetime.now(UTC).replace(microsecond=0) + timedelta(days=1))
    room = await project.call(
        "create_room", lambda client: client.video.rooms.create(**sent, extras={"max_participants": 3})
    )
    for name, value in sent.items():
        if name in MOMENTS:
            assert datetime.fromisoformat(room[name]) == datetime.fromisoformat(value)
        else:
            assert room[name] == value
    assert await project.call("get_room", lambda client: client.video.rooms.get(room["id"])) == room
    assert await project.call("get_room_by_name", lambda client: client.video.rooms.get(room["name"])) == room
    assert room in (await project.call("list_rooms", lambda client: client.video.rooms.list()))["data"]

    changed = await project.call(
        "update_room", lambda client: client.video.rooms.update(room["id"], max_members=9)
    )
    assert changed == room | {"max_members": 9, "updated_at": changed["updated_at"]}
    await project.call("delete_room", lambda client: client.video.rooms.delete(room["id"]))
    gone = await project.refused(lambda client: client.video.rooms.get(room["id"]))
    assert (gone.status_code, gone.body) == NOT_FOUND


async def test_names_are_unique_and_doors_close_after_they_open(project: Project) -> None:
    sent = _everything(datetime.now(UTC) + timedelta(days=1)) | {"name": "Doors"}
    room = await project.run(lambda client: client.video.rooms.create(**sent))
    error = await project.refused(lambda client: client.video.rooms.create(name="dOORS"))
    assert error.body["errors"][0]["code"] == "not_unique_within_project"
    early = sent["join_from"]
    error = await project.refused(lambda client: client.video.rooms.update(room["id"], join_until=early))
    assert error.body["errors"][0]["code"] == "invalid_join_until_date"


async def test_rooms_are_found_by_when_they_open(project: Project) -> None:
    opens = datetime.now(UTC) + timedelta(days=30)
    sent = _everything(opens) | {"name": "Next-month"}
    room = await project.run(lambda client: client.video.rooms.create(**sent))
    for shift, is_found in ((-1, True), (2, False)):
        day = (opens + timedelta(days=shift)).date().isoformat()
        listed = await project.call("list_rooms", partial(_starting_after, day=day))
        assert (room in listed["data"]) is is_found


def _starting_after(client: RestClient, day: str) -> Any:
    return client.video.rooms.list(starts_after=day)


async def test_pages_of_rooms_lead_forth_and_back_while_rooms_are_created(project: Project) -> None:
    names = [f"paged-{number}" for number in range(7)]
    for name in names:
        await project.run(partial(_create, name=name))
    first = await project.call("list_rooms", lambda client: client.video.rooms.list(page_size=3))
    await project.run(partial(_create, name="paged-late"))
    second = await _followed(project, first["links"]["next"])
    third = await _followed(project, second["links"]["next"])
    shown = [room["name"] for page in (first, second, third) for room in page["data"]]
    assert shown[:7] == names[::-1]
    assert await _followed(project, third["links"]["prev"]) == second
    assert await _followed(project, second["links"]["self"]) == second
    found = await project.run(
        lambda client: [one["name"] for one in client.video.rooms.paginate(page_size=2)]
    )
    assert len(found) == len(set(found)) >= 8


def _create(client: RestClient, name: str) -> None:
    client.video.rooms.create(name=name)


async def _followed(project: Project, link: str) -> Any:
    """The page that an absolute link leads to."""
    url = urlsplit(link)
    assert f"{url.scheme}://{url.netloc}" == project.client._http._base_url
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    return await project.call("list_rooms", lambda client: client._http.get(url.path, query))


async def test_bad_credentials_are_refused(project: Project, stack: Stack) -> None:
    host = stack.base_url.removeprefix("http://")
    for id, token in ((project.id, "wrong"), ("nobody", project.token)):
        client = RestClient(project=id, token=token, host=host)
        with pytest.raises(SignalWireRestError) as caught:
            await asyncio.to_thread(client.video.rooms.list)
        assert (caught.value.status_code, caught.value.body) == (401, {"error": "Unauthorized"})
