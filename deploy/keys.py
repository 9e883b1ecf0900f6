"""An installation's keys: new ones, and secrets moved from an old one to the newest."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.session.identity.keys.key_rotation import Resealed, reseal
from services.session.identity.keys.keyring import Keyring
from services.session.identity.keys.repository import ApiKeyRepository
from services.session.settings import SessionSettings
from shared.bus.rabbit import RabbitBus
from shared.clock import SystemClock
from shared.persistence.mongo import Mongo
from shared.persistence.outbox import Outbox


@dataclass(frozen=True)
class SigningKey:
    """A key for access tokens; both halves are base64url of 32 bytes, without padding."""

    kid: str
    private_key: str
    public_key: str


def new_signing_key(now: datetime) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return SigningKey(_key_id(now), _base64url(private.private_bytes_raw()), _base64url(public))


def new_sealing_key(now: datetime) -> tuple[str, str]:
    """The id and the key, for the keyring."""
    return _key_id(now), _base64url(secrets.token_bytes(32))


async def reseal_all(settings: SessionSettings) -> Resealed:
    """Seal every API key's secret under the newest key of the keyring."""
    clock = SystemClock()
    mongo = Mongo.from_uri(settings.mongodb_uri)
    outbox = Outbox(RabbitBus(settings.amqp_url, service="session"), clock, source="/greenroom/session")
    try:
        await mongo.check_journal()
        return await reseal(ApiKeyRepository(mongo, outbox, clock), Keyring(settings.keyring))
    finally:
        mongo.close()


def _key_id(now: datetime) -> str:
    """Ids sort by the day they were made, and do not repeat."""
    return f"{now:%Y%m%d}-{secrets.token_hex(3)}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
