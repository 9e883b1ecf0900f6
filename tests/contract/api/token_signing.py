"""Tokens signed with the installation's own keys, correctly or not."""

import base64
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.credentials import Credentials
from shared.access.identity import ACCESS_TYPE, AUDIENCE, ISSUER
from shared.ids import new_id
from shared.runtime.settings import base64url
from tests.contract.api.accounts import Person


def given(claims: dict[str, Any]) -> dict[str, Any]:
    """Without those that are None."""
    return {name: value for name, value in claims.items() if value is not None}


@dataclass(frozen=True)
class Signer:
    """Signs access tokens for a host as the session service does, unless told otherwise."""

    credentials: Credentials
    host: Person
    stranger: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(base64url(self.credentials.identity_private_key))

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def claims(self, **changed: Any) -> dict[str, Any]:
        """The right ones; None leaves one out."""
        now = int(time.time())
        right: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": self.host.id,
            "sid": new_id(),
            "role": "host",
        }
        right |= {"org": self.host.organization_id, "name": "Hanna", "adm": False, "scp": ["read", "write"]}
        right |= {"iat": now, "nbf": now, "exp": now + 60}
        return given(right | changed)

    def head(self, **changed: Any) -> dict[str, Any]:
        return given({"typ": ACCESS_TYPE, "kid": self.credentials.identity_kid} | changed)

    def sign(self, head: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        return jwt.encode(self.claims(**claims), key or self.key, "EdDSA", headers=head or self.head())

    def by_another_algorithm(self, algorithm: str, secret: bytes = b"") -> str:
        key = None if algorithm == "none" else secret
        return jwt.encode(self.claims(adm=True), key, algorithm, headers=self.head())  # type: ignore[arg-type]

    def changed(self) -> str:
        """A good token whose caller has become an administrator without another signature."""
        head, _, signature = self.sign().split(".")
        payload = jwt.encode(self.claims(adm=True), self.stranger, "EdDSA").split(".")[1]
        return f"{head}.{payload}.{signature}"


def management_token(api_key: str, *, algorithm: str = "HS256", secret: str = "", **changed: Any) -> str:
    """What a customer's backend signs with the secret of `<id>.<secret>`, unless told otherwise."""
    id, _, own = api_key.partition(".")
    now = int(time.time())
    claims = {"access_key": id, "type": "management", "version": 2, "jti": new_id()}
    claims |= {"iat": now - 10, "nbf": now - 10, "exp": now + 3600}
    return jwt.encode(given(claims | changed), "" if algorithm == "none" else secret or own, algorithm)


def shown(api_key: str, form: str) -> dict[str, str]:
    """The header that an `<id>.<secret>` is sent in, by the name of its form."""
    if form == "X-API-Key":
        return {"X-API-Key": api_key}
    if form == "Basic":
        packed = base64.b64encode(api_key.replace(".", ":", 1).encode()).decode()
        return {"Authorization": f"Basic {packed}"}
    return {"Authorization": f"Bearer {management_token(api_key)}"}


FORMS = ("X-API-Key", "Basic", "management")
