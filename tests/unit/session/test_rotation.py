"""Secrets are replaced while replicas run: what any of them signed holds at all others, in each step."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pydantic import SecretStr

from services.session.centrifugo.service import CentrifugoService
from services.session.identity.signin.domain import RefreshTokens
from services.session.sessions.encoder_keys import EncoderKeys
from shared.access.encoders import EncoderOwner
from shared.access.identity import TokenVerifier
from shared.errors import AppError, Unavailable
from shared.files.paths import PathSigner
from shared.http.internal import InternalCalls
from shared.ids import new_id
from shared.livekit import WebhookSigner, WebhookVerifier
from shared.runtime.rotating_secret import RotatingSecret
from tests.fakes.fake_clock import FakeClock
from tests.unit.session.backend import Backend

OLD, NEW = "the old secret, of thirty-two bytes or more", "the new secret, of thirty-two bytes or more"
# What replicas are set to, in the order in which a rotation sets them.
STEPS = [
    RotatingSecret(OLD),
    RotatingSecret(OLD, NEW),
    RotatingSecret(NEW, OLD),
    RotatingSecret(NEW),
]
CLOCK = FakeClock()


@dataclass(frozen=True)
class Replica:
    """`sign` gives something signed, `check` raises `AppError` unless it holds here."""

    sign: Callable[[], str]
    check: Callable[[str], object]


def links(secret: RotatingSecret) -> Replica:
    signer = PathSigner(secret, "hls", CLOCK)
    return Replica(
        lambda: signer.sign("a session", CLOCK.now() + timedelta(hours=1)),
        lambda token: signer.verify(token, "a session"),
    )


def calls(secret: RotatingSecret) -> Replica:
    signer = InternalCalls(secret, CLOCK)
    return Replica(lambda: signer.sign("session"), lambda header: signer.verify(header, "session"))


def refresh_tokens(secret: RotatingSecret) -> Replica:
    tokens = RefreshTokens(secret)
    return Replica(lambda: tokens.token(new_id(), 3), tokens.read)


def encoder_keys(secret: RotatingSecret) -> Replica:
    keys = EncoderKeys(secret, CLOCK)
    return Replica(lambda: keys.issue(new_id(), EncoderOwner(new_id())), keys.read)


def encoder_connections(secret: RotatingSecret) -> Replica:
    """The key was issued before the rotation."""
    keys = EncoderKeys(secret, CLOCK)
    before = EncoderKeys(STEPS[0], CLOCK)
    key = before.read(before.issue("00000000-0000-4000-8000-000000000001", EncoderOwner(_USER)))
    return Replica(lambda: keys.sign_connection(key, "PA_1"), lambda name: keys.read_connection(key, name))


_USER = new_id()
KINDS = [links, calls, refresh_tokens, encoder_keys, encoder_connections]


@pytest.mark.parametrize("kind", KINDS)
def test_neighbouring_steps_accept_each_others_signatures(kind: Callable[[RotatingSecret], Replica]) -> None:
    replicas = [kind(secret) for secret in STEPS]
    for one, next_one in itertools.pairwise(replicas):
        for signer in (one, next_one):
            for verifier in (one, next_one):
                verifier.check(signer.sign())
    first, last = replicas[0], replicas[-1]
    for signer, verifier in ((first, last), (last, first)):
        with pytest.raises(AppError):
            verifier.check(signer.sign())


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_secret_nothing_is_signed(kind: Callable[[RotatingSecret], Replica]) -> None:
    without = kind(RotatingSecret.of(SecretStr(""), [SecretStr(OLD)]))
    with pytest.raises(Unavailable):
        without.sign()
    with pytest.raises(AppError):
        without.check(kind(STEPS[0]).sign())


def test_centrifugo_may_send_the_old_secret_or_the_new_one(backend: Backend) -> None:
    def refused(secret: RotatingSecret, shown: str) -> bool:
        verifier = TokenVerifier(backend.public_keys, backend.clock)
        service = CentrifugoService(secret, verifier, backend.access, backend.clock)
        return service.refresh(shown).error is not None

    assert [refused(secret, OLD) for secret in STEPS] == [False, False, False, True]
    assert [refused(secret, NEW) for secret in STEPS] == [True, False, False, False]


def test_webhooks_may_be_signed_with_livekits_old_key_or_its_new_one() -> None:
    both = WebhookVerifier({"old": OLD, "new": NEW}, CLOCK)
    for key, secret in (("old", OLD), ("new", NEW)):
        both.verify(b"{}", WebhookSigner(key, secret, CLOCK).sign(b"{}"))
    for key, secret in (("old", NEW), ("new", OLD), ("other", OLD)):
        with pytest.raises(AppError):
            both.verify(b"{}", WebhookSigner(key, secret, CLOCK).sign(b"{}"))
