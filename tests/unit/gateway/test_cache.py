"""Answers as the gateway's cache keeps them."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from services.gateway.cache.read_cache import CachedResponse, make_cached_response
from services.gateway.http.headers import FIXED
from services.gateway.routing.router import Endpoint
from services.gateway.routing.table import TABLE
from services.gateway.upstreams.proxy import UpstreamResponse
from shared.http.reply import etag_matches

ENDPOINT = Endpoint(next(one for one in TABLE if one.path == "/rooms/{id}"), "/rooms/{id}", in_library=False)
_JSON = {"Content-Type": "application/json"}


def cached(body: bytes, status: int = 200, **headers: str) -> CachedResponse | None:
    given = CIMultiDict(_JSON | {name.replace("_", "-"): value for name, value in headers.items()})
    response = UpstreamResponse(status, "OK", CIMultiDictProxy(given), body)
    return make_cached_response(ENDPOINT, "/", response, FIXED)


def test_the_same_data_at_another_time_has_the_same_etag() -> None:
    bodies = (b'{"data":1,"timestamp":1}', b'{"data":1,"timestamp":22}', b'{"data":2,"timestamp":1}')
    made = [one.etag for one in map(cached, bodies) if one is not None]
    assert made[0] == made[1] != made[2]


def test_what_is_private_no_json_or_refused_is_not_cached() -> None:
    assert cached(b"{}") is not None
    assert cached(b"{}", 404) is None
    assert cached(b"{}", Content_Type="text/html") is None
    for private in ("no-store", "private, max-age=5"):
        assert cached(b"{}", Cache_Control=private) is None


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        ([], False),
        (["{}"], True),
        (["{strong}"], True),
        (['"x", {}'], True),
        (['"x"', '"y", {}', '"z"'], True),
        (["*"], True),
        (['"x"'], False),
        (['"x"', '"y"'], False),
        ([""], False),
    ],
)
def test_etags_are_compared_weakly_and_in_lists(shown: list[str], same: bool) -> None:
    one = cached(b"{}")
    assert one is not None
    strong = one.etag.removeprefix("W/")
    lines = [line.replace("{}", one.etag).replace("{strong}", strong) for line in shown]
    assert etag_matches(lines, one.etag) is same


def test_only_writes_of_an_audience_drop_nothing() -> None:
    spared = {f"{one.method} {one.path}" for one in TABLE if one.policy.keeps_cache}
    assert spared == {
        "POST /whip",
        "POST /whip/{key}",
        "PATCH /whip/{key}/{connection}",
        "DELETE /whip/{key}/{connection}",
        "POST /auth/login",
        "POST /auth/refresh",
        "POST /auth/viewer/register",
        "POST /auth/viewer/device-login",
        "POST /auth/exchange-code",
        "POST /auth/logout",
        "POST /rooms/{id}/reminders",
        "DELETE /rooms/{id}/reminders",
        "POST /rooms/{id}/reminders/confirm",
        "POST /rooms/{id}/reminders/unsubscribe",
        "POST /sessions/{id}/join",
        "POST /sessions/{id}/leave",
        "POST /rooms/{id}/tokens",
        "POST /room_codes/{code}/exchange",
        "POST /sessions/{id}/room/messages",
        "DELETE /sessions/{id}/room/participants",
        "DELETE /sessions/{id}/room/participants/{connection_id}",
        "POST /sessions/{id}/tokens",
        "POST /sessions/{id}/raise_hand",
        "POST /sessions/{id}/lower_hand",
        "POST /sessions/{id}/join_requests",
        "POST /sessions/{id}/chat",
        "POST /sessions/{id}/chat/files",
        "DELETE /sessions/{id}/chat/{message_id}",
        "POST /polls/{id}/vote",
        "POST /webhooks/livekit",
        "POST /centrifugo/connect",
        "POST /centrifugo/refresh",
        "POST /centrifugo/subscribe",
    }
