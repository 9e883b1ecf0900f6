"""Who may act on what: hosts, colleagues, other organizations, viewers, and API keys."""

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from services.session.catalog.presets.schemas import UpdatePresetRequest
from services.session.catalog.rooms.schemas import CreateRoomRequest, UpdateRoomRequest
from services.session.sessions.schemas import (
    CreateSessionRequest,
    RescheduleSessionRequest,
    UpdateSessionSettingsRequest,
)
from shared.access.identity import Caller
from shared.contracts.states import UserRole
from shared.errors import AppError, Forbidden, InvalidRequest, NotFound
from shared.http.idempotency import Reservation
from shared.http.schema import Page
from shared.ids import new_id
from tests.unit.session.actors import Host, new_host, viewer
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0, caller

Deed = Callable[[Backend, Host, Caller], Awaitable[None]]


async def _update_room(backend: Backend, host: Host, by: Caller) -> None:
    await backend.room_service.update(await host.room(), by, None, UpdateRoomRequest(title="Mine"))


async def _delete_room(backend: Backend, host: Host, by: Caller) -> None:
    await backend.room_service.delete(await host.room(), by, None)


async def _list_sessions(backend: Backend, host: Host, by: Caller) -> None:
    await backend.session_service.list_of_room(await host.room(), by, None, Page())


async def _create_session(backend: Backend, host: Host, by: Caller) -> None:
    body = CreateSessionRequest(title="A session", preset_id=(await host.preset()).id)
    await backend.session_service.create(Reservation.fresh(), await host.room(), by, None, body)


async def _read_preset(backend: Backend, host: Host, by: Caller) -> None:
    await backend.preset_service.get_for_host((await host.preset()).id, by, None)


async def _update_preset(backend: Backend, host: Host, by: Caller) -> None:
    body = UpdatePresetRequest(name="Mine")
    await backend.preset_service.update((await host.preset()).id, by, None, body)


async def _set_default(backend: Backend, host: Host, by: Caller) -> None:
    await backend.preset_service.set_default((await host.preset()).id, by, None)


async def _delete_preset(backend: Backend, host: Host, by: Caller) -> None:
    await backend.preset_service.delete((await host.preset()).id, by, None)


async def _start(backend: Backend, host: Host, by: Caller) -> None:
    await backend.live.start((await host.session()).id, by, None)


async def _end(backend: Backend, host: Host, by: Caller) -> None:
    await backend.live.end((await host.live_session()).id, by, None)


async def _monitor(backend: Backend, host: Host, by: Caller) -> None:
    await backend.tokens.monitor((await host.live_session()).id, by, None)


async def _reschedule(backend: Backend, host: Host, by: Caller) -> None:
    body = RescheduleSessionRequest(scheduled_start_time=T0)
    await backend.session_service.reschedule((await host.session()).id, by, None, body)


async def _configure(backend: Backend, host: Host, by: Caller) -> None:
    body = UpdateSessionSettingsRequest(chat_enabled=False)
    await backend.session_service.configure((await host.session()).id, by, body)


async def _delete_session(backend: Backend, host: Host, by: Caller) -> None:
    await backend.session_service.delete((await host.session()).id, by, None)


DEEDS: list[Deed] = [
    _update_room,
    _delete_room,
    _list_sessions,
    _create_session,
    _read_preset,
    _update_preset,
    _set_default,
    _delete_preset,
    _start,
    _end,
    _monitor,
    _reschedule,
    _configure,
    _delete_session,
]


def refusals(host: Host) -> list[tuple[Caller, type[AppError]]]:
    organization = host.library.organization_id
    return [
        (viewer(), Forbidden),
        (dataclasses.replace(viewer(), organization_id=organization), Forbidden),
        (caller(new_id(), organization), Forbidden),
        (caller(new_id(), new_id()), NotFound),
        (caller(new_id(), new_id(), api_key_id=new_id()), NotFound),
    ]


@pytest.mark.parametrize("deed", DEEDS)
async def test_only_the_host_may(backend: Backend, host: Host, deed: Deed) -> None:
    for by, refusal in refusals(host):
        with pytest.raises(AppError) as raised:
            await deed(backend, host, by)
        assert type(raised.value) is refusal, by
    await deed(backend, host, host.caller)


@pytest.mark.parametrize("deed", DEEDS)
async def test_a_key_of_the_organization_may(backend: Backend, host: Host, deed: Deed) -> None:
    await deed(backend, host, caller(new_id(), host.library.organization_id, api_key_id=new_id()))


async def test_things_are_made_in_the_organizations_own_libraries(backend: Backend, host: Host) -> None:
    other = await new_host(backend)
    body = CreateRoomRequest(title="A room")
    for library in (other.library.id, new_id()):
        with pytest.raises(NotFound):
            await backend.room_service.create(new_id(), host.caller, library, body)
    with pytest.raises(Forbidden):
        await backend.room_service.create(new_id(), viewer(), None, body)


async def test_what_is_named_in_another_library_does_not_exist(backend: Backend, host: Host) -> None:
    other = await new_host(backend)
    room = await host.room()
    assert (await backend.room_service.get(room, host.library.id, None)).id == room
    with pytest.raises(NotFound):
        await backend.room_service.get(room, other.library.id, None)
    with pytest.raises(NotFound):
        await backend.room_service.update(room, host.caller, other.library.id, UpdateRoomRequest())


async def test_a_session_takes_a_preset_of_its_hosts_own(backend: Backend, host: Host) -> None:
    preset = (await (await new_host(backend)).preset()).id
    for id in (preset, new_id()):
        with pytest.raises(InvalidRequest) as refusal:
            await host.session(preset=id)
        assert [(bad.field, bad.code) for bad in refusal.value.errors] == [("preset_id", "unknown")]
    assert (await host.session(preset=(await host.preset()).id.upper())).preset.user_id == host.user.id


async def test_everything_impossible_about_a_session_is_told_at_once(backend: Backend, host: Host) -> None:
    long_ago = T0 - timedelta(days=2)
    with pytest.raises(InvalidRequest) as refusal:
        await host.session(preset=new_id(), scheduled_start_time=long_ago)
    assert [bad.field for bad in refusal.value.errors] == ["scheduled_start_time", "preset_id"]
    with pytest.raises(InvalidRequest) as refusal:
        await host.session(scheduled_start_time=long_ago)
    assert [bad.field for bad in refusal.value.errors] == ["scheduled_start_time"]
    session = await host.session()
    body = RescheduleSessionRequest(scheduled_start_time=long_ago)
    with pytest.raises(InvalidRequest):
        await backend.session_service.reschedule(session.id, host.caller, None, body)


async def test_a_preset_may_be_named_in_capitals(backend: Backend, host: Host) -> None:
    preset = (await host.preset()).id
    assert (await host.session(preset=preset.upper())).preset.id == preset


async def test_addresses_are_shown_within_the_organization(backend: Backend, host: Host) -> None:
    room = await host.room()
    organization = host.library.organization_id
    seen = [
        (None, None),
        (viewer(), None),
        (caller(new_id(), new_id()), None),
        (caller(new_id(), organization), host.user.email),
        (caller(new_id(), organization, role=UserRole.VIEWER), None),
        (host.caller, host.user.email),
    ]
    for by, email in seen:
        shown = (await backend.room_service.get(room, None, by)).host
        assert shown is not None
        assert shown.email == email
    await backend.accounts.delete(host.user.id)
    assert (await backend.room_service.get(room, None, None)).host is None
