"""Guessing passwords is slowed: by the e-mail address that is tried, and by the address that tries.

An attempt counts when it is begun, whatever becomes of it: whoever hangs up, or sends what cannot be read,
has tried as well. Only a success takes it back, so ordinary use meets no limit. What was no try does not
count: the limit by e-mail refused it, or the service could not be asked at all.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import BaseModel, EmailStr, ValidationError

from services.gateway.http.context import RequestContext
from services.gateway.http.request_body import RequestBody
from services.gateway.limiting.limiter import Count, Limit
from services.gateway.limiting.store import LimitStore
from shared.errors import TooManyRequests, UnsupportedMediaType
from shared.http.addresses import client_network

log = structlog.get_logger(__name__)

_REFUSED: Final = 300


class _Login(BaseModel):
    """The part of the body that names the account, normalized as the session service does."""

    email: EmailStr


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """An attempt that was let through, and how it was counted."""

    counts: Sequence[Count]

    async def finish(self, status: int | None) -> None:
        """`status` is the service's, `NOT_ASKED` if it could not be asked, None if it gave no answer."""
        if status is not None and status < _REFUSED:
            for count in self.counts:
                await count.limit.refund(count)


class LoginThrottle:
    """`secret` keys the digests that stand for e-mail addresses; `by_email` and `by_address` are rates."""

    def __init__(self, store: LimitStore, secret: str, *, by_email: str, by_address: str):
        self._by_email = Limit("sign-in-email", by_email, store)
        self._by_address = Limit("sign-in-address", by_address, store)
        self._secret = secret.encode()

    async def admit(self, body: RequestBody, context: RequestContext, encoding: str | None) -> LoginAttempt:
        """Let a sign-in through; raises `TooManyRequests`, and what reading the body raises."""
        by_address = await self._count(self._by_address, client_network(context.client.address), context)
        if encoding is not None and encoding.lower() != "identity":
            raise UnsupportedMediaType("Send the sign-in uncompressed")
        email = named_email(await body.whole())
        if email is None:
            return LoginAttempt([by_address])  # the service refuses it without looking for anybody
        digest = hmac.new(self._secret, email.encode(), hashlib.sha256).hexdigest()[:32]
        try:
            return LoginAttempt([by_address, await self._count(self._by_email, digest, context)])
        except TooManyRequests:
            # Whoever repeats what is refused here anyway is not to lock their address as well.
            await self._by_address.refund(by_address)
            raise

    async def _count(self, limit: Limit, who: str, context: RequestContext) -> Count:
        count = await limit.hit(who)
        if not count.exceeded:
            return count
        await limit.refund(count)
        log.warning("gateway.sign_in_refused", limit=limit.name, client=context.client.address)
        context.extra_headers.update(count.headers())
        raise count.refusal("Too many failed sign-ins; try again later")


def named_email(body: bytes) -> str | None:
    """The account that a sign-in names, as the session service looks for it."""
    try:
        return _Login.model_validate_json(body, strict=True).email.lower()
    except ValidationError:
        return None
