"""Who may send webhooks: everything but LiveKit's own signature of exactly this body is refused."""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.contracts.states import Role
from shared.errors import InvalidRequest, Unauthenticated
from shared.livekit import JoinGrant, TokenMint, WebhookVerifier, parse
from tests.fakes.fake_clock import FakeClock

KEY, SECRET = "APIkey", "a-secret-of-at-least-thirty-two-bytes"
OTHER_SECRET = "another-secret-of-thirty-two-bytes-or-more"
BODY = b'{"event":"room_started","id":"EV_1","createdAt":"1795256370"}'
SIGNED = Path(__file__).parents[2] / "egress/webhooks/samples/signed/track_published.json"


def digest(body: bytes = BODY) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def claims(clock: FakeClock, **changes: Any) -> dict[str, Any]:
    """LiveKit's claims with `changes`; None takes one away."""
    now = int(clock.now().timestamp())
    made = {"iss": KEY, "nbf": now, "iat": now, "exp": now + 300, "sha256": digest(), **changes}
    return {name: value for name, value in made.items() if value is not None}


def signed(clock: FakeClock, *, secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(clock, **changes), secret, algorithm=algorithm)


def unsigned(clock: FakeClock) -> str:
    return jwt.encode(claims(clock), "", algorithm="none")


def by_another_kind_of_key(clock: FakeClock) -> str:
    return jwt.encode(claims(clock), Ed25519PrivateKey.generate(), algorithm="EdDSA")


def join_token(clock: FakeClock) -> str:
    grant = JoinGrant(room="r", identity="u:s", name="U", role=Role.HOST, can_publish=True)
    return TokenMint(KEY, SECRET, clock).join_token(grant, lifetime=timedelta(hours=1))


def with_a_changed_claim(clock: FakeClock) -> str:
    header, _, signature = signed(clock).split(".")
    payload = base64.urlsafe_b64encode(json.dumps(claims(clock, exp=9_999_999_999)).encode())
    return f"{header}.{payload.decode().rstrip('=')}.{signature}"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def verifier(clock: FakeClock) -> WebhookVerifier:
    return WebhookVerifier({KEY: SECRET, "APIempty": "", "APIother": OTHER_SECRET}, clock)


@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer "])
def test_livekits_signature_is_taken_with_and_without_a_scheme(
    clock: FakeClock, verifier: WebhookVerifier, prefix: str
) -> None:
    verifier.verify(BODY, prefix + signed(clock))


def test_every_known_key_may_sign(clock: FakeClock, verifier: WebhookVerifier) -> None:
    verifier.verify(BODY, signed(clock, iss="APIother", secret=OTHER_SECRET))


def test_what_a_real_server_sent_verifies() -> None:
    sent = json.loads(SIGNED.read_bytes())
    clock = FakeClock(datetime.fromtimestamp(sent["received_at"], UTC))
    verifier = WebhookVerifier({sent["api_key"]: sent["api_secret"]}, clock)
    verifier.verify(sent["body"].encode(), sent["authorization"])
    with pytest.raises(Unauthenticated):
        verifier.verify(sent["body"].encode() + b" ", sent["authorization"])


FORGERIES: dict[str, Callable[[FakeClock], str | None]] = {
    "no header": lambda _: None,
    "empty header": lambda _: "",
    "no token after the scheme": lambda _: "Bearer ",
    "no JWT": lambda _: "Bearer abc",
    "three parts of nothing": lambda _: "a.b.c",
    "other characters": lambda _: "🦊.🦊.🦊",
    "another secret": lambda clock: signed(clock, secret=OTHER_SECRET),
    "an unknown key": lambda clock: signed(clock, iss="APInobody"),
    "the key of another": lambda clock: signed(clock, iss="APIother"),
    "a key without a secret": lambda clock: signed(clock, iss="APIempty", secret=" " * 32),
    "no issuer": lambda clock: signed(clock, iss=None),
    "an empty issuer": lambda clock: signed(clock, iss=""),
    "no hash": lambda clock: signed(clock, sha256=None),
    "an empty hash": lambda clock: signed(clock, sha256=""),
    "another body's hash": lambda clock: signed(clock, sha256=digest(b"{}")),
    "a hash that is no text": lambda clock: signed(clock, sha256=["x"]),
    "a hash in hexadecimal": lambda clock: signed(clock, sha256=hashlib.sha256(BODY).hexdigest()),
    "expired": lambda clock: signed(clock, exp=int(clock.now().timestamp()) - 60),
    "no end": lambda clock: signed(clock, exp=None),
    "an end that is no number": lambda clock: signed(clock, exp="later"),
    "an end that is no time": lambda clock: signed(clock, exp=float("nan")),
    "not valid yet": lambda clock: signed(clock, nbf=int(clock.now().timestamp()) + 61),
    "a start that is no number": lambda clock: signed(clock, nbf=[]),
    "no algorithm": unsigned,
    "HS384": lambda clock: signed(clock, algorithm="HS384"),
    "HS512": lambda clock: signed(clock, algorithm="HS512"),
    "another kind of key": by_another_kind_of_key,
    "a join token": join_token,
    "a changed claim": with_a_changed_claim,
    "basic authentication": lambda _: "Basic QVBJa2V5OnNlY3JldA==",
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_refused(clock: FakeClock, verifier: WebhookVerifier, forgery: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        verifier.verify(BODY, FORGERIES[forgery](clock))
    assert refusal.value.code == "webhook_signature_invalid"


@pytest.mark.parametrize("body", [b"", BODY + b"\n", BODY.replace(b"EV_1", b"EV_2")])
def test_a_changed_body_is_refused(clock: FakeClock, verifier: WebhookVerifier, body: bytes) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(body, signed(clock))


def test_clocks_may_differ_by_a_minute(clock: FakeClock, verifier: WebhookVerifier) -> None:
    early, late = signed(clock, nbf=int(clock.now().timestamp()) + 60), signed(clock)
    verifier.verify(BODY, early)
    clock.advance(seconds=359)
    verifier.verify(BODY, late)
    clock.advance(seconds=1)
    with pytest.raises(Unauthenticated):
        verifier.verify(BODY, late)


@pytest.mark.parametrize(
    "raw",
    [b"", b"no json", b"[]", b"1", b"null", b"\xff\xfe", b"{}", b'{"event":"x"}', b'{"id":"","event":"x"}'],
)
def test_a_body_that_is_no_webhook_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse(raw)
    assert refusal.value.errors


def test_what_a_newer_livekit_adds_is_ignored_and_null_is_absent() -> None:
    event = parse(
        b'{"id":"EV_1","event":"participant_left","new":{"a":1},"createdAt":null,"numDropped":2,'
        b'"room":null,"participant":{"kind":"HOLOGRAM","permission":null,"attributes":{"a":"b"},"x":[1]}}'
    )
    assert event.participant is not None
    assert (event.participant.kind, event.room_name, event.num_dropped) == ("hologram", "", 2)
    assert event.participant.permission.hidden is False
