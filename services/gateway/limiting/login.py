"""Guessing passwords is slowed: by the e-mail address that is tried, and by the address that fails.

Only failures count, so ordinary use meets no limit. An attempt at an e-mail address is counted before the
service is asked and taken back unless it answers 401: many attempts at the same time are no way around.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import BaseModel, EmailStr, ValidationError

from services.gateway.http.context import RequestContext
from services.gateway.http.request_body import RequestBody
from services.gateway.limiting.limiter import Count, Limit, network
from services.gateway.limiting.store import LimitStore
from shared.errors import TooManyRequests, UnsupportedMediaType

log = structlog.get_logger(__name__)

_FAILED: Final = 401


class _Login(BaseModel):
    """The part of the body that names the account, normalized as the session service does."""

    email: EmailStr


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """An attempt that was let through; `finish` it when its outcome is known."""

    by_address: Limit
    address: str
    counted: Count | None

    async def finish(self, status: int | None) -> None:
        """`status` is the service's, None if it gave no answer."""
        if status == _FAILED:
            await self.by_address.hit(self.address)
        elif self.counted is not None:
            await self.counted.limit.refund(self.counted)


class LoginThrottle:
    """`secret` keys the digests that stand for e-mail addresses; `by_email` and `by_address` are rates."""

    def __init__(self, store: LimitStore, secret: str, *, by_email: str, by_address: str):
        self._by_email = Limit("sign-in-email", by_email, store)
        self._by_address = Limit("sign-in-address", by_address, store)
        self._secret = secret.encode()

    async def admit(self, body: RequestBody, context: RequestContext, encoding: str | None) -> LoginAttempt:
        """Let a sign-in through; raises `TooManyRequests`, and what reading the body raises."""
        if encoding is not None and encoding.lower() != "identity":
            raise UnsupportedMediaType("Send the sign-in uncompressed")
        address = network(context.client.address)
        failed = await self._by_address.read(address)
        if failed.remaining == 0:
            raise _refuse(failed, context)
        counted = await self._count(await body.whole(), context)
        return LoginAttempt(self._by_address, address, counted)

    async def _count(self, body: bytes, context: RequestContext) -> Count | None:
        try:
            email = _Login.model_validate_json(body, strict=True).email.lower()
        except ValidationError:
            return None  # the service refuses it without looking for anybody
        digest = hmac.new(self._secret, email.encode(), hashlib.sha256).hexdigest()[:32]
        count = await self._by_email.hit(digest)
        if count.exceeded:
            await self._by_email.refund(count)
            raise _refuse(count, context)
        return count


def _refuse(count: Count, context: RequestContext) -> TooManyRequests:
    log.warning("gateway.sign_in_refused", limit=count.limit.name, client=context.client.address)
    context.extra_headers.update(count.headers())
    return count.refusal("Too many failed sign-ins; try again later")
