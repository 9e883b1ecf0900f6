"""Management tokens: what proves an API key in 100ms's form, and what does not."""

import math
from typing import Any

import jwt
import pytest

from services.session.identity.accounts.schemas import UpdateUserRequest
from services.session.identity.keys import management
from services.session.identity.keys.schemas import CreateApiKeyRequest
from shared.access.identity import Caller, Scope, TokenVerifier
from shared.errors import Unauthenticated
from shared.ids import new_id
from tests.unit.session.actors import Host
from tests.unit.session.backend import Backend
from tests.unit.session.builders import T0

SECRET = "a secret that is long enough for each of the algorithms it is tried with"
NOW = int(T0.timestamp())
DAY = 86_400


def claims(**changed: Any) -> dict[str, Any]:
    """Those of 100ms's own libraries; None leaves one out."""
    good = {"access_key": "k", "type": "management", "version": 2, "jti": new_id()}
    good |= {"iat": NOW - 10, "nbf": NOW - 10, "exp": NOW - 10 + DAY}
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(secret: str = SECRET, algorithm: str = "HS256", **changed: Any) -> str:
    return jwt.encode(claims(**changed), "" if algorithm == "none" else secret, algorithm)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"nbf": None, "jti": None},
        {"iat": NOW, "nbf": NOW},
        {"iat": NOW + 10, "nbf": NOW + 10, "exp": NOW + 11},
        {"exp": NOW + 1},
        {"iat": NOW - 5.5, "nbf": NOW - 5.5, "exp": NOW + 1.5},
        {"iat": NOW, "exp": NOW + 14 * DAY},
        {"iss": "somebody", "aud": "anything"},
    ],
    ids=str,
)
def test_what_the_key_s_secret_signed_holds(changed: dict[str, Any]) -> None:
    token = signed(**changed)
    assert management.verify(token, SECRET, T0).timestamp() == claims(**changed)["exp"]
    assert management.access_key(token) == "k"


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "app"},
        {"type": None},
        {"version": 1},
        {"version": None},
        {"version": "2"},
        {"exp": None},
        {"iat": None},
        {"iat": NOW + 11, "nbf": NOW},
        {"nbf": NOW + 11},
        {"iat": NOW, "exp": NOW + 14 * DAY + 1},
        {"iat": 0},
        {"iat": -math.inf, "exp": math.inf},
        {"exp": math.nan},
        {"exp": math.inf},
        {"iat": math.nan},
        {"nbf": math.nan},
        {"nbf": "soon"},
        {"exp": str(NOW + 60)},
        {"exp": True},
        {"exp": 10**400},
    ],
    ids=lambda changed: str(changed)[:40],
)
def test_other_claims_prove_nothing(changed: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        management.verify(signed(**changed), SECRET, T0)
    assert refusal.value.code == "management_token_invalid"


def test_it_ends_at_its_end() -> None:
    with pytest.raises(Unauthenticated) as refusal:
        management.verify(signed(exp=NOW), SECRET, T0)
    assert refusal.value.code == "token_expired"


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_other_algorithms_prove_nothing(algorithm: str) -> None:
    with pytest.raises(Unauthenticated):
        management.verify(signed(algorithm=algorithm), SECRET, T0)


def test_another_secret_or_a_changed_token_proves_nothing() -> None:
    good = signed()
    head, payload, signature = good.split(".")
    forged = [
        signed("another secret, as long as the right one is, or longer"),
        f"{head}.{payload}.",
        f"{head}.{payload}",
        f"{head}.{jwt.utils.base64url_encode(b'{}').decode()}.{signature}",
        "a.b.c",
        "",
        good + "é",
        "\udcff.\udcff.\udcff",
    ]
    for token in forged:
        with pytest.raises(Unauthenticated):
            management.verify(token, SECRET, T0)
    for token in ("", "x", "a.b.c", "a.W10.c", "a.e30.c", "a.\udcff.c", "a.é.c"):
        with pytest.raises(Unauthenticated):
            management.access_key(token)


async def key_of(backend: Backend, host: Host, *scopes: Scope) -> tuple[str, str]:
    body = CreateApiKeyRequest(user_id=host.user.id, name="a key", scopes=list(scopes or Scope))
    key, secret = await backend.key_service.create(new_id(), body)
    return key.id, secret


def caller_of(backend: Backend, token: str) -> Caller:
    return TokenVerifier(backend.public_keys, backend.clock).verify(token)


async def test_it_is_exchanged_for_what_the_key_itself_would_be(backend: Backend, host: Host) -> None:
    await backend.accounts.update(host.user.id, UpdateUserRequest(is_admin=True))
    id, secret = await key_of(backend, host, Scope.READ)
    for spelling in (id, id.upper()):
        token, ends_at = await backend.key_service.exchange_management(signed(secret, access_key=spelling))
        assert (ends_at - backend.clock.now()).total_seconds() == 60
        itself, _ = await backend.key_service.exchange(id, secret)
        assert caller_of(backend, token) == caller_of(backend, itself)
        assert not caller_of(backend, token).is_admin


async def test_what_it_is_exchanged_for_ends_no_later_than_itself(backend: Backend, host: Host) -> None:
    id, secret = await key_of(backend, host)
    _, ends_at = await backend.key_service.exchange_management(signed(secret, access_key=id, exp=NOW + 7))
    assert (ends_at - backend.clock.now()).total_seconds() == 7


async def test_of_an_unknown_deleted_or_ownerless_key_it_is_refused(backend: Backend, host: Host) -> None:
    id, secret = await key_of(backend, host)
    other, _ = await key_of(backend, host)
    for unknown in (new_id(), "nope", other, None, 7):
        with pytest.raises(Unauthenticated):
            await backend.key_service.exchange_management(signed(secret, access_key=unknown))
    good = signed(secret, access_key=id)
    await backend.accounts.update(host.user.id, UpdateUserRequest(is_active=False))
    with pytest.raises(Unauthenticated):
        await backend.key_service.exchange_management(good)
    await backend.accounts.update(host.user.id, UpdateUserRequest(is_active=True))
    await backend.key_service.exchange_management(good)
    await backend.key_service.delete(id)
    with pytest.raises(Unauthenticated):
        await backend.key_service.exchange_management(good)
