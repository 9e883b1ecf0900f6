"""Signing in and staying signed in: families of refresh tokens, devices, codes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.session.identity.accounts.domain import User
from services.session.identity.accounts.schemas import CreateUserRequest, UpdateUserRequest
from services.session.identity.signin.domain import GRACE, LIFETIME, RefreshTokens, Rotation, SignIn
from services.session.identity.signin.service import SignedIn
from shared.errors import Unauthenticated
from shared.ids import new_id
from shared.runtime.rotating_secret import RotatingSecret
from tests.unit.session.actors import Host
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0

PASSWORD = "correct horse"


@pytest.fixture
async def viewer(backend: Backend) -> SignedIn:
    signed_in, _ = await backend.sign_in.register_viewer(new_id(), "Vera")
    return signed_in


async def refused(backend: Backend, token: str) -> str:
    """The code with which this refresh token is refused."""
    with pytest.raises(Unauthenticated) as refusal:
        await backend.sign_in.refresh(token)
    return refusal.value.code


async def test_refreshing_rotates(backend: Backend, viewer: SignedIn) -> None:
    first = viewer.refresh_token
    second = (await backend.sign_in.refresh(first)).refresh_token
    third = (await backend.sign_in.refresh(second)).refresh_token
    assert len({first, second, third}) == 3


async def test_within_the_grace_both_tabs_get_the_same_successor(backend: Backend, viewer: SignedIn) -> None:
    second = (await backend.sign_in.refresh(viewer.refresh_token)).refresh_token
    backend.clock.advance(seconds=30)
    assert (await backend.sign_in.refresh(viewer.refresh_token)).refresh_token == second


async def test_after_the_grace_an_old_token_revokes_the_family(backend: Backend, viewer: SignedIn) -> None:
    second = (await backend.sign_in.refresh(viewer.refresh_token)).refresh_token
    backend.clock.advance(seconds=30, milliseconds=1)
    assert await refused(backend, viewer.refresh_token) == "refresh_token_reused"
    assert await refused(backend, second) == "refresh_token_invalid"


async def test_a_token_older_than_the_last_revokes_even_within_the_grace(
    backend: Backend, viewer: SignedIn
) -> None:
    second = (await backend.sign_in.refresh(viewer.refresh_token)).refresh_token
    third = (await backend.sign_in.refresh(second)).refresh_token
    assert await refused(backend, viewer.refresh_token) == "refresh_token_reused"
    assert await refused(backend, third) == "refresh_token_invalid"


async def test_a_token_lives_for_its_time_after_the_last_use(backend: Backend, viewer: SignedIn) -> None:
    backend.clock.advance(days=LIFETIME.days - 1)
    second = (await backend.sign_in.refresh(viewer.refresh_token)).refresh_token
    backend.clock.advance(days=LIFETIME.days)
    assert await refused(backend, second) == "refresh_token_invalid"


async def test_other_sign_ins_of_the_person_stay(backend: Backend) -> None:
    first, device = await backend.sign_in.register_viewer(new_id(), "Vera")
    other = await backend.sign_in.device_login(device)
    await backend.sign_in.logout(first.user.caller("x"), first.refresh_token)
    assert await refused(backend, first.refresh_token) == "refresh_token_invalid"
    assert (await backend.sign_in.refresh(other.refresh_token)).user.id == first.user.id


async def test_nobody_logs_out_another(backend: Backend, viewer: SignedIn) -> None:
    other, _ = await backend.sign_in.register_viewer(new_id(), "Olga")
    with pytest.raises(Unauthenticated):
        await backend.sign_in.logout(other.user.caller("x"), viewer.refresh_token)
    await backend.sign_in.refresh(viewer.refresh_token)


async def test_a_repeated_registration_is_the_same_person_with_a_new_device(backend: Backend) -> None:
    id = new_id()
    (first, old), (second, new) = [await backend.sign_in.register_viewer(id, "Vera") for _ in range(2)]
    assert first.user.id == second.user.id == id
    assert (await backend.sign_in.device_login(new)).user.id == id
    with pytest.raises(Unauthenticated):
        await backend.sign_in.device_login(old)


async def host_with_password(backend: Backend, host: Host) -> User:
    body = CreateUserRequest(
        email="anna@example.com",
        password=PASSWORD,
        username="Anna",
        organization_id=host.library.organization_id,
    )
    return await backend.accounts.create(new_id(), body)


async def test_a_password_signs_in_until_it_is_changed(backend: Backend, host: Host) -> None:
    user = await host_with_password(backend, host)
    signed_in = await backend.sign_in.login("ANNA@example.com", PASSWORD)
    assert signed_in.user.id == user.id
    await backend.accounts.update(user.id, UpdateUserRequest(password="another horse"))
    assert await refused(backend, signed_in.refresh_token) == "refresh_token_invalid"
    with pytest.raises(Unauthenticated):
        await backend.sign_in.login("anna@example.com", PASSWORD)
    await backend.sign_in.login("anna@example.com", "another horse")


async def test_who_is_inactive_gets_nothing(backend: Backend, host: Host) -> None:
    user = await host_with_password(backend, host)
    signed_in = await backend.sign_in.login("anna@example.com", PASSWORD)
    code = await backend.sign_in.generate_code(user.caller("x"), new_id())
    await backend.accounts.update(user.id, UpdateUserRequest(is_active=False))
    assert await refused(backend, signed_in.refresh_token) == "refresh_token_invalid"
    for attempt in (
        backend.sign_in.login("anna@example.com", PASSWORD),
        backend.sign_in.exchange_code(code),
        backend.sign_in.me(user.caller("x")),
    ):
        with pytest.raises(Unauthenticated):
            await attempt


async def test_nobody_is_told_which_half_was_wrong(backend: Backend, host: Host) -> None:
    await host_with_password(backend, host)
    said = set()
    for email, password in (("anna@example.com", "wrong"), ("nobody@example.com", PASSWORD)):
        with pytest.raises(Unauthenticated) as refusal:
            await backend.sign_in.login(email, password)
        said.add((refusal.value.message, refusal.value.code))
    assert len(said) == 1


async def test_a_code_signs_in_once_within_a_minute(backend: Backend, viewer: SignedIn) -> None:
    caller = viewer.user.caller("x")
    good, late = [await backend.sign_in.generate_code(caller, new_id()) for _ in range(2)]
    assert (await backend.sign_in.exchange_code(good)).user.id == viewer.user.id
    backend.clock.advance(seconds=60)
    for code in (good, late, "unknown", ""):
        with pytest.raises(Unauthenticated) as refusal:
            await backend.sign_in.exchange_code(code)
        assert refusal.value.code == "auth_code_invalid"


async def test_a_code_ends_with_what_it_came_from(backend: Backend, host: Host) -> None:
    user = await host_with_password(backend, host)
    codes = []
    for password, change in ((PASSWORD, "another horse"), ("another horse", None)):
        signed_in = await backend.sign_in.login("anna@example.com", password)
        sign_in_id, _ = RefreshTokens(RotatingSecret("a secret")).read(signed_in.refresh_token)
        caller = user.caller(sign_in_id)
        codes.append(await backend.sign_in.generate_code(caller, new_id()))
        if change:
            await backend.accounts.update(user.id, UpdateUserRequest(password=change))
        else:
            await backend.sign_in.logout(caller, signed_in.refresh_token)
    for code in codes:
        with pytest.raises(Unauthenticated) as refusal:
            await backend.sign_in.exchange_code(code)
        assert refusal.value.code == "auth_code_invalid"


@given(st.text(max_size=200))
def test_what_we_did_not_make_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        RefreshTokens(RotatingSecret("a secret")).read(text)


@given(st.integers(min_value=1, max_value=999_999_999))
def test_a_token_tells_its_sign_in_and_generation(generation: int) -> None:
    tokens, sign_in = RefreshTokens(RotatingSecret("a secret")), new_id()
    token = tokens.token(sign_in, generation)
    assert tokens.read(token) == (sign_in, generation)
    for other in (token[:-1], token + "A", token.replace(f"_{generation}_", f"_{generation + 1}_")):
        with pytest.raises(Unauthenticated):
            tokens.read(other)
    with pytest.raises(Unauthenticated):
        RefreshTokens(RotatingSecret("another secret")).read(token)


@pytest.mark.parametrize(
    ("generation", "after", "meaning"),
    [
        (5, timedelta(), Rotation.ROTATE),
        (5, LIFETIME - timedelta(seconds=1), Rotation.ROTATE),
        (4, GRACE, Rotation.SAME_SUCCESSOR),
        (4, GRACE + timedelta(milliseconds=1), Rotation.REUSED),
        (3, timedelta(), Rotation.REUSED),
        (6, timedelta(), Rotation.REUSED),
        (5, LIFETIME, Rotation.OVER),
    ],
)
def test_what_a_generation_means(generation: int, after: timedelta, meaning: Rotation) -> None:
    sign_in = SignIn(id="s", user_id="u", generation=5, rotated_at=T0, expires_at=T0 + LIFETIME)
    assert sign_in.present(generation, T0 + after) is meaning
    sign_in.revoked_at = T0
    assert sign_in.present(generation, T0 + after) is Rotation.OVER
