"""Which limit a request counts against: signing in by address, writing by tenant. Reading is free."""

from typing import Final

from prometheus_client import Counter

from services.gateway.limiting.counters import Count, Counters, Rule
from services.gateway.limiting.subjects import network, tenant
from services.gateway.matcher import Endpoint
from services.gateway.settings import GatewaySettings
from services.gateway.visit import Visit
from shared.errors import TooManyRequests
from shared.http.routes import Access

LIMITED = Counter("greenroom_gateway_limited_total", "Requests refused with 429, by limit", ["limit"])

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Throttle:
    """LiveKit's webhooks are never counted: what they tell must not be lost."""

    def __init__(self, counters: Counters, settings: GatewaySettings):
        self._counters = counters
        self._auth = Rule.of("auth", settings.rate_limit_auth)
        self._writes = Rule.of("writes", settings.rate_limit_writes)

    async def admit(self, endpoint: Endpoint, visit: Visit) -> None:
        """Count the request where it counts; raises `TooManyRequests`."""
        operation = endpoint.operation
        if operation.method in _READS or operation.access is Access.SIGNED:
            return
        if operation.access is Access.ANONYMOUS:
            rule, who = self._auth, network(visit.client.address)
        else:
            rule, who = self._writes, tenant(visit)
        count = await self._counters.add(rule, who)
        visit.ours.update(count.headers())
        if count.exceeded:
            raise refusal(rule, count, "Too many requests; slow down")


def refusal(rule: Rule, count: Count, message: str) -> TooManyRequests:
    LIMITED.labels(rule.name).inc()
    return TooManyRequests(message, retry_after=count.seconds)
