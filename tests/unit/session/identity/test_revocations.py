"""Who was let in, through an API key or with rights, is so no longer than that holds."""

from typing import Any

import pytest

from services.session.identity.accounts.domain import User
from services.session.identity.accounts.fair_queue import Asker
from services.session.identity.accounts.passwords import Passwords
from services.session.identity.accounts.schemas import UpdateUserRequest
from services.session.identity.keys.schemas import CreateApiKeyRequest
from shared.access.identity import Caller, Scope, TokenVerifier
from shared.access.revocations import Revocations
from shared.errors import Forbidden, Unauthenticated
from shared.ids import new_id
from tests.unit.session.actors import Host
from tests.unit.session.backend import Backend
from tests.unit.session.identity.test_signin import PASSWORD, host_with_password, refused


async def by_key(backend: Backend, user: User, *scopes: Scope) -> Caller:
    """The caller that an API key of this person is."""
    body = CreateApiKeyRequest(user_id=user.id, name="a key", scopes=list(scopes or Scope))
    token, _ = await backend.key_service.exchange(*await made(backend, body))
    return caller_of(backend, token)


async def made(backend: Backend, body: CreateApiKeyRequest) -> tuple[str, str]:
    key, secret = await backend.key_service.create(new_id(), body)
    return key.id, secret


def caller_of(backend: Backend, token: str) -> Caller:
    return TokenVerifier(backend.public_keys, backend.clock).verify(token)


async def test_a_key_signs_its_host_in_but_no_administrator(backend: Backend, host: Host) -> None:
    user = await host_with_password(backend, host)
    key = await by_key(backend, user)
    codes = [await backend.sign_in.generate_code(key, new_id()) for _ in range(2)]
    first = await backend.sign_in.exchange_code(codes[0])
    assert first.user.id == user.id
    await backend.accounts.update(user.id, UpdateUserRequest(is_admin=True))
    with pytest.raises(Forbidden):
        await backend.sign_in.generate_code(key, new_id())
    # Nor does anybody become one by being let in, before or after.
    for signed_in in (
        await backend.sign_in.exchange_code(codes[1]),
        await backend.sign_in.refresh(first.refresh_token),
    ):
        assert not caller_of(backend, signed_in.access_token).is_admin


async def test_a_key_that_may_not_do_everything_signs_nobody_in(backend: Backend, host: Host) -> None:
    key = await by_key(backend, await host_with_password(backend, host), Scope.WRITE)
    with pytest.raises(Forbidden) as refusal:
        await backend.sign_in.generate_code(key, new_id())
    assert refusal.value.code == "scope_missing"


async def test_what_a_key_let_in_ends_with_the_key(backend: Backend, host: Host) -> None:
    key = await by_key(backend, await host_with_password(backend, host))
    used, unused = [await backend.sign_in.generate_code(key, new_id()) for _ in range(2)]
    signed_in = await backend.sign_in.exchange_code(used)
    let_in = caller_of(backend, signed_in.access_token)
    assert (let_in.via, let_in.api_key_id) == (key.api_key_id, None)
    # Whom it let in lets in nobody for longer.
    further = await backend.sign_in.exchange_code(await backend.sign_in.generate_code(let_in, new_id()))
    left = await backend.sign_in.generate_code(let_in, new_id())
    await backend.key_service.delete(str(key.api_key_id))
    for code in (unused, left):
        with pytest.raises(Unauthenticated) as refusal:
            await backend.sign_in.exchange_code(code)
        assert refusal.value.code == "auth_code_invalid"
    for one in (signed_in, further):
        assert await refused(backend, one.refresh_token) == "api_key_gone"
    revocations = Revocations(backend.clock)
    await revocations.update(backend.revocations)
    for caller in (key, let_in, caller_of(backend, further.access_token)):
        assert revocations.cover(caller, backend.clock.now().timestamp())


async def test_a_person_who_is_let_in_again_is_in_with_new_tokens_only(backend: Backend, host: Host) -> None:
    user = await host_with_password(backend, host)
    before = caller_of(backend, (await backend.sign_in.login("anna@example.com", PASSWORD)).access_token)
    at = backend.clock.now().timestamp()
    await backend.accounts.update(user.id, UpdateUserRequest(is_active=False))
    backend.clock.advance(seconds=1)
    await backend.accounts.update(user.id, UpdateUserRequest(is_active=True))
    after = caller_of(backend, (await backend.sign_in.login("anna@example.com", PASSWORD)).access_token)
    revocations = Revocations(backend.clock)
    await revocations.update(backend.revocations)
    assert revocations.cover(before, at)
    assert not revocations.cover(after, backend.clock.now().timestamp())


async def test_an_administrator_no_more_is_one_in_no_token(backend: Backend, host: Host) -> None:
    user = await host_with_password(backend, host)
    await backend.accounts.update(user.id, UpdateUserRequest(is_admin=True))
    signed_in = await backend.sign_in.login("anna@example.com", PASSWORD)
    at = backend.clock.now().timestamp()
    await backend.accounts.update(user.id, UpdateUserRequest(is_admin=False))
    revocations = Revocations(backend.clock)
    await revocations.update(backend.revocations)
    assert revocations.cover(caller_of(backend, signed_in.access_token), at)
    backend.clock.advance(seconds=1)
    again = await backend.sign_in.refresh(signed_in.refresh_token)
    assert not caller_of(backend, again.access_token).is_admin
    assert not revocations.cover(caller_of(backend, again.access_token), backend.clock.now().timestamp())


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "another horse"}], ids=str)
async def test_what_changes_while_a_password_is_looked_at_counts(
    backend: Backend, host: Host, change: dict[str, Any]
) -> None:
    user = await host_with_password(backend, host)

    class Slow(Passwords):
        async def matches(self, password: str, stored: str | None, asker: Asker) -> bool:
            good = await super().matches(password, stored, asker)
            await backend.accounts.update(user.id, UpdateUserRequest.model_validate(change))
            return good

    with pytest.raises(Unauthenticated):
        await backend.signing_in(Slow()).login("anna@example.com", PASSWORD)
