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
from tests.unit.session.actors import Host
from tests.unit.session.backend import Backend

FIRST = Page()


async def rename_preset(host: Host, preset: str, name: str) -> None:
    body = UpdatePresetRequest(name=name)
    await host.backend.preset_service.update(preset, host.caller, None, body)


async def name_in(backend: Backend, session: Session) -> str:
    return (await backend.sessions.get(session.id)).preset.settings.name


async def test_scheduled_sessions_follow_their_preset(backend: Backend, host: Host) -> None:
    preset = (await host.preset()).id
    first, second, other = (
        await host.session(preset=preset),
        await host.session(preset=preset),
        await host.session(),
    )
    await rename_preset(host, preset, "Newer")
    await backend.settle()
    assert [await name_in(backend, one) for one in (first, second, other)] == ["Newer", "Newer", "A preset"]


async def test_a_started_session_keeps_the_preset_of_its_start(backend: Backend, host: Host) -> None:
    preset = (await host.preset()).id
    session = await host.session(preset=preset)
    await rename_preset(host, preset, "At the start")
    await host.start(session)
    assert await name_in(backend, session) == "At the start"
    await rename_preset(host, preset, "Too late")
    await backend.settle()
    assert await name_in(backend, session) == "At the start"


async def test_a_preset_in_use_is_not_deleted(backend: Backend, host: Host) -> None:
    preset = (await host.preset()).id
    session = await host.live_session(preset=preset)
    with pytest.raises(Conflict) as refusal:
        await backend.preset_service.delete(preset, host.caller, None)
    assert refusal.value.code == "preset_in_use"
    await host.end(session)
    await backend.preset_service.delete(preset, host.caller, None)
    await backend.settle()
    assert "preset.deleted.v1" in backend.published()


async def listed(backend: Backend) -> tuple[int, int]:
    """How many rooms and sessions public lists show."""
    rooms = await backend.room_service.list_public(None, FIRST, None)
    sessions = await backend.session_service.list_public(None, FIRST, None)
    return rooms.total, sessions.total


async def test_public_lists_follow_a_librarys_visibility(backend: Backend, host: Host) -> None:
    await host.session(await host.room())
    await backend.settle()
    assert await listed(backend) == (1, 1)
    for visibility, seen in ((Visibility.UNLISTED, 0), (Visibility.PUBLIC, 1)):
        body = UpdateLibraryRequest(visibility=visibility)
        await backend.library_service.update(host.library.id, body)
        await backend.settle()
        assert await listed(backend) == (seen, seen)


async def test_what_is_made_in_an_unlisted_library_is_not_listed(backend: Backend, host: Host) -> None:
    body = UpdateLibraryRequest(visibility=Visibility.UNLISTED)
    await backend.library_service.update(host.library.id, body)
    await host.live_session()
    assert await listed(backend) == (0, 0)


async def test_a_deleted_room_takes_its_sessions_with_it(backend: Backend, host: Host) -> None:
    room = await host.room()
    scheduled, ended, other = (
        await host.session(room),
        await host.live_session(room=room),
        await host.session(),
    )
    with pytest.raises(Conflict) as refusal:
        await backend.room_service.delete(room, host.caller, None)
    assert refusal.value.code == "session_live"
    await host.end(ended)
    await backend.room_service.delete(room, host.caller, None)
    await backend.settle()
    for gone in (scheduled, ended):
        with pytest.raises(NotFound):
            await backend.sessions.get(gone.id)
    assert await backend.sessions.get(other.id) == other
    assert backend.published().count("session.deleted.v1") == 2
    assert await backend.rooms.collection.find({"_id": room}) == []


async def test_a_session_that_went_live_while_its_room_was_deleted_ends(backend: Backend, host: Host) -> None:
    room = await host.room()
    session = await host.session(room)
    await backend.room_service.delete(room, host.caller, None)
    await host.start(session)
    await backend.settle()
    assert await backend.sessions.find(session.id) is None
    assert backend.livekit.rooms == {}
    assert backend.published()[-3:].count("session.ended.v1") == 1


async def test_the_newest_count_of_viewers_holds(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    counts = [(2, 20, 20), (1, 10, 10), (3, 5, 20), (3, 6, 21)]
    await backend.publish(
        *(
            ViewersCounted(session_id=session.id, version=version, viewer_count=count, max_viewers=most)
            for version, count, most in counts
        )
    )
    after = await backend.sessions.get(session.id)
    assert after.max_viewers in {20, 21}
    assert after.viewer_count in {5, 6}


async def test_who_asked_to_leave_is_disconnected(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    person = host.caller
    grant = JoinGrant(room=session.id, identity=person.identity, name="Vera", role=Role.AUDIENCE)
    backend.livekit.connect(grant)
    leave = ParticipantLeaveRequested(
        session_id=session.id,
        user_id=person.user_id,
        identity=person.identity,
        requested_at=backend.clock.now(),
    )
    await backend.publish(leave, leave)
    assert backend.livekit.participants[session.id] == {}
