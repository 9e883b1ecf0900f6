"""What people may do in the room follows the session at once, whatever fails on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.session.enforcement.dirty_sessions import DirtySessions
from services.session.enforcement.service import Enforcer
from services.session.sessions.domain.session import Session
from services.session.sessions.schemas import UpdateSessionSettingsRequest
from shared.access.identity import Caller
from shared.access.permissions import (
    encoder_grant,
    join_grant,
    monitor_grant,
    permissions_in_session,
    role_of,
)
from shared.contracts.event import Event
from shared.contracts.session_events import SessionUpdated
from shared.contracts.states import Role, StageSeat
from shared.errors import Unavailable
from shared.ids import new_id
from shared.livekit import ROLE_ATTRIBUTE, JoinGrant, LiveKitParticipant, TrackSource
from tests.unit.session.actors import Host, ban, for_registered, grant_role, person, registered
from tests.unit.session.backend import Backend

GUEST = (TrackSource.CAMERA, TrackSource.MICROPHONE)


def grant(session: Session, who: Caller) -> JoinGrant:
    """What the person's token says now."""
    return join_grant(
        room=session.id,
        identity=who.identity,
        name="Vera",
        role=role_of(session, who.user_id),
        permissions=permissions_in_session(session, session.preset.settings, who.user_id),
        is_guest=who.is_guest,
    )


def shown(backend: Backend, session: Session, who: Caller) -> LiveKitParticipant | None:
    return backend.livekit.participants[session.id].get(who.identity)


def publishes(backend: Backend, session: Session, who: Caller) -> bool:
    one = shown(backend, session, who)
    assert one is not None
    return one.permissions.publishes


async def seat(backend: Backend, session: Session, who: Caller) -> None:
    def decide(session: Session) -> list[Event]:
        place = StageSeat(id=new_id(), name="Vera", joined_stage_at=backend.clock.now())
        session.stage = {**session.stage, who.user_id: place}
        return [SessionUpdated(session=session.state())]

    await backend.sessions.change(session.id, decide)


@asynccontextmanager
async def at_work(enforcer: Enforcer) -> AsyncIterator[None]:
    task = asyncio.create_task(enforcer.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def session(backend: Backend, host: Host) -> Session:
    return await host.live_session()


async def test_every_change_of_a_session_has_its_room_looked_at(
    backend: Backend, host: Host, session: Session
) -> None:
    vera = await registered(backend)
    backend.livekit.connect(grant(session, vera))
    backend.dirty_sessions.take()
    backend.dirty_sessions.release(session.id)
    await grant_role(backend, host, session, vera, Role.CO_HOST)
    assert backend.dirty_sessions.take() == {session.id: 0}


async def test_the_room_follows_while_the_enforcer_works(
    backend: Backend, host: Host, session: Session
) -> None:
    vera = await registered(backend)
    backend.livekit.connect(grant(session, vera))
    async with at_work(backend.enforcer), asyncio.timeout(5):
        await grant_role(backend, host, session, vera, Role.CO_HOST)
        while not publishes(backend, session, vera):
            await asyncio.sleep(0)
        await ban(backend, host, session, await registered(backend))
        await backend.participants.remove(session.id, host.caller, vera.user_id, Role.CO_HOST)
        while publishes(backend, session, vera):
            await asyncio.sleep(0)


async def test_all_connections_of_a_person_change(backend: Backend, host: Host, session: Session) -> None:
    vera = await registered(backend)
    identities = [f"{vera.user_id}:{device}" for device in ("phone", "tab")]
    for identity in identities:
        backend.livekit.connect(
            join_grant(
                room=session.id,
                identity=identity,
                name="Vera",
                role=Role.AUDIENCE,
                permissions=permissions_in_session(session, session.preset.settings, vera.user_id),
            )
        )
    await grant_role(backend, host, session, vera, Role.CO_HOST)
    assert await backend.enforcer.enforce(session.id)
    for identity in identities:
        one = backend.livekit.participants[session.id][identity]
        assert one.permissions.publishes
        assert one.attributes[ROLE_ATTRIBUTE] == "co_host"
    assert not await backend.enforcer.enforce(session.id)


async def test_guests_are_removed_when_registered_people_alone_are_admitted(
    backend: Backend, session: Session
) -> None:
    guest, known = await registered(backend), await person(backend, external_user_id="c-1")
    for one in (guest, known):
        backend.livekit.connect(grant(session, one))
    await for_registered(backend, session)
    assert await backend.enforcer.enforce(session.id)
    assert list(backend.livekit.participants[session.id]) == [known.identity]


async def test_encoders_of_guests_are_removed_with_them(backend: Backend, host: Host) -> None:
    """Those of the host and of a registered co-host go on."""
    session = await host.live_session(preset=(await host.preset(host_add_co_host=True)).id)
    guest, known = await registered(backend), await person(backend, external_user_id="c-1")
    for co_host in (guest, known):
        await grant_role(backend, host, session, co_host, Role.CO_HOST)
    for one in (guest, known, host.caller):
        whip = f"{one.user_id}:whip"
        backend.livekit.connect(encoder_grant(room=session.id, identity=whip, name="", is_guest=one.is_guest))
    assert not await backend.enforcer.enforce(session.id)
    await for_registered(backend, session)
    assert await backend.enforcer.enforce(session.id)
    left = [f"{one.user_id}:whip" for one in (known, host.caller)]
    assert list(backend.livekit.participants[session.id]) == left


async def test_switching_the_stage_off_silences_guests_and_on_again_restores_them(
    backend: Backend, host: Host, session: Session
) -> None:
    vera = await registered(backend)
    await seat(backend, session, vera)
    session = await backend.sessions.get(session.id)
    backend.livekit.connect(grant(session, vera))
    for on in (False, True):
        body = UpdateSessionSettingsRequest(stage_enabled=on)
        await backend.session_service.configure(session.id, host.caller, body)
        assert await backend.enforcer.enforce(session.id)
        assert publishes(backend, session, vera) == on
    one = shown(backend, session, vera)
    assert one is not None
    assert one.permissions.can_publish_sources == GUEST
    assert list((await backend.sessions.get(session.id)).stage) == [vera.user_id]


async def test_who_is_banned_is_out_hidden_or_not(backend: Backend, host: Host, session: Session) -> None:
    mia = await registered(backend)
    await grant_role(backend, host, session, mia, Role.MODERATOR)
    session = await backend.sessions.get(session.id)
    backend.livekit.connect(grant(session, mia))
    hidden = monitor_grant(
        room=session.id, identity=f"{mia.user_id}:monitor", name="Mia", role=Role.MODERATOR
    )
    backend.livekit.connect(hidden)
    assert not await backend.enforcer.enforce(session.id)
    await ban(backend, host, session, mia)
    assert await backend.enforcer.enforce(session.id)
    assert backend.livekit.participants[session.id] == {}


async def test_encoders_monitors_and_recorders_are_left_alone(backend: Backend, session: Session) -> None:
    host_id = session.host_id
    backend.livekit.connect(encoder_grant(room=session.id, identity=f"{host_id}:whip", name="Hanna"))
    monitor = monitor_grant(room=session.id, identity=f"{host_id}:monitor", name="Hanna", role=Role.HOST)
    backend.livekit.connect(monitor)
    recorder = JoinGrant(
        room=session.id, identity="recorder", name="", role=Role.AUDIENCE, hidden=True, recorder=True
    )
    backend.livekit.connect(recorder)
    before = dict(backend.livekit.participants[session.id])
    assert not await backend.enforcer.enforce(session.id)
    assert backend.livekit.participants[session.id] == before


async def test_what_is_not_live_has_no_room_to_look_at(backend: Backend, host: Host) -> None:
    session = await host.session()
    assert not await backend.enforcer.enforce(session.id)
    assert not await backend.enforcer.enforce(new_id())
    assert "list_participants" not in backend.livekit.calls


async def test_who_comes_in_right_after_a_change_on_a_token_from_before_is_seen(
    backend: Backend, host: Host, session: Session
) -> None:
    vera = await registered(backend)
    await grant_role(backend, host, session, vera, Role.CO_HOST)
    before = grant(await backend.sessions.get(session.id), vera)
    async with at_work(backend.enforcer), asyncio.timeout(10):
        await backend.participants.remove(session.id, host.caller, vera.user_id, Role.CO_HOST)
        while "list_participants" not in backend.livekit.calls:
            await asyncio.sleep(0)
        backend.livekit.connect(before)
        assert publishes(backend, session, vera)
        while publishes(backend, session, vera):
            await asyncio.sleep(0.01)


async def test_livekit_s_absence_is_waited_out(backend: Backend, host: Host, session: Session) -> None:
    vera = await registered(backend)
    backend.livekit.connect(grant(session, vera))
    backend.livekit.down()
    async with at_work(backend.enforcer), asyncio.timeout(5):
        await grant_role(backend, host, session, vera, Role.CO_HOST)
        while "list_participants" not in backend.livekit.calls:
            await asyncio.sleep(0)
        backend.livekit.up()
        while not publishes(backend, session, vera):
            await asyncio.sleep(0.01)


async def test_another_process_does_what_one_that_died_left(
    backend: Backend, host: Host, session: Session
) -> None:
    vera = await registered(backend)
    backend.livekit.connect(grant(session, vera))
    await grant_role(backend, host, session, vera, Role.CO_HOST)
    event = SessionUpdated(session=(await backend.sessions.get(session.id)).state())
    backend.livekit.down()
    with pytest.raises(Unavailable):
        await backend.enforcer.follow(event)
    backend.livekit.up()
    await backend.enforcer.follow(event)
    assert publishes(backend, session, vera)
    calls = len(backend.livekit.calls)
    await backend.enforcer.follow(event)
    assert len(backend.livekit.calls) == calls


async def test_an_older_state_applied_late_is_noticed(backend: Backend, host: Host, session: Session) -> None:
    """A replica that was held up between reading the session and changing the room."""
    vera = await registered(backend)
    backend.livekit.connect(grant(session, vera))
    dirty_sessions = DirtySessions()
    await grant_role(backend, host, session, vera, Role.CO_HOST)

    other = Enforcer(backend.sessions, backend.livekit, dirty_sessions)

    async def demote() -> None:
        backend.livekit.listed = None
        await backend.participants.remove(session.id, host.caller, vera.user_id, Role.CO_HOST)

    backend.livekit.listed = demote
    assert await other.enforce(session.id)
    assert publishes(backend, session, vera)
    assert dirty_sessions.take() == {session.id: 0}
    assert await other.enforce(session.id)
    assert not publishes(backend, session, vera)


def test_a_burst_of_changes_is_one_look() -> None:
    dirty_sessions = DirtySessions()
    for _ in range(50):
        dirty_sessions.add("a session")
    assert dirty_sessions.take() == {"a session": 0}
    dirty_sessions.add("a session", 2)
    dirty_sessions.add("a session", 1)
    # The work that goes on may have read the session before.
    assert dirty_sessions.take() == {}
    dirty_sessions.release("a session")
    assert dirty_sessions.take() == {"a session": 1}
