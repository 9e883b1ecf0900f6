"""A customer's backend lets its own people in."""

import dataclasses
from datetime import datetime, timedelta

import jwt
import pytest

from services.session.identity.accounts.schemas import UpdateUserRequest
from services.session.sessions.domain.session import Session
from services.session.tokens.schemas import IssueTokensRequest
from services.session.tokens.service import IssuedTokens
from shared.contracts.event import Event
from shared.contracts.states import RoomOptions
from shared.errors import Conflict, Forbidden, NotFound
from shared.ids import new_id
from tests.unit.session.actors import Host, new_host
from tests.unit.session.backend import Backend

KEY = new_id()


async def issue(
    backend: Backend,
    host: Host,
    session: Session,
    *,
    user: str = "c-1",
    name: str = "Carla",
    role: str = "audience",
) -> IssuedTokens:
    by = dataclasses.replace(host.caller, api_key_id=KEY)
    body = IssueTokensRequest.model_validate({"external_user_id": user, "name": name, "role": role})
    return await backend.tokens.issue(session.id, by, body)


async def test_the_same_person_is_known_again(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    first = await issue(backend, host, session)
    second = await issue(backend, host, session, name="Carla C.")
    other = await issue(backend, host, session, user="c-2")
    assert first.user.id == second.user.id != other.user.id
    assert (second.user.username, second.user.external_user_id) == ("Carla C.", "c-1")


async def test_the_token_says_who_as_what_and_for_how_long(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    answer = await issue(backend, host, session, role="moderator")
    claims = jwt.decode(answer.livekit_token, options={"verify_signature": False})
    assert claims["sub"].split(":")[0] == answer.user.id
    assert claims["attributes"]["greenroom.role"] == "moderator"
    assert claims["video"]["room"] == answer.room_name == session.id
    assert claims["exp"] - claims["nbf"] == 600
    assert (answer.expires_at - backend.clock.now()).total_seconds() == 600
    assert [role.value for role in (await backend.sessions.get(session.id)).roles.values()] == ["moderator"]


async def limited(backend: Backend, host: Host, **window: datetime) -> Session:
    session = await host.live_session()

    def limit(found: Session) -> list[Event]:
        found.options = RoomOptions(**window)
        return []

    return await backend.sessions.change(session.id, limit)


async def test_a_token_s_life_begins_when_people_may_join(backend: Backend, host: Host) -> None:
    opens = backend.clock.now() + timedelta(days=3)
    session = await limited(backend, host, join_from=opens)
    answer = await issue(backend, host, session)
    claims = jwt.decode(answer.livekit_token, options={"verify_signature": False})
    assert answer.expires_at == opens + timedelta(minutes=10)
    assert claims["exp"] == answer.expires_at.timestamp()


@pytest.mark.parametrize("setting", ["join_until", "remove_at"])
async def test_when_nobody_may_join_any_longer_nothing_is_given(
    backend: Backend, host: Host, setting: str
) -> None:
    session = await limited(backend, host, **{setting: backend.clock.now()})
    before = await backend.users.collection.count({}, limit=1000)
    with pytest.raises(Forbidden) as refusal:
        await issue(backend, host, session, role="moderator")
    assert refusal.value.code == "join_closed"
    assert (await backend.sessions.get(session.id)).roles == {}
    assert await backend.users.collection.count({}, limit=1000) == before
    assert (await issue(backend, host, session, role="host")).livekit_token


async def test_only_a_key_of_the_organization_may(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    body = IssueTokensRequest(external_user_id="c-1", name="Carla")
    with pytest.raises(Forbidden) as refusal:
        await backend.tokens.issue(session.id, host.caller, body)
    assert refusal.value.code == "api_key_required"
    with pytest.raises(NotFound):
        await issue(backend, await new_host(backend), session)


async def test_the_token_says_through_which_key(backend: Backend, host: Host) -> None:
    answer = await issue(backend, host, await host.live_session())
    claims = jwt.decode(answer.access_token, options={"verify_signature": False})
    assert (claims["via"], claims["key"]) == (KEY, None)


async def test_who_was_deactivated_is_not_let_in(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    person = (await issue(backend, host, session)).user
    await backend.accounts.update(person.id, UpdateUserRequest(is_active=False))
    with pytest.raises(Forbidden) as refusal:
        await issue(backend, host, session)
    assert refusal.value.code == "account_inactive"


async def test_nobody_is_let_into_what_is_over(backend: Backend, host: Host) -> None:
    session = await host.live_session()
    await host.end(session)
    with pytest.raises(Conflict):
        await issue(backend, host, session)
