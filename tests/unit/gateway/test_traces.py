"""Where traces begin: at the gateway, unless a proxy that it trusts has begun them."""

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict, CIMultiDictProxy

from services.gateway.http.client_address import ClientAddress
from services.gateway.http.headers import upstream_headers
from services.gateway.routing.router import Endpoint
from services.gateway.routing.table import TABLE
from services.gateway.server.access_log import RequestLogger
from services.gateway.server.traced import traced
from shared.ids import new_id
from tests.fakes.recorded_spans import links_of, parent_of, recorded_spans, trace_of, traceparent

A = "a" * 32


async def answer(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=503)


def logging(path: str, endpoint: Endpoint, lines: list[str]) -> RequestLogger:
    logger = RequestLogger(lines.append, "json")
    logger.record(endpoint, "GET", path, 503, 0.0, "a-request", "203.0.113.9", None)
    logger.flush()
    return logger


def test_untraced_the_handler_is_the_handler() -> None:
    assert traced(answer, lambda _: True) is answer


async def test_the_trace_of_a_trusted_proxy_is_continued_and_that_of_others_linked() -> None:
    headers = {"traceparent": traceparent("a")}
    request = make_mocked_request("GET", "/rooms", headers=headers)
    for trusted in (True, False):
        with recorded_spans() as recorded:
            await traced(answer, lambda _, trusted=trusted: trusted)(request)  # type: ignore[misc]
            [span] = recorded.all
        assert (trace_of(span) == A) is trusted
        assert (parent_of(span) is not None) is trusted
        assert links_of(span) == ([] if trusted else [A])


async def test_probes_are_no_traces() -> None:
    with recorded_spans() as recorded:
        for path in ("/healthz", "/readyz", "/metrics"):
            await traced(answer, lambda _: False)(make_mocked_request("GET", path))
        assert recorded.all == []


async def test_a_request_is_named_by_its_route_and_logged_with_its_trace_and_session() -> None:
    operation = next(one for one in TABLE if (one.method, one.path) == ("GET", "/sessions/{id}"))
    endpoint = Endpoint(operation, "/libraries/{library_id}/sessions/{id}", in_library=True)
    session_id, lines = new_id(), list[str]()
    path = f"/libraries/{new_id()}/sessions/{session_id}"

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        logging(path, endpoint, lines)
        return await answer(request)

    with recorded_spans() as recorded:
        await traced(respond, lambda _: False)(make_mocked_request("GET", path))
        [span] = recorded.all
    assert span.name == "GET /libraries/{library_id}/sessions/{id}"
    assert span.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 503,
        "http.route": "/libraries/{library_id}/sessions/{id}",
        "greenroom.request_id": "a-request",
        "greenroom.session_id": session_id,
        "error.type": "503",
    }
    [line] = lines
    assert f'"session_id":"{session_id}"' in line
    assert f'"trace_id":"{trace_of(span)}"' in line


async def test_what_is_no_id_is_not_logged_as_one() -> None:
    operation = next(one for one in TABLE if (one.method, one.path) == ("GET", "/sessions/{id}"))
    lines: list[str] = []
    logging('/sessions/no","id', Endpoint(operation, operation.path, in_library=False), lines)
    assert "session_id" not in lines[0]


async def test_addresses_are_logged_as_networks_unless_they_are_to_be_in_full() -> None:
    operation = TABLE[0]
    endpoint = Endpoint(operation, operation.path, in_library=False)
    lines: list[str] = []
    for full in (False, True):
        logger = RequestLogger(lines.append, "json", full_addresses=full)
        for client in ("203.0.113.9", "2001:db8:1:2::3", "_hidden"):
            logger.record(endpoint, "GET", operation.path, 200, 0.0, "a-request", client, None)
        logger.flush()
    for shown in ("203.0.113.0/24", "2001:db8:1::/48", "_hidden"):
        assert f'"client":"{shown}"' in lines[0]
    assert "203.0.113.9" not in lines[0]
    assert '"client":"2001:db8:1:2::3"' in lines[1]


def test_services_never_see_a_clients_trace() -> None:
    """They continue what they are given, and it is given by the gateway alone."""
    sent = CIMultiDict({"Traceparent": traceparent("a"), "tracestate": "x=1"})
    passed = upstream_headers(
        CIMultiDictProxy(sent),
        client=ClientAddress("203.0.113.9", "https", "live.example"),
        request_id="a-request",
        authorization=None,
        library_id=None,
    )
    assert not {"traceparent", "tracestate"} & {name.lower() for name in passed}
