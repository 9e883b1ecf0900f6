"""Bans: who may ban whom, what a ban takes, and what is told of it."""

import pytest

from services.session.moderation.presenter import BanParticipantRequest
from services.session.sessions.domain.bans import MOST_BANNED
from services.session.sessions.domain.bans import ban as ban_in
from services.session.sessions.domain.people import Ban
from shared.access.identity import Caller
from shared.contracts.session_events import SessionEvent
from shared.contracts.states import Role, StageSeat
from shared.errors import Conflict, Forbidden, NotFound
from shared.http.schema import Page
from shared.ids import new_id
from tests.unit.session.actors import Host, ban, colleague, grant_role, new_host, registered
from tests.unit.session.backend import Backend
from tests.unit.session.builders import HOST, T0, live_session

BAN = Ban(id=new_id(), banned_by=HOST, reason="shouting", banned_at=T0)


async def refused(backend: Backend, session: str, by: Caller, user_id: str) -> str:
    with pytest.raises((Forbidden, Conflict, NotFound)) as refusal:
        await backend.moderation.ban(session, by, BanParticipantRequest(user_id=user_id), new_id())
    return refusal.value.code


def test_a_ban_takes_role_and_place_and_is_told_with_its_time() -> None:
    seat = StageSeat(id=new_id(), name="Anna", joined_stage_at=T0)
    made = live_session(roles={"anna": Role.MODERATOR}, stage={"anna": seat})
    (event,) = ban_in(made, "anna", BAN, Role.HOST)
    assert isinstance(event, SessionEvent)
    state = event.session
    assert (state.roles, state.stage, state.banned) == ({}, {}, {"anna": T0})


def test_there_is_a_most_of_bans() -> None:
    made = live_session(bans={f"user {number}": BAN for number in range(MOST_BANNED)})
    with pytest.raises(Conflict) as refusal:
        ban_in(made, "one more", BAN, Role.HOST)
    assert refusal.value.code == "too_many_bans"
    assert ban_in(made, "user 0", BAN, Role.HOST) == []


async def test_who_may_ban_whom(backend: Backend, host: Host) -> None:
    session = (await host.live_session()).id
    made = await backend.sessions.get(session)
    vera, mia, max_ = [await registered(backend) for _ in range(3)]
    carl = await colleague(backend, host)
    await grant_role(backend, host, made, carl, Role.CO_HOST)
    for moderator in (mia, max_):
        await grant_role(backend, host, made, moderator, Role.MODERATOR)
    assert await refused(backend, session, vera, mia.user_id) == "host_required"
    assert (
        await refused(backend, session, (await new_host(backend)).caller, vera.user_id) == "session_not_found"
    )
    for untouchable in (host.user.id, carl.user_id, max_.user_id):
        assert await refused(backend, session, mia, untouchable) == "ban_of_staff"
    assert await refused(backend, session, mia, mia.user_id) == "ban_of_oneself"
    assert await refused(backend, session, mia, new_id()) == "user_not_found"
    await backend.moderation.ban(session, mia, BanParticipantRequest(user_id=vera.user_id), new_id())
    # By the hosts moderators may be banned, and have nothing to say any more.
    await backend.moderation.ban(session, carl, BanParticipantRequest(user_id=mia.user_id), new_id())
    assert await refused(backend, session, mia, vera.user_id) == "banned"


async def test_the_same_ban_again_is_the_first(backend: Backend, host: Host) -> None:
    session, vera = await host.live_session(), await registered(backend)
    body = BanParticipantRequest(user_id=vera.user_id, reason="shouting")
    first = await backend.moderation.ban(session.id, host.caller, body, new_id())
    backend.clock.advance(seconds=5)
    other = BanParticipantRequest(user_id=vera.user_id)
    assert await backend.moderation.ban(session.id, host.caller, other, new_id()) == first


async def test_who_is_banned_is_told_why_and_may_come_again_later(backend: Backend, host: Host) -> None:
    session, vera = await host.live_session(), await registered(backend)
    assert not (await backend.moderation.status(session.id, vera)).banned
    body = BanParticipantRequest(user_id=vera.user_id, reason="shouting")
    await backend.moderation.ban(session.id, host.caller, body, new_id())
    told = await backend.moderation.status(session.id, vera)
    assert (told.banned, told.reason, told.banned_at) == (True, "shouting", backend.clock.now())
    await backend.moderation.unban(session.id, host.caller, vera.user_id)
    assert not (await backend.moderation.status(session.id, vera)).banned
    await backend.tokens.join(session.id, vera, None)
    with pytest.raises(NotFound):
        await backend.moderation.unban(session.id, host.caller, vera.user_id)


async def test_the_list_shows_the_last_first(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    viewers = [await registered(backend) for _ in range(3)]
    for vera in viewers:
        await ban(backend, host, session, vera)
        backend.clock.advance(seconds=1)
    page = await backend.moderation.list(session.id, host.caller, Page(limit=2))
    assert [one.user_id for one in page.banned_participants] == [viewers[2].user_id, viewers[1].user_id]
    assert page.total == 3


async def test_who_belongs_elsewhere_is_banned_and_not_shown(backend: Backend, host: Host) -> None:
    session, other = await host.live_session(), await new_host(backend)
    body = BanParticipantRequest(user_id=other.user.id)
    shown = await backend.moderation.ban(session.id, host.caller, body, new_id())
    assert (shown.user_id, shown.user) == (other.user.id, None)
    assert shown.banned_by_user is not None
    with pytest.raises(Forbidden):
        await backend.tokens.join(session.id, other.caller, None)
