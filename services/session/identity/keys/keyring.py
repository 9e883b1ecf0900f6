"""The keyring: AES-256-GCM under several keys, the last of which encrypts."""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

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
