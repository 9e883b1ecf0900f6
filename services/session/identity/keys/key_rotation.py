"""Re-encrypts secrets that an older key of the keyring encrypted, so that the older key can be removed."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.session.identity.keys.domain import ApiKey
from services.session.identity.keys.keyring import Keyring
from services.session.identity.keys.repository import ApiKeyRepository
from shared.contracts.event import Event
from shared.errors import NotFound


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
