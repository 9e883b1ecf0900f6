"""The LiveKit of the tests keeps rooms, participants and ingresses as the real one does."""

import asyncio

from shared.ids import new_id
from shared.livekit import LiveKit, Permissions


async def test_rooms(livekit: LiveKit) -> None:
    room = new_id()
    assert await livekit.list_rooms([room]) == []
    for _ in range(2):
        await livekit.create_room(room, empty_timeout=60, departure_timeout=30, metadata="m")
    (open_room,) = await livekit.list_rooms([room])
    assert (open_room.name, open_room.num_participants, open_room.metadata) == (room, 0, "m")
    assert open_room.sid.startswith("RM_")
    assert room in {one.name for one in await livekit.list_rooms()}
    for _ in range(2):
        await livekit.delete_room(room)
    assert await livekit.list_rooms([room]) == []


async def test_nobody_is_there(livekit: LiveKit) -> None:
    room = new_id()
    for _ in range(2):
        assert await livekit.list_participants(room) == []
        assert await livekit.remove_participant(room, "u:s") is False
        assert await livekit.update_participant(room, "u:s", Permissions()) is False
        await livekit.create_room(room, empty_timeout=60, departure_timeout=30)
    await livekit.delete_room(room)


async def test_ingresses(livekit: LiveKit) -> None:
    room, other = new_id(), new_id()
    made = await livekit.create_rtmp_ingress(room, "u:ingress", name="name", participant_name="Ada")
    elsewhere = await livekit.create_rtmp_ingress(other, "u:ingress", name="name", participant_name="Ada")
    assert (made.room, made.identity, made.name) == (room, "u:ingress", "name")
    assert made.ingress_id.startswith("IN_")
    assert made.url.startswith("rtmp://")
    assert made.stream_key
    assert (made.status, made.started_at, made.ended_at) == ("inactive", None, None)
    assert await livekit.list_ingresses(room) == [made]
    assert {made.ingress_id, elsewhere.ingress_id} <= {
        one.ingress_id for one in await livekit.list_ingresses()
    }
    for ingress in (made, elsewhere, made):
        await livekit.delete_ingress(ingress.ingress_id)
    assert await livekit.list_ingresses(room) == []


async def test_ping(livekit: LiveKit) -> None:
    await livekit.ping()


async def test_what_a_server_runs(livekit: LiveKit) -> None:
    room = new_id()
    assert await livekit.runs_room(room) is False
    await livekit.create_room(room, empty_timeout=60, departure_timeout=30)
    assert await livekit.runs_room(room) is True
    assert await livekit.has_participant(room, "u:s") is False
    await livekit.delete_room(room)
    assert await livekit.runs_room(room) is False


async def test_removing_a_stale_participant_that_is_gone(livekit: LiveKit) -> None:
    room = new_id()
    await livekit.create_room(room, empty_timeout=60, departure_timeout=30)
    await livekit.remove_stale_participant(room, "u:s")
    async with asyncio.timeout(30):  # The server takes it off the list soon after the connection is gone.
        while await livekit.list_participants(room):
            await asyncio.sleep(0.05)
    await livekit.delete_room(room)
