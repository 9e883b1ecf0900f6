"""What people may do in the room follows the session at once, whatever fails on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.session.enforcement.dirty_sessions import Marks
from services.session.enforcement.service import Enforcer
from services.session.sessions.domain.session import Session
from services.session.sessions.schemas import UpdateSessionSettingsRequest
from shared.access.identity import Caller
from shared.access.permissions import encoder_grant, join_grant, monitor_grant, permissions_in, role_of
from shared.contracts.event import Event
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import Role, StageSeat
from shared.errors import Unavailable
from shared.ids import new_id
from shared.livekit import ROLE_ATTRIBUTE, JoinGrant, LiveKitParticipant, TrackSource
from tests.unit.session.hosting import Host, appoint, ban, registered
from tests.unit.session.house import House

GUEST = (TrackSource.CAMERA, TrackSource.MICROPHONE)


def grant(session: Session, who: Caller) -> JoinGrant:
    """What the person's token says now."""
    return join_grant(
        room=session.id,
        identity=who.identity,
        name="Vera",
        role=role_of(session, who.user_id),
        permissions=permissions_in(session, session.preset.settings, who.user_id),
    )


def shown(house: House, session: Session, who: Caller) -> LiveKitParticipant | None:
    return house.livekit.participants[session.id].get(who.identity)


def publishes(house: House, session: Session, who: Caller) -> bool:
    one = shown(house, session, who)
    assert one is not None
    return one.permissions.publishes


async def seat(house: House, session: Session, who: Caller) -> None:
    def decide(session: Session) -> list[Event]:
        place = StageSeat(id=new_id(), name="Vera", joined_stage_at=house.clock.now())
        session.stage = {**session.stage, who.user_id: place}
        return [SessionUpdated(session=session.state())]

    await house.sessions.change(session.id, decide)


@asynccontextmanager
async def at_work(enforcer: Enforcer) -> AsyncIterator[None]:
    task = asyncio.create_task(enforcer.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def session(house: House, host: Host) -> Session:
    return await host.live_session()


async def test_every_change_of_a_session_has_its_room_looked_at(
    house: House, host: Host, session: Session
) -> None:
    vera = await registered(house)
    house.livekit.connect(grant(session, vera))
    house.marks.take()
    house.marks.release(session.id)
    await appoint(house, host, session, vera, Role.CO_HOST)
    assert house.marks.take() == {session.id: 0}


async def test_the_room_follows_while_the_enforcer_works(house: House, host: Host, session: Session) -> None:
    vera = await registered(house)
    house.livekit.connect(grant(session, vera))
    async with at_work(house.enforcer), asyncio.timeout(5):
        await appoint(house, host, session, vera, Role.CO_HOST)
        while not publishes(house, session, vera):
            await asyncio.sleep(0)
        await ban(house, host, session, await registered(house))
        await house.participants.remove(session.id, host.caller, vera.user_id, Role.CO_HOST)
        while publishes(house, session, vera):
            await asyncio.sleep(0)


async def test_all_connections_of_a_person_change(house: House, host: Host, session: Session) -> None:
    vera = await registered(house)
    identities = [f"{vera.user_id}:{device}" for device in ("phone", "tab")]
    for identity in identities:
        house.livekit.connect(
            join_grant(
                room=session.id,
                identity=identity,
                name="Vera",
                role=Role.AUDIENCE,
                permissions=permissions_in(session, session.preset.settings, vera.user_id),
            )
        )
    await appoint(house, host, session, vera, Role.CO_HOST)
    assert await house.enforcer.look(session.id)
    for identity in identities:
        one = house.livekit.participants[session.id][identity]
        assert one.permissions.publishes
        assert one.attributes[ROLE_ATTRIBUTE] == "co_host"
    assert not await house.enforcer.look(session.id)


async def test_switching_the_stage_off_silences_guests_and_on_again_restores_them(
    house: House, host: Host, session: Session
) -> None:
    vera = await registered(house)
    await seat(house, session, vera)
    session = await house.sessions.get(session.id)
    house.livekit.connect(grant(session, vera))
    for on in (False, True):
        body = UpdateSessionSettingsRequest(stage_enabled=on)
        await house.session_service.configure(session.id, host.caller, body)
        assert await house.enforcer.look(session.id)
        assert publishes(house, session, vera) == on
    one = shown(house, session, vera)
    assert one is not None
    assert one.permissions.can_publish_sources == GUEST
    assert list((await house.sessions.get(session.id)).stage) == [vera.user_id]


async def test_who_is_banned_is_out_hidden_or_not(house: House, host: Host, session: Session) -> None:
    mia = await registered(house)
    await appoint(house, host, session, mia, Role.MODERATOR)
    session = await house.sessions.get(session.id)
    house.livekit.connect(grant(session, mia))
    hidden = monitor_grant(
        room=session.id, identity=f"{mia.user_id}:monitor", name="Mia", role=Role.MODERATOR
    )
    house.livekit.connect(hidden)
    assert not await house.enforcer.look(session.id)
    await ban(house, host, session, mia)
    assert await house.enforcer.look(session.id)
    assert house.livekit.participants[session.id] == {}


async def test_encoders_monitors_and_recorders_are_left_alone(house: House, session: Session) -> None:
    host_id = session.host_id
    house.livekit.connect(encoder_grant(room=session.id, identity=f"{host_id}:whip", name="Hanna"))
    monitor = monitor_grant(room=session.id, identity=f"{host_id}:monitor", name="Hanna", role=Role.HOST)
    house.livekit.connect(monitor)
    recorder = JoinGrant(
        room=session.id, identity="recorder", name="", role=Role.AUDIENCE, hidden=True, recorder=True
    )
    house.livekit.connect(recorder)
    before = dict(house.livekit.participants[session.id])
    assert not await house.enforcer.look(session.id)
    assert house.livekit.participants[session.id] == before


async def test_what_is_not_live_has_no_room_to_look_at(house: House, host: Host) -> None:
    session = await host.session()
    assert not await house.enforcer.look(session.id)
    assert not await house.enforcer.look(new_id())
    assert "list_participants" not in house.livekit.calls


async def test_who_comes_in_right_after_a_change_on_a_token_from_before_is_seen(
    house: House, host: Host, session: Session
) -> None:
    vera = await registered(house)
    await appoint(house, host, session, vera, Role.CO_HOST)
    before = grant(await house.sessions.get(session.id), vera)
    async with at_work(house.enforcer), asyncio.timeout(10):
        await house.participants.remove(session.id, host.caller, vera.user_id, Role.CO_HOST)
        while "list_participants" not in house.livekit.calls:
            await asyncio.sleep(0)
        house.livekit.connect(before)
        assert publishes(house, session, vera)
        while publishes(house, session, vera):
            await asyncio.sleep(0.01)


async def test_livekit_s_absence_is_waited_out(house: House, host: Host, session: Session) -> None:
    vera = await registered(house)
    house.livekit.connect(grant(session, vera))
    house.livekit.down()
    async with at_work(house.enforcer), asyncio.timeout(5):
        await appoint(house, host, session, vera, Role.CO_HOST)
        while "list_participants" not in house.livekit.calls:
            await asyncio.sleep(0)
        house.livekit.up()
        while not publishes(house, session, vera):
            await asyncio.sleep(0.01)


async def test_another_process_does_what_one_that_died_left(
    house: House, host: Host, session: Session
) -> None:
    vera = await registered(house)
    house.livekit.connect(grant(session, vera))
    await appoint(house, host, session, vera, Role.CO_HOST)
    event = SessionUpdated(session=(await house.sessions.get(session.id)).state())
    house.livekit.down()
    with pytest.raises(Unavailable):
        await house.enforcer.follow(event)
    house.livekit.up()
    await house.enforcer.follow(event)
    assert publishes(house, session, vera)
    calls = len(house.livekit.calls)
    await house.enforcer.follow(event)
    assert len(house.livekit.calls) == calls


async def test_an_older_state_applied_late_is_noticed(house: House, host: Host, session: Session) -> None:
    """A replica that was held up between reading the session and changing the room."""
    vera = await registered(house)
    house.livekit.connect(grant(session, vera))
    marks = Marks()
    await appoint(house, host, session, vera, Role.CO_HOST)

    other = Enforcer(house.sessions, house.livekit, marks)

    async def demote() -> None:
        house.livekit.listed = None
        await house.participants.remove(session.id, host.caller, vera.user_id, Role.CO_HOST)

    house.livekit.listed = demote
    assert await other.look(session.id)
    assert publishes(house, session, vera)
    assert marks.take() == {session.id: 0}
    assert await other.look(session.id)
    assert not publishes(house, session, vera)


def test_a_burst_of_changes_is_one_look() -> None:
    marks = Marks()
    for _ in range(50):
        marks.add("a session")
    assert marks.take() == {"a session": 0}
    marks.add("a session", 2)
    marks.add("a session", 1)
    # The work that goes on may have read the session before.
    assert marks.take() == {}
    marks.release("a session")
    assert marks.take() == {"a session": 1}
