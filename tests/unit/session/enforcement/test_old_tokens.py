"""Tokens that are older than revocations are kept."""

import pytest

from services.session.identity.keys.schemas import CreateApiKeyRequest
from shared.access.identity import LONGEST_LIFETIME
from shared.ids import new_id
from tests.unit.session.actors import Host
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0
from tests.unit.session.rooms_with_tokens import TokenRoom, token_room

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
