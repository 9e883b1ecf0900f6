"""Which limit a request counts against: signing in by address, talking by person, writing by tenant.

Reading is free.
"""

from typing import Final

from prometheus_client import Counter

from services.gateway.http.context import Visit
from services.gateway.limiting.counters import Count, Counters, Rule
from services.gateway.limiting.subjects import network, tenant
from services.gateway.routing.operation import Operation
from services.gateway.routing.router import Endpoint
from services.gateway.settings import GatewaySettings
from shared.errors import TooManyRequests
from shared.http.routes import Access

LIMITED = Counter("greenroom_gateway_limited_total", "Requests refused with 429, by limit", ["limit"])

_REFUSED: Final = 400
_MACHINES: Final = frozenset({Access.SIGNED, Access.PROXY})
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Throttle:
    """What LiveKit tells must not be lost, and Centrifugo asks for many people: those are never counted."""

    def __init__(self, counters: Counters, settings: GatewaySettings):
        self._counters = counters
        self._auth = Rule.of("auth", settings.rate_limit_auth)
        self._writes = Rule.of("writes", settings.rate_limit_writes)
        self._chat = Rule.of("chat", settings.rate_limit_chat)

    async def admit(self, endpoint: Endpoint, visit: Visit) -> Count | None:
        """Count the request where it counts; raises `TooManyRequests`.

        What is returned is to be settled when it is known what came of the request.
        """
        operation = endpoint.operation
        if operation.method in _READS or operation.access in _MACHINES:
            return None
        rule, who = self._subject(operation, visit)
        count = await self._counters.add(rule, who)
        visit.ours.update(count.headers())
        if count.exceeded:
            raise refusal(rule, count, "Too many requests; slow down")
        return count if rule is self._chat else None

    async def settle(self, count: Count | None, status: int | None) -> None:
        """`status` is the service's, None where it gave no answer: only what was said counts as such."""
        if count is not None and (status is None or status >= _REFUSED):
            await self._counters.take_back(count)

    def _subject(self, operation: Operation, visit: Visit) -> tuple[Rule, str]:
        if operation.access is Access.ANONYMOUS:
            return self._auth, network(visit.client.address)
        person = visit.identified.caller if visit.identified else None
        if operation.talking and person is not None and person.api_key_id is None:
            return self._chat, person.user_id
        return self._writes, tenant(visit)


def refusal(rule: Rule, count: Count, message: str) -> TooManyRequests:
    LIMITED.labels(rule.name).inc()
    return TooManyRequests(message, retry_after=count.seconds)
