"""Guessing passwords is slowed: by the e-mail address that is tried, and by the address that fails.

Only failures count, so ordinary use meets no limit. A try at an e-mail address is counted before the
service is asked and taken back where it was none of 401: many tries at once are no way around.
"""

import hashlib
import hmac
from dataclasses import dataclass

import structlog
from pydantic import BaseModel, EmailStr, ValidationError

from services.gateway.http.context import Visit
from services.gateway.http.request_body import InboundBody
from services.gateway.limiting.counters import Count, Counters, Rule
from services.gateway.limiting.subjects import network
from services.gateway.limiting.throttle import refusal
from services.gateway.settings import GatewaySettings
from shared.errors import UnsupportedMediaType

log = structlog.get_logger(__name__)

_FAILED = 401
_MESSAGE = "Too many failed sign-ins; try again later"


class _Login(BaseModel):
    """The part of the body that names the account, normalized as the session service does."""

    email: EmailStr


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try that was let through; `settle` it when its outcome is known."""

    counters: Counters
    by_address: Rule
    address: str
    counted: Count | None

    async def settle(self, status: int | None) -> None:
        """`status` is the service's, None where it gave no answer."""
        if status == _FAILED:
            await self.counters.add(self.by_address, self.address)
        elif self.counted is not None:
            await self.counters.take_back(self.counted)


class SignIns:
    """`secret` keys the digests that stand for e-mail addresses in the counters."""

    def __init__(self, counters: Counters, settings: GatewaySettings, secret: str):
        self._counters = counters
        self._by_email = Rule.of("sign-in-email", settings.rate_limit_login_email)
        self._by_address = Rule.of("sign-in-address", settings.rate_limit_login_address)
        self._secret = secret.encode()

    async def enter(self, body: InboundBody, visit: Visit, encoding: str | None) -> Attempt:
        """Let a sign-in through; raises `TooManyRequests`, and what reading the body raises."""
        if encoding is not None and encoding.lower() != "identity":
            raise UnsupportedMediaType("Send the sign-in uncompressed")
        address = network(visit.client.address)
        failed = await self._counters.read(self._by_address, address)
        if failed.used >= failed.limit:
            raise self._refuse(self._by_address, failed, visit)
        counted = await self._count(await body.whole(), visit)
        return Attempt(self._counters, self._by_address, address, counted)

    async def _count(self, body: bytes, visit: Visit) -> Count | None:
        try:
            email = _Login.model_validate_json(body, strict=True).email.lower()
        except ValidationError:
            return None  # the service refuses it without looking for anybody
        digest = hmac.new(self._secret, email.encode(), hashlib.sha256).hexdigest()[:32]
        count = await self._counters.add(self._by_email, digest)
        if count.exceeded:
            await self._counters.take_back(count)
            raise self._refuse(self._by_email, count, visit)
        return count

    def _refuse(self, rule: Rule, count: Count, visit: Visit) -> Exception:
        log.warning("gateway.sign_in_refused", limit=rule.name, client=visit.client.address)
        visit.ours.update(count.headers())
        return refusal(rule, count, _MESSAGE)
