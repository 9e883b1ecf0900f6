"""The stack's secrets: made once, private, whole."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.credentials import load_credentials
from deploy.local.data_dir import DataDir


def data_dir(tmp_path: Path) -> DataDir:
    data = DataDir.at(tmp_path / "stack")
    data.create()
    return data


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_they_are_made_once(tmp_path: Path) -> None:
    data = data_dir(tmp_path)
    assert load_credentials(data) == load_credentials(data)


def test_two_stacks_share_none(tmp_path: Path) -> None:
    one, other = (load_credentials(data_dir(tmp_path / name)) for name in ("a", "b"))
    assert one.internal_secret != other.internal_secret
    assert one.identity_private_key != other.identity_private_key


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    data = data_dir(tmp_path)
    load_credentials(data)
    assert data.secrets_file.stat().st_mode & 0o777 == 0o600
    assert data.root.stat().st_mode & 0o777 == 0o700


def test_the_identity_keys_are_a_pair(tmp_path: Path) -> None:
    credentials = load_credentials(data_dir(tmp_path))
    private = Ed25519PrivateKey.from_private_bytes(raw(credentials.identity_private_key))
    assert private.public_key().public_bytes_raw() == raw(credentials.identity_public_key)
    assert len(raw(credentials.keyring_key)) == 32


def test_a_missing_secret_is_added_and_the_others_stay(tmp_path: Path) -> None:
    data = data_dir(tmp_path)
    before = load_credentials(data)
    known = json.loads(data.secrets_file.read_text())
    del known["refresh_secret"]
    data.secrets_file.write_text(json.dumps(known))
    after = load_credentials(data)
    assert after.refresh_secret
    assert after.internal_secret == before.internal_secret
