"""The keyring: AES-256-GCM under several keys, the last of which encrypts.

What older keys encrypted can be re-encrypted with it, so that they can be removed.
"""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.session.identity.keys.repository import ApiKey, ApiKeyRepository
from shared.contracts.event import Event
from shared.errors import NotFound
from shared.runtime.settings import Keys, base64url

_NONCE_BYTES = 12


class Keyring:
    """Seals text as `<key id>.<base64url(nonce + ciphertext)>`, bound to the id of what it belongs to."""

    def __init__(self, keys: Keys):
        """`keys`: key id -> base64url of 32 bytes, oldest first."""
        self._keys = {key_id: AESGCM(base64url(text)) for key_id, text in keys.items()}
        self._current = list(keys)[-1]

    def seal(self, text: str, owner: str) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._keys[self._current].encrypt(nonce, text.encode(), owner.encode())
        return f"{self._current}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def is_current(self, sealed: str) -> bool:
        """Whether the key that seals now has sealed it."""
        return sealed.partition(".")[0] == self._current

    def open(self, sealed: str, owner: str) -> str:
        """The text; raises `LookupError` for a key we no longer have, `ValueError` for a changed text."""
        key_id, _, encoded = sealed.partition(".")
        key = self._keys[key_id]
        raw = base64url(encoded)
        try:
            return key.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode()).decode()
        except InvalidTag as error:
            raise ValueError("the sealed text was changed") from error


@dataclass(frozen=True)
class KeyRotation:
    """How many API keys there are, and how many of them were re-encrypted."""

    keys: int
    changed: int


async def reencrypt_secrets(keys: ApiKeyRepository, keyring: Keyring) -> KeyRotation:
    """Encrypt everything with the newest key; services may keep running.

    Raises `LookupError` for a secret whose key is not in the keyring; what came before it is done.
    """
    sealed = await keys.sealed_secrets()
    older = [id for id, text in sealed.items() if not keyring.is_current(text)]
    for id in older:
        await _reencrypt_one(keys, keyring, id)
    return KeyRotation(len(sealed), len(older))


async def _reencrypt_one(keys: ApiKeyRepository, keyring: Keyring, id: str) -> None:
    def decide(key: ApiKey) -> Sequence[Event]:
        key.sealed_secret = keyring.seal(keyring.open(key.sealed_secret, key.id), key.id)
        return []

    try:
        await keys.change(id, decide)
    except NotFound:
        return  # deleted meanwhile
