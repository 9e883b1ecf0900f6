"""What the gateway answers itself."""

import re

import pytest

from tests.integration.gateway.fixtures import GatewayFixture, bearer


async def test_health_asks_every_service(gateway: GatewayFixture) -> None:
    async with gateway.http.get("/health") as answer:
        body = await answer.json()
    assert answer.status == 200
    assert body["success"] is True
    assert body["data"]["status"] == "ok"
    assert body["data"]["services"]["egress"] == {"status": "ok", "dependencies": {"mongodb": "ok"}}


async def test_health_is_degraded_where_a_service_is_not_ready_or_not_there(gateway: GatewayFixture) -> None:
    gateway.session.ready = False
    await gateway.egress.stop()
    async with gateway.http.get("/health") as answer:
        text = await answer.text()
        body = await answer.json()
    assert (answer.status, body["success"], body["code"]) == (503, False, "degraded")
    services = body["data"]["services"]
    assert services["session"] == {"status": "unavailable", "dependencies": {"mongodb": "unavailable"}}
    assert services["egress"] == {"status": "unreachable", "dependencies": {}}
    assert services["attendance"]["status"] == "ok"
    assert "secret" not in text


async def test_the_gateway_stays_ready_without_its_services(gateway: GatewayFixture) -> None:
    await gateway.session.stop()
    for path in ("/readyz", "/healthz"):
        async with gateway.http.get(path) as answer:
            assert answer.status == 200
            assert "status" in await answer.json()


async def test_metrics_count_by_template_and_status(gateway: GatewayFixture) -> None:
    async with gateway.http.get("/rooms/some-room-or-other", headers=bearer()):
        pass
    async with gateway.http.get("/metrics") as answer:
        text = await answer.text()
    assert 'greenroom_http_request_seconds_count{operation="GET /rooms/{id}",status="200"}' in text
    assert "some-room-or-other" not in text


async def test_the_document_is_merged_and_kept_once_complete(gateway: GatewayFixture) -> None:
    await gateway.egress.stop()
    async with gateway.http.get("/openapi.json") as answer:
        assert answer.status == 503
    await gateway.egress.start()
    async with gateway.http.get("/openapi.json") as answer:
        document = await answer.json()
    paths = document["paths"]
    assert {"/session", "/egress", "/attendance", "/health", "/libraries/{library_id}/session"} == set(paths)
    await gateway.egress.stop()
    async with gateway.http.get("/openapi.json") as answer:
        assert await answer.json() == document


async def test_the_front_leads_to_the_documentation(gateway: GatewayFixture) -> None:
    async with gateway.http.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/docs")


async def test_the_documentation_page_calls_nobody_else(gateway: GatewayFixture) -> None:
    async with gateway.http.get("/docs", headers={"Accept-Encoding": "identity"}) as answer:
        page = await answer.text()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) == 4
    for link in links:
        async with gateway.http.get(link) as answer:
            assert answer.status == 200, link
    assert "http" not in page


@pytest.mark.parametrize(
    "path", ["/docs/", "/docs/%2e%2e/app.py", "/docs/%2e%2e%2fapp.py", "/docs/LICENSE", "/docs/x"]
)
async def test_nothing_else_is_served_from_there(gateway: GatewayFixture, path: str) -> None:
    async with gateway.http.get(gateway.exactly(path)) as answer:
        assert answer.status == 404


async def test_assets_are_packed_and_validated(gateway: GatewayFixture) -> None:
    async with gateway.http.get("/docs/swagger-ui-bundle.js", headers={"Accept-Encoding": "gzip"}) as answer:
        packed = await answer.read()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(packed) < 700_000
    etag = answer.headers["ETag"]
    async with gateway.http.get("/docs/swagger-ui-bundle.js", headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
