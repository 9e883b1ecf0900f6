"""Tokens that are older than revocations are kept."""

from unittest.mock import AsyncMock

import pytest

from services.session.enforcement.old_tokens import OldTokens
from services.session.identity.keys.schemas import CreateApiKeyRequest
from shared.access.identity import LONGEST_LIFETIME
from shared.contracts.reconciler_events import RosterConnection, RosterObserved
from shared.contracts.states import Role
from shared.ids import new_id
from tests.unit.session.actors import Host
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0
from tests.unit.session.rooms_with_tokens import TokenRoom, connection_by, token_room

OPENS = T0 + 3 * LONGEST_LIFETIME


async def opened_later(backend: Backend, host: Host) -> TokenRoom:
    room = await token_room(backend, host, join_from=OPENS)
    body = CreateApiKeyRequest(user_id=host.user.id, name="A key")
    key, _ = await backend.key_service.create(new_id(), body)
    room.key = await backend.key_service.caller(key.id)
    return room


@pytest.mark.parametrize(("deleted", "there"), [(False, True), (True, False)])
async def test_whoever_issued_it_must_still_be_there(
    backend: Backend, host: Host, deleted: bool, there: bool
) -> None:
    room = await opened_later(backend, host)
    issued = await room.issue(external_user_id="c-1")
    if deleted:
        await backend.key_service.delete(room.key.api_key_id or "")
    backend.clock.advance(seconds=(OPENS - T0).total_seconds())
    await room.enters(issued)
    assert room.there(issued) is there


async def test_whoever_has_it_must_still_be_there(backend: Backend, host: Host) -> None:
    room = await opened_later(backend, host)
    issued = await room.issue(external_user_id="c-1")
    await backend.accounts.delete(issued.user.id)
    backend.clock.advance(seconds=(OPENS - T0).total_seconds())
    await room.enters(issued)
    assert not room.there(issued)


async def test_a_join_that_was_not_reported_is_looked_at_once(
    backend: Backend, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await opened_later(backend, host)
    gone, stays = [await room.issue(external_user_id=person) for person in ("c-1", "c-2")]
    await backend.accounts.delete(gone.user.id)
    backend.clock.advance(seconds=(OPENS - T0).total_seconds())
    with monkeypatch.context() as lost:
        lost.setattr(TokenRoom, "joins", AsyncMock())
        for one in (gone, stays):
            await room.enters(one)
    asked = AsyncMock(wraps=backend.sign_in.caller)
    monkeypatch.setattr(backend.sign_in, "caller", asked)
    roster = [connection_by(backend, one, sid) for sid, one in (("PA_1", gone), ("PA_2", stays))]
    for _ in range(2):
        await room.observed(gone, *roster)
    assert (room.there(gone), room.there(stays)) == (False, True)
    assert asked.await_count == 2


def roster(session_id: str) -> RosterObserved:
    connection = RosterConnection(
        participant_sid="PA_1",
        identity="u-1:s",
        user_id="u-1",
        username="Ada",
        role=Role.AUDIENCE,
        joined_at=OPENS,
        issued_at=T0,
    )
    return RosterObserved(
        session_id=session_id, room_sid="RM_1", observed_at=OPENS, connections=(connection,), departed=()
    )


async def test_of_sessions_whose_end_others_hear_of_only_some_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.session.enforcement.old_tokens._REMEMBERED", 2)
    accounts = AsyncMock()
    old_tokens = OldTokens(accounts, AsyncMock())
    asked = []
    for session_id in ("s-1", "s-2", "s-1", "s-3", "s-1", "s-3", "s-2"):
        before = accounts.caller.await_count
        await old_tokens.follow_roster(roster(session_id))
        asked.append(accounts.caller.await_count - before)
    assert asked == [1, 1, 0, 1, 0, 0, 1]
