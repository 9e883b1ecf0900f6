"""The credentials of a request: an access token, or an API key in one of its three forms."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import orjson

from services.gateway.routing.table import CredentialForm
from shared.errors import Unauthenticated
from shared.http.request import bearer_expected, split_authorization
from shared.ids import is_id
from shared.runtime.settings import base64url


@dataclass(frozen=True, slots=True)
class ApiKeyCredential:
    id: str
    secret: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """A name for this pair that does not reveal the secret."""
        return hashlib.sha256(f"{self.id}\n{self.secret}".encode()).digest()


@dataclass(frozen=True, slots=True)
class ManagementTokenCredential:
    """A JWT that claims to be signed with an API key's secret; whether it is, only the session service knows.

    `expires_at`: its own claim, in seconds since 1970.
    """

    text: str = field(repr=False)
    expires_at: float

    @property
    def digest(self) -> bytes:
        """A name for this token that does not reveal it."""
        return hashlib.sha256(self.text.encode()).digest()


Credentials: TypeAlias = str | ApiKeyCredential | ManagementTokenCredential


def read_credentials(headers: Mapping[str, str], form: CredentialForm | None = None) -> Credentials | None:
    """The access token or API key that was sent, if any, in this `form` if one is given; raises
    `Unauthenticated`.

    `Authorization` wins over `X-API-Key`.
    """
    authorization = headers.get("Authorization")
    if form is not None:
        return None if authorization is None else _in_form(form, authorization)
    if authorization is not None:
        return _authorization(authorization)
    key = headers.get("X-API-Key")
    return None if key is None else _key(*key.strip().partition("."))


def _authorization(value: str) -> Credentials:
    scheme, rest = split_authorization(value)
    if scheme == "bearer" and rest:
        return _management_token(rest) or rest
    if scheme == "basic" and rest:
        return _basic(rest)
    raise bearer_expected()


def _in_form(form: CredentialForm, authorization: str) -> Credentials:
    scheme, rest = split_authorization(authorization)
    if form is CredentialForm.BASIC and scheme == "basic":
        return _basic(rest)
    token = _management_token(rest) if form is CredentialForm.MANAGEMENT and scheme == "bearer" else None
    if token is None:
        raise Unauthenticated(f"Send Authorization with a {form.value} credential", code="credential_form")
    return token


def _management_token(token: str) -> ManagementTokenCredential | None:
    """None for everything else, which is then treated as an access token of ours.

    Nothing is verified here: this only finds out who has to.
    """
    parts = token.split(".")
    try:
        if len(parts) != 3 or not token.isascii() or orjson.loads(base64url(parts[0])).get("alg") != "HS256":
            return None
        claims = orjson.loads(base64url(parts[1]))
        expires_at = float(claims["exp"])
        return ManagementTokenCredential(token, expires_at) if "access_key" in claims else None
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        return None


def _basic(encoded: str) -> ApiKeyCredential:
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        raise refused_key() from None
    return _key(*text.partition(":"))


def _key(identifier: str, separator: str, secret: str) -> ApiKeyCredential:
    # Our secrets are ASCII; bytes that are no UTF-8 come as text that cannot be encoded again.
    if not separator or not secret or not secret.isascii() or not is_id(identifier):
        raise refused_key()
    return ApiKeyCredential(identifier.lower(), secret)


def refused_key() -> Unauthenticated:
    return Unauthenticated("The API key is not valid", code="api_key_invalid")


def refused_token() -> Unauthenticated:
    return Unauthenticated("The management token is not valid", code="management_token_invalid")
