"""Secrets that have to be read again are kept sealed."""

import base64

import pytest

from services.session.keys.keyring import Keyring

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


def test_what_was_changed_is_refused() -> None:
    keyring = Keyring(OLD)
    sealed = keyring.seal("a secret", "anna")
    for changed in (sealed[:-4] + "AAAA", "1." + "A" * 60):
        with pytest.raises(ValueError, match="changed"):
            keyring.open(changed, "anna")
