"""Access tokens, and the caller they identify.

An access token is an EdDSA JWT: header `alg=EdDSA`, `typ=at+jwt`, `kid`; claims `iss`, `aud`, `sub`
(user id), `sid` (sign-in id), `org`, `role`, `adm`, `name`, `key` (API key id), `scp` (scopes), `iat`,
`nbf`, `exp`, `via` (the API key behind the sign-in), `dev` (a viewer's device), `gst` (a guest).
Every service has the public keys and verifies tokens itself; only the session service signs.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.clock import Clock
from shared.contracts.states import UserRole
from shared.errors import Forbidden, Unauthenticated
from shared.runtime.settings import base64url

ISSUER = "greenroom"
AUDIENCE = "greenroom-api"
ACCESS_TYPE = "at+jwt"
ACCESS_LIFETIME = timedelta(minutes=15)
# What a customer's backend may ask for its own users.
LONGEST_LIFETIME = timedelta(days=1)

_LEEWAY = timedelta(seconds=5)
_CACHED_TOKENS = 10_000


class Scope(StrEnum):
    """What a caller may do; an API key may have one of the two or both."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Caller:
    """A verified caller. `sign_in_id` is one sign-in (device, tab family, or the API key) of the user.

    `api_key_id` is the calling key; `via` the key behind this sign-in, with which it ends. `device_id` is
    shared by all viewers who registered from one device, as far as known. A guest gave a display name only.
    """

    user_id: str
    sign_in_id: str
    organization_id: str | None
    role: UserRole
    username: str
    is_admin: bool = False
    api_key_id: str | None = None
    scopes: frozenset[Scope] = frozenset(Scope)
    via: str | None = None
    device_id: str | None = None
    is_guest: bool = False

    @property
    def identity(self) -> str:
        """The LiveKit identity of this sign-in: `<user_id>:<sign-in id>`."""
        return f"{self.user_id}:{self.sign_in_id}"

    @property
    def actor(self) -> str:
        """Who acts, for records: `key:<id>` or `user:<id>`."""
        return f"key:{self.api_key_id}" if self.api_key_id else f"user:{self.user_id}"

    def hosts_for(self, organization_id: str | None) -> bool:
        """Whether it is a host or an API key of this organization, whose customers' people are viewers."""
        return (
            self.role is UserRole.HOST
            and organization_id is not None
            and self.organization_id == organization_id
        )

    def hosting_organization(self) -> str:
        """The organization this caller hosts for; raises `Forbidden` for viewers."""
        if self.role is not UserRole.HOST or self.organization_id is None:
            raise Forbidden("Only hosts may do this", code="host_required")
        return self.organization_id


class TokenIssuer:
    """Signs access tokens with one Ed25519 key."""

    def __init__(self, private_key: bytes, kid: str, clock: Clock):
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self._kid = kid
        self._clock = clock

    def issue(self, caller: Caller, lifetime: timedelta = ACCESS_LIFETIME) -> tuple[str, datetime]:
        """The token and when it expires."""
        now = self._clock.now()
        expires_at = now + lifetime
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": caller.user_id,
            "sid": caller.sign_in_id,
            "org": caller.organization_id,
            "role": caller.role.value,
            "adm": caller.is_admin,
            "name": caller.username,
            "key": caller.api_key_id,
            "scp": sorted(caller.scopes),
            # To the millisecond: what is issued right after a revocation holds.
            "iat": round(now.timestamp(), 3),
            "nbf": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            "via": caller.via,
            "dev": caller.device_id,
            "gst": caller.is_guest,
        }
        headers = {"typ": ACCESS_TYPE, "kid": self._kid}
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers=headers), expires_at


# Whether a token for this caller, issued then (seconds since 1970), is revoked.
Revoked = Callable[[Caller, float], bool]


def _never(_: Caller, __: float) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class _Proof:
    """A token's claims; times in seconds since 1970."""

    caller: Caller
    issued_at: float
    expires_at: float


class TokenVerifier:
    """Verifies access tokens against the configured public keys; caches verified ones."""

    def __init__(self, public_keys: Mapping[str, str], clock: Clock, revoked: Revoked = _never):
        """`public_keys`: key id -> raw Ed25519 public key in base64url."""
        self._keys = {
            kid: Ed25519PublicKey.from_public_bytes(base64url(text)) for kid, text in public_keys.items()
        }
        self._clock = clock
        self._revoked = revoked
        self._verified: OrderedDict[str, _Proof] = OrderedDict()

    def verify(self, token: str) -> Caller:
        """The caller that `token` identifies; raises `Unauthenticated`."""
        return self._proof(token).caller

    def prove(self, token: str) -> tuple[Caller, datetime]:
        """The same, and when the token expires."""
        proof = self._proof(token)
        return proof.caller, datetime.fromtimestamp(proof.expires_at, UTC)

    def _proof(self, token: str) -> _Proof:
        now = self._clock.now().timestamp()
        known = self._verified.get(token)
        if known is None:
            known = self._decode(token, now)
            self._verified[token] = known
            if len(self._verified) > _CACHED_TOKENS:
                self._verified.popitem(last=False)
        if known.expires_at + _LEEWAY.total_seconds() <= now:
            self._verified.pop(token, None)
            raise Unauthenticated("The access token has expired", code="token_expired")
        if self._revoked(known.caller, known.issued_at):
            raise Unauthenticated("This sign-in has ended", code="token_revoked")
        return known

    def _decode(self, token: str, now: float) -> _Proof:
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.get(str(header.get("kid")))
            if key is None or header.get("typ") != ACCESS_TYPE:
                raise Unauthenticated(
                    "The access token was not issued by this installation", code="token_invalid"
                )
            claims = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                issuer=ISSUER,
                # The times are checked below, on the injected clock.
                options={
                    "require": ["exp", "nbf", "iat", "sub", "sid", "role", "scp"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            if float(claims["nbf"]) - _LEEWAY.total_seconds() > now:
                raise Unauthenticated("The access token is not valid yet", code="token_invalid")
            return _Proof(_caller(claims), float(claims["iat"]), float(claims["exp"]))
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            raise Unauthenticated("The access token is not valid", code="token_invalid") from error


def _caller(claims: Mapping[str, Any]) -> Caller:
    return Caller(
        user_id=claims["sub"],
        sign_in_id=claims["sid"],
        organization_id=claims.get("org"),
        role=UserRole(claims["role"]),
        username=claims.get("name", ""),
        is_admin=claims.get("adm") is True,
        api_key_id=claims.get("key"),
        scopes=frozenset(map(Scope, claims["scp"])),
        via=claims.get("via"),
        device_id=claims.get("dev"),
        is_guest=claims.get("gst") is True,
    )
