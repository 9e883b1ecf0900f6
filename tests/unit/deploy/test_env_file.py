"""`greenroom keys env`: what deploy/compose.yaml is started with."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import build
from deploy.env_file import TEMPLATE, addresses, filled, values_of
from deploy.images.project import PROJECT

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_every_empty_secret_gets_a_value_of_its_own() -> None:
    example, made = values_of(TEMPLATE.read_text()), values_of(filled({}, NOW))
    assert made.keys() == example.keys()
    secret = {name: made[name] for name in made if made[name] != example[name]}
    assert {"ADMIN_PASSWORD", "INTERNAL_SECRET", "KEYRING", "LIVEKIT_API_SECRET"} <= secret.keys()
    empty = {name for name, value in made.items() if not value}
    assert empty == {"TRUSTED_PROXIES", "OTEL_EXPORTER_OTLP_ENDPOINT", "IMAGE_REGISTRY"}
    again = values_of(filled({}, NOW))
    assert not [name for name in secret if made[name] == again[name] and not name.endswith("_KID")]


def test_the_signing_key_is_a_pair() -> None:
    made = values_of(filled({}, NOW))
    assert list(json.loads(made["IDENTITY_PUBLIC_KEYS"].strip("'"))) == [made["IDENTITY_SIGNING_KID"]]


def test_a_file_keeps_its_values_and_gets_what_is_new_in_the_example(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("REDIS_PASSWORD=kept\nMEDIA=embedded\nMY_OWN='one'\nKEYRING=\nCORS_ORIGINS=\n")
    result = CliRunner().invoke(build(), ["keys", "env", "--file", str(file), "--host", "127.0.0.1"])
    assert result.exit_code == 0, result.output
    values = values_of(file.read_text())
    assert (values["REDIS_PASSWORD"], values["MEDIA"], values["MY_OWN"]) == ("kept", "embedded", "'one'")
    assert values["KEYRING"]
    # A secret has to have a value; of the others an empty one is as good as any.
    assert (values["CORS_ORIGINS"], values["CENTRIFUGO_ORIGINS"]) == ("", "*")
    assert file.stat().st_mode & 0o777 == 0o600
    CliRunner().invoke(build(), ["keys", "env", "--file", str(file)])
    assert values_of(file.read_text()) == values


def test_with_tls_clients_are_told_one_name_and_the_ports_behind_it_are_private() -> None:
    values = values_of(filled(addresses("live.example.com", "203.0.113.7", tls=True), NOW))
    assert (values["PUBLIC_HOST"], values["PUBLIC_IP"]) == ("live.example.com", "203.0.113.7")
    assert (values["PUBLIC_URL"], values["LIVEKIT_PUBLIC_URL"]) == (
        "https://${PUBLIC_HOST}",
        "wss://${PUBLIC_HOST}",
    )
    assert all(
        values[f"{name}_PORT"].startswith("127.0.0.1:") for name in ("GATEWAY", "LIVEKIT", "CENTRIFUGO")
    )


def test_a_name_without_an_address_is_refused() -> None:
    result = CliRunner().invoke(build(), ["keys", "env", "--host", "nowhere.invalid"])
    assert result.exit_code == 1
    assert "--ip" in result.output


@pytest.mark.parametrize(
    ("given", "expected"), [((), ""), (("HOST=live.example.com",), "--host live.example.com")]
)
def test_make_env_takes_the_host_from_its_command_line_alone(given: tuple[str, ...], expected: str) -> None:
    """Many shells export HOST, the machine's own name."""
    command = ["make", "--dry-run", "--no-print-directory", "env", *given]
    environ = os.environ | {"HOST": "shell"}
    shown = subprocess.run(command, cwd=PROJECT, env=environ, capture_output=True, text=True, check=True)
    last = shown.stdout.strip().splitlines()[-1]
    assert last.strip() == f".venv/bin/greenroom keys env --file deploy/.env {expected}".strip()
