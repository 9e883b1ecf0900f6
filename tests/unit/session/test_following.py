"""What rooms and sessions take over from elsewhere: presets, libraries, rooms, counts."""

import pytest

from services.session.catalog.libraries.schemas import UpdateLibraryRequest
from services.session.catalog.presets.schemas import UpdatePresetRequest
from services.session.sessions.domain.session import Session
from shared.contracts.attendance_events import ParticipantLeaveRequested, ViewersCounted
from shared.contracts.states import Role, Visibility
from shared.errors import Conflict, NotFound
from shared.http.schema import Page
from shared.livekit import JoinGrant
from tests.unit.session.hosting import Host
from tests.unit.session.house import House

FIRST = Page()


async def rename_preset(host: Host, preset: str, name: str) -> None:
    body = UpdatePresetRequest(name=name)
    await host.house.preset_service.update(preset, host.caller, None, body)


async def name_in(house: House, session: Session) -> str:
    return (await house.sessions.get(session.id)).preset.settings.name


async def test_scheduled_sessions_follow_their_preset(house: House, host: Host) -> None:
    preset = (await host.preset()).id
    first, second, other = (
        await host.session(preset=preset),
        await host.session(preset=preset),
        await host.session(),
    )
    await rename_preset(host, preset, "Newer")
    await house.settle()
    assert [await name_in(house, one) for one in (first, second, other)] == ["Newer", "Newer", "A preset"]


async def test_a_started_session_keeps_the_preset_of_its_start(house: House, host: Host) -> None:
    preset = (await host.preset()).id
    session = await host.session(preset=preset)
    await rename_preset(host, preset, "At the start")
    await host.start(session)
    assert await name_in(house, session) == "At the start"
    await rename_preset(host, preset, "Too late")
    await house.settle()
    assert await name_in(house, session) == "At the start"


async def test_a_preset_in_use_is_not_deleted(house: House, host: Host) -> None:
    preset = (await host.preset()).id
    session = await host.live_session(preset=preset)
    with pytest.raises(Conflict) as refusal:
        await house.preset_service.delete(preset, host.caller, None)
    assert refusal.value.code == "preset_in_use"
    await host.end(session)
    await house.preset_service.delete(preset, host.caller, None)
    await house.settle()
    assert "preset.deleted.v1" in house.told()


async def listed(house: House) -> tuple[int, int]:
    """How many rooms and sessions public lists show."""
    rooms = await house.room_service.list_public(None, FIRST, None)
    sessions = await house.session_service.list_public(None, FIRST, None)
    return rooms.total, sessions.total


async def test_public_lists_follow_a_librarys_visibility(house: House, host: Host) -> None:
    await host.session(await host.room())
    await house.settle()
    assert await listed(house) == (1, 1)
    for visibility, seen in ((Visibility.UNLISTED, 0), (Visibility.PUBLIC, 1)):
        body = UpdateLibraryRequest(visibility=visibility)
        await house.library_service.update(host.library.id, body)
        await house.settle()
        assert await listed(house) == (seen, seen)


async def test_what_is_made_in_an_unlisted_library_is_not_listed(house: House, host: Host) -> None:
    body = UpdateLibraryRequest(visibility=Visibility.UNLISTED)
    await house.library_service.update(host.library.id, body)
    await host.live_session()
    assert await listed(house) == (0, 0)


async def test_a_deleted_room_takes_its_sessions_with_it(house: House, host: Host) -> None:
    room = await host.room()
    scheduled, ended, other = (
        await host.session(room),
        await host.live_session(room=room),
        await host.session(),
    )
    with pytest.raises(Conflict) as refusal:
        await house.room_service.delete(room, host.caller, None)
    assert refusal.value.code == "session_live"
    await host.end(ended)
    await house.room_service.delete(room, host.caller, None)
    await house.settle()
    for gone in (scheduled, ended):
        with pytest.raises(NotFound):
            await house.sessions.get(gone.id)
    assert await house.sessions.get(other.id) == other
    assert house.told().count("session.deleted.v1") == 2
    assert await house.rooms.collection.find({"_id": room}) == []


async def test_a_session_that_went_live_while_its_room_was_deleted_ends(house: House, host: Host) -> None:
    room = await host.room()
    session = await host.session(room)
    await house.room_service.delete(room, host.caller, None)
    await host.start(session)
    await house.settle()
    assert await house.sessions.find(session.id) is None
    assert house.livekit.rooms == {}
    assert house.told()[-3:].count("session.ended.v1") == 1


async def test_the_newest_count_of_viewers_holds(house: House, host: Host) -> None:
    session = await host.live_session()
    counts = [(2, 20, 20), (1, 10, 10), (3, 5, 20), (3, 6, 21)]
    await house.tell(
        *(
            ViewersCounted(session_id=session.id, version=version, viewer_count=count, max_viewers=most)
            for version, count, most in counts
        )
    )
    after = await house.sessions.get(session.id)
    assert after.max_viewers in {20, 21}
    assert after.viewer_count in {5, 6}


async def test_who_asked_to_leave_is_disconnected(house: House, host: Host) -> None:
    session = await host.live_session()
    person = host.caller
    grant = JoinGrant(room=session.id, identity=person.identity, name="Vera", role=Role.AUDIENCE)
    house.livekit.connect(grant)
    leave = ParticipantLeaveRequested(
        session_id=session.id,
        user_id=person.user_id,
        identity=person.identity,
        requested_at=house.clock.now(),
    )
    await house.tell(leave, leave)
    assert house.livekit.participants[session.id] == {}
