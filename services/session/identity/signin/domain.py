"""One sign-in and its rotating refresh tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

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
