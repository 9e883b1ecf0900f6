"""One sign-in and its rotating refresh tokens; device tokens and auth codes as text."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from shared.errors import Unauthenticated
from shared.ids import is_id
from shared.runtime.rotating_secret import RotatingSecret

# Two tabs may present the same token; within this time the second gets the first's successor.
GRACE = timedelta(seconds=30)
LIFETIME = timedelta(days=30)


class Rotation(Enum):
    """What presenting a refresh token of some generation means."""

    ROTATE = "rotate"
    SAME_SUCCESSOR = "same_successor"
    REUSED = "reused"
    OVER = "over"


@dataclass(kw_only=True)
class SignIn:
    """A family of refresh tokens, of which only the newest `generation` is valid.

    `via` is the API key behind the sign-in, if any; it ends with the key.
    """

    id: str
    user_id: str
    generation: int
    rotated_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    via: str | None = None

    def present(self, generation: int, now: datetime) -> Rotation:
        """What to do with a token of `generation`, the first being 1."""
        if self.revoked_at is not None or now >= self.expires_at:
            return Rotation.OVER
        if generation == self.generation:
            return Rotation.ROTATE
        if generation == self.generation - 1 and now - self.rotated_at <= GRACE:
            return Rotation.SAME_SUCCESSOR
        return Rotation.REUSED


@dataclass(frozen=True)
class AuthCode:
    """Whom a code signs in, and through which API key, if any; it ends with the sign-in that created it."""

    user_id: str
    via: str | None
    sign_in_id: str | None = None


_PREFIX = "grr"
_DEVICE_PREFIX = "grd"


class RefreshTokens:
    """`grr_<sign-in>_<generation>_<mac>`: derived, so that a successor can be issued again without being
    stored."""

    def __init__(self, secret: RotatingSecret):
        self._secret = secret

    def token(self, sign_in_id: str, generation: int) -> str:
        signature = _signature(self._secret.mac(_signed(sign_in_id, generation)))
        return f"{_PREFIX}_{sign_in_id}_{generation}_{signature}"

    def read(self, token: str) -> tuple[str, int]:
        """The sign-in and the generation; raises `Unauthenticated` for what we did not make."""
        parts = token.split("_", 3)
        if len(parts) == 4 and parts[0] == _PREFIX and is_id(parts[1]) and _is_generation(parts[2]):
            sign_in_id, generation = parts[1], int(parts[2])
            macs, shown = self._secret.macs(_signed(sign_in_id, generation)), parts[3].encode()
            if any(hmac.compare_digest(shown, _signature(mac).encode()) for mac in macs):
                return sign_in_id, generation
        raise Unauthenticated("The refresh token is not valid", code="refresh_token_invalid")


def _signed(sign_in_id: str, generation: int) -> bytes:
    return f"{sign_in_id}:{generation}".encode()


def _signature(mac: bytes) -> str:
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def _is_generation(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def device_token(secret: str) -> str:
    return f"{_DEVICE_PREFIX}_{secret}"


def digest(token: str) -> str:
    """What is stored of a random token: its SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()
