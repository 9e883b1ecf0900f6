"""Management tokens: JWTs that a customer's backend signs with the secret of its API key.

The form is 100ms's: HS256; claims `access_key` (the key's id), `type` "management", `version` 2, `iat`, `exp`
and usually `nbf` and `jti`, times in seconds since 1970. Its examples set `nbf` to now, so clocks may differ
a little; its dashboard gives out tokens for two weeks at most.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
import orjson

from shared.errors import Unauthenticated
from shared.runtime.settings import base64url

LONGEST: Final = timedelta(days=14)
_LEEWAY: Final = timedelta(seconds=10)
_TYPE: Final = "management"
_VERSION: Final = 2


def access_key(token: str) -> str:
    """The id of the key a token claims to be signed with: untrusted before `verify`."""
    try:
        claims = orjson.loads(base64url(token.split(".")[1]))
        return str(claims["access_key"]).lower()
    except (ValueError, TypeError, LookupError) as error:
        raise refused() from error


def verify(token: str, secret: str, now: datetime) -> datetime:
    """When the token ends; raises `Unauthenticated` unless `secret` signed it and it holds `now`."""
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            # The times are checked below, on the injected clock.
            options={
                "require": ["exp", "iat"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": False,
            },
        )
        if claims.get("type") != _TYPE or claims.get("version") != _VERSION:
            raise refused()
        return _end(claims, now.timestamp())
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        raise refused() from error


def _end(claims: Mapping[str, Any], now: float) -> datetime:
    issued_at, ends_at = _moment(claims["iat"]), _moment(claims["exp"])
    begins_at = max(issued_at, _moment(claims.get("nbf", issued_at)))
    if ends_at - issued_at > LONGEST.total_seconds():
        raise refused("A management token lives 14 days at most")
    if begins_at - _LEEWAY.total_seconds() > now:
        raise refused("The management token is not valid yet")
    if ends_at <= now:
        raise Unauthenticated("The management token has expired", code="token_expired")
    return datetime.fromtimestamp(ends_at, UTC)


def _moment(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise refused()
    return float(value)


def refused(message: str = "The management token is not valid") -> Unauthenticated:
    return Unauthenticated(message, code="management_token_invalid")
