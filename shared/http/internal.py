"""Signed calls from one service to another: a 60 s HS256 token with the shared internal secret."""

from datetime import timedelta

import jwt

from shared.clock import Clock
from shared.errors import Unauthenticated, Unavailable

_TYPE = "internal+jwt"
_LIFETIME = timedelta(seconds=60)
_LEEWAY = timedelta(seconds=5)


class InternalCalls:
    """Signs our calls to the service `audience`, and verifies calls to ours."""

    def __init__(self, secret: str, clock: Clock):
        self._secret = secret
        self._clock = clock

    def sign(self, audience: str) -> str:
        """The value of the Authorization header for a call to `audience`; raises `Unavailable`."""
        if not self._secret:
            raise Unavailable("No secret is set that internal calls are signed with")
        now = int(self._clock.now().timestamp())
        claims = {"aud": audience, "iat": now, "exp": now + int(_LIFETIME.total_seconds())}
        return "Bearer " + jwt.encode(claims, self._secret, algorithm="HS256", headers={"typ": _TYPE})

    def verify(self, authorization: str | None, audience: str) -> None:
        """Raises `Unauthenticated` unless the header is a valid signature of a call to `audience`."""
        scheme, _, token = (authorization or "").partition(" ")
        try:
            if not self._secret or scheme != "Bearer" or jwt.get_unverified_header(token).get("typ") != _TYPE:
                raise Unauthenticated("This is an internal operation", code="internal_only")
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=audience,
                # The time is checked below, on the injected clock.
                options={"require": ["exp", "aud"], "verify_exp": False, "verify_iat": False},
            )
            if float(claims["exp"]) + _LEEWAY.total_seconds() <= self._clock.now().timestamp():
                raise Unauthenticated("The signature of this call has expired", code="internal_only")
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthenticated("This is an internal operation", code="internal_only") from error
