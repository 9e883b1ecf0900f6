"""The signature of LiveKit's webhooks: a JWT over the hash of the body.

The `Authorization` header is the bare token: HS256, `iss` = API key, `sha256` = base64 of the body's
SHA-256, valid for 5 minutes. It has no `jti`, so a replay within that time is valid.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt

from shared.clock import Clock
from shared.errors import Unauthenticated

_LEEWAY = timedelta(minutes=1)
_LIFETIME = timedelta(minutes=5)


class WebhookSigner:
    """Signs webhooks as LiveKit does, for parts of ours that report as LiveKit's would."""

    def __init__(self, api_key: str, api_secret: str, clock: Clock):
        self._key = api_key
        self._secret = api_secret
        self._clock = clock

    def sign(self, raw_body: bytes) -> str:
        """The `Authorization` header of exactly this body, valid for 5 minutes."""
        now = self._clock.now()
        claims = {
            "iss": self._key,
            "nbf": int(now.timestamp()),
            "exp": int((now + _LIFETIME).timestamp()),
            "sha256": base64.b64encode(hashlib.sha256(raw_body).digest()).decode(),
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")


class WebhookVerifier:
    """Verifies webhooks against the API keys this installation knows."""

    def __init__(self, api_keys: Mapping[str, str], clock: Clock):
        """`api_keys`: API key -> secret. Empty secrets verify nothing."""
        self._secrets = {key: secret for key, secret in api_keys.items() if key and secret}
        self._clock = clock

    def verify(self, raw_body: bytes, authorization: str | None) -> None:
        """Raises `Unauthenticated` unless one of the known keys signed exactly this body, lately."""
        claims = self._claims(_token(authorization))
        self._check_times(claims)
        digest = base64.b64encode(hashlib.sha256(raw_body).digest())
        if not hmac.compare_digest(str(claims.get("sha256", "")).encode(), digest):
            raise _refusal("the signature is not of this body")

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
            secret = self._secrets.get(issuer) if isinstance(issuer, str) else None
            if secret is None:
                raise _refusal("the signing key is not known")
            claims: dict[str, Any] = jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                issuer=issuer,
                # The times are checked by ourselves, on the injected clock.
                options={
                    "require": ["exp", "iss"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise _refusal("the token is not valid") from error
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._clock.now().timestamp()
        try:
            expires_at, not_before = float(claims["exp"]), float(claims.get("nbf", 0))
        except (ValueError, TypeError) as error:
            raise _refusal("the token is not valid") from error
        if not now < expires_at + _LEEWAY.total_seconds():
            raise _refusal("the token has expired")
        if not not_before - _LEEWAY.total_seconds() <= now:
            raise _refusal("the token is not valid yet")


def _token(authorization: str | None) -> str:
    token = (authorization or "").strip()
    scheme, _, rest = token.partition(" ")
    if scheme.lower() == "bearer":
        token = rest.strip()
    if not token:
        raise _refusal("there is no Authorization header")
    return token


def _refusal(reason: str) -> Unauthenticated:
    return Unauthenticated(
        f"This webhook was not sent by LiveKit: {reason}", code="webhook_signature_invalid"
    )
