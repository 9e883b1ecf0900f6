"""Secrets that have to be read again are kept sealed."""

import base64

import pytest

from services.session.identity.keys.keyring import Keyring, KeyRotation, reencrypt_secrets
from services.session.identity.keys.schemas import CreateApiKeyRequest
from shared.ids import new_id
from tests.unit.session.actors import Host
from tests.unit.session.backend import KEYRING, Backend

OLD = {"1": base64.urlsafe_b64encode(b"1" * 32).decode()}
BOTH = OLD | {"2": base64.urlsafe_b64encode(b"2" * 32).decode()}


def test_what_is_sealed_is_opened_by_its_owner_alone() -> None:
    keyring = Keyring(OLD)
    sealed = keyring.seal("a secret", "anna")
    assert "a secret" not in sealed
    assert keyring.open(sealed, "anna") == "a secret"
    assert keyring.seal("a secret", "anna") != sealed
    with pytest.raises(ValueError, match="changed"):
        keyring.open(sealed, "berta")


def test_the_last_key_seals_and_all_open() -> None:
    sealed = Keyring(OLD).seal("a secret", "anna")
    both = Keyring(BOTH)
    assert both.open(sealed, "anna") == "a secret"
    assert both.seal("a secret", "anna").startswith("2.")
    with pytest.raises(LookupError):
        Keyring(OLD).open(both.seal("a secret", "anna"), "anna")


async def test_what_an_older_key_sealed_is_sealed_anew_and_the_older_one_is_needed_no_more(
    backend: Backend, host: Host
) -> None:
    secrets = {}
    for number in range(3):
        body = CreateApiKeyRequest(user_id=host.user.id, name=f"key {number}")
        key, secret = await backend.key_service.create(new_id(), body)
        secrets[key.id] = secret
    both = KEYRING | {"newest": BOTH["2"]}
    assert await reencrypt_secrets(backend.keys, Keyring(both)) == KeyRotation(3, 3)
    assert await reencrypt_secrets(backend.keys, Keyring(both)) == KeyRotation(3, 0)
    newest = Keyring({"newest": BOTH["2"]})
    sealed = await backend.keys.sealed_secrets()
    assert {id: newest.open(text, id) for id, text in sealed.items()} == secrets
    for id, secret in secrets.items():
        await backend.keys_under(newest).exchange(id, secret)


async def test_a_secret_whose_key_is_gone_is_left_as_it_is(backend: Backend, host: Host) -> None:
    body = CreateApiKeyRequest(user_id=host.user.id, name="a key")
    key, secret = await backend.key_service.create(new_id(), body)
    with pytest.raises(LookupError):
        await reencrypt_secrets(backend.keys, Keyring({"newest": BOTH["2"]}))
    await backend.key_service.exchange(key.id, secret)


def test_what_was_changed_is_refused() -> None:
    keyring = Keyring(OLD)
    sealed = keyring.seal("a secret", "anna")
    for changed in (sealed[:-4] + "AAAA", "1." + "A" * 60):
        with pytest.raises(ValueError, match="changed"):
            keyring.open(changed, "anna")
