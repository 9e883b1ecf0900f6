"""The stack's secrets: made once, kept in `secrets.json`, readable by the owner only."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, replace

from deploy.keys import new_sealing_key, new_signing_key
from deploy.local.data_dir import DataDir
from deploy.local.files import read_json, write_json

ADMIN_EMAIL = "admin@greenroom.example"
HOST_EMAIL = "host@greenroom.example"


@dataclass(frozen=True)
class Credentials:
    """Everything secret that the components share. Keys are base64url of raw 32 bytes, without padding."""

    livekit_api_key: str
    livekit_api_secret: str
    identity_kid: str
    identity_private_key: str
    identity_public_key: str
    internal_secret: str
    refresh_secret: str
    keyring_id: str
    keyring_key: str
    rabbitmq_user: str
    rabbitmq_password: str
    centrifugo_secret: str
    erlang_cookie: str
    admin_email: str
    admin_password: str
    host_email: str
    host_password: str

    def with_livekit(self, key: str, secret: str) -> Credentials:
        """The same, for an external LiveKit server."""
        return replace(self, livekit_api_key=key, livekit_api_secret=secret)


def load_credentials(data: DataDir) -> Credentials:
    """The secrets of this data directory; missing ones are generated and stored."""
    known = read_json(data.secrets_file) or {}
    fresh = asdict(_generate())
    merged = {name: str(known.get(name, value)) for name, value in fresh.items()}
    if not known.get("identity_public_key"):  # a pair is kept or generated as a whole
        merged |= {name: value for name, value in fresh.items() if name.startswith("identity_")}
    if merged != known:
        write_json(data.secrets_file, merged)
    return Credentials(**merged)


def _generate() -> Credentials:
    identity = new_signing_key("local-" + secrets.token_hex(4))
    return Credentials(
        livekit_api_key="API" + secrets.token_hex(6),
        livekit_api_secret=secrets.token_urlsafe(36),
        identity_kid=identity.kid,
        identity_private_key=identity.private_key,
        identity_public_key=identity.public_key,
        internal_secret=secrets.token_urlsafe(36),
        refresh_secret=secrets.token_urlsafe(36),
        keyring_id="local-" + secrets.token_hex(4),
        keyring_key=new_sealing_key(),
        rabbitmq_user="greenroom",
        rabbitmq_password=secrets.token_hex(16),
        centrifugo_secret=secrets.token_urlsafe(36),
        erlang_cookie=secrets.token_hex(16).upper(),
        admin_email=ADMIN_EMAIL,
        admin_password=secrets.token_urlsafe(15),
        host_email=HOST_EMAIL,
        host_password=secrets.token_urlsafe(15),
    )
