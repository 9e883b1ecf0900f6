"""The session service's own settings."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.session.settings import SessionSettings
from shared.runtime.settings import SettingsRefused, load

_PRIVATE = hashlib.sha256(b"k").digest()
KEY = base64.urlsafe_b64encode(_PRIVATE).decode()
PUBLIC_KEY = base64.urlsafe_b64encode(
    Ed25519PrivateKey.from_private_bytes(_PRIVATE).public_key().public_bytes_raw()
).decode()
OTHER_KEY = base64.urlsafe_b64encode(b"o" * 32).decode()
GOOD = {
    "GREENROOM_IDENTITY_SIGNING_KID": "k1",
    "GREENROOM_IDENTITY_PRIVATE_KEY": KEY,
    "GREENROOM_IDENTITY_PUBLIC_KEYS": json.dumps({"k1": PUBLIC_KEY}),
    "GREENROOM_KEYRING": json.dumps({"1": KEY}),
    "GREENROOM_REFRESH_SECRET": "a refresh secret of some length",
    "GREENROOM_INTERNAL_SECRET": "an internal secret of some length",
    "GREENROOM_AMQP_URL": "amqp://greenroom:strong-enough-for-this@127.0.0.1:5672/",
    "GREENROOM_LIVEKIT_API_SECRET": "a livekit secret of some length",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_with_all_keys_it_starts(environment: pytest.MonkeyPatch) -> None:
    settings = load(SessionSettings)
    assert settings.keyring == {"1": KEY}
    assert KEY not in repr(settings)
    environment.setenv("GREENROOM_ENVIRONMENT", "production")
    assert not load(SessionSettings).development


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GREENROOM_IDENTITY_SIGNING_KID", "k2"),
        ("GREENROOM_IDENTITY_SIGNING_KID", ""),
        ("GREENROOM_IDENTITY_PRIVATE_KEY", ""),
        ("GREENROOM_IDENTITY_PRIVATE_KEY", OTHER_KEY),
        ("GREENROOM_IDENTITY_PRIVATE_KEY", "no key"),
        ("GREENROOM_KEYRING", "{}"),
        ("GREENROOM_KEYRING", "{no json"),
        ("GREENROOM_REFRESH_SECRET", ""),
        ("GREENROOM_MAX_DURATION_SECONDS", "5"),
        ("GREENROOM_NO_HOST_GRACE_SECONDS", "soon"),
    ],
)
def test_what_is_missing_is_named(environment: pytest.MonkeyPatch, variable: str, value: str) -> None:
    environment.setenv(variable, value)
    with pytest.raises(SettingsRefused, match=r"GREENROOM_|keyring") as refusal:
        load(SessionSettings)
    assert KEY not in str(refusal.value)


@pytest.mark.parametrize(
    ("api", "public", "told"),
    [
        ("http://livekit:7880", "", "ws://livekit:7880"),
        ("https://livekit.example/", "", "wss://livekit.example"),
        ("http://livekit:7880", "wss://live.example/livekit", "wss://live.example/livekit"),
    ],
)
def test_clients_are_told_livekits_address_in_their_own_form(
    environment: pytest.MonkeyPatch, api: str, public: str, told: str
) -> None:
    environment.setenv("GREENROOM_LIVEKIT_API_URL", api)
    environment.setenv("GREENROOM_LIVEKIT_PUBLIC_URL", public)
    assert load(SessionSettings).livekit_public_url == told


@pytest.mark.parametrize(
    "address",
    [
        "https://live.example",
        "live.example:7880",
        "wss://",
        "wss://user:pass@live.example",
        "wss://l.example?a=b",
    ],
)
def test_an_address_that_no_client_can_use_is_refused(environment: pytest.MonkeyPatch, address: str) -> None:
    environment.setenv("GREENROOM_LIVEKIT_PUBLIC_URL", address)
    with pytest.raises(SettingsRefused, match="GREENROOM_LIVEKIT_PUBLIC_URL"):
        load(SessionSettings)


@pytest.mark.parametrize("name", SessionSettings.needed)
def test_without_what_is_needed_it_does_not_start(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(f"GREENROOM_{name.upper()}")
    with pytest.raises(SettingsRefused, match=f"GREENROOM_{name.upper()}"):
        load(SessionSettings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GREENROOM_REFRESH_SECRET", "short"),
        ("GREENROOM_LIVEKIT_API_SECRET", "short"),
        ("GREENROOM_BOOTSTRAP_ADMIN_PASSWORD", "short"),
        ("GREENROOM_AMQP_URL", "amqp://guest:guest@broker/"),
        ("GREENROOM_MONGODB_URI", "mongodb://greenroom:changeme@database/greenroom_session"),
    ],
)
def test_production_takes_no_weak_secret(environment: pytest.MonkeyPatch, variable: str, value: str) -> None:
    environment.setenv("GREENROOM_ENVIRONMENT", "production")
    environment.setenv(variable, value)
    with pytest.raises(SettingsRefused, match=variable):
        load(SessionSettings)


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("smtp://mail", ""),
        ("smtp://mail", "Greenroom"),
        ("http://user:tell-nobody@mail", "reminders@example.com"),
        ("smtp://", "reminders@example.com"),
    ],
)
def test_a_mail_server_that_cannot_be_used_is_refused(
    environment: pytest.MonkeyPatch, url: str, sender: str
) -> None:
    environment.setenv("GREENROOM_SMTP_URL", url)
    environment.setenv("GREENROOM_MAIL_FROM", sender)
    with pytest.raises(SettingsRefused, match="GREENROOM_SMTP_URL") as refusal:
        load(SessionSettings)
    assert "tell-nobody" not in str(refusal.value)


def test_a_mail_server_is_no_need(environment: pytest.MonkeyPatch) -> None:
    assert load(SessionSettings).smtp_url is None
    environment.setenv("GREENROOM_SMTP_URL", "smtps://user:tell-nobody@mail.example")
    environment.setenv("GREENROOM_MAIL_FROM", "Town hall <reminders@example.com>")
    assert "tell-nobody" not in repr(load(SessionSettings))
