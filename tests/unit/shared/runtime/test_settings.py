"""Settings: environment over file over defaults, and no weak secret in production."""

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field, SecretStr

from shared.runtime.settings import Keys, ServiceSettings, SettingsRefused, base64url, load

STRONG = "a secret of more than sixteen characters"


class OwnSettings(ServiceSettings):
    secrets: ClassVar[tuple[str, ...]] = ("internal_secret", "own_keys")

    own_keys: Keys = Field(default={})
    own_secret: SecretStr = SecretStr("")
    own_url: str = "amqp://greenroom:a-password-of-its-own@127.0.0.1:5672/"


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("GREENROOM_ENVIRONMENT", "production")
    monkeypatch.setenv("GREENROOM_INTERNAL_SECRET", STRONG)
    monkeypatch.setenv("GREENROOM_OWN_KEYS", f'{{"1": "{STRONG}"}}')
    monkeypatch.setenv("GREENROOM_IDENTITY_PUBLIC_KEYS", '{"k1": "AAAA"}')
    return monkeypatch


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "greenroom.yaml"
    path.write_text("port: 4001\nlog_level: ERROR\ninternal_secret: from the file\nunknown: ignored\n")
    monkeypatch.setenv("GREENROOM_CONFIG", str(path))
    return path


def test_defaults_hold_where_nothing_is_said() -> None:
    settings = load(ServiceSettings)
    assert (settings.environment, settings.port, settings.log_format) == ("development", 8000, "json")
    assert settings.development


def test_the_file_wins_over_defaults_and_the_environment_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_PORT", "4002")
    settings = load(ServiceSettings)
    assert (settings.port, settings.log_level) == (4002, "ERROR")
    assert settings.internal_secret.get_secret_value() == "from the file"
    assert settings.host == "127.0.0.1"


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_CONFIG", "/nowhere/greenroom.yaml")
    with pytest.raises(SettingsRefused, match=r"/nowhere/greenroom\.yaml"):
        load(ServiceSettings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GREENROOM_PORT", "70000"),
        ("GREENROOM_PORT", "http"),
        ("GREENROOM_ENVIRONMENT", "staging"),
        ("GREENROOM_LOG_LEVEL", "LOUD"),
        ("GREENROOM_DRAIN_SECONDS", "-1"),
    ],
)
def test_a_bad_setting_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsRefused) as refusal:
        load(ServiceSettings)
    assert f"{variable}: " in str(refusal.value)
    assert f"'{value}'" not in str(refusal.value)


def test_every_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_PORT", "no")
    monkeypatch.setenv("GREENROOM_LOG_FORMAT", "no")
    with pytest.raises(SettingsRefused, match=r"(?s)GREENROOM_PORT.*GREENROOM_LOG_FORMAT|LOG_FORMAT.*PORT"):
        load(ServiceSettings)


def test_broken_json_is_refused_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_OWN_KEYS", "sesame")
    with pytest.raises(SettingsRefused, match="GREENROOM_OWN_KEYS") as refusal:
        load(OwnSettings)
    assert "sesame" not in str(refusal.value)


def test_production_starts_with_strong_secrets(production: pytest.MonkeyPatch) -> None:
    settings = load(OwnSettings)
    assert not settings.development
    assert STRONG not in repr(settings.internal_secret)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GREENROOM_INTERNAL_SECRET", ""),
        ("GREENROOM_INTERNAL_SECRET", "short"),
        ("GREENROOM_INTERNAL_SECRET", "changeme"),
        ("GREENROOM_OWN_KEYS", "{}"),
        ("GREENROOM_OWN_KEYS", '{"1": "short"}'),
        ("GREENROOM_OWN_KEYS", f'{{"1": "{STRONG}", "2": "secret"}}'),
        ("GREENROOM_OWN_SECRET", "admin"),
        ("GREENROOM_OWN_URL", "amqp://guest:guest@127.0.0.1:5672/"),
    ],
)
def test_production_refuses_weak_secrets(production: pytest.MonkeyPatch, variable: str, value: str) -> None:
    production.setenv(variable, value)
    with pytest.raises(SettingsRefused, match=variable) as refusal:
        load(OwnSettings)
    assert STRONG not in str(refusal.value)
    production.setenv("GREENROOM_ENVIRONMENT", "test")
    load(OwnSettings)


def test_production_needs_the_public_keys(production: pytest.MonkeyPatch) -> None:
    production.delenv("GREENROOM_IDENTITY_PUBLIC_KEYS")
    with pytest.raises(SettingsRefused, match="GREENROOM_IDENTITY_PUBLIC_KEYS"):
        load(OwnSettings)


@pytest.mark.parametrize("text", ["AAEC_w==", "AAEC_w"])
def test_keys_are_read_with_and_without_padding(text: str) -> None:
    assert base64url(text) == b"\x00\x01\x02\xff"
