"""HTTP as every service speaks it: who is let in, what is read, how refusals look."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.access.identity import Scope
from shared.http import ANONYMOUS, PUBLIC, WRITE, Routes
from shared.ids import is_id, new_id
from shared.runtime.health import HEALTH
from tests.unit.shared.example_api import MADE, ExampleApi, open_example_api

GOOD = {"title": "A thing"}


@pytest.fixture
async def api() -> AsyncIterator[ExampleApi]:
    async with open_example_api() as api:
        yield api


async def test_a_success_is_wrapped(api: ExampleApi) -> None:
    status, body, headers = await api.call("POST", "/things", json=GOOD, headers=api.bearer())
    assert status == 201
    assert body.keys() == {"success", "data", "timestamp"}
    assert body["success"] is True
    assert isinstance(body["timestamp"], int)
    assert body["data"].keys() == {"id", "title", "made_by"}
    assert headers["Content-Type"].startswith("application/json")


async def test_a_refusal_is_wrapped(api: ExampleApi) -> None:
    path = f"/things/{new_id()}"
    status, body, _ = await api.call("DELETE", path, headers=api.bearer(is_admin=True))
    assert (status, body["code"], body["success"]) == (409, "unforgettable", False)
    assert body["error"] == body["message"]
    status, body, headers = await api.call("GET", "/slow")
    assert (status, headers["Retry-After"], body["code"]) == (429, "3", "too_many_requests")


async def test_production_tells_no_message() -> None:
    async with open_example_api(environment="production") as api:
        _, body, _ = await api.call("GET", "/slow")
    assert body.keys() == {"success", "error", "code", "timestamp"}


async def test_a_bug_tells_nothing_of_the_inside(api: ExampleApi) -> None:
    status, body, headers = await api.call("GET", "/broken")
    assert (status, body["code"]) == (500, "internal")
    assert "inside" not in str(body)
    assert headers["X-Request-Id"] in body["error"]


async def test_a_request_keeps_its_id(api: ExampleApi) -> None:
    _, _, headers = await api.call("GET", "/things", headers={"X-Request-Id": "given-by-the-gateway"})
    assert headers["X-Request-Id"] == "given-by-the-gateway"
    for bad in ("short", "x" * 200, "with spaces in it"):
        _, _, headers = await api.call("GET", "/things", headers={"X-Request-Id": bad})
        assert is_id(headers["X-Request-Id"])


async def test_unknown_paths_and_methods_are_refused(api: ExampleApi) -> None:
    status, body, _ = await api.call("GET", "/nothing")
    assert (status, body["code"]) == (404, "no_such_path")
    status, body, headers = await api.call("PUT", "/things")
    assert (status, body["code"]) == (405, "method_not_allowed")
    assert headers["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["title"]),
        ({"title": "no"}, ["title"]),
        ({"title": 7}, ["title"]),
        ({"title": "A thing", "price": 0}, ["price"]),
        ({"title": "A thing", "price": "7"}, ["price"]),
        ({"title": "A thing", "price": True}, ["price"]),
        ({"title": "A thing", "maker": {}}, ["maker.name"]),
        ({"title": "A thing", "maker": {"name": 7}}, ["maker.name"]),
        ({"title": "A thing", "tags": ["good", "no", 7]}, ["tags"]),
        ({"title": "A thing", "tags": ["no", 7]}, ["tags.0", "tags.1"]),
        ({"title": 7, "price": 0, "maker": 7}, ["maker", "price", "title"]),
        ([], ["body"]),
    ],
    ids=str,
)
async def test_every_bad_field_has_one_entry(api: ExampleApi, body: Any, fields: list[str]) -> None:
    status, answer, _ = await api.call("POST", "/things", json=body, headers=api.bearer())
    assert (status, answer["code"]) == (422, "validation_failed")
    assert sorted(entry["field"] for entry in answer["errors"]) == fields
    assert not any("Value error" in entry["message"] for entry in answer["errors"])


async def test_what_is_no_json_is_refused(api: ExampleApi) -> None:
    headers = api.bearer() | {"Content-Type": "application/json"}
    for content in (b"{", b"\xff", b"title=x"):
        status, answer, _ = await api.call("POST", "/things", data=content, headers=headers)
        assert (status, [entry["field"] for entry in answer["errors"]]) == (422, ["body"])
    for kind, expected in (("text/plain", 415), ("application/merge-patch+json", 201)):
        other = api.bearer() | {"Content-Type": kind}
        status, _, _ = await api.call("POST", "/things", data=b'{"title": "A thing"}', headers=other)
        assert status == expected


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/x-www-form-urlencoded"])
async def test_nothing_is_of_no_type(api: ExampleApi, kind: str) -> None:
    headers = api.bearer() | {"Content-Type": kind}
    status, body, _ = await api.call("POST", "/things", data=b"", headers=headers)
    assert (status, [entry["field"] for entry in body["errors"]]) == (422, ["title"])


async def test_a_body_over_a_megabyte_is_refused(api: ExampleApi) -> None:
    headers = api.bearer() | {"Content-Type": "application/json"}
    status, body, _ = await api.call("POST", "/things", data=b" " * (1024 * 1024 + 1), headers=headers)
    assert (status, body["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("color=red&color=blue&maker=a&maker=b", {"colors": ["red", "blue"], "makers": ["a", "b"]}),
        ("color=red&page=2", {"colors": ["red"], "makers": None}),
        ("", {"colors": [], "makers": None}),
    ],
)
async def test_a_list_takes_each_of_a_repeated_parameter(
    api: ExampleApi, query: str, found: dict[str, list[str] | None]
) -> None:
    assert (await api.call("GET", f"/search?{query}"))[1]["data"] == found


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("color=green", ["color.0"]),
        ("color=red&color=", ["color.1"]),
        ("color=red&color=red&color=red", ["color"]),
    ],
)
async def test_a_bad_value_of_a_list_is_refused_by_its_place(
    api: ExampleApi, query: str, fields: list[str]
) -> None:
    status, body, _ = await api.call("GET", f"/search?{query}")
    assert status == 422
    assert [one["field"] for one in body["errors"]] == fields


@pytest.mark.parametrize(("query", "fields"), [("page=0", ["page"]), ("limit=101&page=x", ["limit", "page"])])
async def test_a_bad_query_is_refused_by_field(api: ExampleApi, query: str, fields: list[str]) -> None:
    status, body, _ = await api.call("GET", f"/things?{query}")
    assert (status, sorted(entry["field"] for entry in body["errors"])) == (422, fields)


@pytest.mark.parametrize("id", ["nope", "1", "01890a5d-ac96-774b-bcce-b302099a80570"])
async def test_what_is_no_id_names_nothing(api: ExampleApi, id: str) -> None:
    assert (await api.call("GET", f"/things/{id}"))[0] == 404


async def test_ids_are_read_in_lower_case(api: ExampleApi) -> None:
    id = new_id()
    assert (await api.call("GET", f"/things/{id.upper()}"))[1]["data"]["id"] == id


async def test_the_gateways_library_confines(api: ExampleApi) -> None:
    library, path = new_id(), f"/things/{new_id()}"
    _, body, _ = await api.call("GET", path, headers={"X-Greenroom-Library": library})
    assert body["data"]["title"] == library
    status, body, _ = await api.call("GET", path, headers={"X-Greenroom-Library": "nope"})
    assert (status, body["code"]) == (404, "library_not_found")


async def test_who_is_let_in(api: ExampleApi) -> None:
    anna, admin, bad = api.bearer(), api.bearer(is_admin=True), {"Authorization": "Bearer nonsense"}
    forget, own = ("DELETE", f"/things/{new_id()}"), ("GET", "/internal/things")
    expected: list[tuple[tuple[str, str], dict[str, str], int]] = [
        (("GET", "/things"), {}, 200),
        (("GET", "/things"), anna, 200),
        (("GET", "/things"), bad, 401),
        (("POST", "/things"), {}, 401),
        (("POST", "/things"), bad, 401),
        (("POST", "/things"), {"Authorization": "Basic YTpi"}, 401),
        (("POST", "/sign-in"), bad, 200),
        (("POST", "/door"), bad, 200),
        (forget, {}, 401),
        (forget, anna, 403),
        (forget, admin, 409),
        (own, {}, 401),
        (own, admin, 401),
        (own, api.internal("another"), 401),
        (own, api.internal(), 200),
    ]
    for (method, path), headers, status in expected:
        body = {"json": GOOD} if path == "/things" and method == "POST" else {}
        assert (await api.call(method, path, headers=headers, **body))[0] == status, (method, path, status)


async def test_an_expired_token_lets_nobody_in(api: ExampleApi) -> None:
    headers = api.bearer()
    api.clock.advance(minutes=16)
    status, body, answered = await api.call("POST", "/things", json=GOOD, headers=headers)
    assert (status, body["code"], answered["WWW-Authenticate"]) == (401, "token_expired", "Bearer")


async def test_a_key_makes_one_thing_for_each_caller(api: ExampleApi) -> None:
    key = {"Idempotency-Key": "k"}
    anna, berta = api.bearer() | key, api.bearer("berta") | key
    calls = [api.call("POST", "/things", json=GOOD, headers=headers) for headers in (anna, anna, berta, anna)]
    ids = [body["data"]["id"] for _, body, _ in await asyncio.gather(*calls)]
    assert ids[0] == ids[1] == ids[3] != ids[2]
    assert len(api.app[MADE]) == 2
    status, body, _ = await api.call("POST", "/things", json=GOOD | {"price": 2}, headers=anna)
    assert (status, [entry["field"] for entry in body["errors"]]) == (422, ["Idempotency-Key"])


async def test_a_key_of_an_upload_is_for_one_size_and_kind(api: ExampleApi) -> None:
    headers = api.bearer() | {"Idempotency-Key": "k", "Content-Type": "image/png"}
    ids = []
    for _ in range(2):
        status, body, _ = await api.call("POST", "/pictures", data=b"a picture", headers=headers)
        assert (status, body["data"]["title"]) == (201, "9 bytes")
        ids.append(body["data"]["id"])
    assert ids[0] == ids[1]
    for data, kind in ((b"another picture", "image/png"), (b"a picture", "image/gif")):
        other = headers | {"Content-Type": kind}
        status, body, _ = await api.call("POST", "/pictures", data=data, headers=other)
        assert (status, [entry["field"] for entry in body["errors"]]) == (422, ["Idempotency-Key"])


async def test_a_key_is_another_one_in_another_library(api: ExampleApi) -> None:
    key = api.bearer() | {"Idempotency-Key": "k"}
    places: list[dict[str, str]] = [{}, {"X-Greenroom-Library": new_id()}]
    ids = [
        (await api.call("POST", "/things", json=GOOD, headers=key | place))[1]["data"]["id"]
        for place in places
    ]
    assert ids[0] != ids[1]


_GOOD = json.dumps(GOOD).encode()
_PACKED = gzip.compress(_GOOD, mtime=0)
# Two megabytes at the beginning, which are too many, and nonsense after them.
_BOMB = zlib.compress(b"x" * 2**21)[:-4] + b"nonsense"


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", _PACKED, 201),
        ("GZIP", _PACKED, 201),
        ("deflate", zlib.compress(_GOOD), 201),
        ("deflate", zlib.compress(_GOOD, wbits=-15), 201),
        ("identity", _GOOD, 201),
        ("gzip", gzip.compress(_GOOD + b" " * (2**20 - len(_GOOD)), mtime=0), 201),
        ("gzip", gzip.compress(_GOOD + b" " * 2**20, mtime=0), 413),
        ("deflate", _BOMB, 413),
        ("gzip", b"not gzip", 422),
        ("gzip", _PACKED[:-8], 422),
        ("gzip", _PACKED[:-8] + bytes(8), 422),
        ("gzip", _PACKED + b"more", 422),
        ("deflate", b"\x07nonsense", 422),
    ],
)
async def test_a_compressed_body_is_unpacked_or_refused_and_the_connection_goes_on(
    api: ExampleApi, encoding: str, body: bytes, status: int
) -> None:
    reader, writer = await asyncio.open_connection(api.client.host, api.client.port)
    fields = api.bearer() | {"Content-Encoding": encoding, "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    async with asyncio.timeout(20):
        writer.write(f"POST /things HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + body)
        assert await _next_status(reader) == status
        writer.write(b"GET /things HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await _next_status(reader) == 200
    writer.close()


async def _next_status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.lower().partition("content-length: ")[2].split()[0])
    await reader.readexactly(length)
    return int(head.split()[1])


async def _away() -> str | None:
    return "it is away"


async def test_nothing_is_answered_before_the_start() -> None:
    async with open_example_api(started=False) as api:
        status, body, headers = await api.call("GET", "/things")
        assert (status, body["code"], headers["Retry-After"]) == (503, "starting", "1")
        assert (await api.call("GET", "/healthz"))[0] == 200
        assert (await api.call("GET", "/readyz"))[:2] == (503, {"status": "starting", "dependencies": {}})
        api.app[HEALTH].started = True
        assert (await api.call("GET", "/readyz"))[0] == 200
        api.app[HEALTH].add("broker", _away)
        queries = ("", "?exclude=broker", "?exclude=x")
        assert [(await api.call("GET", f"/readyz{query}"))[0] for query in queries] == [503, 200, 503]
        api.app[HEALTH].stopping = True
        assert (await api.call("GET", "/readyz"))[1]["status"] == "stopping"


async def test_calls_and_refusals_are_counted(api: ExampleApi) -> None:
    await api.call("GET", "/slow")
    await api.call("GET", f"/things/{new_id()}")
    async with api.client.get("/metrics") as response:
        text = await response.text()
    assert 'greenroom_http_refusals_total{code="too_many_requests"}' in text
    assert 'greenroom_http_request_seconds_count{operation="GET /things/{id}",status="200"}' in text


async def test_an_operation_declares_its_scope_whatever_its_method(api: ExampleApi) -> None:
    reading, writing = (
        api.bearer(scopes=frozenset({scope}), api_key_id="k") for scope in (Scope.READ, Scope.WRITE)
    )
    assert (await api.call("GET", "/pass", headers=writing))[0] == 200
    assert (await api.call("POST", "/search", headers=reading))[0] == 200
    for method, path, headers in (("GET", "/pass", reading), ("POST", "/search", writing)):
        status, body, _ = await api.call(method, path, headers=headers)
        assert (status, body["code"]) == (403, "scope_missing")


def test_an_operation_without_a_scope_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="GET /things"):
        Routes("Things").get("/things", access=PUBLIC)
    with pytest.raises(ValueError, match="POST /sign-in"):
        Routes("Things").post("/sign-in", access=ANONYMOUS, scope=WRITE)
