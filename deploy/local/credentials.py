"""The stack's secrets: generated once, kept in `secrets.json`, readable by the owner only."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field

from deploy.keys import new_sealing_key, new_signing_key
from deploy.local.data_dir import DataDir, read_json, write_json


def _token() -> str:
    return secrets.token_urlsafe(36)


@dataclass(frozen=True)
class Credentials:
    """Everything secret that the components share; new ones by default."""

    identity_kid: str
    identity_private_key: str
    identity_public_key: str
    livekit_api_key: str = field(default_factory=lambda: "API" + secrets.token_hex(6))
    livekit_api_secret: str = field(default_factory=_token)
    internal_secret: str = field(default_factory=_token)
    refresh_secret: str = field(default_factory=_token)
    keyring_id: str = field(default_factory=lambda: "local-" + secrets.token_hex(4))
    keyring_key: str = field(default_factory=new_sealing_key)
    rabbitmq_user: str = "greenroom"
    rabbitmq_password: str = field(default_factory=lambda: secrets.token_hex(16))
    centrifugo_secret: str = field(default_factory=_token)
    erlang_cookie: str = field(default_factory=lambda: secrets.token_hex(16).upper())
    admin_email: str = "admin@greenroom.example"
    admin_password: str = field(default_factory=lambda: secrets.token_urlsafe(15))
    host_email: str = "host@greenroom.example"
    host_password: str = field(default_factory=lambda: secrets.token_urlsafe(15))


def load_credentials(data: DataDir) -> Credentials:
    """The secrets of this data directory; missing ones are generated and stored."""
    known = read_json(data.secrets_file) or {}
    identity = new_signing_key("local-" + secrets.token_hex(4))
    fresh = asdict(Credentials(identity.kid, identity.private_key, identity.public_key))
    merged = {name: str(known.get(name, value)) for name, value in fresh.items()}
    if not known.get("identity_public_key"):  # a pair is kept or generated as a whole
        merged |= {name: value for name, value in fresh.items() if name.startswith("identity_")}
    if merged != known:
        write_json(data.secrets_file, merged)
    return Credentials(**merged)
