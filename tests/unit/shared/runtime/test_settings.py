"""Settings: environment over file over defaults, and no weak secret in production."""

from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
from pydantic import Field, SecretStr

from shared.runtime.settings import Keys, ServiceSettings, SettingsRefused, base64url, load

STRONG = "a secret of more than sixteen characters"


class OwnSettings(ServiceSettings):
    secrets: ClassVar[tuple[str, ...]] = ("internal_secret", "own_keys")

    own_keys: Keys = Field(default={})
    own_secret: SecretStr = SecretStr("")
    own_options: Keys = Field(default={})
    other_keys: dict[str, SecretStr] = Field(default={})
    own_url: str = "amqp://greenroom:kX2vQ9mZ4tR7wB1n@127.0.0.1:5672/"


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
    assert (settings.environment, settings.port, settings.log_format) == ("development", 8000, "auto")
    assert settings.development


@pytest.mark.parametrize(("terminal", "output"), [(True, "console"), (False, "json")])
def test_logs_are_readable_on_a_terminal_and_json_elsewhere(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, output: str
) -> None:
    monkeypatch.setattr("sys.stderr", SimpleNamespace(isatty=lambda: terminal))
    assert load(ServiceSettings).log_output == output
    for chosen in ("json", "console"):
        monkeypatch.setenv("GREENROOM_LOG_FORMAT", chosen)
        assert load(ServiceSettings).log_output == chosen
    assert ServiceSettings.model_construct(environment="production").log_output == "json"


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


RANDOM = "d773a2dd4ad6ceb0"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("INTERNAL_SECRET", "", "is missing"),
        ("INTERNAL_SECRET", " " * 32, "is missing"),
        ("INTERNAL_SECRET", "\t\n\u3000" * 8, "is missing"),
        ("INTERNAL_SECRET", "sesame", "is shorter than 16 characters"),
        ("INTERNAL_SECRET", f"{RANDOM[:-1]} ", "is shorter than 16 characters"),
        ("INTERNAL_SECRET", "a" * 32, "is easily guessed"),
        ("INTERNAL_SECRET", "0123456789abcdef" * 2, "is easily guessed"),
        ("INTERNAL_SECRET", "qwertyuiopasdfgh", "is easily guessed"),
        ("INTERNAL_SECRET", "secretsecretsecret", "is easily guessed"),
        ("INTERNAL_SECRET", "changemechangeme", "is a default or an example"),
        ("INTERNAL_SECRET", "Change-Me_please-0123", "is a default or an example"),
        ("INTERNAL_SECRET", "insecure-default-secret", "is a default or an example"),
        ("INTERNAL_SECRET", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "is a default or an example"),
        ("INTERNAL_SECRET", "A" * 43 + "=", "is easily guessed"),
        ("INTERNAL_SECRET", "${GREENROOM_INTERNAL_SECRET}", "is a default or an example"),
        ("INTERNAL_SECRET", "$(openssl rand -hex 32)", "is a default or an example"),
        ("OWN_SECRET", "{{ vault_own_secret }}", "is a default or an example"),
        ("OWN_KEYS", '{"1": "<32 random bytes, base64url>"}', "'1' is a default or an example"),
        ("OWN_KEYS", "{}", "is missing"),
        ("OWN_KEYS", '{"1": "short"}', "'1' is shorter than 16 characters"),
        ("OWN_KEYS", f'{{"1": "{STRONG}", "2": "{"ab" * 16}"}}', "'2' is easily guessed"),
        ("OWN_SECRET", "admin", "is shorter than 16 characters"),
        ("INTERNAL_PREVIOUS_SECRETS", f'["{STRONG}", "{"a" * 32}"]', "number 2 is easily guessed"),
        ("OTHER_KEYS", '{"APIold": "short"}', "'APIold' is shorter than 16 characters"),
        ("OWN_URL", "amqp://guest:guest@127.0.0.1:5672/", "its password is shorter"),
        ("OWN_URL", "amqp://127.0.0.1:5672/", "its password is shorter"),
        ("OWN_URL", "amqp://greenroom@rabbit/", "its password is shorter"),
        ("OWN_URL", "amqps://greenroom:@rabbit/vhost", "its password is missing"),
        ("OWN_URL", "mongodb://root:tiny%21@h1:27017,h2:27017/db?tls=true", "its password is shorter"),
        ("OWN_URL", "redis://:%63%68%61%6e%67%65%6d%65%63%68%61%6e%67%65%6d%65@h/0", "is a default or an"),
        ("OWN_URL", "redis://:" + "%41" * 20 + "@h/0", "its password is easily guessed"),
        ("OWN_URL", "redis://h/0?password=hunter2", "its password is shorter"),
        ("OWN_URL", "smtps://mail:passwordpassword@mail.example.org", "its password is easily guessed"),
        ("OWN_OPTIONS", '{"secret_access_key": "minioadmin"}', "'secret_access_key' is shorter"),
        ("OWN_OPTIONS", '{"aws_secret_access_key": "minioadminminioadmin"}', "is easily guessed"),
        ("OWN_OPTIONS", '{"endpoint": "http://minio:minio@host"}', "'endpoint': its password is shorter"),
        ("OWN_OPTIONS", '{"proxy_url": "http://proxy/?token=letmein"}', "'proxy_url': its token is shorter"),
        ("OWN_OPTIONS", f'{{"region": "x", "AWS_SESSION_TOKEN": "{"z" * 40}"}}', "is easily guessed"),
    ],
)
def test_production_refuses_secrets_that_are_easily_guessed_and_says_why(
    production: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    production.setenv(f"GREENROOM_{variable}", value)
    with pytest.raises(SettingsRefused, match=f"GREENROOM_{variable}: .*{said}") as refusal:
        load(OwnSettings)
    assert STRONG not in str(refusal.value)
    assert not value.strip() or value not in str(refusal.value)
    production.setenv("GREENROOM_ENVIRONMENT", "test")
    load(OwnSettings)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("INTERNAL_SECRET", RANDOM),
        ("INTERNAL_SECRET", f"  {RANDOM}\n"),
        ("INTERNAL_SECRET", "T7X1qPV3_mjQRpP2bP0cQh84tbZ1VOj2_7aiV3soRb8"),
        ("INTERNAL_SECRET", STRONG * 100),
        ("INTERNAL_SECRET", f"${{{RANDOM}"),
        ("OWN_SECRET", ""),
        ("OWN_URL", f"mongodb+srv://app:{RANDOM}@cluster.example.net/db"),
        ("OWN_URL", "redis://127.0.0.1/0"),
        ("OWN_URL", f"amqps://greenroom:%40{RANDOM}@broker/"),
        ("OWN_OPTIONS", '{"region": "eu-central-1", "access_key_id": "short", "endpoint": "http://h"}'),
        ("OWN_OPTIONS", f'{{"endpoint": "http://minio:{RANDOM}@host"}}'),
        ("OWN_OPTIONS", f'{{"access_key_id": "minio", "secret_access_key": "{RANDOM}"}}'),
    ],
)
def test_production_takes_what_is_hard_to_guess(
    production: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    production.setenv(f"GREENROOM_{variable}", value)
    load(OwnSettings)


def test_production_needs_the_public_keys(production: pytest.MonkeyPatch) -> None:
    production.delenv("GREENROOM_IDENTITY_PUBLIC_KEYS")
    with pytest.raises(SettingsRefused, match="GREENROOM_IDENTITY_PUBLIC_KEYS"):
        load(OwnSettings)


@pytest.mark.parametrize("text", ["AAEC_w==", "AAEC_w"])
def test_keys_are_read_with_and_without_padding(text: str) -> None:
    assert base64url(text) == b"\x00\x01\x02\xff"
