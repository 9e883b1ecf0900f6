"""The settings of deploy/compose.yaml: deploy/.env.example with a new secret wherever one is missing."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from deploy.keys import new_key_id, new_sealing_key, new_signing_key

TEMPLATE = Path(__file__).parent / ".env.example"
# Behind the profile `tls` only its proxy is reached from outside, and the gateway believes whom it names.
PRIVATE_NETWORKS = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"
_VARIABLE = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def values_of(text: str) -> dict[str, str]:
    """Each variable of an environment file as it is written there, with its quotes."""
    return dict(_VARIABLE.findall(text))


def filled(given: Mapping[str, str], now: datetime) -> str:
    """The example with `given` values and new secrets; at its end those given that it does not know.

    A value may be given empty, a secret may not: it gets a new one.
    """
    template, new = TEMPLATE.read_text(), _new_secrets(now)
    values = new | {name: value for name, value in given.items() if value or name not in new}
    text = _VARIABLE.sub(lambda line: f"{line[1]}={values.get(line[1], line[2])}", template)
    unknown = {name: value for name, value in given.items() if name not in values_of(template)}
    return text + "".join(f"{name}={value}\n" for name, value in unknown.items())


def replace_file(path: Path, text: str) -> None:
    """Write an environment file that its owner alone can read, in one step."""
    draft = path.with_name(f"{path.name}.new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def addresses(host: str, ip: str, *, tls: bool) -> dict[str, str]:
    """The variables that differ from the example for a machine that is reached as `host`, at `ip`.

    With TLS everything but media and RTMP goes through the proxy of the profile `tls`.
    """
    found = {"PUBLIC_HOST": host, "PUBLIC_IP": ip}
    if not tls:
        return found
    return found | {
        "PUBLIC_URL": "https://${PUBLIC_HOST}",
        "LIVEKIT_PUBLIC_URL": "wss://${PUBLIC_HOST}",
        "GATEWAY_PORT": "127.0.0.1:8080",
        "LIVEKIT_PORT": "127.0.0.1:7880",
        "CENTRIFUGO_PORT": "127.0.0.1:8000",
        "TRUSTED_PROXIES": PRIVATE_NETWORKS,
        "COMPOSE_PROFILES": "${MEDIA},centrifugo,mailpit,tls",
    }


def _new_secrets(now: datetime) -> dict[str, str]:
    """Passwords stand in URLs and in YAML: they are hexadecimal."""
    signing = new_signing_key(new_key_id(now))
    return {name: make() for name, make in _SECRETS.items()} | {
        "IDENTITY_SIGNING_KID": signing.kid,
        "IDENTITY_PRIVATE_KEY": signing.private_key,
        "IDENTITY_PUBLIC_KEYS": f"'{json.dumps({signing.kid: signing.public_key})}'",
        "KEYRING": f"'{json.dumps({new_key_id(now): new_sealing_key()})}'",
    }


def _password() -> str:
    return secrets.token_hex(24)


def _token() -> str:
    return secrets.token_urlsafe(36)


_SECRETS: dict[str, Callable[[], str]] = {
    "INTERNAL_SECRET": _token,
    "REFRESH_SECRET": _token,
    "LIVEKIT_API_KEY": lambda: "API" + secrets.token_hex(6),
    "LIVEKIT_API_SECRET": _token,
    "CENTRIFUGO_SECRET": _token,
    "CENTRIFUGO_API_KEY": _token,
    "ADMIN_PASSWORD": lambda: secrets.token_urlsafe(15),
    "GRAFANA_PASSWORD": lambda: secrets.token_urlsafe(15),
    "MONGODB_ROOT_PASSWORD": _password,
    "MONGODB_PASSWORD": _password,
    "MONGODB_REPLICA_SET_KEY": _password,
    "RABBITMQ_PASSWORD": _password,
    "REDIS_PASSWORD": _password,
}
