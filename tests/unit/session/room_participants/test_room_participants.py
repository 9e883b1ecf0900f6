"""The people in a room: who is shown, renamed, given a role, removed, and by whom."""

from dataclasses import replace
from typing import Any

import pytest

from services.session.sessions.domain.stage import MOST_RESERVED
from shared.access.encoders import EncoderOwner
from shared.contracts.states import Role
from shared.errors import Conflict, Forbidden, NotFound, Unavailable
from shared.ids import new_id
from shared.livekit.join_terms import JoinTerms
from shared.livekit.ports import LiveKitTrack, TrackSource
from tests.unit.session.actors import Host, colleague, grant_role, new_host, person, refused, viewer
from tests.unit.session.backend import Backend
from tests.unit.session.builders import caller
from tests.unit.session.room_participants.room import LiveRoom, live_room

MACHINES: list[dict[str, Any]] = [{"hidden": True}, {"recorder": True}]
OTHERS: list[dict[str, Any]] = [{"kind": "ingress"}, {"kind": "egress"}, {"state": "joining"}]
TRACK = LiveKitTrack("TR_1", "audio", "microphone", muted=True)


@pytest.fixture
async def room(backend: Backend, host: Host) -> LiveRoom:
    return await live_room(backend, host)


async def test_everybody_who_is_connected_is_shown(backend: Backend, room: LiveRoom) -> None:
    terms = JoinTerms(external_user_id="c-7", metadata='{"seat": 4}')
    vera, first = await room.joins(terms=terms, can_publish=True)
    backend.livekit.publish(room.session.id, f"{vera.user_id}:{vera.sign_in_id}", TRACK)
    backend.clock.advance(seconds=1)
    _, second = await room.joins(replace(vera, sign_in_id="tablet"), "Vera's tablet")
    backend.clock.advance(seconds=1)
    _, third = await room.joins(room.host.caller, "Hanna", role=Role.HOST)
    shown = await room.people()
    assert [one.id for one in shown] == [first, second, third]
    assert [one.name for one in shown] == ["Vera", "Vera's tablet", "Hanna"]
    assert [one.role for one in shown] == [Role.AUDIENCE, Role.AUDIENCE, Role.HOST]
    assert (shown[0].user_id, shown[0].external_user_id, shown[0].metadata) == (
        vera.user_id,
        "c-7",
        '{"seat": 4}',
    )
    assert (list(shown[0].tracks), shown[1].tracks, shown[1].external_user_id) == ([TRACK], (), None)


async def test_those_who_are_no_people_are_not(backend: Backend, room: LiveRoom) -> None:
    _, shown = await room.joins()
    for number, fields in enumerate(MACHINES):
        await room.joins(identity=f"{new_id()}:{number}", **fields)
    await room.joins(identity=EncoderOwner(room.host.user.id).identity("whip"), role=Role.HOST)
    there = backend.livekit.participants[room.session.id]
    for number, fields in enumerate(OTHERS):
        await room.joins(identity=f"other:{number}")
        there[f"other:{number}"] = replace(there[f"other:{number}"], **fields)
    assert [one.id for one in await room.people()] == [shown]
    ids = [one.sid for one in there.values()]
    assert len(ids) == 7


@pytest.mark.parametrize(
    "change", [{"name": "Vera B"}, {"metadata": '{"a": 1}'}, {"name": "Vera B", "metadata": "x"}, {}]
)
async def test_a_name_and_metadata_are_changed(room: LiveRoom, change: dict[str, Any]) -> None:
    _, id = await room.joins(terms=JoinTerms(metadata="as before"))
    _, other = await room.joins()
    answer = await room.update(id, **change)
    shown = {one.id: one for one in await room.people()}
    assert answer == shown[id]
    assert (answer.name, answer.metadata) == (
        change.get("name", "Vera"),
        change.get("metadata", "as before"),
    )
    assert (shown[other].name, shown[other].metadata) == ("Vera", "")


@pytest.mark.parametrize("before", [Role.AUDIENCE, Role.STAGE, Role.MODERATOR, Role.CO_HOST])
@pytest.mark.parametrize("after", [Role.AUDIENCE, Role.STAGE, Role.MODERATOR, Role.CO_HOST])
async def test_one_role_takes_the_place_of_another(room: LiveRoom, before: Role, after: Role) -> None:
    who, id = await room.joins()
    for role in (before, after):
        assert (await room.update(id, role=role)).role is role
        assert await room.role(who) is role
    session = await room.stored()
    # A moderator's place on stage is kept.
    seated = after is Role.STAGE or (before, after) == (Role.STAGE, Role.MODERATOR)
    assert (who.user_id in session.stage) is seated
    assert session.stage_checks == {}


async def test_what_they_may_publish_follows(backend: Backend, room: LiveRoom) -> None:
    who, id = await room.joins()

    def may_speak() -> bool:
        there = backend.livekit.participants[room.session.id]
        return there[f"{who.user_id}:{who.sign_in_id}"].permissions.allows(TrackSource.MICROPHONE)

    for role, may in ((Role.STAGE, True), (Role.AUDIENCE, False), (Role.CO_HOST, True)):
        await room.update(id, role=role)
        await backend.enforcer.enforce(room.session.id)
        assert may_speak() is may, role


async def test_a_place_on_stage_that_was_asked_for_ends_with_the_role(
    backend: Backend, room: LiveRoom
) -> None:
    who, id = await room.joins()
    await backend.stage.take_seat(room.session.id, who.user_id, "Vera", new_id())
    assert await room.role(who) is Role.STAGE
    await room.update(id, role=Role.AUDIENCE)
    assert (await room.stored()).stage == {}


async def test_guests_by_role_are_beside_the_limit(room: LiveRoom) -> None:
    limit = (await room.stored()).effective_max_join_limit
    ids = [(await room.joins())[1] for _ in range(limit + 1)]
    for id in ids:
        await room.update(id, role=Role.STAGE)
    assert len((await room.stored()).stage) == limit + 1 < MOST_RESERVED


async def test_refusals_of_a_role_change_nothing(backend: Backend, host: Host) -> None:
    room = await live_room(backend, host, stage_enabled=False)
    _, own = await room.joins(host.caller, "Hanna", role=Role.HOST)
    await refused("participant_is_host", Conflict, room.update(own, role=Role.AUDIENCE, name="H"))
    _, id = await room.joins()
    await refused("stage_disabled", Conflict, room.update(id, role=Role.STAGE, name="V"))
    stranger, strange = await room.joins(await colleague(backend, await new_host(backend)))
    await refused("user_not_found", NotFound, room.update(strange, role=Role.CO_HOST, name="S"))
    assert await room.role(stranger) is Role.AUDIENCE
    assert {one.name for one in await room.people()} == {"Hanna", "Vera"}


async def test_only_who_may_add_co_hosts_makes_one(backend: Backend, host: Host) -> None:
    room = await live_room(backend, host, host_add_co_host=False)
    _, id = await room.joins()
    await refused("not_permitted", Forbidden, room.update(id, role=Role.CO_HOST))
    assert (await room.update(id, role=Role.MODERATOR)).role is Role.MODERATOR


async def test_somebody_is_removed_and_nobody_else(backend: Backend, room: LiveRoom) -> None:
    (_, gone), (_, stays) = await room.joins(), await room.joins()
    service, by = backend.room_participants, room.host.caller
    await service.remove(room.session.id, by, None, gone)
    assert [one.id for one in await room.people()] == [stays]
    for attempt in (
        service.remove(room.session.id, by, None, gone),
        service.get(room.session.id, by, None, gone),
        room.update(gone, name="Nobody"),
        room.update(gone, role=Role.STAGE),
    ):
        await refused("connection_not_found", NotFound, attempt)


async def test_who_leaves_meanwhile_is_not_found(backend: Backend, room: LiveRoom) -> None:
    who, id = await room.joins()

    async def leaves() -> None:
        backend.livekit.listed = None
        backend.livekit.disconnect(room.session.id, f"{who.user_id}:{who.sign_in_id}")

    backend.livekit.listed = leaves
    await refused("connection_not_found", NotFound, room.update(id, name="Nobody"))
    _, id = await room.joins(who)
    backend.livekit.listed = leaves
    removal = backend.room_participants.remove(room.session.id, room.host.caller, None, id)
    await refused("connection_not_found", NotFound, removal)


async def test_everybody_in_a_role_is_removed(backend: Backend, room: LiveRoom) -> None:
    for _ in range(20):
        await room.joins()
    _, own = await room.joins(room.host.caller, role=Role.HOST)
    who, moderator = await room.joins()
    await grant_role(backend, room.host, room.session, who, Role.MODERATOR)
    service, by = backend.room_participants, room.host.caller
    assert await service.remove_all(room.session.id, by, None, Role.STAGE) == 0
    assert await service.remove_all(room.session.id, by, None, Role.AUDIENCE) == 20
    assert {one.id for one in await room.people()} == {own, moderator}


def attempts(room: LiveRoom, by: Any, id: str) -> list[Any]:
    """Each operation, by somebody."""
    service, session = room.backend.room_participants, room.session.id
    return [
        service.list(session, by, None),
        service.get(session, by, None, id),
        service.remove(session, by, None, id),
        service.remove_all(session, by, None, Role.AUDIENCE),
        room.update(id, by, name="Nobody"),
    ]


async def test_only_who_is_in_control_may(backend: Backend, room: LiveRoom) -> None:
    _, id = await room.joins()
    moderator = await person(backend, room.host.library.organization_id)
    await grant_role(backend, room.host, room.session, moderator, Role.MODERATOR)
    outsider = (await new_host(backend)).caller
    for by, code, kind in (
        (viewer(), "host_required", Forbidden),
        (outsider, "session_not_found", NotFound),
        (await colleague(backend, room.host), "not_the_host", Forbidden),
        (moderator, "not_permitted", Forbidden),
    ):
        for attempt in attempts(room, by, id):
            await refused(code, kind, attempt)
    key = caller(room.host.user.id, room.host.library.organization_id, api_key_id=new_id())
    assert [one.id for one in await backend.room_participants.list(room.session.id, key, None)] == [id]


async def test_the_session_must_be_live_and_livekit_there(backend: Backend, host: Host) -> None:
    room = LiveRoom(backend, host, await host.session())
    for attempt in attempts(room, host.caller, new_id()):
        await refused("session_not_live", Conflict, attempt)
    room = await live_room(backend, host)
    backend.livekit.down()
    for attempt in attempts(room, host.caller, new_id()):
        with pytest.raises(Unavailable):
            await attempt
