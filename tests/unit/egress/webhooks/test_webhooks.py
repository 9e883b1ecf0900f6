"""The webhook endpoint over HTTP, on a database in memory."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from services.egress.webhooks import routes
from services.egress.webhooks.routes import WEBHOOKS
from services.egress.webhooks.service import ReceivedWebhook, WebhookRepository, WebhookService
from shared.clock import SystemClock
from shared.contracts.livekit_events import ParticipantJoined
from shared.errors import Unavailable
from shared.http import service_app
from shared.livekit import WebhookVerifier
from shared.persistence.mongo import Document, Mongo
from shared.persistence.outbox import Outbox
from shared.runtime.health import HEALTH
from shared.runtime.settings import ServiceSettings
from tests.fakes.memory_bus import MemoryBus
from tests.fakes.memory_mongo import memory_mongo
from tests.metric_samples import changes, grows

KEY, SECRET = "APIkey", "a-secret-of-at-least-thirty-two-bytes"
SAMPLES = Path(__file__).parent / "samples"
JOINED = (SAMPLES / "participant_joined.json").read_bytes()


class ClosedStore(WebhookRepository):
    async def add(self, webhook: ReceivedWebhook) -> bool:
        raise Unavailable("The database is unavailable")


class HangingStore(WebhookRepository):
    async def add(self, webhook: ReceivedWebhook) -> bool:
        await asyncio.Event().wait()
        return True


class BrokenStore(WebhookRepository):
    async def add(self, webhook: ReceivedWebhook) -> bool:
        raise KeyError("a fault of ours")


@dataclass
class Endpoint:
    """A running service, its database and its bus."""

    client: TestClient[Any, Any]
    mongo: Mongo
    bus: MemoryBus
    outbox: Outbox

    async def post(self, body: bytes, authorization: str | None) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": "application/webhook+json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        async with self.client.post("/webhooks/livekit", data=body, headers=headers) as response:
            return response.status, await response.json()

    async def stored(self) -> list[Document]:
        return await self.mongo.collection("webhooks").find({})


def signature(body: bytes) -> str:
    now = int(datetime.now(UTC).timestamp())
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    claims = {"iss": KEY, "nbf": now, "exp": now + 300, "sha256": digest}
    return jwt.encode(claims, SECRET, algorithm="HS256")


async def serve(store: type[WebhookRepository]) -> Endpoint:
    clock, mongo, bus = SystemClock(), memory_mongo(), MemoryBus()
    outbox = Outbox(bus, clock, source="/greenroom/egress")
    settings = ServiceSettings(environment="test", internal_secret=SecretStr(SECRET))
    app = service_app("egress", settings, [routes.routes], clock)
    verifier = WebhookVerifier({KEY: SECRET}, clock)
    app[WEBHOOKS] = WebhookService(verifier, store(mongo, outbox), clock, storing_deadline=0.1)
    app[HEALTH].started = True
    client = TestClient(TestServer(app))
    await client.start_server()
    return Endpoint(client, mongo, bus, outbox)


@pytest.fixture
def store() -> type[WebhookRepository]:
    return WebhookRepository


@pytest.fixture
async def endpoint(store: type[WebhookRepository]) -> AsyncIterator[Endpoint]:
    endpoint = await serve(store)
    yield endpoint
    await endpoint.client.close()


async def test_a_webhook_is_answered_stored_and_published(endpoint: Endpoint) -> None:
    status, answer = await endpoint.post(JOINED, signature(JOINED))
    assert (status, answer["success"], answer["data"]) == (200, True, None)
    await endpoint.outbox.publish_once()
    (envelope,) = endpoint.bus.published
    assert isinstance(envelope.event, ParticipantJoined)
    assert envelope.event.connection.username == 'Vera: "Viewer" ☂'


async def test_a_repeated_webhook_is_fine_and_has_no_further_effect(endpoint: Endpoint) -> None:
    answers = await asyncio.gather(*(endpoint.post(JOINED, signature(JOINED)) for _ in range(10)))
    assert {status for status, _ in answers} == {200}
    await endpoint.outbox.publish_once()
    assert len(endpoint.bus.published) == len(await endpoint.stored()) == 1


@pytest.mark.parametrize("authorization", [None, "", "nonsense", signature(b"another body")])
async def test_whoever_is_not_livekit_has_no_effect(endpoint: Endpoint, authorization: str | None) -> None:
    status, answer = await endpoint.post(JOINED, authorization)
    assert (status, answer["code"]) == (401, "webhook_signature_invalid")
    assert await endpoint.stored() == []


async def test_the_signature_is_looked_at_before_the_body(endpoint: Endpoint) -> None:
    assert (await endpoint.post(b"no json", None))[0] == 401
    status, answer = await endpoint.post(b"no json", signature(b"no json"))
    assert (status, answer["code"]) == (422, "validation_failed")
    assert await endpoint.stored() == []


async def test_a_body_has_a_largest_size(endpoint: Endpoint) -> None:
    body = b" " * (1024 * 1024 + 1)
    assert (await endpoint.post(body, signature(body)))[0] == 413


@pytest.mark.parametrize(
    "change",
    [{"event": "participant_promoted"}, {"room": {"sid": "RM_1", "name": "a-room-of-somebody-else"}}],
)
async def test_what_means_nothing_to_us_is_stored_without_an_event(
    endpoint: Endpoint, change: Document
) -> None:
    body = json.dumps({**json.loads(JOINED), **change}).encode()
    assert (await endpoint.post(body, signature(body)))[0] == 200
    await endpoint.outbox.publish_once()
    (document,) = await endpoint.stored()
    assert "outbox" not in document
    assert endpoint.bus.published == []


async def test_secrets_of_the_body_are_not_stored(endpoint: Endpoint) -> None:
    for name in ("room_started", "ingress_started"):
        body = (SAMPLES / f"{name}.json").read_bytes().replace(b"redacted", b"a-real-password")
        assert (await endpoint.post(body, signature(body)))[0] == 200
    stored = await endpoint.stored()
    assert len(stored) == 2
    assert "a-real-password" not in str(stored)


async def test_what_livekit_dropped_is_counted(endpoint: Endpoint) -> None:
    body = json.dumps({**json.loads(JOINED), "numDropped": 3}).encode()
    with changes("greenroom_webhooks_dropped_total", 3):
        assert (await endpoint.post(body, signature(body)))[0] == 200


async def test_the_age_of_a_webhook_is_measured(endpoint: Endpoint) -> None:
    made_at = int(time.time()) - 20
    body = json.dumps({**json.loads(JOINED), "createdAt": str(made_at)}).encode()
    with (
        grows("greenroom_webhook_age_seconds_bucket", le="30.0"),
        changes("greenroom_webhook_age_seconds_bucket", 0, le="10.0"),
    ):
        assert (await endpoint.post(body, signature(body)))[0] == 200


class TestOurOwnFaults:
    """None of them is a 4xx, which LiveKit would take for delivered."""

    @pytest.mark.parametrize(
        ("store", "expected"), [(ClosedStore, 503), (HangingStore, 503), (BrokenStore, 500)]
    )
    async def test_livekit_is_to_send_it_again(self, endpoint: Endpoint, expected: int) -> None:
        assert (await endpoint.post(JOINED, signature(JOINED)))[0] == expected

    async def test_a_service_that_is_starting_says_so(self, endpoint: Endpoint) -> None:
        assert endpoint.client.app is not None
        endpoint.client.app[HEALTH].started = False
        assert (await endpoint.post(JOINED, signature(JOINED)))[0] == 503
