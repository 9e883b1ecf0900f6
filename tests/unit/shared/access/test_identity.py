"""Access tokens: what proves a caller, and what does not."""

import base64
import dataclasses
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.access.identity import (
    ACCESS_LIFETIME,
    ACCESS_TYPE,
    AUDIENCE,
    ISSUER,
    Caller,
    TokenIssuer,
    TokenVerifier,
)
from shared.contracts.states import UserRole
from shared.errors import Forbidden, Unauthenticated
from shared.http.internal import InternalCalls
from shared.runtime.rotating_secret import RotatingSecret
from tests.fakes.fake_clock import FakeClock

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
HANNA = Caller(
    user_id="u-1",
    sign_in_id="s-1",
    organization_id="o-1",
    role=UserRole.HOST,
    username="Hanna",
    is_admin=True,
    api_key_id="key-1",
)
VERA = Caller(user_id="u-2", sign_in_id="s-2", organization_id=None, role=UserRole.VIEWER, username="Vera 🎉")


def public(key: Ed25519PrivateKey) -> str:
    return base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def issuer(clock: FakeClock) -> TokenIssuer:
    return TokenIssuer(KEY.private_bytes_raw(), "k1", clock)


@pytest.fixture
def verifier(clock: FakeClock) -> TokenVerifier:
    return TokenVerifier({"k1": public(KEY), "k2": public(OTHER_KEY)}, clock)


@pytest.mark.parametrize("caller", [HANNA, VERA])
def test_a_token_proves_its_caller(issuer: TokenIssuer, verifier: TokenVerifier, caller: Caller) -> None:
    token, _ = issuer.issue(caller)
    assert verifier.verify(token) == caller
    assert verifier.verify(token) == caller


def test_a_token_ends(issuer: TokenIssuer, verifier: TokenVerifier, clock: FakeClock) -> None:
    token, expires_at = issuer.issue(HANNA)
    assert expires_at == clock.now() + ACCESS_LIFETIME
    verifier.verify(token)
    clock.advance(seconds=ACCESS_LIFETIME.total_seconds() + 4)
    assert verifier.verify(token) == HANNA
    clock.advance(seconds=1)
    for known in (verifier, TokenVerifier({"k1": public(KEY)}, clock)):
        with pytest.raises(Unauthenticated) as refusal:
            known.verify(token)
        assert refusal.value.code == "token_expired"


def test_a_token_does_not_hold_before_its_time(
    issuer: TokenIssuer, verifier: TokenVerifier, clock: FakeClock
) -> None:
    token, _ = issuer.issue(HANNA, timedelta(hours=1))
    clock.advance(seconds=-6)
    with pytest.raises(Unauthenticated):
        verifier.verify(token)
    clock.advance(seconds=1)
    assert verifier.verify(token) == HANNA


def claims(clock: FakeClock, **changed: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    good: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u-1",
        "sid": "s-1",
        "role": "host",
        "scp": ["read"],
    }
    good |= {"iat": now, "nbf": now, "exp": now + 60}
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(payload: dict[str, Any], **headers: Any) -> str:
    head = {"typ": ACCESS_TYPE, "kid": "k1"} | headers
    return jwt.encode(payload, KEY, "EdDSA", headers={name: value for name, value in head.items() if value})


def test_the_forged_ones_below_would_else_be_good(verifier: TokenVerifier, clock: FakeClock) -> None:
    assert verifier.verify(signed(claims(clock))).user_id == "u-1"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody"},
        {"iss": None},
        {"aud": "another-api"},
        {"aud": None},
        {"sub": None},
        {"sid": None},
        {"role": None},
        {"role": "king"},
        {"scp": None},
        {"scp": ["everything"]},
        {"scp": 7},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": None},
        {"iat": None},
    ],
    ids=str,
)
def test_other_claims_prove_nothing(
    verifier: TokenVerifier, clock: FakeClock, changed: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(signed(claims(clock, **changed)))


@pytest.mark.parametrize(
    "headers",
    [{"typ": "JWT"}, {"typ": None}, {"typ": "internal+jwt"}, {"kid": None}, {"kid": "k2"}, {"kid": "k9"}],
    ids=str,
)
def test_other_headers_prove_nothing(
    verifier: TokenVerifier, clock: FakeClock, headers: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(signed(claims(clock), **headers))


def test_other_algorithms_prove_nothing(verifier: TokenVerifier, clock: FakeClock) -> None:
    head = {"typ": ACCESS_TYPE, "kid": "k1"}
    public_key = KEY.public_key().public_bytes_raw()
    for key, algorithm in ((public_key, "HS256"), (public(KEY).encode(), "HS256"), (None, "none")):
        token = jwt.encode(claims(clock), key or "", algorithm, headers=head)
        with pytest.raises(Unauthenticated):
            verifier.verify(token)


def test_a_changed_token_proves_nothing(issuer: TokenIssuer, verifier: TokenVerifier) -> None:
    token, _ = issuer.issue(VERA)
    head, payload, signature = token.split(".")
    admin = base64.urlsafe_b64encode(
        base64.urlsafe_b64decode(payload + "==").replace(b'"adm":false', b'"adm":true ')
    )
    changed = [
        f"{head}.{admin.decode().rstrip('=')}.{signature}",
        f"{head}.{payload}.{signature[:-4]}AAAA",
        f"{head}.{payload}.",
        f"{head}.{payload}",
        "",
        "nonsense",
        "a.b.c",
        token + "é",
    ]
    for other in changed:
        with pytest.raises(Unauthenticated) as refusal:
            verifier.verify(other)
        assert refusal.value.code == "token_invalid"


def test_verified_tokens_are_forgotten_one_by_one(clock: FakeClock, issuer: TokenIssuer) -> None:
    verifier = TokenVerifier({"k1": public(KEY)}, clock)
    tokens = [issuer.issue(dataclasses.replace(VERA, sign_in_id=str(number)))[0] for number in range(20)]
    assert [verifier.verify(token).sign_in_id for token in tokens] == [str(number) for number in range(20)]


def test_only_hosts_of_an_organization_host() -> None:
    assert HANNA.hosting_organization() == "o-1"
    for other in (
        VERA,
        dataclasses.replace(VERA, organization_id="o-1"),
        dataclasses.replace(HANNA, organization_id=None),
    ):
        with pytest.raises(Forbidden):
            other.hosting_organization()
    assert HANNA.identity == "u-1:s-1"


def test_internal_calls_are_for_their_audience_and_a_minute(clock: FakeClock) -> None:
    calls = InternalCalls(RotatingSecret("a secret of some length that both services have"), clock)
    header = calls.sign("egress")
    calls.verify(header, "egress")
    refused = [
        (header, "session"),
        (None, "egress"),
        (header.removeprefix("Bearer "), "egress"),
        ("Bearer nonsense", "egress"),
        (
            InternalCalls(RotatingSecret("another secret, at least just as long as that"), clock).sign(
                "egress"
            ),
            "egress",
        ),
    ]
    for given, audience in refused:
        with pytest.raises(Unauthenticated) as refusal:
            calls.verify(given, audience)
        assert refusal.value.code == "internal_only"
    clock.advance(seconds=64)
    calls.verify(header, "egress")
    clock.advance(seconds=1)
    with pytest.raises(Unauthenticated):
        calls.verify(header, "egress")


def test_an_access_token_is_no_internal_call(clock: FakeClock, issuer: TokenIssuer) -> None:
    calls = InternalCalls(RotatingSecret("a secret of some length that both services have"), clock)
    token, _ = issuer.issue(HANNA)
    for given in (
        token,
        jwt.encode({"aud": "egress", "exp": 2e9}, "a secret of some length that both services have"),
    ):
        with pytest.raises(Unauthenticated):
            calls.verify(f"Bearer {given}", "egress")


def test_without_a_secret_no_internal_call_is_good(clock: FakeClock) -> None:
    calls = InternalCalls(RotatingSecret(""), clock)
    for header in ("Bearer x", None):
        with pytest.raises(Unauthenticated):
            calls.verify(header, "egress")


def test_a_signing_key_is_replaced_without_anybody_noticing(clock: FakeClock) -> None:
    old = TokenIssuer(KEY.private_bytes_raw(), "k1", clock)
    new = TokenIssuer(OTHER_KEY.private_bytes_raw(), "k2", clock)
    before = TokenVerifier({"k1": public(KEY)}, clock)
    both = TokenVerifier({"k1": public(KEY), "k2": public(OTHER_KEY)}, clock)
    after = TokenVerifier({"k2": public(OTHER_KEY)}, clock)
    by_old, by_new = old.issue(HANNA)[0], new.issue(HANNA)[0]
    assert jwt.get_unverified_header(by_new)["kid"] == "k2"
    assert [both.verify(token) for token in (by_old, by_new)] == [HANNA, HANNA]
    # Why it is published before it signs, and why the old one stays for as long as its tokens live.
    for verifier, token in ((before, by_new), (after, by_old)):
        with pytest.raises(Unauthenticated) as refusal:
            verifier.verify(token)
        assert refusal.value.code == "token_invalid"
    # The same key under the other's name.
    with pytest.raises(Unauthenticated):
        both.verify(TokenIssuer(OTHER_KEY.private_bytes_raw(), "k1", clock).issue(HANNA)[0])
