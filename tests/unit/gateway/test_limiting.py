"""Whose account a request is counted on, and what the settings allow."""

from collections.abc import Sequence

import pytest
from pydantic import ValidationError

from services.gateway.http.client_address import ClientAddress
from services.gateway.http.context import AuthenticatedCaller, RequestContext
from services.gateway.limiting.guesses import CodeThrottle
from services.gateway.limiting.limiter import RequestLimiter, tenant
from services.gateway.limiting.login import named_email
from services.gateway.limiting.store import LimitStore
from services.gateway.routing.router import Router
from services.gateway.routing.table import TABLE
from services.gateway.settings import GatewaySettings
from services.session.identity.signin.routes import LoginRequest
from shared.access.identity import Caller
from shared.contracts.states import UserRole
from shared.errors import TooManyRequests
from shared.ids import new_id


def _context(caller: Caller | None) -> RequestContext:
    authenticated = AuthenticatedCaller(caller, "Bearer x") if caller else None
    return RequestContext("r", ClientAddress("192.0.2.7", "http", "h"), {}, "/", authenticated=authenticated)


@pytest.mark.parametrize(
    ("caller", "counted"),
    [
        (Caller("u", "s", "o", UserRole.HOST, "Ada"), "organization:o"),
        (Caller("u", "k", "o", UserRole.HOST, "Ada", api_key_id="k"), "organization:o"),
        (Caller("u", "s", "o", UserRole.VIEWER, "Ada"), "user:u"),
        (Caller("u", "s", None, UserRole.VIEWER, "Ada"), "user:u"),
        (None, "address:192.0.2.7"),
    ],
)
def test_hosts_share_their_organization_s_account_and_viewers_have_their_own(
    caller: Caller | None, counted: str
) -> None:
    assert tenant(_context(caller)) == counted


@pytest.mark.parametrize("bad", ["", "many", "10", "10/minute;5/second", "10/fortnight"])
def test_a_rate_that_cannot_be_read_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError):
        GatewaySettings.model_validate({"rate_limit_writes": bad})


async def _admitted(limiter: RequestLimiter, caller: Caller, times: int) -> int:
    """How many of so many chat messages at once pass."""
    endpoint = Router(TABLE).match("POST", ["sessions", new_id(), "chat"])
    assert endpoint is not None
    for number in range(times):
        try:
            await limiter.admit(endpoint, _context(caller))
        except TooManyRequests:
            return number
    return times


async def test_one_person_talks_so_much_and_an_api_key_for_many() -> None:
    store = LimitStore("")
    limiter = RequestLimiter(store, auth="9/hour", writes="99/hour", chat="3/hour", actions="4/hour")
    viewer = Caller("v", "s", None, UserRole.VIEWER, "Vera")
    assert await _admitted(limiter, viewer, 9) == 3
    # In another tab it is the same person; a colleague of the same organization is another.
    assert await _admitted(limiter, Caller("v", "t", None, UserRole.VIEWER, "Vera"), 9) == 0
    for host in ("h", "i"):
        assert await _admitted(limiter, Caller(host, "s", "o", UserRole.HOST, "Ada"), 9) == 3
    assert await _admitted(limiter, Caller("h", "k", "o", UserRole.HOST, "Ada", api_key_id="k"), 9) == 9
    await store.close()


async def test_only_what_was_said_counts() -> None:
    store = LimitStore("")
    limiter = RequestLimiter(store, auth="9/hour", writes="99/hour", chat="2/hour", actions="4/hour")
    endpoint = Router(TABLE).match("POST", ["sessions", new_id(), "chat"])
    assert endpoint is not None
    context = _context(Caller("v", "s", None, UserRole.VIEWER, "Vera"))
    for status in (422, 403, None, 201, 500, 201):
        attempt = await limiter.admit(endpoint, context)
        assert attempt is not None
        await attempt.finish(status)
    with pytest.raises(TooManyRequests):
        await limiter.admit(endpoint, context)
    await store.close()


async def _tries(throttle: CodeThrottle, statuses: Sequence[int | None]) -> int:
    """How many attempts with these answers pass, one after another."""
    for number, status in enumerate(statuses):
        try:
            attempt = await throttle.admit(_context(None))
        except TooManyRequests:
            return number
        await attempt.finish(status)
    return len(statuses)


@pytest.mark.parametrize("missed", [404, 422, None])
async def test_codes_that_do_not_exist_count_and_those_that_do_are_free(missed: int | None) -> None:
    store = LimitStore("")
    throttle = CodeThrottle(store, by_address="3/hour")
    assert await _tries(throttle, [201, 403, 409, 503] * 5) == 20
    assert await _tries(throttle, [missed] * 9) == 3
    assert await _tries(throttle, [201]) == 0
    await store.close()


async def test_guessing_many_codes_at_once_gains_no_more_than_the_attempts_under_way() -> None:
    store = LimitStore("")
    throttle = CodeThrottle(store, by_address="3/hour")
    begun = [await throttle.admit(_context(None)) for _ in range(30)]
    with pytest.raises(TooManyRequests):
        await throttle.admit(_context(None))
    for attempt in begun:
        await attempt.finish(404)
    assert await _tries(throttle, [201]) == 0
    await store.close()


_BODIES = [
    b'{"email":"ada@example.com","password":"x"}',
    b'{"email":"bob@example.com","email":"ada@example.com","password":"x"}',
    b'{"email":"ada@example.com","password":"x","email":"bob@example.com"}',
    b'{"\\u0065mail":"\\u0061da@example.com","password":"x"}',
    b'{"Email":"bob@example.com","email":" ADA@Example.COM ","password":"x"}',
    b'{"email":"Ada <ada@example.com>","password":"x"}',
    '{"email":"zoe\u0308@b\u00fccher.example","password":"x"}'.encode(),
    '{"email":"zo\u00eb@xn--bcher-kva.example","password":"x"}'.encode(),
    '\ufeff{"email":"ada@example.com","password":"x"}'.encode(),
    '{"email":"ada@example.com","password":"x"}'.encode("utf-16"),
    b'{"email":["ada@example.com"],"password":"x"}',
    b'{"email":"ada@example.com","password":"x"}{}',
    b'{"email":"\xff@example.com","password":"x"}',
    b"email=ada%40example.com&password=x",
]


@pytest.mark.parametrize("body", _BODIES)
def test_what_is_counted_is_what_the_service_looks_for(body: bytes) -> None:
    """However it is written: else each way of writing an address would have a limit of its own."""
    try:
        looked_for = LoginRequest.model_validate_json(body, strict=True).email.lower()
    except ValidationError:
        looked_for = None
    assert named_email(body) == looked_for
