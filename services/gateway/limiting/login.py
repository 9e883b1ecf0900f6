"""Guessing passwords is slowed: by the e-mail address that is tried, and by the address that tries.

An attempt for an e-mail address counts when it is begun, and only a success takes it back. A client's
address, which many people may share, has a limit for failures, and a larger one for attempts that are under
way, since all of them may succeed. Whoever hangs up, or sends what cannot be read, has failed. What was no
try does not count: the limit by e-mail refused it, or the service was not able to answer it.
"""

import hashlib
import hmac
from dataclasses import dataclass

from pydantic import BaseModel, EmailStr, ValidationError

from services.gateway.http.context import RequestContext
from services.gateway.http.request_body import RequestBody
from services.gateway.limiting.guesses import Guess, GuessThrottle, count_or_refuse
from services.gateway.limiting.limiter import Count, Limit
from services.gateway.limiting.store import LimitStore
from shared.errors import TooManyRequests, UnsupportedMediaType


class _Login(BaseModel):
    """The part of the body that names the account, normalized as the session service does."""

    email: EmailStr


@dataclass(slots=True)
class LoginAttempt:
    """An attempt that was let through, and how it was counted."""

    guess: Guess
    by_email: Count | None = None

    async def finish(self, status: int | None) -> None:
        """`status` is the answer's, None if the client did not wait for it."""
        failed = status is None or 300 <= status < 500
        await self.guess.finish(failed=failed)
        if not failed and self.by_email is not None:
            await self.by_email.limit.refund(self.by_email)


class LoginThrottle:
    """`secret` keys the digests that stand for e-mail addresses; `by_email` and `by_address` are rates."""

    def __init__(self, store: LimitStore, secret: str, *, by_email: str, by_address: str):
        self._by_email = Limit("sign-in-email", by_email, store)
        self._guesses = GuessThrottle("sign-in", store, by_address=by_address)
        self._secret = secret.encode()

    async def admit(self, body: RequestBody, context: RequestContext, encoding: str | None) -> LoginAttempt:
        """Let a sign-in through; raises `TooManyRequests`, and what reading the body raises."""
        attempt = LoginAttempt(await self._guesses.begin(context))
        try:
            email = await _read(body, encoding)
        except BaseException:
            await attempt.finish(None)
            raise
        if email is None:
            return attempt  # the service refuses it without looking for anybody
        digest = hmac.new(self._secret, email.encode(), hashlib.sha256).hexdigest()[:32]
        try:
            attempt.by_email = await count_or_refuse(self._by_email, digest, context)
        except TooManyRequests:
            # Whoever repeats what is refused here anyway is not to lock their address as well.
            await attempt.guess.withdraw()
            raise
        return attempt


async def _read(body: RequestBody, encoding: str | None) -> str | None:
    if encoding is not None and encoding.lower() != "identity":
        raise UnsupportedMediaType("Send the sign-in uncompressed")
    return named_email(await body.whole())


def named_email(body: bytes) -> str | None:
    """The account that a sign-in names, as the session service looks for it."""
    try:
        return _Login.model_validate_json(body, strict=True).email.lower()
    except ValidationError:
        return None
